"""The mean of a score over seeds, with an interval over people.

Seeds of one training share their test people, so people are drawn once for all seeds; seeds that
stand for other people (made-up corpora) are drawn together. Either way the interval tells how the
mean would move with other people, not with other seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from neurogaze.evaluation import metrics, statistics
from neurogaze.evaluation.binary import PROBABILITY_CUT, label_rule
from neurogaze.evaluation.results import ResultRow
from neurogaze.evaluation.scoring import CONTEXT_DEFAULTS
from neurogaze.evaluation.two_class import binary_scores

N_RESAMPLES = 1000
RATINGS_RULE = "ratings to [-1, 1]"
Columns = Mapping[str, NDArray[np.float64]]
Statistic = Callable[[Columns, NDArray[np.int64], str], float]


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


def _ccc(columns: Columns, index: NDArray[np.int64], axis: str) -> float:
    return metrics.concordance(columns[axis][index], columns[f"{axis}_pred"][index])


def _rmse(columns: Columns, index: NDArray[np.int64], axis: str) -> float:
    return metrics.rmse(columns[axis][index], columns[f"{axis}_pred"][index])


def _decisions(columns: Columns, index: NDArray[np.int64], axis: str) -> dict[str, float]:
    high, said = (columns[f"{axis}_{n}"][index] > PROBABILITY_CUT for n in ("high", "high_pred"))
    return binary_scores(high, said, columns[f"{axis}_score"][index])


def _balanced_accuracy(columns: Columns, index: NDArray[np.int64], axis: str) -> float:
    return _decisions(columns, index, axis)["balanced_accuracy"]


def _auroc(columns: Columns, index: NDArray[np.int64], axis: str) -> float:
    """One half where the people drawn have one class only."""
    return _decisions(columns, index, axis).get("auroc", 0.5)


STATISTICS: dict[str, tuple[Statistic, str]] = {
    "ccc": (_ccc, "pred"),
    "rmse": (_rmse, "pred"),
    "balanced_accuracy": (_balanced_accuracy, "high_pred"),
    "auroc": (_auroc, "score"),
}
"""Name of a score -> how it is computed, and the column it needs."""


def mean_over_seeds(
    frames: Mapping[int, pd.DataFrame], context: Mapping[str, Any], resamples: int = N_RESAMPLES
) -> list[ResultRow]:
    """Scores per trial, averaged over seeds, with intervals over people.

    Args:
        frames: EEG predictions by seed.
        context: see `scoring.CONTEXT_DEFAULTS`; `dataset` must be named.
        resamples: bootstrap draws.

    Returns:
        One row a score and axis; scores whose columns are missing or unknown are left out.
    """
    trials, first = trial_frame(frames), next(iter(frames.values()))
    columns = {
        str(c): trials[c].to_numpy(np.float64) for c in trials if trials[c].dtype.kind in "fiub"
    }
    seeds, people = trials["seed"].to_numpy(), trials["subject"].to_numpy(str)
    rows = []
    for axis in metrics.VA_AXES:
        for name, (statistic, needed) in STATISTICS.items():
            if not np.isfinite(columns.get(f"{axis}_{needed}", np.array([np.nan]))).all():
                continue
            score = _averaged(statistic, columns, seeds, axis)
            every = np.arange(len(trials))
            low, high = statistics.bootstrap_interval(score, len(trials), people, 0, resamples)
            known: dict[str, Any] = CONTEXT_DEFAULTS | dict(context)
            known["label_rule"] = RATINGS_RULE if needed == "pred" else label_rule(first, axis)
            rows.append(
                ResultRow(
                    metric=f"{axis}_{name}_trial",
                    value=score(every),
                    low=low,
                    high=high,
                    n=len(trials) // len(frames),
                    **known,
                )
            )
    return rows


def _averaged(
    statistic: Statistic, columns: Columns, seeds: NDArray[np.int64], axis: str
) -> Callable[[NDArray[np.int64]], float]:
    """The mean over seeds as a function of the rows that were drawn."""

    def score(index: NDArray[np.int64]) -> float:
        own = seeds[index]
        return float(np.mean([statistic(columns, index[own == s], axis) for s in np.unique(own)]))

    return score
