"""Fold teachers to the frozen grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import neurogaze
from neurogaze.artefacts import write_npz
from neurogaze.eeg.cache import FeatureTable, prepare
from neurogaze.eeg.datamodule import EEGDataModule
from neurogaze.eeg.splits import Split, fold_rows
from neurogaze.errors import InputError
from neurogaze.evaluation.predictions import write_predictions
from neurogaze.evaluation.results import write_rows
from neurogaze.pipeline.embedding import (
    FoldTeacher,
    embed_held_out,
    load_fold,
    training_means,
)
from neurogaze.pipeline.held_out import (
    eeg_results,
    held_out_predictions,
    protocol_name,
    topomap_groups,
)
from neurogaze.pipeline.stages import content_hash
from neurogaze.prototypes.consolidate import ConsolidateSettings, Embedded, consolidate
from neurogaze.prototypes.grid import PrototypeGrid

N_ANCHORS = 1024
"""Windows that all teachers embed; well above the width of an embedding."""


@dataclass(frozen=True, eq=False)
class LabelledData:
    """The rated corpus a consolidation starts from.

    Args:
        table: its features.
        split: its split into people held out.
        people: name of the set of people recorded.
    """

    table: FeatureTable
    split: Split
    people: str


def labelled_data(data: EEGDataModule) -> LabelledData:
    """Features, split and people of a rated corpus."""
    data.setup("fit")
    return LabelledData(data.table, data.split_plan, people_of(data))


def people_of(data: EEGDataModule) -> str:
    """Name of the people a corpus records; two corpora of the same people share it."""
    return data.corpus.people or data.corpus.name


def make_grid(
    labelled: LabelledData,
    support: Sequence[tuple[FeatureTable, str]],
    folds: Sequence[FoldTeacher],
    settings: ConsolidateSettings,
    provenance: dict[str, Any],
) -> PrototypeGrid:
    """Embed everybody by a teacher that held them out, and consolidate.

    Args:
        labelled: the rated corpus.
        support: unrated tables, each with the name of its people.
        folds: trained teachers.
        settings: how to consolidate.
        provenance: what to record in the grid.
    """
    parts = [embed_held_out(labelled.table, labelled.split, folds, labelled.people)[0]]
    for table, people in support:
        same = people == labelled.people
        parts.append(embed_held_out(table, labelled.split, folds, people, same, matched=True)[0])
    crossfit = settings.mode == "crossfit"
    return consolidate(
        merge(parts),
        settings,
        train_ratings=training_ratings(labelled),
        train_mean=training_means(labelled.table, labelled.split, folds),
        anchors=anchor_embeddings(labelled, support, folds) if crossfit else None,
        provenance=provenance | {"anchors": anchor_source(support)},
    )


def merge(parts: Sequence[Embedded]) -> Embedded:
    """Join embedded corpora."""
    names = ("embedding", "va", "rated", "subject", "corpus", "fold")
    return Embedded(**{n: np.concatenate([getattr(p, n) for p in parts]) for n in names})


def training_ratings(labelled: LabelledData) -> list[NDArray[np.float64]]:
    """Ratings (V, A) of the training people of each fold, one row a rating event."""
    ratings = []
    for fold in range(labelled.split.n_folds):
        rows = fold_rows(labelled.table, labelled.split, fold)["train"]
        table = labelled.table.take(rows)
        _, first = np.unique(table.event, return_index=True)
        ratings.append(np.stack([table.valence, table.arousal], axis=1)[first])
    return ratings


def anchor_source(support: Sequence[tuple[FeatureTable, str]]) -> str:
    """Which windows the teachers' spaces are aligned on."""
    return "support windows" if support else "labelled windows, labels not used"


def anchor_embeddings(
    labelled: LabelledData,
    support: Sequence[tuple[FeatureTable, str]],
    folds: Sequence[FoldTeacher],
) -> NDArray[np.float32]:
    """Embed the same windows with every teacher, `[folds, m, d]`; no label is used.

    They are unlabelled recordings where there are any: no teacher has learned those by heart.
    """
    tables = [table for table, _ in support] or [labelled.table]
    share = N_ANCHORS // len(tables)
    embedded = []
    for fold in folds:
        parts = []
        for table in tables:
            rows = np.unique(np.linspace(0, table.n_rows - 1, min(share, table.n_rows)).astype(int))
            parts.append(fold(fold.features(table, matched=bool(support))[rows])[0])
        embedded.append(np.concatenate(parts))
    return np.stack(embedded)


def load_folds(
    checkpoints: Sequence[Path], labelled: LabelledData, mode: str
) -> list[tuple[Path, FoldTeacher]]:
    """Load fold teachers, each with its file, in the order of their folds.

    Raises:
        InputError: for a checkpoint that is no teacher of this split and these features, two of the
            same fold, a missing fold under `crossfit`, or a split that shares people.
    """
    split = labelled.split
    if split.unit != "subject":
        raise InputError(
            "--data.split.protocol",
            f"{split.protocol!r} trains on the people it tests",
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

    Writes `grid.npz`, `predictions.parquet`, `results.jsonl` and `topomaps.npz`. The order of the
    checkpoints does not matter.

    Raises:
        InputError: for a checkpoint that is no teacher of this split, or two of the same fold.
    """
    labelled = labelled_data(data)
    loaded = load_folds(checkpoints, labelled, settings.mode)
    folds = [fold for _, fold in loaded]
    tables = [(prepare(s.corpus, s.features, s.store), people_of(s)) for s in support]
    provenance = {
        "corpora": [labelled.table.corpus, *(t.corpus for t, _ in tables)],
        "features": labelled.table.settings_hash,
        "data": [labelled.table.sha256, *(t.sha256 for t, _ in tables)],
        "split_sha256": labelled.split.sha256,
        "protocol": protocol_name(labelled.split),
        "support": "moments matched to the training fold, without labels" if tables else "none",
        "teachers": [content_hash(path) for path, _ in loaded],
        "version": neurogaze.__version__,
    }
    grid = make_grid(labelled, tables, folds, settings, provenance)
    predictions = held_out_predictions(labelled.table, labelled.split, folds)
    known = context | {"grid_hash": grid.sha256}
    rows = eeg_results(labelled.table, labelled.split, folds, predictions, known, permutations)
    write_predictions(out / "predictions.parquet", predictions)
    write_rows(out / "results.jsonl", rows)
    write_npz(out / "topomaps.npz", topomap_groups(labelled.table))
    grid.save(out / "grid.npz")
    return grid
