"""Logistic regression on the features, the linear baseline of every table of decisions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from einops import rearrange
from numpy.typing import NDArray

from neurogaze.eeg.folds import Split
from neurogaze.eeg.splits import evaluation_rows, fold_rows
from neurogaze.eeg.table import FeatureTable
from neurogaze.eeg.targets import ClassTarget, Rule, classes, threshold
from neurogaze.evaluation.binary import PROBABILITY_CUT, VA, with_truth
from neurogaze.evaluation.predictions import eeg_frame
from neurogaze.evaluation.ridge import refuse_classes_alone
from neurogaze.evaluation.two_class import binary_scores

INVERSE_PENALTIES = np.logspace(-5, 1, 7)
"""Values of C tried, strongest penalty first, on standardised features."""
MAX_STEPS = 100
STD_FLOOR = 1e-6

Index = NDArray[np.int64]
Floats = NDArray[np.float64]


def logistic_frame(
    table: FeatureTable,
    split: Split,
    rule: Rule,
    folds: Sequence[int] | None = None,
    progress: bool = True,
) -> pd.DataFrame:
    """Held-out decisions of logistic regression on valence and arousal; no ratings are predicted.

    Features are standardised by the training part of each fold; the penalty is the strongest of
    those with the best balanced accuracy over trial means of the stop part.

    Args:
        table: windows with ratings.
        split: folds.
        rule: where ratings are cut; the median is that of the training part.
        folds: which folds; None: all.
        progress: show a bar.

    Returns:
        EEG predictions with `fold`, `rule` and, for each axis, `_high`, `_high_pred`, `_score`.

    Raises:
        InputError: for a split of other data.
    """
    from rich.progress import track

    refuse_classes_alone(table)
    chosen = range(split.n_folds) if folds is None else folds
    parts = []
    for fold in track(chosen, "Logistic regression", disable=not progress):
        rows = fold_rows(table, split, fold)
        stop, test = (evaluation_rows(table, rows[part]) for part in ("stop", "test"))
        frame = eeg_frame(table, test).assign(fold=fold)
        x = standardised(table, rows["train"])
        for axis in VA:
            target = ClassTarget(axis, 2, rule)
            high = classes(table, target, threshold(table, rows["train"], target))
            chance = _chance(x, high, table.trial, rows["train"], stop, test)
            frame[f"{axis}_high_pred"] = (chance > PROBABILITY_CUT).astype(np.float64)
            frame[f"{axis}_score"] = chance
        parts.append(frame)
    return with_truth(pd.concat(parts, ignore_index=True), table, split, rule)


def standardised(table: FeatureTable, train: Index) -> Floats:
    """Features of all windows, `[N, C * K]`, by mean and deviation of the training rows."""
    flat = rearrange(table.features, "n c k -> n (c k)").astype(np.float64)
    return (flat - flat[train].mean(axis=0)) / np.maximum(flat[train].std(axis=0), STD_FLOOR)


def _chance(
    x: Floats, high: Index, trial: NDArray[np.str_], train: Index, stop: Index, test: Index
) -> Floats:
    """Probability of high for the test rows, under the penalty that serves the stop rows."""
    from sklearn.linear_model import LogisticRegression

    if np.ptp(high[train]) == 0:
        return np.full(len(test), float(high[train[0]]))
    best, chance = -np.inf, np.empty(0)
    for c in INVERSE_PENALTIES:
        model = LogisticRegression(C=c, solver="newton-cholesky", max_iter=MAX_STEPS)
        model.fit(x[train], high[train])
        score = _balanced(model.predict_proba(x[stop])[:, 1], high[stop], trial[stop])
        if score > best:
            best, chance = score, model.predict_proba(x[test])[:, 1]
    return chance


def _balanced(chance: Floats, high: Index, trial: NDArray[np.str_]) -> float:
    """Balanced accuracy of the mean probability of each trial."""
    _, first, code = np.unique(trial, return_index=True, return_inverse=True)
    mean = np.bincount(code, weights=chance) / np.bincount(code)
    return binary_scores(high[first] > 0, mean > PROBABILITY_CUT, mean)["balanced_accuracy"]
