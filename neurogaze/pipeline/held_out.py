"""How well fold teachers do on the people they held out, beside ridge and simulated chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from neurogaze.artefacts import settings_hash
from neurogaze.eeg.cache import FeatureTable
from neurogaze.eeg.splits import Split, evaluation_rows, fold_rows
from neurogaze.evaluation.chance import Band, few_note, ridge_predictions, simulated_chance
from neurogaze.evaluation.metrics import VA_AXES, VA_METRICS
from neurogaze.evaluation.predictions import eeg_frame
from neurogaze.evaluation.results import ResultRow, noted
from neurogaze.evaluation.scoring import score_va
from neurogaze.pipeline.embedding import FoldTeacher

__all__ = [
    "chance_rows",
    "eeg_frame",
    "eeg_results",
    "held_out_predictions",
    "protocol_name",
    "topomap_groups",
]

LEAST_MEAN = 1e-4
"""A mean feature below it is the rounding of features that were centred."""


def protocol_name(split: Split) -> str:
    """Protocol and number of folds, such as `loso, 6 folds` or `window, 5 folds (LEAKY)`."""
    stamp = " (LEAKY)" if split.leaky else ""
    return f"{split.protocol}, {split.n_folds} folds{stamp}"


def held_out_predictions(
    table: FeatureTable, split: Split, folds: Sequence[FoldTeacher]
) -> pd.DataFrame:
    """V/A predictions of each fold teacher for the non-overlapping windows it held out."""
    frames = []
    for fold in folds:
        rows = evaluation_rows(table, fold_rows(table, split, fold.fold)["test"])
        _, va = fold(table.features[rows])
        frames.append(eeg_frame(table, rows, va).assign(fold=fold.fold))
    return pd.concat(frames, ignore_index=True)


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
    context["note"] = noted(table.quirks, context.get("note", ""))
    numbers = [fold.fold for fold in folds]
    ridge = ridge_predictions(table, split, numbers)
    frame = eeg_frame(table, ridge.rows, ridge.prediction)
    configs = settings_hash([fold.task.config_hash for fold in folds])
    rows = score_va(predictions, context | {"arm": "teacher", "config_hash": configs})
    rows += score_va(frame, context | {"arm": "ridge"})
    band = simulated_chance(table, split, permutations, chosen=numbers)
    said = context | {"note": noted(few_note(permutations), context["note"])}
    return rows + chance_rows(band, said, n=frame["trial"].nunique())


def chance_rows(
    band: Mapping[str, Band],
    context: dict[str, Any],
    n: int,
    label_rules: Mapping[str, str] | None = None,
    arm: str = "chance (99 % band)",
) -> list[ResultRow]:
    """Bands of chance as rows with limits and no value of their own.

    Args:
        band: (low, high) by name of metric, of `simulated_chance` or `teacher_chance`.
        context: other fields of a result row.
        n: trials behind each band.
        label_rules: label rule of the decisions on each axis; metrics of an axis that is not named
            here but decides keep the rule of the context.
        arm: name of the rows, beginning with "chance".
    """
    rows = []
    for metric, (low, high) in band.items():
        axis, _, name = metric.partition("_")
        said = context | {"arm": arm}
        if name.removesuffix("_trial") not in VA_METRICS and label_rules and axis in label_rules:
            said["label_rule"] = label_rules[axis]
        rows.append(
            ResultRow(**said, metric=metric, value=(low + high) / 2, low=low, high=high, n=n)
        )
    return rows


def topomap_groups(table: FeatureTable) -> dict[str, np.ndarray]:
    """Mean differential entropy, and its contrast between upper and lower ratings, per electrode.

    Features that are standardised within each person have no mean to show.

    Returns:
        Arrays for `topomaps.npz`: `values [groups, channels, bands]` with their names and unit.
    """
    values, groups = [], []
    for axis in VA_AXES:
        ratings = getattr(table, axis)
        known = np.isfinite(ratings)
        cut = np.median(ratings[known]) if known.any() else 0.0
        high, low = known & (ratings > cut), known & (ratings <= cut)
        if high.any() and low.any():
            contrast = table.features[high].mean(axis=0) - table.features[low].mean(axis=0)
            values.append(contrast)
            groups.append(f"{axis}: above - below median")
    mean = table.features.mean(axis=0, dtype=np.float64)
    if not groups or np.abs(mean).max() > LEAST_MEAN:
        values, groups = [mean, *values], ["all windows", *groups]
    return {
        "values": np.stack(values).astype(np.float32),
        "groups": np.array(groups),
        "channels": np.array(table.channels),
        "bands": np.array(table.bands),
        "unit": np.array(table.unit),
    }
