"""A set of grids in words: the verdict comes first, and every grid has a line."""

from dataclasses import replace

import numpy as np
import pytest

from neurogaze.evaluation.results import ResultRow
from neurogaze.evaluation.scoring import CONTEXT_DEFAULTS
from neurogaze.report.grid_set_tables import grid_set_table, told_grid_set, why_not
from tests.prototypes.examples import example_grid


def made(seed):
    """A grid that nothing speaks against but its teacher."""
    grid = example_grid(size=5, dim=64, seed=seed)
    full = np.full(25, 9)
    drawn = {"toy/a": 2, "toy/b": 0, "toy/c": 1}
    known = grid.provenance | {"people_drawn": drawn}
    return replace(grid, counts=full, n_subjects=full, filled=np.zeros(25, bool), provenance=known)


def row(axis, arm, value, low, high, grid_hash=""):
    said = CONTEXT_DEFAULTS | {"arm": arm, "dataset": "toy", "grid_hash": grid_hash}
    return ResultRow(**said, metric=f"{axis}_ccc_trial", value=value, low=low, high=high, n=8)


def rows(grid, valence, arousal):
    found = []
    for axis, value in (("valence", valence), ("arousal", arousal)):
        found.append(row(axis, "teacher", value, value - 0.1, value + 0.1, grid.sha256))
        found.append(row(axis, "chance of ridge (99 % band, x)", 0.0, -0.2, 0.2))
        found.append(row(axis, "chance of teacher (x)", 0.0, -0.9, 0.9))
    return found


@pytest.mark.parametrize(
    ("valence", "arousal", "reasons"),
    [(0.3, 0.4, 0), (0.3, 0.1, 1), (-0.3, 0.4, 1)],
)
def test_the_teacher_must_lie_above_the_band_of_ridge(valence, arousal, reasons):
    """Bands of few refits are too wide to be a bar; they stand in the table alone."""
    grid = made(0)
    assert len(why_not(grid, rows(grid, valence, arousal))) == reasons


def test_the_verdict_counts_grids():
    grids = {0: made(0), 1: made(1)}
    scores = rows(grids[0], 0.3, 0.4) + rows(grids[1], 0.0, 0.4)
    first = told_grid_set({"eeg": grids}, scores).splitlines()[0]
    assert first.startswith("Not testable with this grid: the teacher does not lie above")
    assert "(in 1 of 2 grids)" in first


def test_every_grid_and_band_has_a_line():
    grid, other = made(0), made(2)
    table = grid_set_table({"eeg": {3: grid}, "rawde": {3: other}}, rows(grid, 0.3, 0.4))
    lines = {line[0]: line for line in table.rows}
    scores = ("0.30 [0.20, 0.40]", "0.40 [0.30, 0.50]")
    assert lines["eeg"][:6] == ("eeg", "3", *scores, "25 of 25", "2")
    assert lines["rawde"][2:4] == ("–", "–")
    assert lines["chance of ridge (99 % band, x)"][2:4] == ("[-0.20, 0.20]",) * 2
    assert {line[-1] for line in table.rows} == {"–"}
    assert len(table.rows) == 4
    assert all(len(line) == len(table.header) for line in table.rows)


def test_a_grid_of_people_says_how_well_they_were_told_apart():
    grid = made(0)
    shares = {"0": 1.0, "1": 0.5, "2": None}
    people = replace(grid, provenance=grid.provenance | {"learnt": shares})
    table = grid_set_table({"eeg": {3: grid}, "subject": {3: people}}, [])
    assert table.header[-1] == "windows named"
    assert [line[-1] for line in table.rows] == ["–", "0.75"]
