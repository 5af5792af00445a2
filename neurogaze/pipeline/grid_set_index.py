"""What a set of grids leaves beside its grids: index, scores, verdicts and one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from neurogaze.artefacts import write_json, written_aside
from neurogaze.evaluation.chance import refit_note, teacher_chance
from neurogaze.evaluation.permutations import Scheme
from neurogaze.evaluation.results import ResultRow, noted, write_rows
from neurogaze.pipeline.held_out import chance_rows
from neurogaze.prototypes.grid import PrototypeGrid
from neurogaze.report.grid_set_tables import Grids, told_grid_set, why_not

INDEX, SCORES, VERDICTS, TABLE = "index.json", "results.jsonl", "verdicts.json", "grids.md"
"""`VERDICTS` says by seed why an EEG grid cannot tell whether EEG helps."""

LEAST_REFITS = 2
"""Teachers of exchanged ratings from whom on they have a spread."""


def grid_file(kind: str, seed: int) -> str:
    """Name of a grid's file, beside the index.

    >>> grid_file("eeg", 3)
    'eeg-seed3.npz'
    """
    return f"{kind}-seed{seed}.npz"


def tell(root: Path, name: str, grids: Grids, rows: Sequence[ResultRow]) -> None:
    """Write the index of the grids, their scores, verdicts on those of the EEG, and the table.

    Args:
        root: folder of the set, which holds the files of the grids.
        name: of the set.
        grids: by kind and seed, those of the EEG among them.
        rows: scores of their teachers and bands of chance.
    """
    write_rows(root / SCORES, rows)
    write_json(root / VERDICTS, {str(at): why_not(g, rows) for at, g in grids["eeg"].items()})
    with written_aside(root / TABLE) as aside:
        aside.write_text(told_grid_set(grids, rows), encoding="utf-8")
    listed = {
        kind: {
            str(seed): {"path": grid_file(kind, seed), "sha256": grid.sha256}
            for seed, grid in made.items()
        }
        for kind, made in grids.items()
    }
    write_json(root / INDEX, {"name": name, "grids": listed})


def null_band(
    nulls: Mapping[int, PrototypeGrid],
    rows: Sequence[ResultRow],
    scheme: Scheme,
    context: Mapping[str, Any],
    n: int,
) -> list[ResultRow]:
    """What teachers of exchanged ratings reach; none where fewer than two have no spread.

    Args:
        nulls: their grids by seed.
        rows: their scores, which carry the hash of their grid.
        scheme: how ratings were exchanged.
        context: other fields of a result row.
        n: trials behind each score.
    """
    values = [
        {row.metric: row.value for row in rows if row.grid_hash == grid.sha256}
        for grid in nulls.values()
    ]
    if len(values) < LEAST_REFITS:
        return []
    band = {k: v for k, v in teacher_chance(values).items() if k.endswith("_trial")}
    note = noted(refit_note(len(values)), context["note"])
    said = {**context, "note": note}
    return chance_rows(band, said, n, arm=f"chance of teacher ({scheme})")
