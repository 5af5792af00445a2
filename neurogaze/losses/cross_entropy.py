"""Cross-entropy with label smoothing and class weights, one formula for hard and soft targets.

    L = sum_ic w_c t_ic (-log p_ic) / sum_ic w_c t_ic,    t' = (1 - s) t + s / 8,    s = 0.055

with `w_c` proportional to `n_c ** -1/2`, the largest at most 6 times the smallest, and scaled so
that `sum_c n_c w_c = N`. Smoothing and the fact of class weights are of arXiv 2509.11916, which
gives no formula for the weights: theirs and the common divisor are ours. The logit adjustment is
equation 10 of Menon et al. 2021 (arXiv 2007.07314).
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError
from neurogaze.losses.across_ranks import mean_over_ranks
from neurogaze.losses.seen import Seen, full_precision, widened
from neurogaze.losses.weights import check_weight

MAX_WEIGHT_RATIO = 6.0


def weighted_cross_entropy(logits: Tensor, target: Tensor, weights: Tensor) -> Tensor:
    """`sum_ic w_c t_ic (-log p_ic) / sum_ic w_c t_ic`, in nats.

    For one-hot targets this is what PyTorch computes for class indices; for soft targets PyTorch
    divides by the batch size instead, so the two would not agree on the same data. In a distributed
    training the divisor is that of the whole batch, `losses.across_ranks`.

    Args:
        logits: `[B, C]`.
        target: `[B, C]`, rows sum to 1.
        weights: `[C]`, class weights.
    """
    weighted = weights * target
    return -(weighted * F.log_softmax(logits, dim=-1)).sum() / mean_over_ranks(weighted.sum())


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


def log_priors(counts: Tensor) -> Tensor:
    """Logarithm of the share of each class, float64 `[C]`; of an absent class, the mean of all.

    Counts or shares: only their ratios matter.

    The geometric mean of the others neither helps nor hurts a class that is not trained.

    >>> log_priors(torch.tensor([3, 1])).exp().tolist()
    [0.75, 0.25]
    """
    counts = counts.double()
    logs = (counts / counts.sum()).log()
    present = counts > 0
    return torch.where(present, logs, logs[present].mean())


class CrossEntropy(nn.Module):
    """The classification term of the student.

    With the votes as targets, neither smoothed nor weighted, this is the label-distribution loss
    `KL(votes || p)` plus the entropy of the votes, which no weight of the network changes: the
    gradients are equal, the value is higher by that entropy.

    Args:
        weight: factor of the term in the objective.
        label_smoothing: share of the target spread evenly over the classes, before weighting.
        class_weights: `sqrt` weighs a class by the inverse root of its size, once
            `set_class_counts` has told the sizes; `none` weighs all classes equally.
        logit_adjustment: `tau`; `tau` times the log share of each class in the targets is added
            to the logits in training, so that the logits themselves serve balanced classes (Menon
            et al. 2021, arXiv 2007.07314, eq. 10). It does the work of class weights: use one of
            both.

    Raises:
        InputError: for a smoothing outside 0..1, or a weight or an adjustment that is negative or
            not finite.
    """

    class_weight: Tensor
    log_prior: Tensor

    def __init__(
        self,
        weight: float = 1.0,
        label_smoothing: float = 0.055,
        class_weights: Literal["none", "sqrt"] = "sqrt",
        logit_adjustment: float = 0.0,
    ) -> None:
        super().__init__()
        check_weight("loss.ce.weight", weight)
        if not 0 <= label_smoothing <= 1:
            found = f"is {label_smoothing}"
            raise InputError("loss.ce.label_smoothing", found, "give a number from 0 to 1")
        if not 0 <= logit_adjustment < math.inf:
            found = f"is {logit_adjustment}"
            raise InputError("loss.ce.logit_adjustment", found, "use 0 or more")
        self.weight, self.label_smoothing, self.class_weights = (
            weight,
            label_smoothing,
            class_weights,
        )
        self.logit_adjustment = logit_adjustment
        self.register_buffer("class_weight", torch.ones(len(EMOTIONS)))
        self.register_buffer("log_prior", torch.zeros(len(EMOTIONS)), persistent=False)

    def set_class_counts(
        self, counts: Tensor, left_out: int | None = None, shares: Tensor | None = None
    ) -> None:
        """Tell the sizes of the classes in the training set.

        Args:
            counts: `[8]`, images of each class by its label; they make the class weights.
            left_out: index of a class without images on purpose; its weight is 1.
            shares: `[8]`, mean of the targets, which is what a network learns as its prior: of
                votes it is not that of the labels. None where the targets are the labels.

        Raises:
            InputError: for another number of classes, or a class without a sample.
        """
        counts = torch.as_tensor(counts)
        if counts.shape != (len(EMOTIONS),):
            found = f"has {tuple(counts.shape)} class counts"
            raise InputError("training set", found, f"give one for each of {EMOTIONS}")
        sizes = enumerate(counts.tolist())
        empty = [EMOTIONS[i] for i, n in sizes if n <= 0 and i != left_out]
        if empty:
            raise InputError(
                "training set", f"has no image of {empty}", "add some, or drop the class"
            )
        self.log_prior.copy_(log_priors(counts if shares is None else torch.as_tensor(shares)))
        if self.class_weights == "sqrt":
            present, weights = counts > 0, torch.ones(len(EMOTIONS), dtype=torch.float64)
            weights[present] = sqrt_class_weights(counts[present])
            self.class_weight.copy_(weights)

    def coefficient(self, seen: Seen) -> float:
        """Factor of the term at this step."""
        return self.weight

    def forward(self, seen: Seen) -> Tensor:
        """Cross-entropy of the batch, nats, before its factor."""
        with full_precision(seen.logits):
            logits = widened(seen.logits)
            if self.logit_adjustment:
                logits = logits + self.logit_adjustment * self.log_prior.to(logits.dtype)
            target = seen.target.to(logits.dtype)
            smooth = self.label_smoothing
            target = (1.0 - smooth) * target + smooth / target.shape[-1]
            return weighted_cross_entropy(logits, target, self.class_weight.to(logits.dtype))
