"""Faces keep their number; the assignment is the best one, by trying all of them."""

import itertools

import numpy as np
import pytest

from neurogaze.deploy.boxes import Box
from neurogaze.deploy.tracking import (
    Tracker,
    TrackSettings,
    assigned,
    edges,
    intersection_over_union,
)


def box(left, top=0.0, side=10.0):
    return Box(left, top, side, side, 1.0)


def test_intersection_over_union_by_hand():
    found = intersection_over_union(edges([box(0)]), edges([box(0), box(5), box(10), box(50)]))
    assert found == pytest.approx(np.array([[1.0, 50 / 150, 0.0, 0.0]]))
    assert intersection_over_union(edges([]), edges([box(0)])).shape == (0, 1)
    empty = Box(3, 3, 0, 0, 1.0)
    assert intersection_over_union(edges([empty]), edges([empty])) == 0


def test_the_assignment_is_the_best_of_all():
    rng = np.random.default_rng(0)
    for _ in range(50):
        overlaps = rng.uniform(0, 1, (4, 4))
        counted = np.where(overlaps >= 0.3, overlaps, 0)
        best = max(
            sum(counted[i, order[i]] for i in range(4))
            for order in itertools.permutations(range(4))
        )
        pairs = assigned(overlaps, 0.3)
        assert sum(overlaps[pair] for pair in pairs) == pytest.approx(best)
        assert all(overlaps[pair] >= 0.3 for pair in pairs)


def test_a_better_neighbour_does_not_steal_a_number():
    tracker = Tracker()
    assert tracker.update([box(0), box(6)]) == [0, 1]
    # the second face now overlaps the first one's old place more than its own
    assert tracker.update([box(3), box(9)]) == [0, 1]
    assert tracker.update([box(9), box(3)]) == [1, 0]


def test_numbers_are_stable_unique_and_never_used_twice():
    tracker = Tracker(TrackSettings(patience=2))
    assert tracker.update([box(0), box(100)]) == [0, 1]
    assert tracker.update([box(101)]) == [1]
    assert tracker.update([]) == []
    assert tracker.update([box(1), box(200)]) == [0, 2]  # missing for two frames: still itself
    for _ in range(3):
        assert tracker.update([box(200)]) == [2]
    assert tracker.update([box(1), box(200)]) == [3, 2]  # missing for three: somebody new


def test_a_jump_is_a_new_face():
    tracker = Tracker()
    tracker.update([box(0)])
    assert tracker.update([box(7)]) == [1]  # 3 / 17 is below the least overlap
