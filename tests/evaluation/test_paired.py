"""Tests over seeds and rows, against SciPy, enumeration and hand numbers."""

import itertools

import numpy as np
import pytest
from scipy import stats

from neurogaze.errors import InputError
from neurogaze.evaluation.paired import holm, mcnemar, paired_t, sign_flip_floor


@pytest.mark.parametrize("n", [2, 5, 10])
def test_paired_t_equals_scipy(n):
    generator = np.random.default_rng(n)
    first, second = generator.normal(0.7, 0.02, n), generator.normal(0.69, 0.02, n)
    ours, theirs = paired_t(first - second), stats.ttest_rel(first, second)
    interval = theirs.confidence_interval(0.95)
    expected = (interval.low, interval.high, theirs.statistic, theirs.pvalue, theirs.df)
    assert ours[1:] == pytest.approx(expected, rel=1e-9)
    assert ours.effect == pytest.approx(first.mean() - second.mean())


def test_a_constant_shift_leaves_no_doubt_and_none_leaves_all():
    surely, never = paired_t([0.25] * 4), paired_t([0.0] * 4)
    assert [paired_t([0.1] * n).t for n in range(2, 14)] == [np.inf] * 12  # whatever 0.1 n / n is
    assert (surely.low, surely.effect, surely.high, surely.p) == (0.25, 0.25, 0.25, 0.0)
    assert surely.t == np.inf
    assert paired_t([-0.25] * 4).t == -np.inf
    assert (never.t, never.p, never.low, never.high) == (0.0, 1.0, 0.0, 0.0)


@pytest.mark.parametrize("differences", [[0.1], [], [0.1, float("nan")]])
def test_no_spread_or_a_diverged_seed_is_refused(differences):
    with pytest.raises(InputError, match="paired"):
        paired_t(differences)


@pytest.mark.parametrize("n", [1, 3, 5, 8])
def test_floor_of_sign_flips_is_what_enumeration_finds(n):
    differences = np.random.default_rng(0).uniform(0.01, 1.0, n)
    flipped = [abs(np.dot(s, differences)) for s in itertools.product((-1, 1), repeat=n)]
    p = np.mean(np.array(flipped) >= differences.sum() - 1e-12)
    assert sign_flip_floor(n) == p
    assert (sign_flip_floor(n) < 0.05) == (n >= 6)


def test_mcnemar_by_hand():
    # Ten rows decide, one of them for the first: 2 (1 + 10) / 2^10.
    first = np.array([True] + 9 * [False] + 5 * [True] + 3 * [False])
    second = np.array([False] + 9 * [True] + 5 * [True] + 3 * [False])
    assert mcnemar(first, second) == (1, 9, pytest.approx(22 / 1024))
    assert mcnemar(second, first) == (9, 1, pytest.approx(22 / 1024))
    assert mcnemar(first, first) == (0, 0, 1.0)


def test_mcnemar_equals_the_binomial_test():
    generator = np.random.default_rng(0)
    for share in (0.3, 0.5, 0.8):
        first, second = generator.random(200) < share, generator.random(200) < 0.5
        found = mcnemar(first, second)
        decided = found.only_a + found.only_b
        assert decided == (first != second).sum()
        assert found.p == pytest.approx(stats.binomtest(found.only_a, decided, 0.5).pvalue)


def test_mcnemar_needs_the_same_rows():
    with pytest.raises(InputError, match="same rows"):
        mcnemar(np.ones(3, bool), np.ones(4, bool))


def test_holm_by_hand():
    # Sorted .005, .01, .03, .04 times 4, 3, 2, 1: .02, .03, .06, .04; the last may not fall.
    corrected = holm([0.01, 0.04, 0.03, 0.005])
    np.testing.assert_allclose(corrected, [0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.9]).tolist() == [1.0, 1.0]
    assert holm([0.04]).tolist() == [0.04]
    assert holm([]).shape == (0,)


def rejected_step_by_step(p, alpha):
    """Holm (1979) as published: go on while the next smallest is at most alpha / those left."""
    left, rejected = sorted(range(len(p)), key=lambda i: p[i]), set()
    while left and p[left[0]] <= alpha / len(left):
        rejected.add(left.pop(0))
    return rejected


def test_holm_rejects_what_the_published_procedure_rejects():
    generator = np.random.default_rng(3)
    seen = set()
    for _ in range(300):
        p = generator.random(generator.integers(1, 9)) ** 3
        corrected = holm(p)
        rejected = rejected_step_by_step(p, 0.05)
        assert set(np.flatnonzero(corrected <= 0.05)) == rejected
        assert (np.diff(corrected[np.argsort(p)]) >= 0).all()
        assert (corrected >= p).all()
        seen.add(len(rejected))
    assert len(seen) > 3


def test_what_is_no_probability_is_refused():
    for wrong in (-0.1, 1.1, float("nan")):
        with pytest.raises(InputError, match="p-values"):
            holm([0.5, wrong])
