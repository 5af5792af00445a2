"""A set of grids in words: what may be concluded from it, and one line a grid."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import inf
from statistics import fmean

from neurogaze.evaluation.metrics import VA_AXES
from neurogaze.evaluation.results import ResultRow
from neurogaze.prototypes.grid import PrototypeGrid
from neurogaze.prototypes.testable import over_grids, testable, verdict
from neurogaze.report.grid_tables import teacher_beats_chance
from neurogaze.report.markup import to_markdown
from neurogaze.report.tables import CHANCE, Table, fixed, plain

Grids = Mapping[str, Mapping[int, PrototypeGrid]]
"""Grids by kind and seed."""

FIRM_REFITS = 20
"""Refits from which on a prediction band is a seventh wider than one of many; of 3, four times."""

REFITS = re.compile(r"band of (\d+) refits")
"""As `neurogaze.evaluation.chance.refit_note` says it."""


def why_not(grid: PrototypeGrid, rows: Sequence[ResultRow]) -> list[str]:
    """Reasons why a grid of a set cannot tell whether EEG helps.

    Its teacher must lie above every band of chance: of teachers that learned from exchanged
    ratings, and of ridge. A band of few refits is wide, so where it alone is not exceeded the
    reason says how few they are.

    Args:
        grid: a grid of the EEG.
        rows: of its teachers, which carry its hash, and of chance, which may carry none.
    """
    own = [row for row in rows if row.grid_hash == grid.sha256 and not row.arm.startswith(CHANCE)]
    chance = [replace(row, grid_hash=grid.sha256) for row in rows if row.arm.startswith(CHANCE)]
    firm = [row for row in chance if refits(row) >= FIRM_REFITS]
    above_firm = teacher_beats_chance([*own, *firm], grid.sha256)
    reasons = testable(grid, above_firm)
    if above_firm is not False and teacher_beats_chance([*own, *chance], grid.sha256) is False:
        few = min(refits(row) for row in chance)
        said = f"the teacher does not lie above its own simulated chance, a band of {few:g} refits"
        reasons.append(said)
    return reasons


def refits(row: ResultRow) -> float:
    """Refits that a band of chance rests on; infinite where it names none, as one of hundreds."""
    found = REFITS.search(row.note)
    return float(found[1]) if found else inf


def told_grid_set(grids: Grids, rows: Sequence[ResultRow]) -> str:
    """Markdown: the verdict over the grids of the EEG, then a table of all grids."""
    reasons = [why_not(grid, rows) for grid in grids["eeg"].values()]
    return f"{verdict(over_grids(reasons))}\n\n{to_markdown(grid_set_table(grids, rows))}"


def grid_set_table(grids: Grids, rows: Sequence[ResultRow]) -> Table:
    """One line a grid, and one a band of chance.

    Args:
        grids: by kind and seed.
        rows: scores of their teachers and bands of chance.
    """
    caption = (
        "Agreement of the teachers with people they held out, CCC over trials with 95 % bootstrap "
        "interval over people; a line of chance is a band. Cells: those that are not empty after "
        "people were drawn with replacement. People: different ones among the drawn. Windows "
        "named: share of training windows whose person the teachers name, for those that were "
        "trained to, mean over folds."
    )
    header = ("grid", "seed", *(f"{axis} CCC" for axis in VA_AXES))
    header += ("cells", "people", "effective rank", "mean cosine", "windows named")
    lines = [
        _line(kind, seed, grid, rows) for kind, made in grids.items() for seed, grid in made.items()
    ]
    bands = dict.fromkeys(row.arm for row in rows if row.arm.startswith(CHANCE))
    blank = ("–",) * 5
    lines += [(arm, "–", *_scores([r for r in rows if r.arm == arm]), *blank) for arm in bands]
    return Table("Set of grids", caption, header, tuple(lines))


def _line(kind: str, seed: int, grid: PrototypeGrid, rows: Sequence[ResultRow]) -> tuple[str, ...]:
    """One grid."""
    drawn = [times for times in grid.provenance["people_drawn"].values() if times]
    named = [share for share in grid.provenance.get("learnt", {}).values() if share is not None]
    return (
        kind,
        str(seed),
        *_scores([row for row in rows if row.grid_hash == grid.sha256]),
        f"{int((grid.counts > 0).sum())} of {len(grid.counts)}",
        str(len(drawn)),
        fixed(grid.gram_rank, 2),
        fixed(grid.mean_cosine, 2),
        fixed(fmean(named), 2) if named else "–",
    )


def _scores(rows: Sequence[ResultRow]) -> tuple[str, ...]:
    """CCC over trials of both axes."""
    found = {row.metric: row for row in rows}
    names = [f"{axis}_ccc_trial" for axis in VA_AXES]
    return tuple(plain(found[name]) if name in found else "–" for name in names)
