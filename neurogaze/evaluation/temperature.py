"""One number that divides logits so that confidence fits: temperature scaling (Guo et al. 2017).

The objective is named with the number, because they disagree: against majority labels people's
doubt is an error, against their votes it is the target.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from neurogaze.errors import InputError
from neurogaze.evaluation.metrics import check_classes
from neurogaze.evaluation.soft_labels import row_jsd

Objective = Literal["nll", "vote_jsd"]
Floats = NDArray[np.float64]

LOWEST, HIGHEST = 0.02, 50.0
"""Temperatures searched; an optimum at an end is refused."""

GRID = 41
"""Temperatures tried before the search, evenly in their logarithm: it starts around the best."""

TOLERANCE = 1e-9


@dataclass(frozen=True)
class TemperatureFit:
    """A fitted temperature.

    Args:
        temperature: logits are divided by it.
        objective: what was made smallest, "nll" or "vote_jsd".
        before: mean objective at temperature 1, nats.
        after: mean objective at the temperature, nats.
        n: rows it was fitted on.
    """

    temperature: float
    objective: str
    before: float
    after: float
    n: int


def fit_temperature(
    logits: NDArray[np.floating], target: NDArray, objective: Objective = "nll"
) -> TemperatureFit:
    """The temperature that makes the objective smallest.

    The negative log-likelihood is convex in 1 / T, so it has one minimum; the divergence from votes
    need not be, and the search starts around the best of a grid.

    Args:
        logits: `[N, C]`.
        target: classes `[N]` for "nll", shares of votes `[N, C]` for "vote_jsd".
        objective: mean negative log-likelihood of the class, or mean Jensen-Shannon divergence
            from the votes, both in nats.

    Raises:
        InputError: for a target that does not fit the objective, a class that the logits have not,
            logits that are not finite, or an optimum at the end of the range (every row right, or
            logits that say nothing).
    """
    loss = _loss(np.asarray(logits, np.float64), np.asarray(target), objective)
    grid = np.linspace(np.log(LOWEST), np.log(HIGHEST), GRID)
    best = int(np.argmin([loss(float(np.exp(x))) for x in grid]))
    if best in (0, GRID - 1):
        found = f"{objective} is smallest at the end of the range, T = {np.exp(grid[best]):.3g}"
        raise InputError("temperature", found, "fit on rows the network was not trained on")
    around = (float(grid[best - 1]), float(grid[best + 1]))
    found_at = minimize_scalar(
        lambda x: loss(float(np.exp(x))),
        bounds=around,
        method="bounded",
        options={"xatol": TOLERANCE},
    )
    value = float(np.exp(found_at.x))
    return TemperatureFit(value, objective, loss(1.0), loss(value), len(logits))


def _loss(logits: Floats, target: NDArray, objective: Objective) -> Callable[[float], float]:
    """The objective as a function of the temperature."""
    shapes = {"nll": logits.shape[:1], "vote_jsd": logits.shape}
    if objective not in shapes:
        raise InputError("objective", f"is {objective!r}", f"use one of {', '.join(shapes)}")
    if target.shape != shapes[objective] or len(logits) == 0 or not np.isfinite(logits).all():
        found = f"logits {logits.shape} with a target {target.shape}, or logits are not finite"
        raise InputError(objective, found, f"give a target of shape {shapes[objective]}")
    if objective == "vote_jsd":
        return lambda t: float(row_jsd(target, softmax(logits / t, axis=1)).mean())
    check_classes("classes", target, logits.shape[1])
    rows = np.arange(len(logits))
    return lambda t: float(-log_softmax(logits / t, axis=1)[rows, target].mean())
