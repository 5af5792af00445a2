"""Who is trained on, who stops the training, who is tested: decided once, hashed, kept in a file.

"loso" holds out whole people; "loso_clip" people and clips at once; "trial" whole rating events of
every person. Under all three, windows of one trial, and trials that share one rating, are never on
two sides. "window" deals single windows and is there to show what that is worth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from neurogaze.eeg.folds import LEAKY, PARTS, UNITS, Fold, Protocol, Split, Unit
from neurogaze.eeg.table import FeatureTable
from neurogaze.errors import InputError
from neurogaze.seeds import check_seed

__all__ = [
    "Fold",
    "Split",
    "SplitSettings",
    "evaluation_rows",
    "fold_rows",
    "make_split",
]

DEFAULT_FOLDS = 5
"""Folds of the "trial" and "window" protocols where none are named."""

LEAST_PEOPLE = LEAST_CLIPS = 3
"""One for each side of a fold."""

CLIP_GROUPS, CLIP_SIDES = 1, 2
"""Ends of the seeds of draws of clips; those of people end in 0."""

APART = {
    "loso": ("subject", "event", "trial"),
    "loso_clip": ("subject", "clip", "event", "trial"),
    "trial": ("event", "trial"),
    "window": (),
}
"""Columns of a table whose values are never on two sides, by protocol."""

Sides = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True)
class SplitSettings:
    """Settings of `make_split`.

    Args:
        protocol: what is held out: "loso" whole people; "loso_clip" people and, at once, clips, so
            that neither was ever trained on; "trial" rating events within each person; "window"
            windows, shuffled over everything, so that both sides hold the same trials.
        n_folds: None = one person a fold ("loso", "loso_clip") or 5 ("trial", "window"). Under
            "loso_clip" it counts the groups of people; each meets every group of clips in turn.
        stop_fraction: share of what is not tested that decides when to stop, at least one; under
            "loso_clip" of the people and of the clips.
        seed: of the draw.
        allow_leaky: permit "window", whose scores mean nothing; the split and all it leads to are
            stamped LEAKY.
        clip_folds: groups of clips under "loso_clip"; there are `n_folds * clip_folds` folds.

    Raises:
        InputError: for a setting outside its range, or "window" without `allow_leaky`.
    """

    protocol: Literal["loso", "loso_clip", "trial", "window"] = "loso"
    n_folds: int | None = None
    stop_fraction: float = 0.2
    seed: int = 0
    allow_leaky: bool = False
    clip_folds: int = 3

    def __post_init__(self) -> None:
        """Refuse settings that have no meaning."""
        known = get_args(Protocol)
        if self.protocol not in known:
            found = f"{self.protocol!r} is unknown"
            raise InputError("protocol", found, f"use {', '.join(known)}")
        if self.protocol in LEAKY and not self.allow_leaky:
            found = f"{self.protocol!r} trains on the trials it tests"
            raise InputError("protocol", found, "use loso_clip, loso or trial, or set allow_leaky")
        for name in ("n_folds", "clip_folds"):
            value = getattr(self, name)
            if value is not None and value < 2:
                raise InputError(name, f"{value} is below 2", "use 2 or more")
        if not 0 < self.stop_fraction < 1:
            raise InputError(
                "stop_fraction", f"{self.stop_fraction}", "use a share between 0 and 1"
            )
        check_seed(self.seed, "data.split.seed")


def make_split(table: FeatureTable, settings: SplitSettings) -> Split:
    """Draw the folds of the labelled windows of a table, a function of its names and the seed.

    Raises:
        InputError: for a table without ratings or class labels, with too few units for the folds,
            or in which a side of a fold has no window.
    """
    if not table.labelled.any():
        where = f"corpus {table.corpus}"
        raise InputError(where, "has no rated trial", "use a corpus with ratings or class labels")
    match settings.protocol:
        case "loso":
            folds = _subject_folds(table, settings)
        case "loso_clip":
            folds = _subject_clip_folds(table, settings)
        case "trial":
            folds = _event_folds(table, settings)
        case "window":
            folds = _window_folds(table, settings)
    unit = UNITS[settings.protocol]
    split = Split(table.corpus, settings.protocol, unit, folds, len(folds), settings.seed)
    if settings.protocol == "loso_clip":
        for number in range(split.n_folds):
            fold_rows(table, split, number)  # not everybody need have seen every clip
    return split


def _names(column: NDArray[np.str_]) -> tuple[str, ...]:
    """Distinct names in order of appearance."""
    return tuple(dict.fromkeys(column.tolist()))


def _subject_folds(table: FeatureTable, settings: SplitSettings) -> tuple[Fold, ...]:
    """One person a fold in their order, or groups drawn by the seed."""
    subjects = _names(table.subject[table.labelled])
    n_folds = settings.n_folds or len(subjects)
    if n_folds > len(subjects) or len(subjects) < LEAST_PEOPLE:
        found = f"{len(subjects)} rated subjects for {n_folds} folds"
        raise InputError("split", found, "use fewer folds, at least three subjects")
    order = np.arange(len(subjects))
    if settings.n_folds is not None:
        order = np.random.default_rng(settings.seed).permutation(order)
    groups = np.array_split(order, n_folds)
    return tuple(
        Fold(*_sides(subjects, group, settings.stop_fraction, [settings.seed, k]))
        for k, group in enumerate(groups)
    )


def _subject_clip_folds(table: FeatureTable, settings: SplitSettings) -> tuple[Fold, ...]:
    """Every group of people with every group of clips, groups of clips drawn by the seed."""
    clips = _names(table.clip[table.labelled])
    if settings.clip_folds > len(clips) or len(clips) < LEAST_CLIPS:
        found = f"{len(clips)} rated clips for {settings.clip_folds} folds"
        raise InputError("split", found, "use fewer clip_folds, at least three clips")
    draw = np.random.default_rng([settings.seed, 0, 0, CLIP_GROUPS])
    groups = np.array_split(draw.permutation(len(clips)), settings.clip_folds)
    folds = []
    for k, people in enumerate(_subject_folds(table, settings)):
        for j, group in enumerate(groups):
            seed = [settings.seed, k, j, CLIP_SIDES]
            sides = _sides(clips, group, settings.stop_fraction, seed)
            folds.append(Fold(people.train, people.stop, people.test, *sides))
    return tuple(folds)


def _sides(
    names: tuple[str, ...], tested: NDArray[np.integer], stop_fraction: float, seed: list[int]
) -> Sides:
    """Names to train on, to stop on and, at the places `tested`, to test, each in their order."""
    places = set(tested.tolist())
    rest = [name for i, name in enumerate(names) if i not in places]
    test = tuple(name for i, name in enumerate(names) if i in places)
    n_stop = max(0, min(max(1, round(stop_fraction * len(rest))), len(rest) - 1))
    chosen = set(np.random.default_rng(seed).permutation(len(rest))[:n_stop].tolist())
    train = tuple(name for i, name in enumerate(rest) if i not in chosen)
    return train, tuple(name for i, name in enumerate(rest) if i in chosen), test


def _event_folds(table: FeatureTable, settings: SplitSettings) -> tuple[Fold, ...]:
    """Each person's events dealt to the folds; the first fold to get one moves on by person."""
    n_folds = settings.n_folds or DEFAULT_FOLDS
    sides: list[dict[str, list[str]]] = [{part: [] for part in PARTS} for _ in range(n_folds)]
    for s, subject in enumerate(_names(table.subject[table.labelled])):
        events = _names(table.event[table.labelled & (table.subject == subject)])
        if len(events) < max(3, n_folds):
            found = f"{len(events)} rated events for {n_folds} folds"
            raise InputError(f"subject {subject}", found, "use fewer folds, or leave them out")
        dealt = np.random.default_rng([settings.seed, s]).permutation(len(events))
        for k, side in enumerate(sides):
            own, seed = dealt[(k - s) % n_folds :: n_folds], [settings.seed, s, k]
            for part, names in zip(
                PARTS, _sides(events, own, settings.stop_fraction, seed), strict=True
            ):
                side[part].extend(names)
    return tuple(Fold(*(tuple(side[part]) for part in PARTS)) for side in sides)


