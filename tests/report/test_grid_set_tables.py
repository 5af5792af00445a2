"""A set of grids in words: the verdict comes first, and every grid has a line."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from neurogaze.evaluation.chance import prediction_band, refit_note
from neurogaze.evaluation.results import ResultRow, read_rows
from neurogaze.evaluation.scoring import CONTEXT_DEFAULTS
from neurogaze.prototypes.grid import PrototypeGrid
from neurogaze.report.grid_set_tables import grid_set_table, told_grid_set, why_not
from tests.prototypes.examples import example_grid

COMMITTED = Path(__file__).parents[2] / "experiments" / "artefacts" / "dasps_grids"
PLAIN = "the teacher does not lie above simulated chance"


def made(seed):
    """A grid that nothing speaks against but its teacher."""
    grid = example_grid(size=5, dim=64, seed=seed)
    full = np.full(25, 9)
    drawn = {"toy/a": 2, "toy/b": 0, "toy/c": 1}
    known = grid.provenance | {"people_drawn": drawn}
    return replace(grid, counts=full, n_subjects=full, filled=np.zeros(25, bool), provenance=known)


def row(axis, arm, value, low, high, grid_hash="", note=""):
    said = CONTEXT_DEFAULTS | {"arm": arm, "dataset": "toy", "grid_hash": grid_hash, "note": note}
    return ResultRow(**said, metric=f"{axis}_ccc_trial", value=value, low=low, high=high, n=8)


def rows(grid, valence, arousal, own=0.1, refits=3):
    """Scores of a teacher, the band of ridge, and that of its like on exchanged ratings."""
    found, note = [], f"{refit_note(refits)}; a note"
    for axis, value in (("valence", valence), ("arousal", arousal)):
        found.append(row(axis, "teacher", value, value - 0.1, value + 0.1, grid.sha256))
        found.append(row(axis, "chance of ridge (99 % band, x)", 0.0, -0.2, 0.2))
        found.append(row(axis, "chance of teacher (x)", 0.0, -own, own, note=note))
    return found


@pytest.mark.parametrize(
    ("valence", "arousal", "reasons"),
    [(0.3, 0.4, 0), (0.3, 0.1, 1), (-0.3, 0.4, 1)],
)
def test_the_teacher_must_lie_above_the_band_of_ridge(valence, arousal, reasons):
    grid = made(0)
    assert why_not(grid, rows(grid, valence, arousal)) == [PLAIN] * reasons


@pytest.mark.parametrize("refits", [3, 19, 20, 40])
def test_the_teacher_must_lie_above_its_own_band_and_few_refits_are_told(refits):
    grid = made(0)
    few = f"the teacher does not lie above its own simulated chance, a band of {refits} refits"
    expected = few if refits < 20 else PLAIN
    assert why_not(grid, rows(grid, 0.3, 0.4, own=0.35, refits=refits)) == [expected]
    assert why_not(grid, rows(grid, 0.3, 0.4, own=0.25, refits=refits)) == []


def test_few_refits_are_no_excuse_below_the_band_of_ridge():
    grid = made(0)
    assert why_not(grid, rows(grid, 0.1, 0.4, own=0.9)) == [PLAIN]


def test_the_own_band_counts_where_ridge_has_none():
    grid = made(0)
    alone = [r for r in rows(grid, 0.3, 0.4, own=0.9) if "ridge" not in r.arm]
    assert why_not(grid, alone)[0].endswith("a band of 3 refits")
    assert why_not(grid, [r for r in alone if r.arm == "teacher"]) == []


@pytest.mark.parametrize(("refits", "least", "most"), [(20, 1.12, 1.16), (3, 4, 5)])
def test_bands_of_few_refits_are_wider_than_those_of_many(refits, least, most):
    """Beside the 99 % band of a normal value of known spread."""
    values = np.resize([-1.0, 1.0], refits)
    low, high = prediction_band(values / values.std(ddof=1))
    assert least < (high - low) / (2 * 2.5758) < most


def test_the_committed_verdicts_are_those_of_the_committed_rows():
    verdicts = json.loads((COMMITTED / "verdicts.json").read_text(encoding="utf-8"))
    scores = read_rows(COMMITTED / "results.jsonl")
    for seed, said in verdicts.items():
        grid = PrototypeGrid.load(COMMITTED / f"eeg-seed{seed}.npz")
        assert why_not(grid, scores) == said
    assert len(verdicts) == 10


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
