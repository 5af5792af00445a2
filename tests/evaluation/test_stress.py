"""Mean corruption accuracy and error by hand, and intervals that keep units together."""

import numpy as np
import pytest

from neurogaze.errors import InputError
from neurogaze.evaluation.stress import ALL, means_over_severities, stress_scores

KINDS = ("noise", "blur")


def test_means_by_hand():
    """Two corruptions at two severities; errors 0.3 and 0.5 against 0.4 and 0.8 of a baseline."""
    own = np.array([[0.9, 0.8, 0.6, 0.7, 0.3]])
    other = np.array([[0.5, 0.7, 0.5, 0.3, 0.1]])
    found = {k: float(v[0]) for k, v in means_over_severities(own, KINDS, other).items()}
    assert found == pytest.approx({
        ("noise", "mean_corruption_accuracy"): 0.7,
        ("blur", "mean_corruption_accuracy"): 0.5,
        (ALL, "mean_corruption_accuracy"): 0.6,
        ("noise", "relative_drop"): 0.2 / 0.9,
        ("blur", "relative_drop"): 0.4 / 0.9,
        (ALL, "relative_drop"): 0.3 / 0.9,
        ("noise", "mean_corruption_error"): 0.6 / 0.8,
        ("blur", "mean_corruption_error"): 1.0 / 1.6,
        (ALL, "mean_corruption_error"): (0.6 / 0.8 + 1.0 / 1.6) / 2,
    })  # fmt: skip


def test_without_a_baseline_there_is_no_error_ratio():
    own = np.array([[0.9, 0.8, 0.6, 0.7, 0.3]])
    metrics = {metric for _, metric in means_over_severities(own, KINDS)}
    assert metrics == {"mean_corruption_accuracy", "relative_drop"}


def rights(n, seed, shares=(0.9, 0.8, 0.6, 0.7, 0.3)):
    return np.random.default_rng(seed).random((n, 5)) < np.array(shares)


def test_a_student_against_itself_is_one_in_every_resample():
    right = rights(200, 0)
    found = stress_scores(right, KINDS, np.arange(200).astype(str), 0, baseline=right)
    score = found[ALL, "mean_corruption_error"]
    assert (score.value, score.low, score.high) == pytest.approx((1.0, 1.0, 1.0))
    assert score.n == 200


def test_the_interval_is_that_of_a_mean_over_independent_rows():
    """One corruption at one severity: the binomial interval."""
    right = rights(800, 1)[:, :2]
    found = stress_scores(right, ("noise",), np.arange(800).astype(str), 0)
    score = found["noise", "mean_corruption_accuracy"]
    mean = right[:, 1].mean()
    half = 1.96 * np.sqrt(mean * (1 - mean) / 800)
    assert score.value == pytest.approx(mean)
    assert score.high - score.low == pytest.approx(2 * half, rel=0.1)


def test_rows_of_one_unit_are_not_independent():
    """Four equal rows a unit say no more than one of them: twice the width of 4 n rows."""
    right = np.repeat(rights(150, 2), 4, axis=0)
    alone = stress_scores(right, KINDS, np.arange(600).astype(str), 0)
    tied = stress_scores(right, KINDS, np.repeat(np.arange(150), 4).astype(str), 0)
    one, other = (found[ALL, "mean_corruption_accuracy"] for found in (alone, tied))
    assert one.value == other.value
    assert (other.high - other.low) / (one.high - one.low) == pytest.approx(2.0, rel=0.2)


def test_one_unit_leaves_nothing_to_resample():
    found = stress_scores(rights(50, 3), KINDS, np.zeros(50).astype(str), 0)
    assert {(score.low, score.high) for score in found.values()} == {(None, None)}


def test_a_quotient_that_some_resample_leaves_open_has_no_interval():
    """A baseline with one error in ten: a third of the resamples miss it."""
    right, other = rights(10, 4), np.ones((10, 5), bool)
    other[0, 1:] = False
    found = stress_scores(right, KINDS, np.arange(10).astype(str), 0, baseline=other)
    score = found[ALL, "mean_corruption_error"]
    assert np.isfinite(score.value)
    assert (score.low, score.high) == (None, None)


def test_a_perfect_baseline_is_refused():
    with pytest.raises(InputError, match=r"mean_corruption_error \(noise\).*baseline"):
        stress_scores(
            rights(20, 5), KINDS, np.arange(20).astype(str), 0, baseline=np.ones((20, 5), bool)
        )
