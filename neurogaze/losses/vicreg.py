"""VICReg: two views agree, no output is constant, no two outputs say the same.

Bardes, Ponce & LeCun 2022 (arXiv 2105.04906), as in their algorithm 1. It needs no negatives, no
second network and no asymmetry between views, and each term can be read: the variance term says
outright when outputs collapse.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor
from torch.nn import functional as F

from neurogaze.losses.seen import full_precision, widened
from neurogaze.losses.weights import check_weight

EPSILON = 1e-4
"""Added to a variance before its root."""

TARGET_STD = 1.0


@dataclass(frozen=True)
class VicregWeights:
    """Factors of the three terms.

    Args:
        invariance: of the squared distance between the views of a picture.
        variance: of what outputs lack to a standard deviation of 1.
        covariance: of squared covariances between outputs.

    Raises:
        InputError: for a factor that is negative or not finite.
    """

    invariance: float = 25.0
    variance: float = 25.0
    covariance: float = 1.0

    def __post_init__(self) -> None:
        for field in fields(self):
            check_weight(f"model.weights.{field.name}", getattr(self, field.name))


PUBLISHED = VicregWeights()


def variance_term(outputs: Tensor) -> Tensor:
    """Mean over outputs of `relu(1 - sqrt(var + 1e-4))`, variance over `[B, D]` rows, unbiased."""
    std = (outputs.var(dim=0) + EPSILON).sqrt()
    return F.relu(TARGET_STD - std).mean()


def covariance_term(outputs: Tensor) -> Tensor:
    """Sum of squared covariances of different outputs, `[B, D]`, over D."""
    centred = outputs - outputs.mean(dim=0)
    covariance = centred.T @ centred / (len(outputs) - 1)
    squares = covariance.square()
    return (squares.sum() - squares.diagonal().sum()) / outputs.shape[1]


def vicreg(first: Tensor, second: Tensor, weights: VicregWeights = PUBLISHED) -> dict[str, Tensor]:
    """The three weighted terms of a batch; the objective is their sum.

    Args:
        first: `[B, D]`, outputs for one view of each picture; B is 2 or more.
        second: `[B, D]`, for the other.
        weights: factors.

    Returns:
        `invariance`, `variance` and `covariance`, in float32 or wider.
    """
    with full_precision(first):
        a, b = widened(first), widened(second)
        return {
            "invariance": weights.invariance * F.mse_loss(a, b),
            "variance": weights.variance * (variance_term(a) + variance_term(b)),
            "covariance": weights.covariance * (covariance_term(a) + covariance_term(b)),
        }


@torch.no_grad()
def spread(features: Tensor) -> Tensor:
    """Mean standard deviation of unit rows `[B, D]`, times sqrt(D): 1 evenly spread, 0 collapsed.

    The reading of Chen & He 2021 (arXiv 2011.10566, section 4.1).
    """
    unit = F.normalize(widened(features), dim=1)
    return unit.std(dim=0).mean() * unit.shape[1] ** 0.5
