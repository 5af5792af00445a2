"""When to give no label: a threshold by hand, a bound by SciPy, a promise by simulation."""

import numpy as np
import pytest
from scipy.stats import binomtest

from neurogaze.errors import InputError
from neurogaze.evaluation.abstaining import abstain_threshold, upper_bound


def test_the_smallest_threshold_by_hand():
    confidence = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    correct = np.array([True, False, True, True, False])
    # errors among the answered: 0/1, 1/2, 1/3, 1/4, 2/5
    found = abstain_threshold(confidence, correct, 0.3, "empirical")
    assert (found.threshold, found.answered, found.error) == (0.6, 4, 0.25)
    assert found.coverage == 0.8
    assert abstain_threshold(confidence, correct, 0.2, "empirical").threshold == 0.9
    everything = abstain_threshold(confidence, correct, 0.4, "empirical")
    assert (everything.threshold, everything.coverage) == (0.0, 1.0)


def test_equal_confidence_is_answered_together():
    found = abstain_threshold(
        np.array([0.9, 0.6, 0.6]), np.array([True, True, False]), 0.1, "empirical"
    )
    assert (found.threshold, found.answered) == (0.9, 1)


@pytest.mark.parametrize(("errors", "n"), [(0, 10), (3, 40), (17, 40), (40, 40)])
def test_the_bound_is_that_of_scipy(errors, n):
    exact = binomtest(errors, n, alternative="less").proportion_ci(0.95, "exact").high
    assert upper_bound(errors, n, 0.05) == pytest.approx(exact, abs=1e-12)


def world(n, rng):
    """Pictures that are right as often as their confidence says."""
    confidence = rng.uniform(0.3, 1.0, n)
    return confidence, rng.random(n) < confidence


def true_risk(threshold):
    """Error among answered ones of that world: one less the mean confidence above a threshold."""
    return 1 - (1 + max(threshold, 0.3)) / 2


def test_the_guarantee_holds_and_the_empirical_rule_does_not():
    rng, risk = np.random.default_rng(0), 0.1
    found = {"guaranteed": [], "empirical": []}
    for _ in range(100):
        confidence, correct = world(4000, rng)
        for rule, thresholds in found.items():
            thresholds.append(abstain_threshold(confidence, correct, risk, rule).threshold)
    broken = {
        rule: np.mean([true_risk(t) > risk for t in thresholds])
        for rule, thresholds in found.items()
    }
    assert broken["guaranteed"] <= 0.05
    assert broken["empirical"] > 0.3
    # and it is no trivial promise: the threshold that truly reaches the risk is 0.8
    assert 0.8 < np.median(found["guaranteed"]) < 0.9


def test_the_bound_told_is_within_the_risk():
    confidence, correct = world(2000, np.random.default_rng(3))
    found = abstain_threshold(confidence, correct, 0.15)
    assert found.error < found.bound <= 0.15
    assert found.answered == (confidence >= found.threshold).sum()
    assert found.error == pytest.approx(1 - correct[confidence >= found.threshold].mean())


def test_everything_is_answered_where_that_is_within_the_risk():
    found = abstain_threshold(np.linspace(0.4, 1, 400), np.ones(400, bool), 0.1)
    assert (found.threshold, found.coverage, found.error) == (0.0, 1.0, 0.0)


def test_what_cannot_be_reached_is_refused():
    confidence, correct = np.linspace(0.4, 1, 30), np.arange(30) % 2 == 0
    with pytest.raises(InputError, match=r"0\.001 is not reached .*guaranteed, 30 rows"):
        abstain_threshold(confidence, correct, 0.001)
    with pytest.raises(InputError, match="not reached"):
        abstain_threshold(confidence, np.zeros(30, bool), 0.4, "empirical")
    for risk in (0.0, 1.0, float("nan")):
        with pytest.raises(InputError, match="between 0 and 1"):
            abstain_threshold(confidence, correct, risk)


def test_an_error_of_just_the_risk_is_within_it():
    """0.29 * 100 is below 29 in floats, 29 / 100 is 0.29."""
    confidence, correct = np.full(100, 0.5), np.arange(100) >= 29
    assert abstain_threshold(confidence, correct, 0.29, "empirical").error == 0.29
