"""The mean of a score over seeds, with an interval over people.

Seeds of one training share their test people, so people are drawn once for all seeds; seeds that
stand for other people (made-up corpora) are drawn together. Either way the interval tells how the
mean would move with other people, not with other seeds.
"""

from __future__ import annotations

from collections.abc import Mapping
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
Columns = Mapping[str, Floats]


def trial_frame(frames: Mapping[int, pd.DataFrame]) -> pd.DataFrame:
    """Trial means of the predictions of every seed, one under the other.

    Args:
        frames: EEG predictions by seed; columns `<axis>_high`, `<axis>_score` where they are known.

    Returns:
        Columns seed, subject, trial and the means of all numbers; a decision follows from the mean
        score.
    """
    parts = []
    for seed, frame in frames.items():
        numbers = [c for c in frame.columns if frame[c].dtype.kind in "fiub" and c != "start"]
        means = frame.groupby(["subject", "trial"], sort=True, as_index=False)[numbers].mean()
        for axis in metrics.VA_AXES:
            if f"{axis}_score" in means:
                cut = means.get(f"{axis}_cut", PROBABILITY_CUT)
                means[f"{axis}_high_pred"] = (means[f"{axis}_score"] > cut).astype(np.float64)
        parts.append(means.assign(seed=seed))
    return pd.concat(parts, ignore_index=True)


NEEDED = {"ccc": "pred", "rmse": "pred", "balanced_accuracy": "high_pred", "auroc": "score"}
"""Name of a score -> the column it needs."""


def mean_over_seeds(
    frames: Mapping[int, pd.DataFrame], context: Mapping[str, Any], resamples: int = N_RESAMPLES
) -> list[ResultRow]:
    """Scores per trial, averaged over seeds, with intervals over people.

    Args:
        frames: EEG predictions by seed.
        context: see `scoring.CONTEXT_DEFAULTS`; `dataset` must be named.
        resamples: bootstrap draws.

    Returns:
        One row a score and axis; scores whose columns are missing or unknown are left out. Of one
        person there is no interval.
    """
    trials, first = trial_frame(frames), next(iter(frames.values()))
    columns = {
        str(c): trials[c].to_numpy(np.float64) for c in trials if trials[c].dtype.kind in "fiub"
    }
    spread = _spread(columns, trials["subject"].to_numpy(str), resamples)
    rows = []
    for axis in metrics.VA_AXES:
        for name, needed in NEEDED.items():
            if not _known(columns, f"{axis}_{needed}"):
                continue
            values = spread[f"{axis}_{name}"]
            low, high = group_interval(values[1:], trials["subject"].to_numpy(str))
            known: dict[str, Any] = CONTEXT_DEFAULTS | dict(context)
            known["label_rule"] = RATINGS_RULE if needed == "pred" else label_rule(first, axis)
            rows.append(
                ResultRow(
                    metric=f"{axis}_{name}_trial",
                    value=float(values[0]),
                    low=low,
                    high=high,
                    n=len(trials) // len(frames),
                    **known,
                )
            )
    return rows


def _known(columns: Columns, name: str) -> bool:
    """Whether a column is there, and every value of it known."""
    return name in columns and bool(np.isfinite(columns[name]).all())


def _spread(columns: Columns, subjects: NDArray[np.str_], resamples: int) -> dict[str, Floats]:
    """Means over seeds of every score, `[1 + resamples]`: of everybody, then of people drawn.

    A seed of which nobody was drawn is left out of the mean of that draw.
    """
    codes, seeds = statistics.group_codes(len(subjects), subjects), columns["seed"]
    everybody = np.ones((1, int(codes.max()) + 1))
    drawn = statistics.bootstrap_sums(np.eye(everybody.size), None, 0, resamples)
    weights = np.concatenate([everybody, drawn])
    each = [_of_one_seed(columns, seeds == seed, codes, weights) for seed in np.unique(seeds)]
    return {name: np.nanmean([scores[name] for scores in each], axis=0) for name in each[0]}


def _of_one_seed(
    columns: Columns, rows: NDArray[np.bool_], codes: NDArray[np.int64], weights: Floats
) -> dict[str, Floats]:
    """Scores of the rows of one seed where people count so often, NaN where none counts.

    AUROC is one half where the people drawn have one class only.
    """
    own, scores = codes[rows], dict[str, Floats]()
    counted = weights @ np.bincount(own, minlength=weights.shape[1]) > 0
    with np.errstate(invalid="ignore"):  # 0 / 0 where nobody counts
        if any(_known(columns, f"{axis}_pred") for axis in metrics.VA_AXES):
            scores |= _regression(columns, rows, own, weights)
        for axis in metrics.VA_AXES:
            if _known(columns, f"{axis}_score"):
                high, said = (
                    columns[f"{axis}_{n}"][rows] > PROBABILITY_CUT for n in ("high", "high_pred")
                )
                sums = by_group(high, said, columns[f"{axis}_score"][rows], own)
                found = of_weights(weights[:, : len(sums[1])], *sums)
                scores[f"{axis}_balanced_accuracy"] = found["balanced_accuracy"]
                scores[f"{axis}_auroc"] = np.nan_to_num(found["auroc"], nan=0.5)
    return {name: np.where(counted, value, np.nan) for name, value in scores.items()}


def _regression(
    columns: Columns, rows: NDArray[np.bool_], own: NDArray[np.int64], weights: Floats
) -> dict[str, Floats]:
    """CCC and RMSE; an axis without predictions is worth nothing and is not asked for."""
    nothing = np.zeros(len(rows))
    truth, said = (
        np.stack([columns.get(f"{axis}{end}", nothing)[rows] for axis in metrics.VA_AXES], axis=1)
        for end in ("", "_pred")
    )
    added = va_contributions(truth, said)
    sums = np.zeros((weights.shape[1], added.shape[1]))
    np.add.at(sums, own, added)
    return va_scores_of_sums(weights @ sums)
