"""Two arms seed by seed: paired t test, exact McNemar test, Holm's correction.

Pure functions of numbers. What they are told of is the pair: differences of one score between two
arms that share their seeds, or which rows each of two arms got right.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neurogaze.errors import InputError
from neurogaze.evaluation.statistics import LEVEL

Floats = NDArray[np.float64]


class PairedT(NamedTuple):
    """A paired t test over seeds.

    Attributes:
        effect: mean difference.
        low: lower end of the interval of the mean.
        high: upper end.
        t: statistic; infinite where all differences are equal and not 0, 0 where all are 0.
        p: two-sided.
        df: degrees of freedom, one less than there are seeds.
    """

    effect: float
    low: float
    high: float
    t: float
    p: float
    df: int


class McNemar(NamedTuple):
    """Rows that one of two classifiers got right and the other did not.

    Attributes:
        only_a: rows that only the first got right.
        only_b: rows that only the second got right.
        p: exact and two-sided; 1 where the two never disagree.
    """

    only_a: int
    only_b: int
    p: float


def standard_error(differences: ArrayLike) -> tuple[float, float]:
    """Mean of the differences and the standard error of that mean.

    Raises:
        InputError: for fewer than two differences, or one that is not finite.
    """
    values = np.asarray(differences, np.float64)
    if values.ndim != 1 or len(values) < 2:
        found = f"{values.size} paired differences tell no spread"
        raise InputError("paired test", found, "give one difference a seed, of two seeds or more")
    if not np.isfinite(values).all():
        found = f"{values.tolist()} is not finite"
        raise InputError("paired test", found, "look for a diverged run")
    if np.ptp(values) == 0:  # the mean would be off by a rounding, which then is the only spread
        return float(values[0]), 0.0
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))


def studentised(distance: float, error: float) -> float:
    """A distance in standard errors; infinite, or 0 for no distance, where there is no error."""
    if error > 0:
        return distance / error
    return float(np.copysign(np.inf, distance)) if distance else 0.0


def paired_t(differences: ArrayLike, level: float = LEVEL) -> PairedT:
    """Student's paired t test of whether the mean difference is 0.

    Args:
        differences: of one score between two arms, one a seed, `[n]`.
        level: of the interval.

    Raises:
        InputError: for fewer than two differences, or one that is not finite.
    """
    from scipy.stats import t

    mean, error = standard_error(differences)
    df = np.size(differences) - 1
    half = float(t.ppf((1 + level) / 2, df)) * error
    statistic = studentised(mean, error)
    p = float(2 * t.sf(abs(statistic), df))
    return PairedT(mean, mean - half, mean + half, statistic, p, df)


def sign_flip_floor(n_seeds: int) -> float:
    """Smallest two-sided p that a sign-flip test over seeds can reach, `2 / 2^n`.

    Only the pattern that was seen and its mirror image are as extreme as all signs alike, whatever
    the size of the effect; so five seeds can never go below .05.

    >>> sign_flip_floor(5), sign_flip_floor(10)
    (0.0625, 0.001953125)
    """
    return min(1.0, 2.0 / 2.0**n_seeds)


def mcnemar(right_a: ArrayLike, right_b: ArrayLike) -> McNemar:
    """Exact McNemar (1947) test of two classifiers on the same rows.

    Rows on which only one is right are coin flips if neither is better: a two-sided binomial test
    with one half. It knows one training run of each, so it says nothing of other seeds.

    Args:
        right_a: whether the first got each row right, `bool [N]`.
        right_b: likewise.

    Raises:
        InputError: for lengths that differ.
    """
    from scipy.stats import binom

    first, second = np.asarray(right_a, bool), np.asarray(right_b, bool)
    if first.shape != second.shape:
        found = f"{first.shape} against {second.shape} rows"
        raise InputError("McNemar test", found, "judge the same rows with both")
    only_a, only_b = int((first & ~second).sum()), int((second & ~first).sum())
    tail = float(binom.cdf(min(only_a, only_b), only_a + only_b, 0.5))
    return McNemar(only_a, only_b, min(1.0, 2 * tail))


def holm(p_values: ArrayLike) -> Floats:
    """P-values corrected for their number by the step-down procedure of Holm (1979), `[m]`.

    The smallest is multiplied by m, the next by m - 1 and so on; none falls below one before it or
    rises above 1. Those below alpha are the hypotheses that Holm rejects at alpha.

    Raises:
        InputError: for a value outside [0, 1].

    >>> holm([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, np.float64)
    if not ((p >= 0) & (p <= 1)).all():
        raise InputError("Holm correction", f"{p.tolist()} are no p-values", "give p in [0, 1]")
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(stepped, 1.0)
    return corrected
