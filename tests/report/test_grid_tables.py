"""What may be concluded from a grid, and its tables."""

from dataclasses import replace

import pytest

from neurogaze.report.grid_tables import (
    cells_table,
    grid_verdict,
    print_grid_summary,
    sizes_table,
    teacher_beats_chance,
)
from neurogaze.report.inputs import discover
from tests.report.conftest import chance_rows

HASH = "ab" * 32


def rows(valence, arousal, top=0.12):
    """Teacher rows of a grid beside their chance band."""
    chance = [replace(row, grid_hash=HASH, high=top) for row in chance_rows({"experiment": "x"})]
    scores = zip(chance, (valence, arousal), strict=True)
    return [replace(r, arm="teacher", value=v, low=None, high=None) for r, v in scores] + chance


@pytest.mark.parametrize(
    ("valence", "arousal", "expected"),
    [(0.2, 0.2, True), (0.2, 0.1, False), (0.12, 0.2, False), (-0.3, -0.3, False)],
)
def test_a_teacher_must_lie_above_the_band_on_both_axes(valence, arousal, expected):
    assert teacher_beats_chance(rows(valence, arousal), HASH) is expected


def test_the_highest_of_several_bands_counts():
    joint = [replace(row, arm="chance (joint)", high=0.5) for row in rows(0, 0)[2:]]
    assert teacher_beats_chance(rows(0.4, 0.4) + joint, HASH) is False
    assert teacher_beats_chance(rows(0.6, 0.6) + joint, HASH) is True


def test_nothing_is_known_without_a_band_or_a_teacher_of_this_grid():
    assert teacher_beats_chance(rows(1, 1)[:2], HASH) is None
    assert teacher_beats_chance(rows(1, 1)[2:], HASH) is None
    assert teacher_beats_chance(rows(1, 1), "cd" * 32) is None


def test_the_verdict_names_the_teacher_only_where_it_is_known(made_grid):
    named = [replace(row, grid_hash=made_grid.sha256) for row in rows(0, 0)]
    assert "does not lie above simulated chance" in grid_verdict(made_grid, named)
    assert "simulated chance" not in grid_verdict(made_grid, [])


def test_every_cell_has_a_line_from_high_arousal_to_low(made_grid, run_folder):
    record = discover(run_folder).stability["grid"]
    table = cells_table("grid", made_grid, record)
    assert [row[:2] for row in table.rows[:2]] == [("0.80", "-0.80"), ("0.80", "-0.40")]
    assert table.rows[-1][:2] == ("-0.80", "0.80")
    assert len(table.rows) == 25
    empty = [row[4] == "empty, filled" for row in table.rows]
    assert sum(empty) == made_grid.filled.sum() == 5
    assert [row[2] for row in table.rows if row[4] != "observed"] == ["0"] * 5
    middle = table.rows[12]
    assert middle[2] == f"{made_grid.counts[12]:,}"
    assert middle[5:] == ("0.24", "–", "0.90 [0.70, 0.95]")
    assert cells_table("grid", made_grid, None).rows[12][7] == "–"


def test_sizes_are_lines(run_folder):
    table = sizes_table(discover(run_folder).stability)
    assert [row[1] for row in table.rows] == ["3 x 3", "5 x 5", "7 x 7", "9 x 9"]
    assert table.rows[1][2:] == ("7 of 25", "6", "2", "42", "2.35", "0.10", "0.87", "–")
    assert sizes_table({}) is None


def test_the_summary_begins_with_the_verdict(run_folder, capsys):
    print_grid_summary(run_folder / "grid")
    text = capsys.readouterr().out
    assert text.startswith("Not testable with this grid: ")
    assert "20 of 25 cells hold recordings." in text
    assert "Effective rank" in text
    assert text.count("| empty, filled |") == 5
    assert "| 7 x 7 | 7 of 49 |" in text
