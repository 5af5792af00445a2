"""Equivalence against SciPy's one-sided tests, and what is said of a difference."""

import numpy as np
import pytest
from scipy import stats

from neurogaze.evaluation import equivalence
from neurogaze.evaluation.equivalence import tost, verdict

CLEAR = (0.01, 0.03)
OPEN = (-0.01, 0.03)
SMALL = (-0.002, 0.003)


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
    assert [tost([0.005] * n, 0.005).p for n in range(2, 14)] == [0.5] * 12


@pytest.mark.parametrize(
    ("p", "p_equivalent", "interval", "said"),
    [
        (0.9, 0.001, SMALL, "equivalent"),
        (1e-6, 0.001, (0.001, 0.004), "equivalent"),
        (1e-6, 0.9, CLEAR, "different"),
        (1e-6, 0.9, (-0.03, -0.01), "different"),
        (1e-6, 0.9, OPEN, "undecided"),
        (0.06, 0.9, CLEAR, "undecided"),
        (0.7, 0.9, OPEN, "undecided"),
        (0.9, 0.06, SMALL, "undecided"),
    ],
)
def test_verdicts(p, p_equivalent, interval, said):
    assert verdict(10, p, p_equivalent, interval) == said


@pytest.mark.parametrize("interval", [(-0.006, 0.001), (-0.001, 0.006), (-0.02, 0.02)])
def test_seeds_that_agree_are_not_equivalence_for_other_images(interval):
    assert verdict(10, 0.9, 0.0, interval) == "undecided"


def test_nine_seeds_claim_nothing():
    for p, p_equivalent, interval in ((0.0, 1.0, CLEAR), (1.0, 0.0, SMALL)):
        assert verdict(9, p, p_equivalent, interval) == "no claim: 9 seeds, 10 are needed"
    assert equivalence.no_claim(1) == "no claim: 1 seed, 10 are needed"


def test_the_margin_decides():
    assert verdict(10, 0.0, 0.0, CLEAR, margin=0.02) == "different"
    assert verdict(10, 0.0, 0.0, CLEAR, margin=0.04) == "equivalent"
