import math
from fractions import Fraction

import numpy as np
import pytest

from neurogaze.affect import (
    EMOTIONS,
    anchors,
    canonical_emotion,
    cell_index,
    grid_centers,
    grid_edges,
)
from neurogaze.errors import InputError


def test_order_is_that_of_the_vote_file():
    assert EMOTIONS[:4] == ("neutral", "happiness", "surprise", "sadness")
    assert EMOTIONS[4:] == ("anger", "disgust", "fear", "contempt")


def test_centres_and_edges_are_those_stated():
    assert grid_edges(5).tolist() == [-1.0, -0.6, -0.2, 0.2, 0.6, 1.0]
    assert sorted(set(grid_centers(5)[:, 0].tolist())) == [-0.8, -0.4, 0.0, 0.4, 0.8]


@pytest.mark.parametrize("size", [3, 5, 7, 9])
def test_every_centre_lies_in_its_own_cell(size):
    assert cell_index(grid_centers(size), size).tolist() == list(range(size * size))


def test_bins_are_half_open_and_the_last_is_closed():
    va = np.array([[-0.6, -1], [-0.6 - 1e-6, -1], [1.0, 1.0], [0.6, 0.6], [7.0, -7.0]])
    assert cell_index(va).tolist() == [1, 0, 24, 24, 4]


@pytest.mark.parametrize("scale", [(0, 10), (0, 100), (1, 11), (1, 6), (-5, 5), (0, 20), (1, 9)])
@pytest.mark.parametrize("size", [3, 5, 7, 9])
def test_ratings_of_any_scale_fall_where_exact_fractions_do(scale, size):
    low, high = scale
    for rating in range(low, high + 1):
        exact = Fraction(2 * (rating - low), high - low) - 1
        bin_of = min(math.floor((exact + 1) * size / 2), size - 1)
        found = cell_index(np.array([[2 * (rating - low) / (high - low) - 1, -1.0]]), size)
        assert found.tolist() == [bin_of], rating


def test_the_five_levels_of_dreamer_fall_one_to_a_bin():
    levels = (np.arange(1, 6) - 3) / 2
    cells = cell_index(np.stack([levels, np.full(5, -1.0)], axis=1))
    assert cells.tolist() == [0, 1, 2, 3, 4]


def test_anger_disgust_and_contempt_share_a_cell_and_fear_is_beside_it():
    cell = dict(zip(EMOTIONS, cell_index(anchors()).tolist(), strict=True))
    assert cell["anger"] == cell["disgust"] == cell["contempt"] == 3 * 5 + 1
    assert cell["fear"] == 4 * 5
    assert len(set(cell.values())) == 6


def test_unknown_names_are_told_what_is_known():
    assert canonical_emotion("Sad") == "sadness"
    with pytest.raises(InputError, match=r"awe.*neutral"):
        canonical_emotion("awe")
