"""A grid in tables: what may be concluded from it, its cells, and other sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neurogaze.evaluation.metrics import VA_AXES
from neurogaze.evaluation.results import ResultRow
from neurogaze.prototypes.testable import testable, verdict
from neurogaze.report.markup import to_markdown
from neurogaze.report.tables import CHANCE, Table, fixed

if TYPE_CHECKING:
    from neurogaze.prototypes.grid import PrototypeGrid
    from neurogaze.report.grid_inputs import GridStability

TEACHER = "teacher"


def teacher_beats_chance(rows: Sequence[ResultRow], grid_sha256: str) -> bool | None:
    """Whether the teachers of a grid lie above every simulated band, on both axes.

    CCC over trial means of people held out counts. None where teachers or bands are missing.

    Args:
        rows: results of all stages.
        grid_sha256: hash of the grid; rows of its teachers carry it.
    """
    own = [row for row in rows if row.grid_hash == grid_sha256]
    above = []
    for axis in VA_AXES:
        of_axis = [row for row in own if row.metric == f"{axis}_ccc_trial"]
        scores = [row.value for row in of_axis if row.arm == TEACHER]
        tops = [row.high for row in of_axis if row.arm.startswith(CHANCE) and row.high is not None]
        if not scores or not tops:
            return None
        above.append(min(scores) > max(tops))
    return all(above)


def grid_verdict(grid: PrototypeGrid, rows: Sequence[ResultRow]) -> str:
    """One sentence: whether this grid can tell if EEG helps, with all reasons why not."""
    return verdict(testable(grid, teacher_beats_chance(rows, grid.sha256)))


def facts_sentence(grid: PrototypeGrid) -> str:
    """Cells that were observed, effective rank and mean cosine of a grid."""
    observed = int((~grid.filled).sum())
    return (
        f"{observed} of {len(grid.counts)} cells hold recordings. Effective rank of the Gram "
        f"matrix {grid.gram_rank:.2f}, mean cosine between prototypes {fixed(grid.mean_cosine, 2)}."
    )


def cells_table(place: str, grid: PrototypeGrid, stability: GridStability | None) -> Table:
    """Every cell of a grid with who is behind it.

    Args:
        place: name of the grid.
        grid: the grid.
        stability: the same under resampling of people, where it was measured.
    """
    caption = (
        f"{place}: windows and people behind each cell, from high arousal to low. An empty cell "
        "takes the prototype of its neighbours. Spread: mean cosine distance of the members to "
        "their prototype. Resampled: cosine of the prototype with itself when people are drawn "
        "again, with 95 % interval; one person cannot tell."
    )
    header = ("arousal", "valence", "windows", "people", "state", "spread", "folds", "resampled")
    order = np.lexsort((grid.centers[:, 0], -grid.centers[:, 1]))
    rows = tuple(_cell(int(cell), grid, stability) for cell in order)
    return Table(f"Cells of {place}", caption, header, rows)


def _cell(cell: int, grid: PrototypeGrid, stability: GridStability | None) -> tuple[str, ...]:
    """One row of the table of cells."""
    valence, arousal = grid.centers[cell]
    notes = [_noted(grid, name, cell) for name in ("spread", "cross_fold_cosine")]
    again = "–"
    if stability is not None and np.isfinite(stability.cells.cosine[cell]):
        drawn = stability.cells
        ends = f"[{fixed(drawn.low[cell], 2)}, {fixed(drawn.high[cell], 2)}]"
        again = f"{fixed(drawn.cosine[cell], 2)} {ends}"
    return (
        fixed(arousal, 2),
        fixed(valence, 2),
        f"{grid.counts[cell]:,}",
        f"{grid.n_subjects[cell]:,}",
        "empty, filled" if grid.filled[cell] else "observed",
        *notes,
        again,
    )


def _noted(grid: PrototypeGrid, name: str, cell: int) -> str:
    """A number that the provenance keeps for each cell."""
    values = grid.provenance.get(name)
    if not isinstance(values, list) or len(values) != len(grid.counts) or values[cell] is None:
        return "–"
    return fixed(values[cell], 2)


def sizes_table(stability: Mapping[str, GridStability]) -> Table | None:
    """Grids of several sizes from the same embeddings; None where none was made."""
    rows = [
        (
            place,
            f"{size.size} x {size.size}",
            f"{size.observed} of {size.cells}",
            str(size.with_three),
            f"{size.count_min:,}",
            f"{size.count_median:,.0f}",
            fixed(size.effective_rank, 2),
            fixed(size.mean_cosine, 2),
            _open(size.bootstrap_cosine),
            _open(size.cross_fold_cosine),
        )
        for place, record in stability.items()
        for size in record.sizes
    ]
    caption = (
        "Grids of several sizes from the same embeddings, before cells are merged. Resampled: mean "
        "cosine of a prototype with itself when people are drawn again, over cells with at least "
        "two people. Folds: mean cosine between the prototypes of single teachers after alignment."
    )
    header = (
        "grid", "size", "cells observed", "with 3 people", "fewest windows", "median windows",
        "effective rank", "mean cosine", "resampled", "folds",
    )  # fmt: skip
    return Table("Stability of the grid", caption, header, tuple(rows)) if rows else None


def _open(value: float | None) -> str:
    """A number that may not be known."""
    return "–" if value is None else fixed(value, 2)


def grid_summary(folder: Path) -> str:
    """What a folder says of its grid: verdict, facts, cells and sizes, as Markdown.

    Args:
        folder: where `consolidate_teachers` left its files.

    Raises:
        InputError: when the folder does not exist, or a part of it is broken.
    """
    from neurogaze.report.inputs import discover

    inputs = discover(folder)
    parts = []
    for place, grid in inputs.grids.items():
        parts += [f"{grid_verdict(grid, inputs.rows)}\n{facts_sentence(grid)}\n"]
        parts += [to_markdown(cells_table(place, grid, inputs.stability.get(place)))]
    table = sizes_table(inputs.stability)
    return "\n".join([*parts, *([to_markdown(table)] if table else [])])


def print_grid_summary(folder: Path) -> None:
    """Print what a folder says of its grid.

    Raises:
        InputError: when the folder does not exist, or a part of it is broken.
    """
    print(grid_summary(folder))
