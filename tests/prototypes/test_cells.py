"""Quantiles, merging and filling on grids small enough to do by hand."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from neurogaze.errors import InputError
from neurogaze.prototypes.cells import (
    cell_means,
    fill_empty,
    group_sums,
    merge_small,
    people,
    prototypes_of,
    quantile_matched,
    spreads,
)


def test_matching_takes_over_a_reference_of_the_same_length():
    rng = np.random.default_rng(0)
    values, reference = rng.normal(0, 0.01, 50), rng.uniform(-1, 1, 50)
    matched = quantile_matched(values, reference)
    np.testing.assert_allclose(np.sort(matched), np.sort(reference))
    assert spearmanr(values, matched).statistic == pytest.approx(1.0)


def test_matching_fills_five_levels_from_a_weak_teacher():
    levels = np.repeat([-1, -0.5, 0, 0.5, 1], 20)
    values = np.random.default_rng(0).normal(0.1, 1e-3, 1000)
    matched = quantile_matched(values, levels)
    counted, _ = np.histogram(matched, bins=[-1, -0.75, -0.25, 0.25, 0.75, 1.01])
    np.testing.assert_allclose(counted, 200, atol=6)


def test_constant_predictions_become_the_median():
    assert set(quantile_matched(np.zeros(4), np.array([-1.0, 0.5, 1.0]))) == {0.5}


def test_people_are_counted_once_a_cell():
    cells = np.array([0, 0, 0, 3, 3])
    who = np.array(["a", "a", "b", "a", "a"])
    assert people(cells, who, 4).tolist() == [2, 0, 0, 1]


def test_small_cells_join_the_nearest_with_enough():
    """Cells 0 and 1 of a 3x3 grid hold one person, cell 2 two and cell 6 two."""
    cells = np.array([0, 1, 2, 2, 6, 6])
    who = np.array(["a", "b", "a", "b", "a", "b"])
    assert merge_small(cells, who, 3, 2).tolist() == [2, 2, 2, 2, 6, 6]
    assert merge_small(cells, who, 3, 1).tolist() == cells.tolist()
    with pytest.raises(InputError, match="3 people"):
        merge_small(cells, who, 3, 3)


@pytest.mark.parametrize("size", [3, 5, 7, 9])
def test_of_equally_near_cells_the_first_takes_the_windows(size):
    """By whole numbers; centres in floats call one of two equal distances the smaller."""
    rng = np.random.default_rng(size)
    cells, who = np.arange(size**2).repeat(2), np.array(["a", "b"] * size**2)
    for _ in range(20):
        full = rng.random(size**2) < 0.3
        full[rng.integers(size**2)] = True
        here = np.where(np.repeat(full, 2), who, "a")
        kept = np.flatnonzero(full).tolist()
        wanted = [
            min(
                kept,
                key=lambda k, c=c: ((k // size - c // size) ** 2 + (k % size - c % size) ** 2, k),
            )
            for c in range(size**2)
        ]
        assert merge_small(cells, here, size, 2)[::2].tolist() == wanted


def test_cell_means():
    unit = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    assert cell_means(unit, np.array([0, 0, 2]), 3).tolist() == [[0.5, 0.5], [0, 0], [0, 1]]


def test_an_empty_cell_takes_the_nearest_and_averages_ties():
    """In a 3x3 grid with corners 0 and 2: cell 1 lies between them, 3 is next to 0, 4 between."""
    prototypes = np.zeros((9, 2))
    prototypes[0], prototypes[2] = [1, 0], [0, 1]
    counts = np.zeros(9, np.int64)
    counts[[0, 2]] = 1
    filled = fill_empty(prototypes, counts, 3)
    half = np.sqrt(0.5)
    expected = [[1, 0], [half, half], [0, 1]] * 3
    np.testing.assert_allclose(filled, expected)


def test_group_sums_by_hand():
    unit = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    assert group_sums(unit, np.array([2, 0, 2]), 4).tolist() == [[3, 4], [0, 0], [6, 8], [0, 0]]


def corners():
    """Sums of a 3x3 grid whose corners 0 and 2 hold 3 and 1 windows."""
    sums, counts = np.zeros((9, 2)), np.zeros(9, np.int64)
    sums[0], sums[2] = [3, 0], [0, 1]
    counts[[0, 2]] = [3, 1]
    return sums, counts


def test_a_kernel_mixes_the_sums_of_cells():
    """Cells lie 2/3 apart; the kernel at twice that is exp(-(4/3)^2 / (2 * 0.5^2))."""
    sums, counts = corners()
    weight = np.exp(-((4 / 3) ** 2) / (2 * 0.5**2))
    smooth = prototypes_of(sums, counts, 3, smoothing=0.5)
    expected = np.array([[3, weight], [3, 1], [3 * weight, 1]])
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(smooth[:3], expected, rtol=1e-9)
    np.testing.assert_allclose(smooth[6:], expected, rtol=1e-9)


def test_a_narrow_kernel_is_none_and_a_wide_one_leaves_one_direction():
    sums, counts = corners()
    plain = prototypes_of(sums, counts, 3)
    narrow = prototypes_of(sums, counts, 3, smoothing=1e-3)
    np.testing.assert_allclose(narrow[[0, 2, 3, 5, 6, 8]], plain[[0, 2, 3, 5, 6, 8]], atol=1e-12)
    wide = prototypes_of(sums, counts, 3, smoothing=1e3)
    np.testing.assert_allclose(wide, np.tile([3, 1] / np.sqrt(10), (9, 1)), atol=1e-5)


def test_spread_is_the_mean_cosine_distance_to_the_prototype():
    """Two members at right angles are both 45 degrees from their prototype."""
    sums, counts = np.array([[1.0, 1.0], [0.0, 0.0], [0.0, 2.0]]), np.array([2, 0, 2])
    prototypes = np.array([[0.5, 0.5], [1, 0], [0, 1]]) * [[np.sqrt(2)], [1], [1]]
    assert spreads(sums, counts, prototypes) == [pytest.approx(1 - np.sqrt(0.5)), None, 0.0]
