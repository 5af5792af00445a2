"""Equivalence against SciPy's one-sided tests, and what is said of a difference."""

import numpy as np
import pytest
from scipy import stats

from neurogaze.evaluation import equivalence
from neurogaze.evaluation.equivalence import tost, verdict

CLEAR = (0.01, 0.03)
OPEN = (-0.01, 0.03)


def spread(mean, sd, n=10):
    """`n` numbers of exactly this mean and standard deviation."""
    values = np.random.default_rng(0).normal(size=n)
    return mean + sd * (values - values.mean()) / values.std(ddof=1)


@pytest.mark.parametrize(("mean", "sd"), [(0.001, 0.002), (-0.004, 0.01), (0.02, 0.004)])
def test_both_tests_equal_scipy(mean, sd):
    differences = spread(mean, sd)
    found = tost(differences, 0.005)
    above = stats.ttest_1samp(differences, -0.005, alternative="greater")
    below = stats.ttest_1samp(differences, 0.005, alternative="less")
    assert found.p_above == pytest.approx(above.pvalue)
    assert found.p_below == pytest.approx(below.pvalue)
    assert found.p == pytest.approx(max(above.pvalue, below.pvalue))
    interval = stats.ttest_1samp(differences, 0).confidence_interval(0.9)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))


def test_tests_and_interval_agree():
    generator = np.random.default_rng(1)
    verdicts = set()
    for _ in range(200):
        found = tost(generator.normal(generator.normal(0, 0.004), 0.005, 10), 0.005)
        inside = found.low > -0.005 and found.high < 0.005
        assert (found.p < 0.05) == inside
        verdicts.add(inside)
    assert verdicts == {True, False}


def test_a_difference_of_the_margin_is_called_equivalent_one_time_in_twenty():
    generator = np.random.default_rng(2)
    claimed = [tost(generator.normal(0.005, 0.002, 10), 0.005).p < 0.05 for _ in range(1000)]
    assert np.mean(claimed) == pytest.approx(0.05, abs=0.02)


def test_without_spread_the_mean_decides():
    assert tost([0.004] * 3, 0.005).p == 0.0
    assert tost([0.006] * 3, 0.005).p == 1.0
    assert tost([0.0] * 3, 0.005).p == 0.0


@pytest.mark.parametrize(
    ("differences", "p", "interval", "said"),
    [
        (spread(0.0, 0.002), 0.9, OPEN, "equivalent"),
        (spread(0.003, 0.001), 1e-6, (0.001, 0.005), "equivalent"),
        (spread(0.02, 0.004), 1e-6, CLEAR, "different"),
        (spread(-0.02, 0.004), 1e-6, (-0.03, -0.01), "different"),
        (spread(0.02, 0.004), 1e-6, OPEN, "undecided"),
        (spread(0.02, 0.004), 0.06, CLEAR, "undecided"),
        (spread(0.004, 0.03), 0.7, OPEN, "undecided"),
    ],
)
def test_verdicts(differences, p, interval, said):
    assert verdict(differences, p, interval) == said


def test_nine_seeds_claim_nothing():
    for differences, p, interval in ((spread(0.2, 0.001, 9), 0.0, CLEAR), (np.zeros(9), 1.0, OPEN)):
        assert verdict(differences, p, interval) == "no claim: 9 seeds, 10 are needed"
    assert equivalence.no_claim(1) == "no claim: 1 seed, 10 are needed"


def test_the_margin_decides():
    differences = spread(0.008, 0.002)
    assert verdict(differences, 0.0, CLEAR, margin=0.005) == "different"
    assert verdict(differences, 0.0, CLEAR, margin=0.02) == "equivalent"
