"""How well fold teachers do on the people they held out, beside ridge and simulated chance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from neurogaze.artefacts import settings_hash
from neurogaze.eeg.cache import FeatureTable
from neurogaze.eeg.splits import Split, evaluation_rows, fold_rows
from neurogaze.evaluation.chance import ridge_predictions, simulated_chance
from neurogaze.evaluation.results import ResultRow
from neurogaze.evaluation.scoring import score_va
from neurogaze.pipeline.embedding import FoldTeacher

AXES = ("valence", "arousal")


def protocol_name(split: Split) -> str:
    """Protocol and number of folds, such as `loso, 6 folds`."""
    return f"{split.protocol}, {split.n_folds} folds"


def held_out_predictions(
    table: FeatureTable, split: Split, folds: Sequence[FoldTeacher]
) -> pd.DataFrame:
    """V/A predictions of each fold teacher for the non-overlapping windows it held out."""
    frames = []
    for fold in folds:
        rows = evaluation_rows(table, fold_rows(table, split, fold.fold)["test"])
        _, va = fold(table.features[rows])
        frames.append(eeg_frame(table, rows, va))
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
    table: FeatureTable,
    split: Split,
    folds: Sequence[FoldTeacher],
    predictions: pd.DataFrame,
    context: dict[str, Any],
    permutations: int,
) -> list[ResultRow]:
    """Score the teachers beside ridge and simulated chance, on the same held-out people."""
    context = context | {
        "dataset": table.corpus,
        "split": "held-out",
        "protocol": protocol_name(split),
        "split_hash": split.sha256,
        "config_hash": table.settings_hash,
        "label_rule": "ratings to [-1, 1]",
    }
    numbers = [fold.fold for fold in folds]
    ridge = ridge_predictions(table, split, numbers)
    frame = eeg_frame(table, ridge.rows, ridge.prediction)
    configs = settings_hash([fold.task.config_hash for fold in folds])
    rows = score_va(predictions, context | {"arm": "teacher", "config_hash": configs})
    rows += score_va(frame, context | {"arm": "ridge"})
    band = simulated_chance(table, split, permutations, chosen=numbers)
    return rows + chance_rows(band, context, n=frame["trial"].nunique())


def chance_rows(
    band: dict[str, tuple[float, float]], context: dict[str, Any], n: int
) -> list[ResultRow]:
    """The 99 % band of ridge on permuted ratings, as rows with limits and no value of their own."""
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
