"""What a loss term sees of one training step, and the precision it computes in."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass
class Seen:
    """One batch as the loss terms see it.

    Args:
        logits: `[B, 8]`, of the student.
        embedding: `[B, D]`, of the student, not normalised.
        label: int64 `[B]`, hard label.
        target: `[B, 8]`, target distribution; one-hot, votes, or a mix of two images.
        teacher_logits: `[B, 8]`, of the face teacher for each own picture, or None.
        prototypes: `[K, D]`, unit rows of the frozen grid in cell order, or None.
        centers: `[K, 2]`, valence and arousal of the cells, or None.
        epoch: epochs done; may be a fraction.
        max_epochs: length of the training.
        partner: int64 `[B]`, place in the batch of the picture blended in, or None.
        lam: `[B]`, share of the own picture, 1 where nothing is blended, or None.
        class_targets: `[8, K]`, targets of Proto-KD over the cells, where it is in the objective.
    """

    logits: Tensor
    embedding: Tensor
    label: Tensor
    target: Tensor
    teacher_logits: Tensor | None = None
    prototypes: Tensor | None = None
    centers: Tensor | None = None
    epoch: float = 0.0
    max_epochs: int = 100
    partner: Tensor | None = None
    lam: Tensor | None = None
    class_targets: Tensor | None = None

    @property
    def mixed(self) -> Tensor | None:
        """Whether a picture is blended, so that `label` does not say what is shown: bool `[B]`.

        None where no picture of the training ever is.
        """
        return None if self.lam is None else self.lam < 1


def full_precision(tensor: Tensor) -> AbstractContextManager[None]:
    """Switch autocast off on the device of a tensor for the block."""
    return torch.autocast(tensor.device.type, enabled=False)


def widened(tensor: Tensor) -> Tensor:
    """Half precision to float32; float32 and float64 as they are.

    >>> widened(torch.ones(1, dtype=torch.bfloat16)).dtype
    torch.float32
    """
    return tensor.float() if tensor.dtype in (torch.float16, torch.bfloat16) else tensor
