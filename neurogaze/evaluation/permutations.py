"""Ratings exchanged between rating events, so that they mean nothing but look the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from neurogaze.eeg.table import RATINGS, FeatureTable
from neurogaze.errors import InputError

Scheme = Literal["within_subject", "joint_clip"]
"""Who exchanges: the events of each person; or the clips, renamed in the same way for everybody."""

Index = NDArray[np.int64]


def check_scheme(scheme: str) -> None:
    """Refuse a scheme that does not exist.

    Raises:
        InputError: for it.
    """
    if scheme not in ("within_subject", "joint_clip"):
        raise InputError("scheme", f"{scheme!r} is unknown", "use within_subject or joint_clip")


def permuted_table(table: FeatureTable, scheme: Scheme, seed: int) -> FeatureTable:
    """The table with its ratings and classes exchanged between rating events, each as a unit.

    Events with ratings change among themselves, as do events with a class only, so that the folds
    of the table stay those of the permuted one.

    Args:
        table: windows.
        scheme: see `Scheme`.
        seed: of the permutation.

    Raises:
        InputError: for an unknown scheme.
    """
    check_scheme(scheme)
    draw = np.random.default_rng(seed)
    source = np.arange(table.n_rows)
    for known in (table.rated, table.labelled & ~table.rated):
        rows = np.flatnonzero(known)
        if rows.size:
            _, first, code = np.unique(table.event[rows], return_index=True, return_inverse=True)
            own = rows[first]
            given = permuted_events(table.subject[own], table.clip[own], scheme, draw)
            source[rows] = own[given][code]
    columns = {name: getattr(table, name)[source] for name in (*RATINGS, "label")}
    return replace(table, **columns)


def permuted_events(
    subject: NDArray[np.str_], clip: NDArray[np.str_], scheme: Scheme, draw: np.random.Generator
) -> Index:
    """For each event, the event of the same person whose rating it is given.

    Args:
        subject: text `[E]`, person of each event.
        clip: text `[E]`, clip of each event.
        scheme: see `Scheme`. A person who lacks some clips gets the order that the new
            names of the clips put the others in.
        draw: source of the permutation.
    """
    clips, code = np.unique(clip, return_inverse=True)
    key = draw.permutation(len(clips))[code] if scheme == "joint_clip" else draw.random(len(code))
    source = np.empty(len(code), dtype=np.int64)
    for name in np.unique(subject):
        own = np.flatnonzero(subject == name)
        source[own[np.argsort(code[own], kind="stable")]] = own[np.argsort(key[own], kind="stable")]
    return source