def _window_folds(table: FeatureTable, settings: SplitSettings) -> tuple[Fold, ...]:
    """All windows shuffled and dealt to the folds: leaky."""
    windows = tuple(_unit_names(table, "window")[table.labelled].tolist())
    n_folds = settings.n_folds or DEFAULT_FOLDS
    if len(windows) < max(3, n_folds):
        found = f"{len(windows)} rated windows for {n_folds} folds"
        raise InputError("split", found, "use fewer folds")
    dealt = np.random.default_rng(settings.seed).permutation(len(windows))
    return tuple(
        Fold(*_sides(windows, dealt[k::n_folds], settings.stop_fraction, [settings.seed, k]))
        for k in range(n_folds)
    )


def _unit_names(table: FeatureTable, unit: Unit) -> NDArray[np.str_]:
    """Name of the unit that each row belongs to; of its person, where clips are held out too."""
    match unit:
        case "subject" | "subject x clip":
            return table.subject
        case "event":
            return table.event
        case "window":
            starts = zip(table.trial.tolist(), table.start.tolist(), strict=True)
            return np.array([f"{trial}@{start:.4f}" for trial, start in starts])


def fold_rows(table: FeatureTable, split: Split, fold: int) -> dict[str, NDArray[np.int64]]:
    """Labelled rows of a fold in table order, keys "train", "stop" and "test".

    The rows themselves are checked: what the protocol keeps apart is on one side only.

    Raises:
        InputError: for a fold the split does not have, a split of other data, rows that share a
            person, clip, event or trial that the protocol keeps apart, or a side without rows.
    """
    if not 0 <= fold < split.n_folds:
        raise InputError("fold", f"{fold} of {split.n_folds}", f"use 0 to {split.n_folds - 1}")
    names, known, where = _unit_names(table, split.unit), table.labelled, f"split of {split.corpus}"
    clips = set(table.clip[known].tolist()) if split.clips else set()
    same = set(names[known].tolist()) == split.units and clips == split.clips
    if table.corpus != split.corpus or not same:
        raise InputError(where, f"does not fit the table of {table.corpus}", "draw it anew")
    rows = {}
    for part in PARTS:
        mine = known & np.isin(names, getattr(split.folds[fold], part))
        if split.clips:
            mine &= np.isin(table.clip, getattr(split.folds[fold], f"{part}_clips"))
        rows[part] = np.flatnonzero(mine)
    _refuse_shared(table, rows, APART[split.protocol], f"{where}, fold {fold}")
    return rows


def _refuse_shared(
    table: FeatureTable, rows: dict[str, NDArray[np.int64]], columns: tuple[str, ...], where: str
) -> None:
    """Refuse sides that share a value of a column, or that have no row."""
    for part, chosen in rows.items():
        if not len(chosen):
            raise InputError(where, f"no window to {part} on", "use fewer folds, or more data")
    for column in columns:
        values = [set(getattr(table, column)[chosen].tolist()) for chosen in rows.values()]
        train, stop, test = values
        shared = sorted((train & stop) | (train & test) | (stop & test))
        if shared:
            found = f"{column} {shared[0]!r} is on two sides"
            raise InputError(where, found, "let the corpus name its trials and events uniquely")


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
