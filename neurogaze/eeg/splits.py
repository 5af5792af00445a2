"""Who is trained on, who stops the training, who is tested: decided once, hashed, kept in a file.

Windows of one trial, and trials that share one rating, are never on two sides. "loso" holds out
whole people; "trial" holds out whole rating events of every person.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from neurogaze.eeg.folds import PARTS, Fold, Split
from neurogaze.eeg.table import FeatureTable
from neurogaze.errors import InputError

__all__ = [
    "Fold",
    "Split",
    "SplitSettings",
    "evaluation_rows",
    "fold_rows",
    "make_split",
]

TRIAL_FOLDS = 5
"""Folds of the "trial" protocol where none are named."""


@dataclass(frozen=True)
class SplitSettings:
    """Settings of `make_split`.

    Args:
        protocol: "loso" (people) or "trial" (rating events within each person).
        n_folds: None = one person a fold ("loso") or 5 ("trial").
        stop_fraction: share of what is not tested that decides when to stop, at least one.
        seed: of the draw.

    Raises:
        InputError: for a setting outside its range.
    """

    protocol: Literal["loso", "trial"] = "loso"
    n_folds: int | None = None
    stop_fraction: float = 0.2
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse settings that have no meaning."""
        if self.protocol not in ("loso", "trial"):
            raise InputError("protocol", f"{self.protocol!r} is unknown", "use loso or trial")
        if self.n_folds is not None and self.n_folds < 2:
            raise InputError("n_folds", f"{self.n_folds} is below 2", "use 2 or more, or null")
        if not 0 < self.stop_fraction < 1:
            raise InputError(
                "stop_fraction", f"{self.stop_fraction}", "use a share between 0 and 1"
            )


def make_split(table: FeatureTable, settings: SplitSettings) -> Split:
    """Draw the folds of the rated windows of a table, a function of its names and the seed.

    Raises:
        InputError: for a table without ratings, or with too few units for the folds.
    """
    if not table.rated.any():
        where = f"corpus {table.corpus}"
        raise InputError(where, "has no rated trial", "use a corpus with ratings")
    unit: Literal["subject", "event"] = "subject" if settings.protocol == "loso" else "event"
    if unit == "subject":
        folds = _subject_folds(_names(table.subject[table.rated]), settings)
    else:
        folds = _event_folds(table, settings)
    return Split(table.corpus, settings.protocol, unit, folds, len(folds), settings.seed)


def _names(column: NDArray[np.str_]) -> tuple[str, ...]:
    """Distinct names in order of appearance."""
    return tuple(dict.fromkeys(column.tolist()))


def _subject_folds(subjects: tuple[str, ...], settings: SplitSettings) -> tuple[Fold, ...]:
    """One person a fold in their order, or groups drawn by the seed."""
    n_folds = settings.n_folds or len(subjects)
    if n_folds > len(subjects) or len(subjects) < 3:
        found = f"{len(subjects)} rated subjects for {n_folds} folds"
        raise InputError("split", found, "use fewer folds, at least three subjects")
    order = np.arange(len(subjects))
    if settings.n_folds is not None:
        order = np.random.default_rng(settings.seed).permutation(order)
    folds = []
    for k, group in enumerate(np.array_split(order, n_folds)):
        test = [subjects[i] for i in sorted(group)]
        rest = [name for name in subjects if name not in test]
        train, stop = _inner(rest, settings.stop_fraction, [settings.seed, k])
        folds.append(Fold(train, stop, tuple(test)))
    return tuple(folds)


def _inner(
    rest: list[str], stop_fraction: float, seed: list[int]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is left of the units, shared between training and stopping."""
    n_stop = min(max(1, round(stop_fraction * len(rest))), len(rest) - 1)
    chosen = set(np.random.default_rng(seed).permutation(len(rest))[:n_stop].tolist())
    train = tuple(name for i, name in enumerate(rest) if i not in chosen)
    return train, tuple(name for i, name in enumerate(rest) if i in chosen)


def _event_folds(table: FeatureTable, settings: SplitSettings) -> tuple[Fold, ...]:
    """Each person's events dealt to the folds; the first fold to get one moves on by person."""
    n_folds = settings.n_folds or TRIAL_FOLDS
    sides: list[dict[str, list[str]]] = [{part: [] for part in PARTS} for _ in range(n_folds)]
    for s, subject in enumerate(_names(table.subject[table.rated])):
        events = _names(table.event[table.rated & (table.subject == subject)])
        if len(events) < max(3, n_folds):
            found = f"{len(events)} rated events for {n_folds} folds"
            raise InputError(f"subject {subject}", found, "use fewer folds, or leave them out")
        dealt = np.random.default_rng([settings.seed, s]).permutation(len(events))
        for k, side in enumerate(sides):
            test = [events[i] for i in sorted(dealt[(k - s) % n_folds :: n_folds])]
            rest = [name for name in events if name not in test]
            train, stop = _inner(rest, settings.stop_fraction, [settings.seed, s, k])
            for part, names in zip(PARTS, (train, stop, test), strict=True):
                side[part].extend(names)
    return tuple(Fold(*(tuple(side[part]) for part in PARTS)) for side in sides)


def fold_rows(table: FeatureTable, split: Split, fold: int) -> dict[str, NDArray[np.int64]]:
    """Rated rows of a fold in table order, keys "train", "stop" and "test".

    Raises:
        InputError: for a fold the split does not have, or a split of other data.
    """
    if not 0 <= fold < split.n_folds:
        raise InputError("fold", f"{fold} of {split.n_folds}", f"use 0 to {split.n_folds - 1}")
    names = table.subject if split.unit == "subject" else table.event
    if table.corpus != split.corpus or set(names[table.rated].tolist()) != split.units:
        where = f"split of {split.corpus}"
        raise InputError(where, f"does not fit the table of {table.corpus}", "draw it anew")
    sides = {part: list(getattr(split.folds[fold], part)) for part in PARTS}
    return {p: np.flatnonzero(table.rated & np.isin(names, side)) for p, side in sides.items()}


def evaluation_rows(table: FeatureTable, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Those of `rows` that do not overlap: from the first window of a trial, each next free one."""
    free: dict[str, float] = {}
    kept = []
    for row in rows.tolist():
        trial, start = str(table.trial[row]), float(table.start[row])
        if start >= free.get(trial, -np.inf) - 1e-9:
            kept.append(row)
            free[trial] = start + table.window
    return np.array(kept, dtype=np.int64)
