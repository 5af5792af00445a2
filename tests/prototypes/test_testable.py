"""The conditions under which a grid can tell whether EEG helps, one at a time."""

from dataclasses import replace

import numpy as np
import pytest

from neurogaze.prototypes import testable as rule
from tests.prototypes.examples import example_grid


def sound(size=5):
    """A grid with three people in every cell."""
    cells = size**2
    full = {"counts": np.full(cells, 9), "n_subjects": np.full(cells, 3)}
    return replace(example_grid(size=size, dim=64), filled=np.zeros(cells, bool), **full)


def without(grid, cells):
    """The grid with nobody in some cells."""
    counts, people = grid.counts.copy(), grid.n_subjects.copy()
    counts[cells] = people[cells] = 0
    return replace(grid, counts=counts, n_subjects=people, filled=counts == 0)


@pytest.mark.parametrize("beats", [True, None])
def test_nothing_speaks_against_a_sound_grid(beats):
    assert rule.testable(sound(), beats) == []
    assert rule.verdict([]).startswith("Testable with this grid")


def test_anchor_cells_are_those_of_the_concept():
    """Anger, disgust and contempt share a cell; fear is in the next on the diagonal."""
    cells = rule.anchor_cells(5)
    assert cells["anger"] == cells["disgust"] == cells["contempt"] == 16
    assert cells["fear"] == 20


def test_an_empty_cell_of_a_class_is_named_and_others_are_not():
    cells = rule.anchor_cells(5)
    (reason,) = rule.testable(without(sound(), [cells["happiness"]]), None)
    assert reason == "the cell of happiness is empty"
    assert rule.testable(without(sound(), [0]), None) == []


def test_three_people_are_enough_and_two_are_not():
    grid = sound()
    people = grid.n_subjects.copy()
    people[rule.anchor_cells(5)["anger"]] = 2
    (reason,) = rule.testable(replace(grid, n_subjects=people), None)
    assert reason == "the cell of anger, of disgust and of contempt holds fewer than 3 people"


def test_eight_cells_are_enough_and_seven_are_not():
    anchors = sorted(set(rule.anchor_cells(5).values()))
    others = [cell for cell in range(25) if cell not in anchors]
    for observed, expected in ((8, []), (7, ["only 7 of 25 cells are not empty"])):
        keep = others[: observed - len(anchors)]
        grid = without(sound(), [cell for cell in others if cell not in keep])
        assert rule.testable(grid, None) == expected


def test_a_grid_of_one_direction_cannot_tell():
    flat = np.tile(np.eye(64, dtype=np.float32)[:1], (25, 1))
    (reason,) = rule.testable(replace(sound(), prototypes=flat), None)
    assert reason == "the effective rank of the prototypes is 1.00, below 4"


def test_a_teacher_at_chance_cannot_tell():
    (reason,) = rule.testable(sound(), False)
    assert "simulated chance" in reason
    assert rule.verdict([reason, "b"]) == f"Not testable with this grid: {reason}; b."
