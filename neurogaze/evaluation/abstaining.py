"""The confidence below which to give no label, so that errors among the rest stay within a wish."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

from neurogaze.errors import InputError
from neurogaze.evaluation.selective import risk_coverage

Rule = Literal["guaranteed", "empirical"]

DELTA = 0.05
"""Chance that the bound of a guaranteed threshold does not hold."""


@dataclass(frozen=True)
class Abstention:
    """A threshold and what it was chosen by.

    Args:
        threshold: no label is given below it; 0 where everything may be answered.
        risk: wished for.
        rule: "empirical": the error on these rows is at most the risk; "guaranteed": so is the
            error on new ones, but for a chance of `delta`.
        delta: chance that the bound does not hold.
        coverage: share of the rows that is answered.
        error: among these.
        bound: one-sided upper Clopper-Pearson bound of that error: at `delta` divided by the
            thresholds tried for "guaranteed", at `delta` alone for "empirical", where it holds for
            a threshold that was fixed beforehand and so is only for orientation.
        answered: rows.
        n: rows in all.
    """

    threshold: float
    risk: float
    rule: str
    delta: float
    coverage: float
    error: float
    bound: float
    answered: int
    n: int


def upper_bound(errors: int, n: int, delta: float) -> float:
    """One-sided upper Clopper-Pearson bound of an error rate, holding with chance 1 - delta.

    >>> round(upper_bound(0, 59, 0.05), 3)
    0.05
    """
    return 1.0 if errors >= n else float(beta.ppf(1.0 - delta, errors + 1, n - errors))


def abstain_threshold(
    confidence: NDArray[np.floating],
    correct: NDArray[Any],
    risk: float,
    rule: Rule = "guaranteed",
    delta: float = DELTA,
) -> Abstention:
    """The smallest confidence to answer at, so that errors among the answered stay within a risk.

    "empirical": the smallest threshold whose error on these very rows is at most the risk, which
    new rows may well exceed. "guaranteed": the search of Geifman and El-Yaniv (2017, algorithm 1,
    SGR), one step richer: everything answered is tried first, then about log2 N thresholds by
    bisection, each by its Clopper-Pearson bound at `delta` divided by their number; so with chance
    1 - `delta` the error among answered new rows is at most the risk. It takes rows for independent
    draws and confidence for given; a temperature fitted on the same rows bends that a little.

    Args:
        confidence: largest calibrated probability of each row, `[N]`.
        correct: whether the row is right, `[N]`.
        risk: wished share of errors among the answered, above 0 and below 1.
        rule: see above.
        delta: chance that a guarantee does not hold.

    Raises:
        InputError: where no threshold reaches the risk, or the risk is out of range.
    """
    if not 0.0 < risk < 1.0:
        raise InputError("--risk", f"is {risk}", "wish for a share of errors between 0 and 1")
    curve = risk_coverage(confidence, correct)
    n = len(confidence)
    answered = np.rint(curve.coverage * n).astype(np.int64)
    errors = np.rint(curve.risk * answered).astype(np.int64)
    last = len(answered) - 1
    if rule == "empirical":
        fine = np.flatnonzero(errors / answered <= risk)
        best, share = (int(fine[-1]) if len(fine) else None), delta
    else:
        share = delta / (math.ceil(math.log2(max(n, 2))) + 1)
        best = _bisected(errors, answered, risk, share)
    if best is None:
        found = f"{risk:g} is not reached by any threshold ({rule}, {n:,} rows)"
        raise InputError("--risk", found, "wish for less, or hold out more pictures")
    return Abstention(
        threshold=0.0 if best == last else float(curve.threshold[best]),
        risk=risk,
        rule=rule,
        delta=delta,
        coverage=float(curve.coverage[best]),
        error=float(curve.risk[best]),
        bound=upper_bound(int(errors[best]), int(answered[best]), share),
        answered=int(answered[best]),
        n=n,
    )


def _bisected(
    errors: NDArray[np.int64], answered: NDArray[np.int64], risk: float, delta: float
) -> int | None:
    """The largest number of answers whose bound holds, of everything and those bisection tries."""

    def holds(k: int) -> bool:
        return upper_bound(int(errors[k]), int(answered[k]), delta) <= risk

    low, high = 0, len(errors) - 1
    if holds(high):
        return high
    best = None
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            best, low = middle, middle + 1
        else:
            high = middle
    return best
