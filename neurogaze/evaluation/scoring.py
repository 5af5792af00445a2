"""Predictions to result rows, each value with its bootstrap interval."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import neurogaze
from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError
from neurogaze.evaluation import calibration, metrics, statistics
from neurogaze.evaluation.predictions import (
    TRUTH_COLUMNS,
    checked,
    face_arrays,
    regresses,
    va_arrays,
)
from neurogaze.evaluation.results import ResultRow

Floats = NDArray[np.float64]

CELLS = metrics.N_CLASSES**2
BINS = calibration.N_BINS
VARIANCE_FLOOR = 1e-12
"""Below this a variance computed from sums is rounding error of a constant."""

CONTEXT_DEFAULTS: dict[str, Any] = {
    "experiment": "",
    "arm": "",
    "split": "test",
    "protocol": "",
    "label_rule": "",
    "seed": 0,
    "config_hash": "",
    "grid_hash": "",
    "split_hash": "",
    "code_version": neurogaze.__version__,
    "note": "",
}
"""What a caller may say of a run. The data set is read from the predictions themselves; a caller
that names it too must name the same."""


@dataclasses.dataclass(frozen=True)
class Score:
    """A value with its interval and the rows behind it."""

    value: float
    low: float | None
    high: float | None
    n: int


def _one_hot(which: NDArray[np.int64], n: int) -> Floats:
    return np.eye(n)[which]


def face_contributions(
    truth: NDArray[np.int64], chances: Floats, present: NDArray[np.bool_]
) -> Floats:
    """What each row adds to the sums that all face scores follow from, `[N, 64+64+15+15+2]`."""
    free = truth * metrics.N_CLASSES + chances.argmax(axis=1)
    among = truth * metrics.N_CLASSES + metrics.restricted_prediction(chances, present)
    confidence = chances.max(axis=1)
    gap = (chances.argmax(axis=1) == truth) - confidence
    in_bin = _one_hot(calibration.confidence_bins(confidence), BINS)
    losses = (calibration.row_nll(truth, chances), calibration.row_brier(truth, chances))
    columns = (_one_hot(free, CELLS), _one_hot(among, CELLS), in_bin * gap[:, None])
    return np.concatenate([*columns, np.stack(losses, axis=1)], axis=1)


def face_scores_of_sums(sums: Floats, present: NDArray[np.bool_]) -> dict[str, Floats]:
    """All face scores of many resamples at once.

    Args:
        sums: column sums of `face_contributions`, `[R, S]`.
        present: classes of the whole set, `bool [8]`.

    Returns:
        The names of `metrics.face_scores` and `f1_<emotion>`, each `[R]`.
    """
    ends = np.cumsum([CELLS, CELLS, BINS])
    free, among, gaps, losses = np.split(sums, ends, axis=1)
    shape = (-1, metrics.N_CLASSES, metrics.N_CLASSES)
    free, among, n = free.reshape(shape), among.reshape(shape), free.sum(axis=1)
    scores = metrics.matrix_scores(free, among, present)
    scores["nll"], scores["brier"] = losses[:, 0] / n, losses[:, 1] / n
    scores["ece"] = np.abs(gaps).sum(axis=1) / n
    f1 = metrics.per_class(free).f1
    return scores | {f"f1_{name}": f1[:, column] for column, name in enumerate(EMOTIONS)}


def face_intervals(
    truth: NDArray[np.int64], chances: Floats, groups: NDArray[Any] | None, seed: int
) -> dict[str, Score]:
    """Every face score of one data set with its interval over duplicate groups.

    The class set is fixed before resampling: a resample that misses a rare class counts it 0.

    Args:
        truth: class of each row, `[N]`.
        chances: probabilities, `[N, 8]`.
        groups: rows that share a name are resampled together; None: each row alone.
        seed: of the resampling.
    """
    present = metrics.present_classes(truth)
    rows = face_contributions(truth, chances, present)
    points = face_scores_of_sums(rows.sum(axis=0, keepdims=True), present)
    points |= {k: np.array([v]) for k, v in metrics.face_scores(truth, chances).items()}
    spread = face_scores_of_sums(statistics.bootstrap_sums(rows, groups, seed), present)
    support = np.bincount(truth, minlength=metrics.N_CLASSES)
    counts = {f"f1_{name}": int(support[i]) for i, name in enumerate(EMOTIONS)}
    return {
        name: Score(float(points[name][0]), *group_interval(spread[name], groups), n)
        for name, n in ((name, counts.get(name, len(truth))) for name in points)
    }


def va_contributions(truth: Floats, predicted: Floats) -> Floats:
    """What each row adds to the moments of both axes, `[N, 11]`: 1, then x, y, xx, yy, xy each.

    Values are taken from the middle of the ratings, which leaves CCC and RMSE as they are and
    keeps sums of squares small.
    """
    middle = truth.mean(axis=0)
    columns = [np.ones(len(truth))]
    for x, y in zip((predicted - middle).T, (truth - middle).T, strict=True):
        columns += [x, y, x * x, y * y, x * y]
    return np.stack(columns, axis=1)


def va_scores_of_sums(sums: Floats) -> dict[str, Floats]:
    """The scores of `metrics.va_scores` for many resamples at once, each `[R]`.

    Args:
        sums: column sums of `va_contributions`, `[R, 11]`.
    """
    scores: dict[str, Floats] = {}
    for start, axis in zip((1, 6), metrics.VA_AXES, strict=True):
        x, y, xx, yy, xy = (sums[:, start : start + 5] / sums[:, :1]).T
        var_x, var_y, covariance = xx - x * x, yy - y * y, xy - x * y
        spread = var_x + var_y + (x - y) ** 2
        both = np.sqrt(np.clip(var_x, 0, None) * np.clip(var_y, 0, None))
        scores[f"{axis}_ccc"] = _guarded(2 * covariance, spread)
        scores[f"{axis}_rmse"] = np.sqrt(np.clip(xx + yy - 2 * xy, 0, None))
        scores[f"{axis}_pearson"] = _guarded(covariance, both)
    return scores


def _guarded(above: Floats, below: Floats) -> Floats:
    """Quotient, 0 where the divisor is no more than rounding error."""
    return np.divide(above, below, out=np.zeros_like(above), where=below > VARIANCE_FLOOR)


def group_interval(
    values: Floats, groups: NDArray[Any] | None
) -> tuple[float | None, float | None]:
    """Percentile interval, or none where a single group leaves nothing to resample."""
    if groups is not None and len(np.unique(groups)) < 2:
        return None, None
    return statistics.interval(values)


def va_intervals(
    truth: Floats, predicted: Floats, subjects: NDArray[Any], seed: int
) -> dict[str, Score]:
    """Agreement of one set of rows with its interval over people; None where there is one person.

    Args:
        truth: rated (valence, arousal), `[N, 2]`.
        predicted: likewise.
        subjects: person of each row, `[N]`.
        seed: of the resampling.
    """
    points = metrics.va_scores(truth, predicted)
    sums = statistics.bootstrap_sums(va_contributions(truth, predicted), subjects, seed)
    spread = va_scores_of_sums(sums)
    return {
        name: Score(value, *group_interval(spread[name], subjects), len(truth))
        for name, value in points.items()
    }


def result_rows(
    scores: Mapping[str, Score], dataset: str, context: Mapping[str, Any]
) -> list[ResultRow]:
    """Result rows of scores, with what the caller said of the run."""
    known = CONTEXT_DEFAULTS | {"dataset": dataset}
    unknown = sorted(context.keys() - known.keys())
    if unknown:
        raise InputError("result context", f"{unknown} is not known", f"use {', '.join(known)}")
    if context.get("dataset", dataset) != dataset:
        found = f"names the data {context['dataset']!r}, the predictions name it {dataset!r}"
        raise InputError("result context", found, "name data as it was really used")
    said = known | dict(context)
    return [
        ResultRow(metric=name, **dataclasses.asdict(score), **said)
        for name, score in scores.items()
    ]


def score_faces(frame: pd.DataFrame, context: Mapping[str, Any]) -> list[ResultRow]:
    """Score perceived expression, once for each data set and split in the file.

    Args:
        frame: face predictions; see `neurogaze.evaluation.predictions`.
        context: any of `CONTEXT_DEFAULTS`; the split is the one that the file states.

    Returns:
        One row a metric: all of `metrics.face_scores`, and `f1_<emotion>` with its support as n.

    Raises:
        InputError: for a table or context that cannot be used.
    """
    frame, rows = checked(frame, "face", "face predictions"), []
    seed = int(context.get("seed", 0))
    for (dataset, split), part in frame.groupby(["dataset", "split"], sort=True):
        truth, chances = face_arrays(part)
        scores = face_intervals(truth, chances, part["group"].to_numpy(str), seed)
        rows += result_rows(scores, str(dataset), {**context, "split": str(split)})
    return rows


def score_va(frame: pd.DataFrame, context: Mapping[str, Any]) -> list[ResultRow]:
    """Score valence and arousal per window and per trial mean, once for each corpus in the file.

    Rows that nobody rated are left out. People are resampled, never windows.

    Args:
        frame: EEG predictions; see `neurogaze.evaluation.predictions`.
        context: any of `CONTEXT_DEFAULTS`.

    Returns:
        One row a metric: the names of `metrics.va_scores` with `_window` or `_trial` after them.

    Raises:
        InputError: for a table or context that cannot be used, or when no row is rated.
    """
    frame, rows = checked(frame, "eeg", "EEG predictions"), []
    frame = frame[frame[list(TRUTH_COLUMNS)].notna().all(axis=1)]
    if frame.empty:
        raise InputError("EEG predictions", "no row has a rating", "score a rated corpus")
    if not regresses(frame):
        found = "hold decisions, not predictions of valence and arousal"
        raise InputError("EEG predictions", found, "score them with score_binary")
    seed = int(context.get("seed", 0))
    for corpus, windows in frame.groupby("corpus", sort=True):
        means = windows.groupby(["subject", "trial"], sort=True, as_index=False)
        columns = ["valence", "arousal", "valence_pred", "arousal_pred"]
        for level, part in (("window", windows), ("trial", means[columns].mean())):
            scores = va_intervals(*va_arrays(part), part["subject"].to_numpy(str), seed)
            named = {f"{name}_{level}": score for name, score in scores.items()}
            rows += result_rows(named, str(corpus), context)
    return rows
