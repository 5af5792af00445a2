"""Ridge regression on the features, the linear baseline of every EEG table.

A fold is decomposed once (X = U S V'); ridge for any ratings and any penalty is then a product of
small matrices (Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, 2009,
eq. 3.47), so that hundreds of refits cost little.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from einops import rearrange
from numpy.typing import NDArray

from neurogaze.eeg.folds import Split
from neurogaze.eeg.splits import evaluation_rows, fold_rows
from neurogaze.eeg.table import FeatureTable
from neurogaze.errors import InputError
from neurogaze.evaluation.metrics import concordance

ALPHAS = np.logspace(0, 6, 7)
"""Penalties tried, on standardised features and the sum of squared errors."""

Matrix = NDArray[np.float64]
Index = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class RidgeResult:
    """Held-out predictions over all folds.

    Args:
        rows: `int64 [n]`, rows of the table, ascending.
        prediction: `float64 [n, 2]`, valence and arousal.
        truth: `float64 [n, 2]`, the ratings.
        fold: `int64 [n]`, fold that tested each row.
    """

    rows: Index
    prediction: Matrix
    truth: Matrix
    fold: Index


def refuse_classes_alone(table: FeatureTable) -> None:
    """Refuse a table with windows that have a class but no rating; baselines are of ratings.

    Raises:
        InputError: naming the corpus.
    """
    alone = int((table.labelled & ~table.rated).sum())
    if alone:
        found = f"{alone} windows have a class but no valence and arousal"
        raise InputError(f"corpus {table.corpus}", found, "use a corpus whose trials are rated")


@dataclass(frozen=True, eq=False)
class Events:
    """Rating events of a table: their number for each row, and their own columns."""

    of_row: Index
    ratings: Matrix
    subject: NDArray[np.str_]
    clip: NDArray[np.str_]

    @classmethod
    def of(cls, table: FeatureTable) -> Events:
        """Number the rated events; the rating of an event is that of its first rated row.

        Raises:
            InputError: for windows with a class but without ratings, which folds hold too.
        """
        refuse_classes_alone(table)
        rated = np.flatnonzero(table.rated)
        _, first, code = np.unique(table.event[rated], return_index=True, return_inverse=True)
        of_row = np.full(table.n_rows, -1, dtype=np.int64)
        of_row[rated] = code
        own = rated[first]
        ratings = np.stack([table.valence[own], table.arousal[own]], axis=1)
        return cls(of_row, ratings, table.subject[own], table.clip[own])


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Held-out rows in the basis V and their events; their trial means and those events."""

    rows: Index
    windows: Matrix
    window_event: Index
    means: Matrix
    event: Index


@dataclass(frozen=True, eq=False)
class RidgeFold:
    """One decomposed fold: `gather` turns ratings of events into U'y, `weight` into their mean."""

    singular: Matrix
    gather: Matrix
    weight: Matrix
    stop: HeldOut
    test: HeldOut

    def coefficients(self, ratings: Matrix) -> Matrix:
        """Ridge in the basis V for every penalty, `[alphas, rank, 2]`."""
        shrink = self.singular / (self.singular**2 + ALPHAS[:, None])
        return np.asarray(shrink[:, :, None] * (self.gather @ ratings))

    def fit(self, ratings: Matrix) -> tuple[Matrix, Matrix]:
        """Mean `[2]`, and coefficients `[rank, 2]` of the penalties that serve the stop part."""
        mean, every = self.weight @ ratings, self.coefficients(ratings)
        truth = ratings[self.stop.event]
        guess = mean + self.stop.means @ every
        scores = [[concordance(truth[:, j], g[:, j]) for j in (0, 1)] for g in guess]
        best = np.argmax(scores, axis=0)
        return mean, np.stack([every[best[j], :, j] for j in (0, 1)], axis=1)


def ridge_predictions(
    table: FeatureTable, split: Split, folds: Sequence[int] | None = None
) -> RidgeResult:
    """Held-out ridge predictions for windows that do not overlap.

    Features are standardised by the training part of each fold; the penalty of each axis is the one
    with the best concordance over trial means of the stop part.

    Args:
        table: windows with ratings.
        split: folds.
        folds: which of them; None: all.

    Raises:
        InputError: for a split of other data.
    """
    events = Events.of(table)
    chosen = range(split.n_folds) if folds is None else folds
    rows, guesses, number = [], [], []
    for k, fold in zip(chosen, ridge_folds(table, split, events, chosen), strict=True):
        mean, coefficients = fold.fit(events.ratings)
        rows.append(fold.test.rows)
        guesses.append(mean + fold.test.windows @ coefficients)
        number.append(np.full(len(fold.test.rows), k, dtype=np.int64))
    index = np.concatenate(rows)
    order = np.argsort(index)
    truth = events.ratings[events.of_row[index[order]]]
    prediction, tested = np.concatenate(guesses)[order], np.concatenate(number)[order]
    return RidgeResult(index[order], prediction, truth, tested)


def ridge_folds(
    table: FeatureTable, split: Split, events: Events, folds: Sequence[int] | None = None
) -> list[RidgeFold]:
    """Decompose the chosen folds, or every one."""
    chosen = range(split.n_folds) if folds is None else folds
    return [_fold(table, fold_rows(table, split, k), events) for k in chosen]


def _fold(table: FeatureTable, rows: dict[str, Index], events: Events) -> RidgeFold:
    """Standardise by the training rows and decompose them."""
    flat = rearrange(table.features, "n c k -> n (c k)").astype(np.float64)
    train = flat[rows["train"]]
    mean, std = train.mean(axis=0), np.maximum(train.std(axis=0), 1e-6)
    u, singular, basis = np.linalg.svd((train - mean) / std, full_matrices=False)
    event = events.of_row[rows["train"]]
    gather = np.zeros((len(events.ratings), len(singular)))
    np.add.at(gather, event, u)
    weight = np.bincount(event, minlength=len(events.ratings)) / len(event)
    stop, test = (
        _part(table, events, evaluation_rows(table, rows[part]), (flat - mean) / std @ basis.T)
        for part in ("stop", "test")
    )
    return RidgeFold(singular, gather.T, weight, stop, test)


def _part(table: FeatureTable, events: Events, rows: Index, projected: Matrix) -> HeldOut:
    """Windows and trial means of one side of a fold."""
    _, first, code, counts = np.unique(
        table.trial[rows], return_index=True, return_inverse=True, return_counts=True
    )
    means = np.zeros((len(first), projected.shape[1]))
    np.add.at(means, code, projected[rows])
    event = events.of_row[rows]
    return HeldOut(rows, projected[rows], event, means / counts[:, None], event[first])
