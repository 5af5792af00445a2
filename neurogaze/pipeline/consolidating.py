"""Fold teachers to the frozen grid."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import neurogaze
from neurogaze.artefacts import canonical, write_json, write_npz
from neurogaze.eeg.cache import FeatureTable, prepare
from neurogaze.eeg.datamodule import EEGDataModule
from neurogaze.errors import InputError
from neurogaze.evaluation.predictions import write_predictions
from neurogaze.evaluation.results import write_rows
from neurogaze.pipeline.embedding import FoldTeacher, load_fold
from neurogaze.pipeline.everybody import (
    LabelledData,
    anchor_source,
    labelled_data,
    laid_out_like,
    people_of,
    place_everybody,
)
from neurogaze.pipeline.explaining import cell_features, explain
from neurogaze.pipeline.held_out import (
    eeg_results,
    held_out_predictions,
    protocol_name,
    topomap_groups,
)
from neurogaze.pipeline.stages import content_hash
from neurogaze.prototypes.consolidate import ConsolidateSettings, grid_of
from neurogaze.prototypes.grid import PrototypeGrid
from neurogaze.prototypes.placed import Placed
from neurogaze.prototypes.stability import N_RESAMPLES, bootstrap_stability, stability_table


def grid_stability(placed: Placed, settings: ConsolidateSettings, seed: int = 0) -> dict[str, Any]:
    """Content of `stability.json`: each cell under resampling of people, and grids by size.

    Returns:
        `resamples`, `seed`, `size`; by cell `cosine`, `low` and `high`, None where it cannot be
        told; `sizes`, one record a size of grid.
    """
    size, cells = settings.size, placed.cells(settings.size, settings.min_subjects)
    drawn = bootstrap_stability(
        placed.unit, cells, placed.subject, size, seed=seed, smoothing=settings.smoothing
    )
    parts = {name: getattr(drawn, name).tolist() for name in ("cosine", "low", "high")}
    known = {k: [None if np.isnan(x) else x for x in v] for k, v in parts.items()}
    table = stability_table(placed, seed=seed, smoothing=settings.smoothing)
    head = {"resamples": N_RESAMPLES, "seed": seed, "size": size}
    return head | known | {"sizes": canonical(table)}


def load_folds(
    checkpoints: Sequence[Path], labelled: LabelledData, mode: str, chosen: int = 0
) -> list[tuple[Path, FoldTeacher]]:
    """Load fold teachers, each with its file, in the order of their folds.

    Raises:
        InputError: for a checkpoint that is no teacher of this split and these features, two of the
            same fold, a missing fold under `crossfit`, or a split that shares people.
    """
    split = labelled.split
    if split.unit != "subject":
        why = (
            "tests each person in several folds" if split.clips else "trains on the people it tests"
        )
        raise InputError(
            "--data.split.protocol",
            f"{split.protocol!r} {why}",
            "consolidate teachers that held whole people out (loso)",
        )
    loaded: dict[int, tuple[Path, FoldTeacher]] = {}
    for path in checkpoints:
        fold = load_fold(path, split, labelled.table.settings_hash)
        if fold.fold in loaded:
            other = loaded[fold.fold][0]
            raise InputError(path, f"is fold {fold.fold}, as is {other}", "name one teacher a fold")
        loaded[fold.fold] = (path, fold)
    missing = sorted(set(range(split.n_folds)) - set(loaded))
    if mode == "crossfit" and missing:
        raise InputError(
            "--teachers", f"fold {missing[0]} is missing", "name a teacher of every fold"
        )
    if mode == "faithful":
        loaded = {number: pair for number, pair in loaded.items() if number == chosen}
        if not loaded:
            raise InputError("--teachers", f"hold no fold {chosen}", "name the teacher of the fold")
    return [loaded[number] for number in sorted(loaded)]


def consolidate_teachers(
    checkpoints: Sequence[Path],
    data: EEGDataModule,
    support: Sequence[EEGDataModule],
    settings: ConsolidateSettings,
    out: Path,
    context: dict[str, Any],
    permutations: int = 200,
) -> PrototypeGrid:
    """Make the grid and judge its teachers; leave both in a folder.

    Writes `grid.npz`, `stability.json`, `explained.npz`, `predictions.parquet`, `results.jsonl` and
    `topomaps.npz`. The order of the checkpoints does not matter.

    Raises:
        InputError: for a checkpoint that is no teacher of this split, or two of the same fold.
    """
    labelled = labelled_data(data)
    loaded = load_folds(checkpoints, labelled, settings.mode, settings.fold)
    folds = [fold for _, fold in loaded]
    tables = [(prepare(s.corpus, s.features, s.store), people_of(s)) for s in support]
    tables = [(laid_out_like(table, labelled.table), people) for table, people in tables]
    known = provenance(labelled, tables, [path for path, _ in loaded])
    everybody = place_everybody(labelled, tables, folds, settings)
    grid = grid_of(everybody.placed, settings, known)
    cells = everybody.placed.cells(settings.size, settings.min_subjects)
    explained = explain(labelled.table, labelled.split, folds)
    explained["cell_features"] = cell_features(everybody.seen, cells, settings.size**2)
    predictions = held_out_predictions(labelled.table, labelled.split, folds)
    said = context | {"grid_hash": grid.sha256}
    rows = eeg_results(labelled.table, labelled.split, folds, predictions, said, permutations)
    write_predictions(out / "predictions.parquet", predictions)
    write_rows(out / "results.jsonl", rows)
    write_npz(out / "topomaps.npz", topomap_groups(labelled.table))
    write_npz(out / "explained.npz", explained)
    write_json(out / "stability.json", grid_stability(everybody.placed, settings))
    grid.save(out / "grid.npz")
    return grid


def provenance(
    labelled: LabelledData,
    support: Sequence[tuple[FeatureTable, str]],
    checkpoints: Sequence[Path],
) -> dict[str, Any]:
    """What a grid records of the data and teachers behind it."""
    tables = [labelled.table, *(table for table, _ in support)]
    return {
        "corpora": [table.corpus for table in tables],
        "features": labelled.table.settings_hash,
        "data": [table.sha256 for table in tables],
        "split_sha256": labelled.split.sha256,
        "protocol": protocol_name(labelled.split),
        "support": "moments matched to the training fold, without labels" if support else "none",
        "anchors": anchor_source(support),
        "teachers": [content_hash(path) for path in checkpoints],
        "version": neurogaze.__version__,
    }
