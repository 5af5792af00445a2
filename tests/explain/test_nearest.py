"""Nearest prototypes, by hand."""

import numpy as np
import pytest

from neurogaze.affect import grid_centers
from neurogaze.errors import InputError
from neurogaze.explain.nearest import nearest_prototypes


def test_the_nearest_come_first():
    cosines = np.zeros((2, 25))
    cosines[0, [24, 3]] = 0.9, 0.4
    cosines[1] = -1
    cosines[1, 7] = -0.2
    first, second = nearest_prototypes(cosines, grid_centers(5))
    assert [cell.cell for cell in first][:2] == [24, 3]
    assert (first[0].valence, first[0].arousal, first[0].cosine) == (0.8, 0.8, 0.9)
    assert len(first) == 3
    assert second[0].cell == 7
    assert (second[0].valence, second[0].arousal) == (0.0, -0.4)


def test_without_a_grid_there_is_none():
    assert nearest_prototypes(np.zeros((2, 0)), np.zeros((0, 2))) == [[], []]
    assert nearest_prototypes(np.zeros((2, 0)), np.array(())) == [[], []]


def test_another_number_of_cells_is_refused():
    with pytest.raises(InputError, match="25 cells"):
        nearest_prototypes(np.zeros((2, 24)), grid_centers(5))
