"""Regression of the class anchors on the valence/arousal plane: the arm without prototypes.

For an image with target distribution `t` over the classes and embedding `f`,

    L = mean over the batch and both axes of (W f + b - sum_c t_c a_c)^2,

where `a_c` is the (valence, arousal) anchor of class c (`affect.CLASS_ANCHORS`). It tells the
student what Proto-KD tells it of the plane, and nothing of recordings: what Proto-KD (arXiv
2509.11916) gains over this term is more than two coordinates a class. The term is ours.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from neurogaze.affect import anchors
from neurogaze.errors import InputError
from neurogaze.losses.seen import Seen, full_precision, widened
from neurogaze.losses.weights import check_weight

INIT_SEED = 0
"""Of the first weights, which are the same in every training: the arm draws nothing of its own."""


def initial_head(width: int) -> tuple[Tensor, Tensor]:
    """First weights `[2, width]`, uniform within `width ** -1/2`, and bias 0, `[2]`.

    They come from a generator of their own, so that a student with this term begins from the same
    weights, and sees the same batches, as one without.
    """
    draw = torch.Generator().manual_seed(INIT_SEED)
    weight = (2.0 * torch.rand(2, width, generator=draw) - 1.0) * width**-0.5
    return weight, torch.zeros(2)


class VaHead(nn.Module):
    """The anchor regression term of the student; its linear head is trained with the student.

    With weight 0 the head is not trained, and nothing is computed.

    Args:
        weight: factor of the term in the objective.
        embedding_dim: width of the student's embedding.

    Raises:
        InputError: for a weight that is negative or not finite.
    """

    anchors: Tensor

    def __init__(self, weight: float = 0.12, embedding_dim: int = 256) -> None:
        super().__init__()
        check_weight("loss.va.weight", weight)
        self.weight = weight
        start, bias = initial_head(embedding_dim)
        trained = weight != 0
        self.matrix = nn.Parameter(start, requires_grad=trained)
        self.bias = nn.Parameter(bias, requires_grad=trained)
        table = torch.from_numpy(anchors()).float()
        self.register_buffer("anchors", table, persistent=False)

    def coefficient(self, seen: Seen) -> float:
        """Factor of the term at this step."""
        return self.weight

    def forward(self, seen: Seen) -> Tensor:
        """Mean squared error of valence and arousal, before its factor.

        The anchor of an image is the mean of the anchors under its target distribution, so votes
        and blended images need no other formula.

        Raises:
            InputError: when the embedding has another width than the head.
        """
        width = self.matrix.shape[1]
        if seen.embedding.shape[1] != width:
            found = f"is {width}, the embedding of the student has {seen.embedding.shape[1]} values"
            raise InputError("loss.va.embedding_dim", found, "set both to the same number")
        with full_precision(seen.embedding):
            embedding = widened(seen.embedding)
            dtype = embedding.dtype
            told = F.linear(embedding, self.matrix.to(dtype), self.bias.to(dtype))
            return F.mse_loss(told, seen.target.to(dtype) @ self.anchors.to(dtype))
