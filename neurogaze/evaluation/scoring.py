"""Predictions to result rows, each value with its bootstrap interval."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import neurogaze
from neurogaze.errors import InputError
from neurogaze.evaluation import metrics, statistics
from neurogaze.evaluation.face_sums import (
    FaceRows,
    class_counts,
    class_drawn,
    face_contributions,
    face_scores_of_sums,
)
from neurogaze.evaluation.predictions import (
    TRUTH_COLUMNS,
    checked,
    face_arrays,
    face_units,
    regresses,
    va_arrays,
    vote_array,
)
from neurogaze.evaluation.results import ResultRow
from neurogaze.evaluation.selective import selective_scores, selective_spread

Floats = NDArray[np.float64]

TWIN_FREE = "twin-free"
"""Ends the split of rows that are scored without pictures that training held pixel by pixel."""

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


def face_intervals(rows: FaceRows, groups: NDArray[Any] | None, seed: int) -> dict[str, Score]:
    """Every face score of one data set with its interval over groups.

    The class set is fixed before resampling: in a mean over classes a resample that misses a rare
    class counts it 0. The scores of that class itself are of the resamples that hold it.

    Args:
        rows: what was said of each face, and the truth.
        groups: rows that share a name are resampled together; None: each row alone.
        seed: of the resampling.
    """
    present = metrics.present_classes(rows.truth)
    added = face_contributions(rows, present)
    points = face_scores_of_sums(added.sum(axis=0, keepdims=True), present)
    points |= {k: np.array([v]) for k, v in metrics.face_scores(rows.truth, rows.chances).items()}
    sums = statistics.bootstrap_sums(added, groups, seed)
    spread, counts = face_scores_of_sums(sums, present), class_counts(rows)
    spread |= {name: spread[name][drawn] for name, drawn in class_drawn(sums).items()}
    return {
        name: Score(float(points[name][0]), *group_interval(spread[name], groups), n)
        for name, n in ((name, counts.get(name, len(rows.truth))) for name in points)
    }


def selective_intervals(rows: FaceRows, groups: NDArray[Any] | None, seed: int) -> dict[str, Score]:
    """Area under the risk-coverage curve, and its excess, with intervals over groups.

    Args:
        rows: what was said of each face, and the truth.
        groups: as in `face_intervals`.
        seed: of the resampling.
    """
    confidence = rows.chances.max(axis=1)
    correct = rows.chances.argmax(axis=1) == rows.truth
    spread = selective_spread(confidence, correct, groups, seed)
    return {
        name: Score(value, *group_interval(spread[name], groups), len(correct))
        for name, value in selective_scores(confidence, correct).items()
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
    """Percentile interval; none where a single group leaves nothing to resample, or of nothing."""
    if len(values) == 0 or (groups is not None and len(np.unique(groups)) < 2):
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

    Where the file says which pictures have twins in training, rows of the split
    "<split>, twin-free" follow. Intervals are over people, recordings and equal pictures, as far as
    the file knows them.

    Args:
        frame: face predictions; see `neurogaze.evaluation.predictions`.
        context: any of `CONTEXT_DEFAULTS`; the split is the one that the file states.

    Returns:
        One row a metric: all of `metrics.face_scores`; those of `soft_labels.vote_scores` where the
        file holds votes; `f1_`, `recall_` and `precision_<emotion>`, with the faces behind each as
        n; `aurc` and `e_aurc` of `selective.selective_scores`.

    Raises:
        InputError: for a table or context that cannot be used.
    """
    frame, rows = checked(frame, "face", "face predictions"), []
    seed = int(context.get("seed", 0))
    for (dataset, split), whole in frame.groupby(["dataset", "split"], sort=True):
        for name, part in face_parts(str(split), whole):
            of_part = FaceRows(*face_arrays(part), vote_array(part))
            units = face_units(part)
            scores = face_intervals(of_part, units, seed) | selective_intervals(
                of_part, units, seed
            )
            rows += result_rows(scores, str(dataset), {**context, "split": name})
    return rows


def face_parts(split: str, frame: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """A split by name, then what is left of it without twins, where it has some and is not all."""
    yield split, frame
    if "twin" in frame:
        alone = frame[~frame["twin"].to_numpy(bool)]
        if 0 < len(alone) < len(frame):
            yield f"{split}, {TWIN_FREE}", alone


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
