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


def ids_of(paths, every, frames=60, size=60.0, settings=None):
    """The numbers that each face had in the judged frames, face after face.

    Args:
        paths: left and top edge of every face in a frame, or None where it is not found.
        every: so many-th frames are judged.
    """
    tracker = Tracker(settings or TrackSettings(step=every))
    found = [[] for _ in paths]
    for t in range(0, frames, every):
        seen = [(i, at) for i, path in enumerate(paths) if (at := path(t)) is not None]
        numbers = tracker.update([Box(*at, size, size, 1.0) for _, at in seen])
        for (i, _), number in zip(seen, numbers, strict=True):
            found[i].append(number)
    return [sorted(set(numbers)) for numbers in found]


@pytest.mark.parametrize("every", [1, 2, 3, 5, 8])
def test_one_face_that_moves_a_third_of_its_width_a_frame_keeps_its_number(every):
    assert ids_of([lambda t: (20.0 * t, 10.0)], every, frames=30) == [[0]]


def test_an_even_step_of_five_frames_is_matched_as_five_steps_of_one():
    """The farthest that a face may be from where it is expected: five times that of one frame."""
    least = TrackSettings().overlap
    side = 60.0
    farthest = side * (1 - least) / (1 + least)  # (side - x) / (side + x) = least
    for step in (1, 5):
        for part, numbers in ((0.99, [0]), (1.01, [1])):
            tracker = Tracker(TrackSettings(step=step))
            tracker.update([box(0, side=side)])
            assert tracker.update([box(part * step * farthest, side=side)]) == numbers


def test_a_face_of_another_size_is_another_face_however_many_frames_were_skipped():
    tracker = Tracker(TrackSettings(step=5))
    tracker.update([Box(100, 100, 60, 60, 1.0)])
    assert tracker.update([Box(115, 115, 30, 30, 1.0)]) == [1]  # (1/2)^2 is below .3


def test_long_gaps_do_not_make_one_face_of_two_that_are_far_apart():
    for step in (6, 25, 250):
        tracker = Tracker(TrackSettings(step=step))
        tracker.update([box(0, side=60)])
        assert tracker.update([box(3.5 * 60, side=60)]) == [1]


CROSSING = {
    "side by side": (lambda t: (8.0 * t, 100.0), lambda t: (480 - 8.0 * t, 130.0)),
    "at a right angle": (lambda t: (8.0 * t, 240.0), lambda t: (300.0, 8.0 * t)),
    "one stands": (lambda t: (8.0 * t, 100.0), lambda t: (240.0, 130.0)),
    "one overtakes": (lambda t: (8.0 * t, 100.0), lambda t: (120 + 3.0 * t, 130.0)),
}


@pytest.mark.parametrize("every", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("name", CROSSING)
def test_faces_that_cross_keep_their_numbers(name, every):
    assert ids_of(CROSSING[name], every) == [[0], [1]]


@pytest.mark.parametrize("every", [2, 3, 5])
def test_trembling_boxes_do_not_change_numbers(every):
    rng = np.random.default_rng(every)
    for paths in CROSSING.values():
        wobbly = [
            lambda t, path=path: tuple(np.array(path(t)) + rng.normal(0, 2, 2)) for path in paths
        ]
        assert ids_of(wobbly, every) == [[0], [1]]


def test_a_face_that_stops_turns_or_is_missed_once_keeps_its_number():
    stops = lambda t: (8.0 * min(t, 30), 100.0)  # noqa: E731
    turns = lambda t: (8.0 * (30 - abs(30 - t)), 100.0)  # noqa: E731
    missed = lambda t: None if t == 30 else (8.0 * t, 100.0)  # noqa: E731
    hides = lambda t: None if 20 <= t < 40 else (8.0 * min(t, 20), 100.0)  # noqa: E731
    for path in (stops, turns, missed, hides):
        assert ids_of([path], every=5) == [[0]]


def old_numbers(frames, overlap=0.3, patience=15):
    """What was done before steps were known: the last box, and nothing else."""
    tracks, following, out = [], 0, []
    for boxes in frames:
        overlaps = intersection_over_union(edges([t[1] for t in tracks]), edges(boxes))
        pairs = {c: r for r, c in assigned(overlaps, overlap)}
        for track in tracks:
            track[2] += 1
        numbers = []
        for i, one in enumerate(boxes):
            if i not in pairs:
                tracks.append([following, one, 0])
                following += 1
            track = tracks[pairs[i]] if i in pairs else tracks[-1]
            track[1:] = one, 0
            numbers.append(track[0])
        tracks = [t for t in tracks if t[2] <= patience]
        out.append(numbers)
    return out


def test_where_every_frame_is_judged_only_the_last_place_counts():
    rng = np.random.default_rng(5)
    at, frames = rng.uniform(0, 300, (6, 2)), []
    for _ in range(200):
        at = at + rng.normal(0, 8, at.shape)
        there = rng.random(6) < 0.8
        frames.append([Box(*xy, 50, 50, 1.0) for xy, seen in zip(at, there, strict=True) if seen])
    tracker = Tracker()
    found = [tracker.update(boxes) for boxes in frames]
    assert found == old_numbers(frames)
    assert len({number for numbers in found for number in numbers}) > 6
