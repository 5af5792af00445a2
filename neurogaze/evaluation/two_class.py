"""Scores of high against low, each as scikit-learn defines it, and their intervals over people."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurogaze.evaluation import metrics, statistics
from neurogaze.evaluation.scoring import Score, group_interval

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


def binary_scores(truth: Bools, decision: Bools, score: Floats) -> dict[str, float]:
    """Scores of one set of decisions, each as scikit-learn defines it.

    Args:
        truth: high or not, `[N]`.
        decision: likewise.
        score: grows with the belief in high, `[N]`.

    Returns:
        `accuracy`; `balanced_accuracy`, the mean recall over classes that occur; `macro_f1`, over
        both classes, one that is neither there nor named counting 0; and `auroc` (ties count one
        half), left out where only one class occurs.
    """
    sums = by_group(truth, decision, score, np.zeros(len(truth), dtype=np.int64))
    scores = of_weights(np.ones((1, 1)), *sums)
    return {name: float(value[0]) for name, value in scores.items() if np.isfinite(value[0])}


def binary_intervals(
    truth: Bools, decision: Bools, score: Floats, subjects: NDArray[Any], seed: int
) -> dict[str, Score]:
    """`binary_scores` with intervals over people; resamples without both classes have no AUROC.

    Args:
        truth: high or not, `[N]`.
        decision: likewise.
        score: grows with the belief in high, `[N]`.
        subjects: person of each row, `[N]`.
        seed: of the resampling.
    """
    points = binary_scores(truth, decision, score)
    sums = by_group(truth, decision, score, statistics.group_codes(len(truth), subjects))
    n_groups = len(sums[0])
    weights = statistics.bootstrap_sums(np.eye(n_groups), None, seed)
    spread = of_weights(weights, *sums)
    return {
        name: Score(
            value, *group_interval(spread[name][np.isfinite(spread[name])], subjects), len(truth)
        )
        for name, value in points.items()
    }


def by_group(
    truth: Bools, decision: Bools, score: Floats, group: NDArray[np.int64]
) -> tuple[Floats, Floats]:
    """What the scores of any weighting of the groups follow from.

    Args:
        truth: high or not, `[N]`.
        decision: likewise.
        score: grows with the belief in high, `[N]`.
        group: number of each row's group, from 0, `[N]`.

    Returns:
        Confusion of each group, `[G, 2, 2]` (truth down), and pairs won, `[G, G]`: rows of the
        first group that are high and rank above a low row of the second, ties counting one half.
    """
    n = int(group.max()) + 1
    cell = (group * 2 + truth) * 2 + decision
    confusion = np.bincount(cell, minlength=4 * n).reshape(n, 2, 2).astype(np.float64)
    wins, above, own = np.zeros((n, n)), score[truth], group[truth]
    for other in range(n):
        low = np.sort(score[~truth & (group == other)])
        beaten = np.searchsorted(low, above, "left") + np.searchsorted(low, above, "right")
        wins[:, other] = np.bincount(own, weights=beaten / 2, minlength=n)
    return confusion, wins


def of_weights(weights: Floats, confusion: Floats, wins: Floats) -> dict[str, Floats]:
    """Scores of `binary_scores` for groups that count so often; each `[R]`, NaN where undefined.

    Args:
        weights: how often each group counts, `[R, G]`.
        confusion: as `by_group` has it.
        wins: likewise.
    """
    counts = np.einsum("rg,gtd->rtd", weights, confusion)
    each = metrics.per_class(counts)
    occurs = each.support > 0
    won = np.einsum("rg,gh,rh->r", weights, wins, weights)
    pairs = each.support.prod(axis=1)
    return {
        "accuracy": metrics.accuracy(counts),
        "balanced_accuracy": (each.recall * occurs).sum(axis=1) / occurs.sum(axis=1),
        "macro_f1": each.f1.mean(axis=1),
        "auroc": np.divide(won, pairs, out=np.full(len(won), np.nan), where=pairs > 0),
    }
