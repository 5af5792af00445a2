"""Bootstrap intervals against theory and against each other."""

import numpy as np
import pytest

from neurogaze.errors import InputError
from neurogaze.evaluation import statistics


def test_interval_of_a_mean_has_the_width_of_theory():
    values = np.random.default_rng(0).normal(size=400)
    low, high = statistics.bootstrap_interval(
        lambda rows: float(values[rows].mean()), 400, None, seed=1
    )
    width = 2 * 1.96 * values.std() / np.sqrt(400)
    assert high - low == pytest.approx(width, rel=0.1)
    assert low < values.mean() < high


def test_whole_groups_are_resampled():
    # Ten copies of each of 40 values carry no more information than the 40.
    values = np.random.default_rng(0).normal(size=40)
    repeated, groups = np.repeat(values, 10), np.repeat(np.arange(40), 10)
    mean = lambda rows: float(repeated[rows].mean())  # noqa: E731
    naive = np.diff(statistics.bootstrap_interval(mean, 400, None, seed=0))[0]
    grouped = np.diff(statistics.bootstrap_interval(mean, 400, groups, seed=0))[0]
    single = np.diff(
        statistics.bootstrap_interval(lambda rows: float(values[rows].mean()), 40, None, seed=0)
    )[0]
    assert grouped == pytest.approx(single)
    assert grouped / naive == pytest.approx(np.sqrt(10), rel=0.15)


def test_a_group_is_never_split():
    groups = np.array(["a", "b", "a", "c", "b", "a"])
    seen = []

    def record(rows):
        seen.append(rows)
        return 0.0

    statistics.bootstrap_interval(record, 6, groups, seed=0, n_resamples=50)
    for rows in seen:
        counts = np.bincount(rows, minlength=6)
        assert counts[0] == counts[2] == counts[5]
        assert counts[1] == counts[4]
        assert counts[0] + counts[1] + counts[3] == 3
    assert len({tuple(rows) for rows in seen}) > 5


def test_sums_follow_the_same_draws():
    values = np.random.default_rng(2).normal(size=30)
    groups = np.random.default_rng(3).integers(0, 9, 30)
    expected = statistics.bootstrap_interval(
        lambda rows: float(values[rows].sum()), 30, groups, seed=4, n_resamples=250
    )
    sums = statistics.bootstrap_sums(values[:, None], groups, seed=4, n_resamples=250)
    assert sums.shape == (250, 1)
    assert statistics.interval(sums[:, 0]) == pytest.approx(expected)


def test_the_seed_decides():
    values = np.random.default_rng(2).normal(size=(30, 2))
    first, again = (statistics.bootstrap_sums(values, None, seed=4) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, statistics.bootstrap_sums(values, None, seed=5))


def test_level_is_the_share_inside():
    assert statistics.interval(np.arange(1001.0), level=0.9) == pytest.approx((50, 950))


def test_group_names_must_fit():
    with pytest.raises(InputError, match="one group name a row"):
        statistics.bootstrap_sums(np.ones((3, 1)), ["a", "b"], seed=0)
