"""Cross-entropy with label smoothing and class weights, one formula for hard and soft targets."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError
from neurogaze.losses.seen import Seen, full_precision, widened

MAX_WEIGHT_RATIO = 6.0


def weighted_cross_entropy(logits: Tensor, target: Tensor, weights: Tensor) -> Tensor:
    """`sum_ic w_c t_ic (-log p_ic) / sum_ic w_c t_ic`, in nats.

    For one-hot targets this is what PyTorch computes for class indices; for soft targets PyTorch
    divides by the batch size instead, so the two would not agree on the same data.

    Args:
        logits: `[B, C]`.
        target: `[B, C]`, rows sum to 1.
        weights: `[C]`, class weights.
    """
    weighted = weights * target
    return -(weighted * F.log_softmax(logits, dim=-1)).sum() / weighted.sum()


def sqrt_class_weights(counts: Tensor) -> Tensor:
    """Weights proportional to `n_c ** -1/2`, at most 6 times the smallest, mean 1 over samples.

    Args:
        counts: `[C]`, samples of each class, all positive.

    Returns:
        float64 `[C]` with `sum_c n_c w_c = sum_c n_c`.

    >>> sqrt_class_weights(torch.tensor([4, 1])).tolist()
    [0.8333333333333334, 1.6666666666666667]
    """
    counts = counts.double()
    weights = counts.rsqrt()
    weights = weights.clamp(max=MAX_WEIGHT_RATIO * float(weights.min()))
    return weights * counts.sum() / (counts * weights).sum()


class CrossEntropy(nn.Module):
    """The classification term of the student.

    Args:
        weight: factor of the term in the objective.
        label_smoothing: share of the target spread evenly over the classes, before weighting.
        class_weights: `sqrt` weighs a class by the inverse root of its size, once
            `set_class_counts` has told the sizes; `none` weighs all classes equally.
    """

    class_weight: Tensor

    def __init__(
        self,
        weight: float = 1.0,
        label_smoothing: float = 0.055,
        class_weights: Literal["none", "sqrt"] = "sqrt",
    ) -> None:
        super().__init__()
        self.weight, self.label_smoothing, self.class_weights = (
            weight,
            label_smoothing,
            class_weights,
        )
        self.register_buffer("class_weight", torch.ones(len(EMOTIONS)))

    def set_class_counts(self, counts: Tensor) -> None:
        """Weigh classes by their sizes in the training set, `[8]`; does nothing under `none`.

        Raises:
            InputError: for a class without a sample.
        """
        counts = torch.as_tensor(counts)
        empty = [name for name, n in zip(EMOTIONS, counts.tolist(), strict=True) if n <= 0]
        if empty:
            raise InputError(
                "training set", f"has no image of {empty}", "add some, or drop the class"
            )
        if self.class_weights == "sqrt":
            self.class_weight.copy_(sqrt_class_weights(counts))

    def coefficient(self, seen: Seen) -> float:
        """Factor of the term at this step."""
        return self.weight

    def forward(self, seen: Seen) -> Tensor:
        """Cross-entropy of the batch, nats, before its factor."""
        with full_precision(seen.logits):
            logits = widened(seen.logits)
            target = seen.target.to(logits.dtype)
            smooth = self.label_smoothing
            target = (1.0 - smooth) * target + smooth / target.shape[-1]
            return weighted_cross_entropy(logits, target, self.class_weight.to(logits.dtype))
