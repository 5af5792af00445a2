"""A geometric regulariser of the embedding: tight positive classes, separate class means.

On unit embeddings `f` of the images that are not blended, with `mu_c` the mean of class c in the
batch, `n_c` its size, and `m_c` its running mean:

    Var_c = n_c / (n_c - 1) * mean_i |f_i - mu_c|^2
    intra = mean over positive classes with n_c >= 2 of relu(Var_c - cap)
    inter = mean over pairs with a class in the batch of relu(margin - (1 - cos(m_c, m_c')))
    L     = intra + inter,    cap = 0.25,    margin = 0.5

Both parts, the positive classes, the weight and the schedule are of arXiv 2509.11916; it gives no
formula, and these are ours. In a distributed training the batch is that of all processes together.
The term regularises geometry and says nothing about anybody's health.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from einops import einsum
from torch import Tensor, nn
from torch.nn import functional as F

from neurogaze.affect import EMOTIONS, canonical_emotion
from neurogaze.errors import InputError
from neurogaze.losses.across_ranks import sum_over_ranks
from neurogaze.losses.proto_kd import gaussian_targets
from neurogaze.losses.seen import Seen, full_precision, widened
from neurogaze.losses.weights import check_weight


def late_cosine(
    epoch: float, start: float = 20.0, end: float = 60.0, hard_gate: float = 0.2
) -> float:
    """Ramp from 0 at `start` to 1 at `end` along a half cosine; values below the gate count as 0.

    >>> [round(late_cosine(e), 4) for e in (19, 31, 32, 40, 60)]
    [0.0, 0.0, 0.2061, 0.5, 1.0]
    """
    if epoch >= end:
        return 1.0
    if epoch < start:
        return 0.0
    ramp = 0.5 * (1.0 - math.cos(math.pi * (epoch - start) / (end - start)))
    return ramp if ramp >= hard_gate else 0.0


def class_means(unit: Tensor, member: Tensor, counts: Tensor) -> Tensor:
    """Mean of each class in the batch of all processes, 0 for a class without a sample.

    Args:
        unit: `[B, D]`, unit rows of this process.
        member: `[B, C]`, 1 where a sample belongs to a class.
        counts: `[C]`, size of each class over all processes.

    Returns:
        `[C, D]`.
    """
    sums = sum_over_ranks(einsum(member, unit, "b c, b d -> c d"))
    return sums / counts.clamp(min=1)[:, None]


def variance_excess(
    unit: Tensor, member: Tensor, means: Tensor, counts: Tensor, cap: float
) -> Tensor:
    """Mean over classes with at least two samples of `relu(Var_c - cap)`.

    `Var_c = n / (n - 1) * mean_i |f_i - mu_c|^2` with the batch mean, which is unbiased.

    Args:
        unit: `[B, D]`, unit rows of this process.
        member: `[B, P]`, membership in the capped classes only.
        means: `[P, D]`, means of these classes over all processes.
        counts: `[P]`, their sizes over all processes.
        cap: variance that costs nothing.
    """
    squared = (unit[:, None, :] - means[None, :, :]).square().sum(-1)
    variance = sum_over_ranks((member * squared).sum(0)) / (counts - 1).clamp(min=1)
    counted = (counts >= 2).to(unit.dtype)
    return (counted * F.relu(variance - cap)).sum() / counted.sum().clamp(min=1)


def target_distances(targets: Tensor) -> Tensor:
    """Total variation `1/2 sum_k |q_c(k) - q_c'(k)|` of class targets.

    Args:
        targets: `[8, K]`, distribution of each emotion over the cells, such as `gaussian_targets`.

    Returns:
        `[8, 8]`, in [0, 1]; 0 where the targets do not tell two emotions apart.
    """
    return 0.5 * (targets[:, None, :] - targets[None, :, :]).abs().sum(-1)


def margin_violation(
    means: Tensor,
    present: Tensor,
    known: Tensor,
    margin: float,
    apart: Tensor | None = None,
) -> Tensor:
    """Mean over pairs of known classes, one of them in the batch, of `relu(margin - (1 - cos))`.

    Args:
        means: `[C, D]`, class means.
        present: bool `[C]`, the class is in the batch.
        known: bool `[C]`, the class has been in some batch.
        margin: cosine distance that costs nothing.
        apart: bool `[C, C]`, the pairs to count; None for all.
    """
    unit = F.normalize(means, dim=-1)
    pairs = known[:, None] & known[None, :] & (present[:, None] | present[None, :])
    if apart is not None:
        pairs = pairs & apart
    counted = pairs.triu(diagonal=1).to(means.dtype)
    violation = F.relu(margin - (1.0 - unit @ unit.T))
    return (counted * violation).sum() / counted.sum().clamp(min=1)


class Geometry(nn.Module):
    """The geometric term of the student, on L2-normalised embeddings of unblended images.

    Class means are running means, so that a rare class counts in every batch; the straight-through
    form `sg(running) + batch - sg(batch)` gives the batch the gradient. A margin of 0 leaves only
    the cap, a cap of 2 or more only the margin. The schedule is stretched to `max_epochs`.

    Args:
        weight: factor of the term in the objective at the end of the ramp.
        positive_classes: emotions whose variance is capped.
        cap: variance of unit embeddings that costs nothing.
        margin: cosine distance of class means that costs nothing.
        start_epoch: epoch where the ramp begins.
        end_epoch: epoch where the ramp reaches 1.
        hard_gate: ramp values below this count as 0.
        reference_epochs: length of training to which both epochs refer.
        ema: share of the old running mean kept at each batch.
        least_distance: pairs of classes whose targets in Proto-KD differ by less than this total
            variation are left out of the margin, which fights Proto-KD there; 0 keeps all pairs,
            anything else needs a grid.

    Raises:
        InputError: for a positive class that is no emotion, a distance outside 0..1, a length of
            training that is not above 0, or a weight that is negative or not finite.
    """

    means: Tensor
    known: Tensor

    def __init__(
        self,
        weight: float = 0.012,
        positive_classes: tuple[str, ...] = ("happiness", "surprise"),
        cap: float = 0.25,
        margin: float = 0.5,
        start_epoch: float = 20.0,
        end_epoch: float = 60.0,
        hard_gate: float = 0.2,
        reference_epochs: int = 100,
        ema: float = 0.9,
        least_distance: float = 0.0,
    ) -> None:
        super().__init__()
        check_weight("loss.geo.weight", weight)
        if not 0 <= least_distance <= 1:
            found = f"is {least_distance}"
            raise InputError("loss.geo.least_distance", found, "give a number from 0 to 1")
        if not reference_epochs > 0:
            found = f"is {reference_epochs}"
            raise InputError("loss.geo.reference_epochs", found, "use 1 or more")
        self.weight, self.cap, self.margin, self.ema = weight, cap, margin, ema
        self.start_epoch, self.end_epoch = start_epoch, end_epoch
        self.hard_gate, self.reference_epochs = hard_gate, reference_epochs
        self.least_distance = least_distance
        self.positive = [EMOTIONS.index(canonical_emotion(name)) for name in positive_classes]
        # The width of the embedding is not known yet; the first batch or a checkpoint tells it.
        self.register_buffer("means", torch.zeros(len(EMOTIONS), 0))
        self.register_buffer("known", torch.zeros(len(EMOTIONS), dtype=torch.bool))

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, *args: Any, **kwargs: Any
    ) -> None:
        """Take the width of the saved means before PyTorch compares shapes."""
        saved = state_dict.get(prefix + "means")
        if saved is not None:
            self.means = torch.zeros(saved.shape, device=self.means.device)
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)

    def ramp(self, epoch: float, max_epochs: int) -> float:
        """Value of the schedule in [0, 1], stretched by `max_epochs / reference_epochs`."""
        stretch = max_epochs / self.reference_epochs
        return late_cosine(
            epoch, self.start_epoch * stretch, self.end_epoch * stretch, self.hard_gate
        )

    def coefficient(self, seen: Seen) -> float:
        """Factor of the term at this step: 0 before the gate."""
        return self.weight * self.ramp(seen.epoch, seen.max_epochs)

    @torch.no_grad()
    def observe(self, seen: Seen) -> None:
        """Bring the running means up to date with a training batch; blended images are left out.

        The objective calls this before the ramp as well, where the term is not computed: the means
        are then warm when it sets in. The first batch of a class sets its mean.

        Raises:
            InputError: as `forward`, so that a training does not learn of it amid the ramp.
        """
        self._apart(seen)
        if not self.training:
            return
        with full_precision(seen.embedding):
            unit, member, counts = self._classes(seen)
            self._follow(class_means(unit, member, counts), counts > 0)

    def _classes(self, seen: Seen) -> tuple[Tensor, Tensor, Tensor]:
        """Unit embeddings `[B, D]`, class membership `[B, 8]`, sizes of classes over all processes.

        A blended image is a member of no class.
        """
        unit = F.normalize(widened(seen.embedding), dim=-1)
        member = F.one_hot(seen.label, len(EMOTIONS)).to(unit.dtype)
        if seen.mixed is not None:
            member = member * (~seen.mixed)[:, None]
        return unit, member, sum_over_ranks(member.sum(0))

    @torch.no_grad()
    def _follow(self, batch: Tensor, present: Tensor) -> None:
        """Update the running means from batch means.

        A class whose mean overflowed counts as absent: half precision skips such a step, and the
        means must outlive it.
        """
        batch = batch.float()
        present = present & batch.isfinite().all(dim=1)
        if self.means.shape != batch.shape:
            self.means = torch.zeros_like(batch)
        moved = torch.lerp(batch, self.means, self.ema)
        moved = torch.where(self.known[:, None], moved, batch)
        self.means.copy_(torch.where(present[:, None], moved, self.means))
        self.known |= present

    def _apart(self, seen: Seen) -> Tensor | None:
        """Pairs that the margin counts, bool `[8, 8]`, or None for all."""
        if not self.least_distance:
            return None
        if seen.centers is None:
            found = f"is {self.least_distance}, but there is no prototype grid"
            remedy = "keep loss.proto and pin a grid, or set it to 0"
            raise InputError("loss.geo.least_distance", found, remedy)
        targets = (
            gaussian_targets(seen.centers) if seen.class_targets is None else seen.class_targets
        )
        return target_distances(targets) >= self.least_distance

    def forward(self, seen: Seen) -> Tensor:
        """Variance excess plus margin violation, before the factor; updates the running means.

        Raises:
            InputError: when pairs are left out and there is no grid to tell which.
        """
        apart = self._apart(seen)
        with full_precision(seen.embedding):
            unit, member, counts = self._classes(seen)
            batch, present = class_means(unit, member, counts), counts > 0
            if self.training:
                self._follow(batch, present)
            running = self.means.to(batch.dtype) if self.means.shape == batch.shape else batch
            means = torch.where(
                present[:, None], running.detach() + batch - batch.detach(), running
            )
            chosen = self.positive
            intra = variance_excess(
                unit, member[:, chosen], batch[chosen], counts[chosen], self.cap
            )
            return intra + margin_violation(means, present, self.known, self.margin, apart)
