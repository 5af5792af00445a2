"""What needs no learning from EEG, or next to none: the lines that every EEG table must show.

Each gives an EEG predictions file of held-out windows, complete with decisions by a stated rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from neurogaze.eeg.folds import Split
from neurogaze.eeg.splits import evaluation_rows, fold_rows
from neurogaze.eeg.table import FeatureTable
from neurogaze.eeg.targets import ClassTarget, Rule, threshold
from neurogaze.errors import InputError
from neurogaze.evaluation.binary import (
    PROBABILITY_CUT,
    VA,
    decision_cut,
    with_decisions,
    with_truth,
)
from neurogaze.evaluation.logistic import logistic_frame
from neurogaze.evaluation.predictions import eeg_frame
from neurogaze.evaluation.ridge import Events, ridge_predictions

NAMES = ("majority", "stratified", "clip_prior", "subject_probe", "ridge", "logistic")

Index = NDArray[np.int64]
Matrix = NDArray[np.float64]


def predict(
    name: str,
    table: FeatureTable,
    split: Split,
    rule: Rule,
    seed: int = 0,
    folds: Sequence[int] | None = None,
) -> pd.DataFrame:
    """Held-out predictions of the baseline of this name, ready to be scored.

    Args:
        name: one of `NAMES`.
        table: windows with ratings.
        split: folds.
        rule: where ratings are cut for decisions.
        seed: of "stratified".
        folds: which folds; None: all.

    Returns:
        EEG predictions with `fold`, `rule`, and `_high`, `_high_pred`, `_score` of each axis; the
        two priors add `fallback`, 1 where nothing was known of the clip or person.

    Raises:
        InputError: for an unknown name, or a split of other data.
    """
    match name:
        case "majority":
            return majority(table, split, rule, folds)
        case "stratified":
            return stratified(table, split, rule, seed, folds)
        case "clip_prior":
            return clip_prior(table, split, rule, folds)
        case "subject_probe":
            return subject_probe(table, split, rule, folds)
        case "ridge":
            return ridge(table, split, rule, folds)
        case "logistic":
            return logistic_frame(table, split, rule, folds)
    raise InputError("baselines", f"{name!r} is unknown", f"use {', '.join(NAMES)}")


@dataclass(frozen=True, eq=False)
class _Fold:
    """One fold: test rows and the rating event of each; training rows and their events."""

    number: int
    rows: Index
    tested: Index
    train_rows: Index
    train: Index


def _folds(
    table: FeatureTable, split: Split, events: Events, folds: Sequence[int] | None
) -> Iterator[_Fold]:
    """The chosen folds, or all."""
    for k in range(split.n_folds) if folds is None else folds:
        sides = fold_rows(table, split, k)
        rows = evaluation_rows(table, sides["test"])
        train = sides["train"]
        yield _Fold(k, rows, events.of_row[rows], train, np.unique(events.of_row[train]))


def majority(
    table: FeatureTable, split: Split, rule: Rule, folds: Sequence[int] | None = None
) -> pd.DataFrame:
    """The mean rating of the training events, and their more frequent class (a tie is low)."""
    return _prior(table, split, rule, None, folds).drop(columns="fallback")


def clip_prior(
    table: FeatureTable, split: Split, rule: Rule, folds: Sequence[int] | None = None
) -> pd.DataFrame:
    """Mean rating and majority class of the clip among the training events; looks at no EEG.

    A clip that was never trained on ("loso_clip") gets what `majority` says, with `fallback` 1.
    """
    return _prior(table, split, rule, "clip", folds)


def subject_probe(
    table: FeatureTable, split: Split, rule: Rule, folds: Sequence[int] | None = None
) -> pd.DataFrame:
    """Mean rating and majority class of the person among the training events.

    That is what a model can reach which knows nothing but the person. A person who was never
    trained on ("loso", "loso_clip") gets what `majority` says, with `fallback` 1.
    """
    return _prior(table, split, rule, "subject", folds)


def stratified(
    table: FeatureTable,
    split: Split,
    rule: Rule,
    seed: int = 0,
    folds: Sequence[int] | None = None,
) -> pd.DataFrame:
    """For each trial the rating of a training event drawn at random, all of its windows alike."""
    events, parts = Events.of(table), []
    for fold in _folds(table, split, events, folds):
        _, code = np.unique(table.trial[fold.rows], return_inverse=True)
        draw = np.random.default_rng([seed, fold.number])
        given = draw.choice(fold.train, size=int(code.max()) + 1)
        guess = events.ratings[given][code]
        parts.append(eeg_frame(table, fold.rows, guess).assign(fold=fold.number))
    return _decided(pd.concat(parts, ignore_index=True), table, split, rule)


def ridge(
    table: FeatureTable, split: Split, rule: Rule, folds: Sequence[int] | None = None
) -> pd.DataFrame:
    """Ridge regression on the features; see `neurogaze.evaluation.ridge`."""
    result = ridge_predictions(table, split, folds)
    frame = eeg_frame(table, result.rows, result.prediction).assign(fold=result.fold)
    return _decided(frame, table, split, rule)


def _decided(frame: pd.DataFrame, table: FeatureTable, split: Split, rule: Rule) -> pd.DataFrame:
    """Truth and decisions of an arm that predicts ratings."""
    return with_decisions(with_truth(frame, table, split, rule), table, split, rule)


def fallback_note(frame: pd.DataFrame) -> str:
    """What a result row must say of a prior that had nothing to go by, "" where it always had."""
    share = float(frame["fallback"].mean()) if "fallback" in frame else 0.0
    return f"training mean for {100 * share:.0f} % of windows (never seen)" if share else ""


def _prior(
    table: FeatureTable,
    split: Split,
    rule: Rule,
    column: Literal["clip", "subject"] | None,
    folds: Sequence[int] | None,
) -> pd.DataFrame:
    """Mean rating, and share of high ones, of the training events of the same clip or person."""
    events, parts = Events.of(table), []
    unit = None if column is None else getattr(events, column)
    for fold in _folds(table, split, events, folds):
        known = _with_classes(table, events, fold, rule)
        overall = known.mean(axis=0)
        overall[2:] = overall[2:] > PROBABILITY_CUT
        mine, fallback = np.tile(overall, (len(fold.rows), 1)), np.ones(len(fold.rows))
        if unit is not None:
            for name in np.unique(unit[fold.train]):
                here, there = unit[fold.tested] == name, unit[fold.train] == name
                mine[here], fallback[here] = known[there].mean(axis=0), 0.0
        frame = eeg_frame(table, fold.rows, mine[:, :2]).assign(fold=fold.number)
        for axis, share in zip(VA, mine[:, 2:].T, strict=True):
            frame[f"{axis}_high_pred"] = (share > PROBABILITY_CUT).astype(np.float64)
            frame[f"{axis}_score"] = share
        parts.append(frame.assign(fallback=fallback))
    return with_truth(pd.concat(parts, ignore_index=True), table, split, rule)


def _with_classes(table: FeatureTable, events: Events, fold: _Fold, rule: Rule) -> Matrix:
    """Ratings of the training events and whether each is high, `[E, 4]`."""
    ratings = events.ratings[fold.train]
    cuts = [threshold(table, fold.train_rows, ClassTarget(axis, 2, rule)) for axis in VA]
    high = ratings > np.array([decision_cut(cut, rule) for cut in cuts])
    return np.concatenate([ratings, high], axis=1)
