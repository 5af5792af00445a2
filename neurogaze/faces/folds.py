"""Folds of a face table: classes even, twins, people and recordings together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError
from neurogaze.faces.images import FaceTable
from neurogaze.seeds import check_seed

MIN_FOLDS = 2
TIE = 1e-12
"""Loads that differ by less than this are equal."""


@dataclass(frozen=True)
class FaceFold:
    """One part of the training pictures, held out of training.

    Args:
        n_folds: parts of equal size.
        fold: the part held out, counted from 0.
        seed: of the deal; runs that share it hold out the same pictures.

    Raises:
        InputError: for fewer than two folds, a fold that does not exist, or a seed below 0.
    """

    n_folds: int = 10
    fold: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.n_folds < MIN_FOLDS:
            raise InputError("held_out.n_folds", f"is {self.n_folds}", "ask for 2 folds or more")
        if not 0 <= self.fold < self.n_folds:
            found, remedy = f"is {self.fold} of {self.n_folds} folds", "count from 0"
            raise InputError("held_out.fold", found, remedy)
        check_seed(self.seed, "held_out.seed")


def fold_numbers(table: FaceTable, n_folds: int, seed: int) -> NDArray[np.int64]:
    """Deal the pictures of a table into folds, stratified by label and grouped by `table.units`.

    Units go one by one, the largest first and equals in random order, to the fold that holds the
    least of their classes; equal folds go by size. Where most units are single pictures the folds
    are as even as scikit-learn's `StratifiedGroupKFold` makes them, in a fortieth of the time.

    Args:
        table: what to deal.
        n_folds: parts.
        seed: another seed is another deal.

    Returns:
        `int64 [N]`, the fold of each row: a function of labels, units and seed alone.

    Raises:
        InputError: for fewer units than folds.
    """
    _, unit = np.unique(table.units, return_inverse=True)
    counts = np.zeros((int(unit.max(initial=-1)) + 1, len(EMOTIONS)))
    np.add.at(counts, (unit, table.labels), 1.0)
    if len(counts) < n_folds:
        found = f"has {len(counts)} independent units for {n_folds} folds"
        raise InputError(f"{table.dataset} ({table.split})", found, "lower held_out.n_folds")
    return _dealt(counts, n_folds, np.random.default_rng(seed))[unit]


def _dealt(
    counts: NDArray[np.float64], n_folds: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """The fold of each unit, `[U]`, from its pictures of each class, `[U, 8]`.

    Each step adds least to the sum of squares of what a fold holds of each class.
    """
    shuffled = rng.permutation(len(counts))
    sizes = counts.sum(axis=1)
    order = shuffled[np.argsort(-sizes[shuffled], kind="stable")]
    shares = counts / counts.sum(axis=0).clip(min=1.0)
    held, filled = np.zeros((n_folds, counts.shape[1])), np.zeros(n_folds)
    fold = np.zeros(len(counts), dtype=np.int64)
    for unit in order:
        load = held @ shares[unit]
        lightest = np.flatnonzero(load <= load.min() + TIE)
        chosen = lightest[np.argmin(filled[lightest])]
        held[chosen] += shares[unit]
        filled[chosen] += sizes[unit]
        fold[unit] = chosen
    return fold
