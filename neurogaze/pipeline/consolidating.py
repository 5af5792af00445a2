"""Fold teachers to the frozen grid, and how well they did on the people they held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import neurogaze
from neurogaze.artefacts import write_npz
from neurogaze.eeg.cache import FeatureTable, prepare
from neurogaze.eeg.datamodule import EEGDataModule
from neurogaze.eeg.splits import Split, evaluation_rows, fold_rows
from neurogaze.evaluation.chance import ridge_predictions, simulated_chance
from neurogaze.evaluation.predictions import write_predictions
from neurogaze.evaluation.results import ResultRow, write_rows
from neurogaze.evaluation.scoring import score_va
from neurogaze.pipeline.embedding import (
    FoldTeacher,
    embed_held_out,
    load_fold,
    training_means,
)
from neurogaze.pipeline.stages import content_hash
from neurogaze.prototypes.consolidate import ConsolidateSettings, Embedded, consolidate
from neurogaze.prototypes.grid import PrototypeGrid

N_ANCHORS = 1024
AXES = ("valence", "arousal")


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
        train_ratings=rated_events(labelled.table),
        train_mean=training_means(labelled.table, labelled.split, folds),
        anchors=anchor_embeddings(labelled, folds) if crossfit else None,
        provenance=provenance,
    )


def merge(parts: Sequence[Embedded]) -> Embedded:
    """Join embedded corpora."""
    names = ("embedding", "va", "rated", "subject", "corpus", "fold")
    return Embedded(**{n: np.concatenate([getattr(p, n) for p in parts]) for n in names})


def rated_events(table: FeatureTable) -> NDArray[np.float64]:
    """Ratings (V, A), one row a rating event."""
    _, first = np.unique(table.event, return_index=True)
    return np.stack([table.valence, table.arousal], axis=1)[first]


def anchor_embeddings(labelled: LabelledData, folds: Sequence[FoldTeacher]) -> NDArray[np.float32]:
    """Embed the same windows with every teacher, `[folds of the split, m, d]`; no label is used.

    The place in the array is the number of the fold, whatever the order of the teachers. A fold
    without a teacher has no rows to rotate; it repeats another's anchors.
    """
    rows = np.linspace(0, labelled.table.n_rows - 1, min(N_ANCHORS, labelled.table.n_rows))
    features = labelled.table.features[np.unique(rows.astype(int))]
    embedded = {fold.fold: fold(features)[0] for fold in folds}
    first = next(iter(embedded.values()))
    return np.stack([embedded.get(number, first) for number in range(len(labelled.split.folds))])


def held_out_predictions(labelled: LabelledData, folds: Sequence[FoldTeacher]) -> pd.DataFrame:
    """V/A predictions of each fold teacher for the non-overlapping windows it held out."""
    frames = []
    for fold in folds:
        rows = evaluation_rows(
            labelled.table, fold_rows(labelled.table, labelled.split, fold.fold)["test"]
        )
        _, va = fold(labelled.table.features[rows])
        frames.append(eeg_frame(labelled.table, rows, va))
    return pd.concat(frames, ignore_index=True)


def eeg_frame(
    table: FeatureTable, rows: NDArray[np.int64], va: NDArray[np.float64]
) -> pd.DataFrame:
    """Lay predictions out as an EEG predictions file."""
    columns = ("subject", "clip", "event", "trial", "start", "valence", "arousal")
    frame = pd.DataFrame({name: getattr(table, name)[rows] for name in columns})
    frame.insert(0, "corpus", table.corpus)
    return frame.assign(valence_pred=va[:, 0], arousal_pred=va[:, 1])


def eeg_results(
    labelled: LabelledData, predictions: pd.DataFrame, context: dict[str, Any], permutations: int
) -> list[ResultRow]:
    """Score the teachers beside ridge and simulated chance, on the same held-out people."""
    context = context | {
        "dataset": labelled.table.corpus,
        "split": "held-out",
        "protocol": labelled.split.protocol,
        "split_hash": labelled.split.sha256,
        "config_hash": labelled.table.settings_hash,
        "label_rule": "ratings to [-1, 1]",
    }
    ridge = ridge_predictions(labelled.table, labelled.split)
    frame = eeg_frame(labelled.table, ridge.rows, ridge.prediction)
    rows = score_va(predictions, context | {"arm": "teacher"})
    rows += score_va(frame, context | {"arm": "ridge"})
    return rows + chance_rows(labelled, context, permutations, n=frame["trial"].nunique())


def chance_rows(
    labelled: LabelledData, context: dict[str, Any], permutations: int, n: int
) -> list[ResultRow]:
    """The 99 % band of ridge on permuted ratings, as rows with limits and no value of their own."""
    band = simulated_chance(labelled.table, labelled.split, n_permutations=permutations)
    rows = []
    for axis in AXES:
        low, high = band[axis]
        rows.append(
            ResultRow(
                **context | {"arm": "chance (99 % band)"},
                metric=f"{axis}_ccc_trial",
                value=(low + high) / 2,
                low=low,
                high=high,
                n=n,
            )
        )
    return rows


def topomap_groups(table: FeatureTable) -> dict[str, np.ndarray]:
    """Mean differential entropy, and its contrast between upper and lower ratings, per electrode.

    Returns:
        Arrays for `topomaps.npz`: `values [groups, channels, bands]` (nats) with their names.
    """
    values, groups = [table.features.mean(axis=0)], ["all windows"]
    for axis in AXES:
        ratings = getattr(table, axis)
        high = ratings > np.median(ratings)
        if 0 < high.sum() < len(high):
            contrast = table.features[high].mean(axis=0) - table.features[~high].mean(axis=0)
            values.append(contrast)
            groups.append(f"{axis}: above - below median")
    return {
        "values": np.stack(values).astype(np.float32),
        "groups": np.array(groups),
        "channels": np.array(table.channels),
        "bands": np.array(table.bands),
    }


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

    Writes `grid.npz`, `predictions.parquet`, `results.jsonl` and `topomaps.npz`.
    """
    labelled = labelled_data(data)
    folds = [load_fold(path, labelled.split) for path in checkpoints]
    tables = [(prepare(s.corpus, s.features, s.store), people_of(s)) for s in support]
    provenance = {
        "corpora": [labelled.table.corpus, *(t.corpus for t, _ in tables)],
        "features": labelled.table.settings_hash,
        "data": [labelled.table.sha256, *(t.sha256 for t, _ in tables)],
        "split_sha256": labelled.split.sha256,
        "protocol": labelled.split.protocol,
        "teachers": [content_hash(path) for path in checkpoints],
        "version": neurogaze.__version__,
    }
    grid = make_grid(labelled, tables, folds, settings, provenance)
    predictions = held_out_predictions(labelled, folds)
    rows = eeg_results(labelled, predictions, context | {"grid_hash": grid.sha256}, permutations)
    write_predictions(out / "predictions.parquet", predictions)
    write_rows(out / "results.jsonl", rows)
    write_npz(out / "topomaps.npz", topomap_groups(labelled.table))
    grid.save(out / "grid.npz")
    return grid
