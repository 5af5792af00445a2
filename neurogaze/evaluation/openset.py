"""Whether a student notices a class that it was never shown: rejection by its own doubt.

Three scores, each growing with doubt: one less the largest probability (Hendrycks and Gimpel 2017,
arXiv 1610.02136), the entropy of the probabilities, and the energy of the logits (Liu et al. 2020,
arXiv 2010.03759).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr, logsumexp, softmax
from scipy.stats import rankdata

from neurogaze.errors import InputError
from neurogaze.evaluation import statistics
from neurogaze.evaluation.scoring import Score

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

TPR = 0.95
"""Share of known rows that a threshold keeps, at which false acceptances are counted."""


def doubts(logits: NDArray[np.floating]) -> dict[str, Floats]:
    """Scores that grow with doubt, each `[N]`.

    Args:
        logits: `[N, C]`.

    Returns:
        `max_probability`: minus the largest; `entropy`, nats; `energy`: minus the log-sum-exp.
    """
    wide = np.asarray(logits, np.float64)
    chances = softmax(wide, axis=1)
    return {
        "max_probability": -chances.max(axis=1),
        "entropy": entr(chances).sum(axis=1),
        "energy": -logsumexp(wide, axis=1),
    }


def auroc(unknown: Bools, doubt: Floats) -> float:
    """Chance that an unknown row is doubted more than a known one, ties counting one half.

    The rank form of Hanley and McNeil (1982); one half where only one kind occurs.

    >>> auroc(np.array([False, False, True]), np.array([0.1, 0.5, 0.5]))
    0.75
    """
    n_unknown = int(unknown.sum())
    n_known = len(unknown) - n_unknown
    if not n_unknown or not n_known:
        return 0.5
    ranks = rankdata(doubt)[unknown].sum()
    return float((ranks - n_unknown * (n_unknown + 1) / 2) / (n_unknown * n_known))


def fpr_at_tpr(unknown: Bools, doubt: Floats, tpr: float = TPR) -> float:
    """Share of unknown rows accepted by the strictest threshold that accepts `tpr` of the known.

    1 where no row is unknown in a resample or none is known.

    Args:
        unknown: which rows are of the class never shown, `[N]`.
        doubt: `[N]`; rows at the threshold are accepted.
        tpr: share of known rows to accept.
    """
    known = np.sort(doubt[~unknown])
    if not len(known) or not unknown.any():
        return 1.0
    threshold = known[int(np.ceil(round(tpr * len(known), 9))) - 1]
    return float((doubt[unknown] <= threshold).mean())


def open_set_scores(
    unknown: Bools, logits: NDArray[np.floating], groups: NDArray[Any] | None, seed: int
) -> dict[str, Score]:
    """AUROC and false acceptances at 95 % of the known accepted, with intervals over groups.

    Args:
        unknown: which rows are of the class that was left out of training, `[N]`.
        logits: `[N, C]`.
        groups: rows that share a name are resampled together; None: each row alone.
        seed: of the resampling.

    Returns:
        `open_auroc_<doubt>` and `open_fpr95_<doubt>`; n counts the unknown rows. Of a single group
        there is no interval.

    Raises:
        InputError: when no row is unknown, or every row.
    """
    if not unknown.any() or unknown.all():
        found = f"{int(unknown.sum())} of {len(unknown)} rows are of the class left out"
        raise InputError("open set", found, "judge on a set that holds that class and others")
    scores: dict[str, Score] = {}
    alone = groups is not None and len(np.unique(groups)) < 2
    measures: dict[str, Callable[[Bools, Floats], float]] = {
        "open_auroc": auroc,
        "open_fpr95": fpr_at_tpr,
    }
    for name, doubt in doubts(logits).items():
        for measure, function in measures.items():
            value = function(unknown, doubt)

            def again(
                rows: NDArray[np.int64],
                f: Callable[[Bools, Floats], float] = function,
                d: Floats = doubt,
            ) -> float:
                return f(unknown[rows], d[rows])

            ends: tuple[float | None, float | None] = (None, None)
            if not alone:
                ends = statistics.bootstrap_interval(again, len(unknown), groups, seed)
            scores[f"{measure}_{name}"] = Score(value, *ends, int(unknown.sum()))
    return scores
