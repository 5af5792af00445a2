"""Cosines, ranks and centres by hand."""

import numpy as np
import pytest

from neurogaze.affect import grid_centers, grid_edges
from neurogaze.errors import InputError
from neurogaze.prototypes.vectors import cell_centers, effective_rank, mean_cosine, unit_rows


@pytest.mark.parametrize("size", [1, 3, 5, 7, 9])
def test_centres_are_those_of_the_affect_language(size):
    np.testing.assert_allclose(cell_centers(grid_edges(size)), grid_centers(size), atol=1e-11)


def test_effective_rank_of_known_sets():
    assert effective_rank(np.eye(7)) == pytest.approx(7.0)
    assert effective_rank(np.ones((7, 4)) / 2) == pytest.approx(1.0)
    assert effective_rank(np.eye(4)[[0, 0, 1, 1]]) == pytest.approx(2.0)


def test_mean_cosine_is_the_off_diagonal_mean():
    rows = unit_rows(np.random.default_rng(0).standard_normal((6, 4)), "toy")
    gram = rows @ rows.T
    assert mean_cosine(rows) == pytest.approx(gram[~np.eye(6, dtype=bool)].mean())
    assert mean_cosine(rows[:1]) == 0.0


@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf])
def test_a_row_without_direction_is_named(bad):
    rows = np.ones((3, 2))
    rows[1] = bad
    with pytest.raises(InputError, match=r"cells \[1\]"):
        unit_rows(rows, "toy")
