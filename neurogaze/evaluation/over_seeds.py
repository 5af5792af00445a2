"""The mean of a score over seeds, with an interval over people.

Seeds of one training share their test people, so people are drawn once for all seeds; seeds that
stand for other people (made-up corpora) are drawn together. Either way the interval tells how the
mean would move with other people, not with other seeds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from neurogaze.evaluation import metrics, statistics
from neurogaze.evaluation.binary import PROBABILITY_CUT, label_rule
from neurogaze.evaluation.results import ResultRow
from neurogaze.evaluation.scoring import (
    CONTEXT_DEFAULTS,
    group_interval,
    va_contributions,
    va_scores_of_sums,
)
from neurogaze.evaluation.two_class import by_group, of_weights

N_RESAMPLES = 1000
RATINGS_RULE = "ratings to [-1, 1]"
Floats = NDArray[np.float64]

SCORES = {"pred": ("ccc", "rmse"), "score": ("balanced_accuracy", "auroc")}
"""End of the name of a column -> the scores that are made of it."""

TRUTH = {"pred": "", "score": "_high", "cut": "_high"}
"""End of the name of a column -> that of the truth it is held against."""


def trial_frame(frames: Mapping[int, pd.DataFrame]) -> pd.DataFrame:
    """Trial means of the predictions of every seed, one under the other.

    Windows that nobody rated on an axis are no part of what was said of it.

    Args:
        frames: EEG predictions by seed; columns `<axis>_high`, `<axis>_score` where they are known.

    Returns:
        Columns seed, subject, trial and the means of all numbers; a decision follows from the mean
        score.
    """
    parts = []
    for seed, whole in frames.items():
        frame = whole.assign(**dict(_of_rated(whole)))
        numbers = [c for c in frame.columns if frame[c].dtype.kind in "fiub" and c != "start"]
        means = frame.groupby(["subject", "trial"], sort=True, as_index=False)[numbers].mean()
        for axis in metrics.VA_AXES:
            if f"{axis}_score" in means:
                cut = means.get(f"{axis}_cut", PROBABILITY_CUT)
                means[f"{axis}_high_pred"] = (means[f"{axis}_score"] > cut).astype(np.float64)
        parts.append(means.assign(seed=seed))
    return pd.concat(parts, ignore_index=True)


def _of_rated(frame: pd.DataFrame) -> Iterator[tuple[str, pd.Series]]:
    """Columns that say something of windows without truth, with NaN there."""
    held = set(frame.columns)
    for axis in metrics.VA_AXES:
        for end, truth in ((f"{axis}_{e}", f"{axis}{t}") for e, t in TRUTH.items()):
            if {end, truth} <= held and frame[truth].isna().any():
                yield end, frame[end].astype(np.float64).where(frame[truth].notna())


def mean_over_seeds(
    frames: Mapping[int, pd.DataFrame], context: Mapping[str, Any], resamples: int = N_RESAMPLES
) -> list[ResultRow]:
    """Scores per trial, averaged over seeds, with intervals over people.

    Trials that nobody rated on an axis are left out of its scores.

    Args:
        frames: EEG predictions by seed.
        context: see `scoring.CONTEXT_DEFAULTS`; `dataset` must be named.
        resamples: bootstrap draws.

    Returns:
        One row a score and axis; scores whose columns are missing or unknown are left out. Of one
        person there is no interval.
    """
    trials, first, rows = trial_frame(frames), next(iter(frames.values())), list[ResultRow]()
    for axis in metrics.VA_AXES:
        for needed, names in SCORES.items():
            rated = _rated(trials, axis, needed)
            if rated.empty:
                continue
            known: dict[str, Any] = CONTEXT_DEFAULTS | dict(context)
            known["label_rule"] = RATINGS_RULE if needed == "pred" else label_rule(first, axis)
            spread, subjects = _spread(rated, axis, needed, resamples), rated["subject"]
            for name in names:
                values = spread[name]
                low, high = group_interval(values[1:], subjects.to_numpy(str))
                rows.append(
                    ResultRow(
                        metric=f"{axis}_{name}_trial",
                        value=float(values[0]),
                        low=low,
                        high=high,
                        n=len(rated) // len(frames),
                        **known,
                    )
                )
    return rows


def _rated(trials: pd.DataFrame, axis: str, needed: str) -> pd.DataFrame:
    """Trials with a truth; none where a column is missing, or what was said of one is unknown."""
    said, truth = f"{axis}_{needed}", f"{axis}{TRUTH[needed]}"
    if not {said, truth} <= set(trials.columns):
        return trials[:0]
    rated = trials[trials[truth].notna()]
    return rated if np.isfinite(rated[said].to_numpy(np.float64)).all() else trials[:0]


def _spread(rated: pd.DataFrame, axis: str, needed: str, resamples: int) -> dict[str, Floats]:
    """Means over seeds of every score, `[1 + resamples]`: of everybody, then of people drawn.

    A seed of which nobody was drawn is left out of the mean of that draw.
    """
    subjects, seeds = rated["subject"].to_numpy(str), rated["seed"].to_numpy()
    codes = statistics.group_codes(len(subjects), subjects)
    everybody = np.ones((1, int(codes.max()) + 1))
    drawn = statistics.bootstrap_sums(np.eye(everybody.size), None, 0, resamples)
    weights = np.concatenate([everybody, drawn])
    of_axis = _regression if needed == "pred" else _decisions
    each = []
    for seed in np.unique(seeds):
        here, own = rated[seeds == seed], codes[seeds == seed]
        counted = weights @ np.bincount(own, minlength=everybody.size) > 0
        with np.errstate(invalid="ignore"):  # 0 / 0 where nobody counts
            scores = of_axis(here, axis, own, weights)
        each.append({name: np.where(counted, scores[name], np.nan) for name in SCORES[needed]})
    return {name: np.nanmean([scores[name] for scores in each], axis=0) for name in each[0]}


def _decisions(
    trials: pd.DataFrame, axis: str, own: NDArray[np.int64], weights: Floats
) -> dict[str, Floats]:
    """Scores of high against low; AUROC is one half where the people drawn have one class only."""
    high, said = (
        trials[f"{axis}_{end}"].to_numpy(np.float64) > PROBABILITY_CUT
        for end in ("high", "high_pred")
    )
    sums = by_group(high, said, trials[f"{axis}_score"].to_numpy(np.float64), own)
    found = of_weights(weights[:, : len(sums[1])], *sums)
    return found | {"auroc": np.nan_to_num(found["auroc"], nan=0.5)}


def _regression(
    trials: pd.DataFrame, axis: str, own: NDArray[np.int64], weights: Floats
) -> dict[str, Floats]:
    """CCC and RMSE of an axis; the other, of which other trials may be rated, is nothing."""
    place = metrics.VA_AXES.index(axis)
    truth, said = np.zeros((2, len(trials), len(metrics.VA_AXES)))
    truth[:, place], said[:, place] = trials[axis], trials[f"{axis}_pred"]
    added = va_contributions(truth, said)
    sums = np.zeros((weights.shape[1], added.shape[1]))
    np.add.at(sums, own, added)
    found = va_scores_of_sums(weights @ sums)
    return {name: found[f"{axis}_{name}"] for name in SCORES["pred"]}
