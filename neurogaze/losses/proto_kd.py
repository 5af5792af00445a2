"""Distillation toward the prototype grid: where on the valence/arousal plane an image should lie.

With embedding `f`, unit prototypes `p_k`, and `e_k` the centre of cell k on the plane:

    q_stu = softmax_k(scale cos(f, p_k) / tau),    L = KL(q_pro || q_stu),    tau = 0.90

(arXiv 2509.11916). Its configuration also has a `temperature: 5.0` without a formula: read as one
of logit KD the scale is 1, read as a factor of the cosines it is 5. For the target `q_pro` it gives
no formula either; both forms are ours, with `a_c` the anchor of class c and `p_c` the prototype of
the cell that the anchor lies in, mixed over the target distribution of the image:

    gaussian:     q_pro(c) = softmax_k(-|e_k - a_c|^2 / (2 sigma^2)),    sigma = 2 / sqrt(K)
    row_softmax:  q_pro(c) = softmax_k(cos(p_c, p_k) / tau)

That sigma is one bin width, 0.4 at 5x5: it follows the grid, so that the number of cells does not
change how many of them a target spreads over.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from neurogaze.affect import anchors, cell_index
from neurogaze.errors import InputError
from neurogaze.losses.seen import Seen, full_precision, widened
from neurogaze.losses.weights import check_weight


def bin_width(centers: Tensor) -> float:
    """Distance of neighbouring cell centres of a square grid over [-1, 1] on either axis.

    Args:
        centers: `[K, 2]`, valence and arousal of the cells.

    >>> bin_width(torch.zeros(25, 2))
    0.4
    """
    return 2.0 / math.sqrt(len(centers))


def gaussian_targets(centers: Tensor, sigma: float | None = None) -> Tensor:
    """Distribution over cells of each emotion: a Gaussian round its anchor, on the cell centres.

    Args:
        centers: `[K, 2]`, valence and arousal of the cells.
        sigma: standard deviation on either axis; None: one bin width of the grid.

    Returns:
        `[8, K]`, rows sum to 1, rows in the order of `EMOTIONS`.
    """
    width = bin_width(centers) if sigma is None else sigma
    points = torch.as_tensor(anchors(), dtype=centers.dtype, device=centers.device)
    squared = (points[:, None, :] - centers[None, :, :]).square().sum(-1)
    return torch.softmax(-squared / (2.0 * width**2), dim=-1)


def row_softmax_targets(prototypes: Tensor, tau: float) -> Tensor:
    """Distribution over cells of each emotion: how alike the prototype of its anchor's cell is.

    Args:
        prototypes: `[K, D]`, unit rows in cell order of a square grid.
        tau: temperature.

    Returns:
        `[8, K]`, rows sum to 1, rows in the order of `EMOTIONS`.
    """
    cells = torch.from_numpy(cell_index(anchors(), math.isqrt(len(prototypes))))
    rows = prototypes[cells.to(prototypes.device)]
    return torch.softmax(rows @ prototypes.T / tau, dim=-1)


class ProtoKD(nn.Module):
    """The prototype distillation term of the student.

    Args:
        weight: factor of the term in the objective.
        tau: temperature of the softmax over cosines.
        logit_scale: factor of the cosines of the student; 5 is the other reading of the published
            `temperature: 5.0`.
        target: `gaussian` round the class anchor, or `row_softmax` of the prototypes' own cosines
            at `tau`, which at 0.90 is nearly flat and the term nearly inert.
        sigma: width of `gaussian`, in units of valence and arousal; null: one bin width of the
            grid that is given, 0.4 at 5x5.

    Raises:
        InputError: for a temperature or a width that is not above 0 or not finite, or a weight that
            is negative or not finite.
    """

    def __init__(
        self,
        weight: float = 0.12,
        tau: float = 0.90,
        logit_scale: float = 1.0,
        target: Literal["gaussian", "row_softmax"] = "gaussian",
        sigma: float | None = None,
    ) -> None:
        super().__init__()
        check_weight("loss.proto.weight", weight)
        for name, value in (("tau", tau), ("sigma", sigma)):
            if value is not None and not 0 < value < math.inf:
                raise InputError(f"loss.proto.{name}", f"is {value}", "use a number above 0")
        self.weight, self.tau, self.logit_scale = weight, tau, logit_scale
        self.target, self.sigma = target, sigma

    def coefficient(self, seen: Seen) -> float:
        """Factor of the term at this step."""
        return self.weight

    def forward(self, seen: Seen) -> Tensor:
        """`KL(q_pro || q_stu)` in nats, mean over the batch, before its factor.

        `q_pro` of an image is the mean of its class targets under the target distribution of the
        image, so votes and blended images need no other formula. The prototypes get no gradient.

        Raises:
            InputError: when no grid is given, or its width is not that of the embedding.
        """
        prototypes, centers = self._grid(seen)
        with full_precision(seen.embedding):
            embedding = F.normalize(widened(seen.embedding), dim=-1)
            prototypes = F.normalize(prototypes.to(embedding.dtype), dim=-1)
            log_student = F.log_softmax(
                self.logit_scale * (embedding @ prototypes.T) / self.tau, dim=-1
            )
            target = seen.target.to(embedding.dtype) @ self._targets(prototypes, centers)
            return F.kl_div(log_student, target, reduction="batchmean")

    def _targets(self, prototypes: Tensor, centers: Tensor) -> Tensor:
        """Distribution over cells of each emotion, `[8, K]`; prototypes are unit rows."""
        if self.target == "gaussian":
            return gaussian_targets(centers.to(prototypes.dtype), self.sigma)
        return row_softmax_targets(prototypes, self.tau)

    def class_targets(self, seen: Seen) -> Tensor:
        """Distribution over cells that the term gives each emotion, `[8, K]`.

        Raises:
            InputError: as `forward`.
        """
        prototypes, centers = self._grid(seen)
        return self._targets(F.normalize(widened(prototypes), dim=-1), centers)

    @staticmethod
    def _grid(seen: Seen) -> tuple[Tensor, Tensor]:
        """Prototypes and centres without gradient, checked."""
        if seen.prototypes is None or seen.centers is None:
            raise InputError(
                "loss term proto", "no prototype grid is given", "give one, or set proto: null"
            )
        if seen.prototypes.shape[1] != seen.embedding.shape[1]:
            raise InputError(
                "prototype grid",
                f"prototypes have {seen.prototypes.shape[1]} values, the embedding of the student "
                f"has {seen.embedding.shape[1]}",
                "set embedding_dim of the student to the width of the grid",
            )
        return seen.prototypes.detach(), seen.centers.detach()
