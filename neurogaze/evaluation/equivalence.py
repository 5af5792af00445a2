"""What may be said of a difference: equivalent, different, undecided, or nothing yet.

That no difference was found does not mean there is none. "It does not matter" needs a test that
rejects every difference beyond a margin that was set before.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from neurogaze.evaluation.paired import standard_error, studentised

MARGIN = 0.005
"""Half a point of a score that is a share: smaller differences do not matter."""

ALPHA = 0.05

LEAST_SEEDS = 10
"""Seeds that a claim needs."""

EQUIVALENT, DIFFERENT, UNDECIDED = "equivalent", "different", "undecided"

DESCRIPTIVE = "descriptive"
"""Stands in place of a verdict where a contrast is told once more, of other faces."""


class Equivalence(NamedTuple):
    """Two one-sided t tests against a margin.

    Attributes:
        p_above: of "the mean difference is -margin or less".
        p_below: of "the mean difference is margin or more".
        low: lower end of the interval of level `1 - 2 alpha` of the mean; it lies inside the margin
            exactly when both tests reject at alpha.
        high: upper end.
    """

    p_above: float
    p_below: float
    low: float
    high: float

    @property
    def p(self) -> float:
        """The larger of both: equivalence is claimed when it is below alpha."""
        return max(self.p_above, self.p_below)


def tost(differences: ArrayLike, margin: float = MARGIN, alpha: float = ALPHA) -> Equivalence:
    """Two one-sided paired t tests over seeds; Schuirmann (1987).

    Args:
        differences: of one score between two arms, one a seed, `[n]`.
        margin: largest difference that does not matter, in the unit of the score.
        alpha: of each test.

    Raises:
        InputError: for fewer than two differences, or one that is not finite.
    """
    from scipy.stats import t

    mean, error = standard_error(differences)
    df = np.size(differences) - 1
    half = float(t.ppf(1 - alpha, df)) * error
    return Equivalence(
        p_above=float(t.sf(studentised(mean + margin, error), df)),
        p_below=float(t.cdf(studentised(mean - margin, error), df)),
        low=mean - half,
        high=mean + half,
    )


def no_claim(n_seeds: int) -> str:
    """What stands in place of a verdict while seeds are too few.

    >>> no_claim(3)
    'no claim: 3 seeds, 10 are needed'
    """
    seeds = "1 seed" if n_seeds == 1 else f"{n_seeds} seeds"
    return f"no claim: {seeds}, {LEAST_SEEDS} are needed"


def verdict(
    n_seeds: int,
    p: float,
    p_equivalent: float,
    interval: tuple[float, float],
    margin: float = MARGIN,
) -> str:
    """What may be said of two arms.

    Equivalence comes first: a difference that is surely there and surely smaller than the margin
    does not matter. Either claim must hold for other seeds by its t test, and for other images and
    seeds by the interval. Two one-sided tests at 5 % would go with an interval of 90 %; the one
    that is shown is asked for, so that a reader sees in it why equivalence was not claimed. It is
    the wider one, which errs on the side of undecided.

    Args:
        n_seeds: behind both tests.
        p: that there is no difference, over seeds; corrected where several contrasts are tested.
        p_equivalent: that the difference is the margin or more, over seeds; corrected likewise.
        interval: of the effect, over seeds and images.
        margin: largest difference that does not matter, in the unit of the score.

    Returns:
        `EQUIVALENT`, `DIFFERENT` or `UNDECIDED`; with fewer than `LEAST_SEEDS` seeds, `no_claim`.
    """
    if n_seeds < LEAST_SEEDS:
        return no_claim(n_seeds)
    if p_equivalent < ALPHA and inside(interval, margin):
        return EQUIVALENT
    low, high = interval
    return DIFFERENT if p < ALPHA and (low > 0 or high < 0) else UNDECIDED


def inside(interval: tuple[float, float], margin: float = MARGIN) -> bool:
    """Whether an interval holds no difference that matters.

    >>> inside((-0.004, 0.001)), inside((-0.004, 0.005))
    (True, False)
    """
    return -margin < interval[0] and interval[1] < margin
