"""Features of a whole corpus, computed once and kept one file a person.

A file is named by what it was made from: the settings, the identity of the person's recordings and
the version of the feature code. Present therefore means up to date; nothing is ever overwritten
with other values under the same name, and an unfinished file never gets its name.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurogaze.artefacts import settings_hash, write_npz
from neurogaze.eeg.features import (
    BANDS,
    FEATURE_VERSION,
    FeatureSettings,
    trial_features,
)
from neurogaze.eeg.recordings import Corpus, Trial
from neurogaze.eeg.table import RATINGS, ROWS, FeatureTable
from neurogaze.errors import InputError

HASH_LENGTH = 12
"""Hexadecimal digits of a hash that go into a file name."""

__all__ = ["FeatureTable", "prepare", "subject_file"]

UNREADABLE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)
"""What NumPy raises for a file that is cut short or altered."""


def prepare(
    corpus: Corpus, settings: FeatureSettings, store: Path, progress: bool = True
) -> FeatureTable:
    """Features of every window of a corpus, from the store where they are there already.

    Args:
        corpus: recordings; the attribute `highpass` (Hz), where it has one, is the edge above which
            they were published.
        settings: what to compute.
        store: folder of all feature files; a folder for this corpus and settings is made in it.
        progress: show a bar over people.

    Raises:
        InputError: for recordings or settings that cannot be used, people with different
            electrodes, an event of two people, or a corpus without a window.
    """
    from rich.progress import track

    _refuse_delta(corpus, settings)
    whole = settings_hash(settings)
    folder = store / f"{_plain(corpus.name)}-{whole[:HASH_LENGTH]}"
    people = track(corpus.subjects(), f"Features of {corpus.name}", disable=not progress)
    parts = [_person(corpus, subject, settings, folder) for subject in people]
    if not parts:
        raise InputError(f"corpus {corpus.name}", "has no subject", "check its root folder")
    columns = _joined(parts, f"corpus {corpus.name}")
    _refuse_shared_events(columns, corpus.name)
    return FeatureTable(
        **{name: columns[name] for name in ROWS},
        channels=tuple(columns["channels"].tolist()),
        bands=tuple(name for name, _, _ in BANDS[settings.bands]),
        window=settings.window,
        corpus=corpus.name,
        floors=int(columns["floors"]),
        settings_hash=whole,
    )


def _refuse_delta(corpus: Corpus, settings: FeatureSettings) -> None:
    """Refuse a delta band for recordings whose amplifier or editor already removed it."""
    highpass = float(getattr(corpus, "highpass", 0.0))
    name, low, high = BANDS[settings.bands][0]
    if name == "delta" and highpass > low:
        raise InputError(
            f"corpus {corpus.name}",
            f"was high-passed at {highpass} Hz, so {name} ({low}-{high} Hz) holds filter residue",
            "use bands: faithful",
        )


def subject_file(corpus: Corpus, subject: str, settings: FeatureSettings) -> str:
    """Name of the file of one person, which changes with anything the content depends on."""
    made_from = {
        "settings": settings,
        "subject": subject,
        "identity": corpus.identity(subject),
        "version": FEATURE_VERSION,
    }
    return f"{_plain(subject)}-{settings_hash(made_from)[:HASH_LENGTH]}.npz"


def _plain(name: str) -> str:
    """A name that every file system takes."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name)


def _person(
    corpus: Corpus, subject: str, settings: FeatureSettings, folder: Path
) -> dict[str, NDArray[Any]]:
    """Columns of one person: read, or computed and written."""
    path = folder / subject_file(corpus, subject, settings)
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in (*ROWS, "channels", "floors")}
    except UNREADABLE:
        parts = [_trial_columns(trial, settings) for trial in corpus.trials(subject)]
    if not parts:
        where = f"{corpus.name}, subject {subject}"
        raise InputError(where, "has no trial", "leave this person out of the corpus")
    columns = _joined(parts, f"{corpus.name}, subject {subject}")
    write_npz(path, columns)
    return columns


def _trial_columns(trial: Trial, settings: FeatureSettings) -> dict[str, NDArray[Any]]:
    """Columns of one trial, one entry a window, and what holds for all of it."""
    made = trial_features(trial, settings)
    columns: dict[str, NDArray[Any]] = {"features": made.values, "start": made.start}
    for name in ("subject", "clip", "event", "trial"):
        columns[name] = np.full(len(made.values), getattr(trial, name))
    for name in RATINGS:
        rating = getattr(trial, name)
        columns[name] = np.full(len(made.values), np.nan if rating is None else float(rating))
    label = -1 if trial.label is None else int(trial.label)
    columns["label"] = np.full(len(made.values), label, dtype=np.int64)
    return {**columns, "channels": np.array(trial.channels), "floors": np.array(made.floors)}


def _joined(parts: Sequence[Mapping[str, NDArray[Any]]], where: str) -> dict[str, NDArray[Any]]:
    """Rows of all parts in order; the electrodes must be the same, the floors add up."""
    channels = parts[0]["channels"]
    for part in parts:
        if part["channels"].tolist() != channels.tolist():
            raise InputError(
                f"{where}, trial {part['trial'][0]}",
                f"electrodes {part['channels'].tolist()} after {channels.tolist()}",
                "let the corpus yield the same electrodes in the same order for every trial",
            )
    columns = {name: np.concatenate([part[name] for part in parts]) for name in ROWS}
    floors = np.array(sum(int(part["floors"]) for part in parts))
    return {**columns, "channels": channels, "floors": floors}


def _refuse_shared_events(columns: Mapping[str, NDArray[Any]], corpus: str) -> None:
    """A rating event belongs to one person, or folds by event would not be what they say."""
    owner: dict[str, str] = {}
    for event, subject in zip(columns["event"].tolist(), columns["subject"].tolist(), strict=True):
        if owner.setdefault(event, subject) != subject:
            raise InputError(
                f"corpus {corpus}",
                f"rating event {event!r} belongs to {owner[event]!r} and {subject!r}",
                "put the subject into the name of the event",
            )
