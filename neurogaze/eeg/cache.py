"""Features of a whole corpus, computed once and kept one file a person.

A file is named by what it was made from: the settings, the identity of the person's recordings and
the version of the feature code. Present therefore means up to date; nothing is ever overwritten
with other values under the same name, and an unfinished file never gets its name.

People are computed side by side in threads: NumPy and SciPy let go of the interpreter while they
count, and threads share what a corpus holds of a source file, so it is opened once, where processes
would each unpack it. A thread holds one trial at a time. Features of stored people are mapped, not
read; the table joins them in memory, 224 bytes a window of 14 electrodes and 4 bands (18 MB for
DREAMER in windows of 1 s), beside its names.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurogaze.artefacts import settings_hash, sweep
from neurogaze.eeg.feature_settings import quirks_of, unit_of, window_seconds
from neurogaze.eeg.features import (
    BANDS,
    FEATURE_VERSION,
    FeatureSettings,
    trial_features,
)
from neurogaze.eeg.recordings import Corpus, Trial
from neurogaze.eeg.refusals import RESTED, refuse_incoherent, refuse_mixed_rest, refuse_settings
from neurogaze.eeg.store import UNREADABLE, read_columns, write_columns
from neurogaze.eeg.table import RATINGS, ROWS, FeatureTable
from neurogaze.eeg.transductive import within_person
from neurogaze.errors import InputError
from neurogaze.progress import tracked

HASH_LENGTH = 12
"""Hexadecimal digits of a hash that go into a file name."""

LONGEST_NAME = 200
"""Characters of a person or corpus that go into a file name."""

EACH_WINDOW = ("features", "start")
"""Columns with one entry a window; the others have one a trial."""

WINDOWS = "windows"
"""Column that says how many windows a trial has."""

COLUMNS = (*ROWS, WINDOWS)

__all__ = ["FeatureTable", "prepare", "subject_file"]


def prepare(
    corpus: Corpus,
    settings: FeatureSettings,
    store: Path,
    progress: bool = True,
    workers: int | None = None,
) -> FeatureTable:
    """Features of every window of a corpus, from the store where they are there already.

    Interrupted, it leaves the files of the people it finished, and the next call goes on with the
    others. The table does not depend on `workers`.

    Args:
        corpus: recordings; the attribute `highpass` (Hz), where it has one, is the edge above which
            they were published.
        settings: what to compute.
        store: folder of all feature files; a folder for this corpus and settings is made in it.
        progress: show a bar over people.
        workers: people computed side by side, whose trials are then asked for from as many threads;
            None for one a core.

    Raises:
        InputError: for recordings or settings that cannot be used, people with different
            electrodes, an event of two people or of two ratings, a name of two trials, a baseline
            for some trials only, source files that change meanwhile, or a corpus without a window.
    """
    refuse_settings(corpus, settings)
    whole = settings_hash(settings)
    folder = store / f"{_plain(corpus.name)}-{whole[:HASH_LENGTH]}"
    sweep(folder)
    parts = _people(corpus, settings, folder, progress, workers)
    refuse_incoherent(parts, corpus.name)
    columns = _joined(parts, f"corpus {corpus.name}")
    return FeatureTable(
        **_by_window(columns),
        channels=tuple(columns["channels"].tolist()),
        bands=tuple(name for name, _, _ in BANDS[settings.bands]),
        window=window_seconds(settings),
        corpus=corpus.name,
        floors=int(columns["floors"]),
        settings_hash=whole,
        quirks=quirks_of(settings),
        unit=unit_of(settings),
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
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name)[:LONGEST_NAME]


def _people(
    corpus: Corpus, settings: FeatureSettings, folder: Path, progress: bool, workers: int | None
) -> list[dict[str, NDArray[Any]]]:
    """Columns of everybody in the order of the corpus.

    The first failure, in that order, or an interruption ends the work: who waits is not begun, and
    who is being computed stops before the next trial.
    """
    subjects = corpus.subjects()
    if not subjects:
        raise InputError(f"corpus {corpus.name}", "has no subject", "check its root folder")
    at_once = min(workers or os.cpu_count() or 1, len(subjects))
    stopped, pool = Event(), ThreadPoolExecutor(at_once, thread_name_prefix="features")
    try:
        begun = [pool.submit(_person, corpus, s, settings, folder, stopped) for s in subjects]
        with tracked(begun, f"Features of {corpus.name}", shown=progress) as people:
            return [person.result() for person in people]
    finally:
        stopped.set()
        pool.shutdown(cancel_futures=True)


def _person(
    corpus: Corpus, subject: str, settings: FeatureSettings, folder: Path, stopped: Event
) -> dict[str, NDArray[Any]]:
    """Columns of one person: read, or computed and written."""
    path = folder / subject_file(corpus, subject, settings)
    try:
        stored = read_columns(path)
        kept = {name: stored[name] for name in (*COLUMNS, "channels", "floors")}
        return kept | {name: stored[name] for name in (RESTED,) if name in stored}
    except UNREADABLE:
        trials = _until(stopped, corpus.trials(subject))
        parts = [_trial_columns(trial, settings) for trial in trials]
    where = f"{corpus.name}, subject {subject}"
    if not parts:
        raise InputError(where, "has no trial", "leave this person out of the corpus")
    rested = [(str(part["trial"][0]), bool(part.pop(RESTED))) for part in parts]
    refuse_mixed_rest(rested, where)
    columns = {**_joined(parts, where), RESTED: np.array(rested[0][1])}
    if settings.zscore == "person":
        columns["features"] = within_person(columns["features"])
    if folder / subject_file(corpus, subject, settings) != path:
        found = "its source files changed while they were read"
        raise InputError(where, found, "start again, and leave them alone meanwhile")
    write_columns(path, columns)
    return columns


def _until(stopped: Event, trials: Iterator[Trial]) -> Iterator[Trial]:
    """The trials, unless the whole work was stopped meanwhile."""
    for trial in trials:
        if stopped.is_set():
            raise CancelledError
        yield trial


def _trial_columns(trial: Trial, settings: FeatureSettings) -> dict[str, NDArray[Any]]:
    """Columns of one trial: features and start a window, and once what holds for all of it."""
    made = trial_features(trial, settings)
    columns: dict[str, NDArray[Any]] = {"features": made.values, "start": made.start}
    for name in ("subject", "clip", "event", "trial"):
        columns[name] = np.array([getattr(trial, name)])
    for name in RATINGS:
        rating = getattr(trial, name)
        columns[name] = np.array([np.nan if rating is None else float(rating)])
    columns["label"] = np.array([-1 if trial.label is None else int(trial.label)], dtype=np.int64)
    columns[WINDOWS] = np.array([len(made.values)])
    columns[RESTED] = np.array(settings.baseline and trial.baseline is not None)
    return {**columns, "channels": np.array(trial.channels), "floors": np.array(made.floors)}


def _by_window(columns: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The fields of the table, what holds for a trial repeated for each of its windows."""
    windows = columns[WINDOWS]
    return {
        name: columns[name] if name in EACH_WINDOW else np.repeat(columns[name], windows)
        for name in ROWS
    }


def _joined(parts: Sequence[dict[str, NDArray[Any]]], where: str) -> dict[str, NDArray[Any]]:
    """All parts in order; the electrodes must be the same, the floors add up.

    The parts are used up column by column, so that rows are not held twice.
    """
    channels = parts[0]["channels"]
    for part in parts:
        if part["channels"].tolist() != channels.tolist():
            raise InputError(
                f"{where}, trial {part['trial'][0]}",
                f"electrodes {part['channels'].tolist()} after {channels.tolist()}",
                "let the corpus yield the same electrodes in the same order for every trial",
            )
    columns = {name: np.concatenate([part.pop(name) for part in parts]) for name in COLUMNS}
    floors = np.array(sum(int(part["floors"]) for part in parts))
    return {**columns, "channels": channels, "floors": floors}
