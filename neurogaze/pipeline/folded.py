"""Folds of one arm and seed as one: every picture judged once, by a network that never saw it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from neurogaze.artefacts import settings_hash
from neurogaze.errors import InputError
from neurogaze.evaluation.predictions import read_predictions, write_predictions
from neurogaze.evaluation.results import ResultRow, read_rows, write_rows
from neurogaze.evaluation.scoring import score_faces
from neurogaze.pipeline.stages import StageRecord, Stages

SHARED = ("experiment", "arm", "label_rule", "seed", "grid_hash", "code_version")
"""What the rows of all folds have in common."""

HASHED = ("config_hash", "split_hash")
"""What differs from fold to fold."""


def pool_folds(stages: Stages, name: str, folds: Sequence[str], dataset: str) -> StageRecord:
    """Stage: predictions of all folds in one file, and their scores.

    The records of single folds are taken out of `stages`, so that no report tells them as runs of
    their own.

    Args:
        stages: of the bench; the evaluations of the folds are done.
        name: of arm and seed.
        folds: stages of their trainings.
        dataset: name of the evaluation.
    """
    parts = [f"{fold}-{dataset}" for fold in folds]
    inputs = {part: stages.records[part].content for part in parts}

    def action(folder: Path) -> None:
        frames = [read_predictions(stages.root / p / "predictions.parquet") for p in parts]
        rows = [read_rows(stages.root / p / "results.jsonl") for p in parts]
        frame = pooled(frames, f"{name}-{dataset}")
        write_predictions(folder / "predictions.parquet", frame)
        write_rows(folder / "results.jsonl", score_faces(frame, _said(rows)))

    outputs = ["predictions.parquet", "results.jsonl"]
    record = stages.run(f"{name}-{dataset}", {"folds": len(folds)}, inputs, action, outputs)
    for part in parts:
        del stages.records[part]
    return record


def pooled(frames: Sequence[pd.DataFrame], where: str) -> pd.DataFrame:
    """Predictions of folds, one below the other.

    Args:
        frames: one a fold.
        where: for the message.

    Raises:
        InputError: when a picture was judged twice.
    """
    frame = pd.concat(frames, ignore_index=True)
    twice = frame["id"][frame["id"].duplicated()]
    if len(twice):
        found = f"{len(twice)} pictures were judged twice, the first {twice.iloc[0]!r}"
        raise InputError(where, found, "judge every fold of one deal once")
    return frame


def _said(rows: Sequence[Sequence[ResultRow]]) -> dict[str, str | int]:
    """What the pooled rows say besides their value; hashes are over those of all folds."""
    first = rows[0][0]
    shared = {name: getattr(first, name) for name in SHARED}
    hashes = {name: settings_hash([getattr(fold[0], name) for fold in rows]) for name in HASHED}
    protocol = f"{len(rows)} folds pooled, {first.protocol}"
    return shared | hashes | {"protocol": protocol, "note": first.note}
