"""Recordings of your own: files of any format that MNE reads, and a CSV of ratings."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurogaze.artefacts import settings_hash
from neurogaze.eeg.corpora.custom_rows import Row
from neurogaze.eeg.corpora.custom_table import read_table
from neurogaze.eeg.corpora.fif import fif_parts, is_fif
from neurogaze.eeg.corpora.opened import Opened, opened, periods_of, signals_apart
from neurogaze.eeg.corpora.parts import recording_files
from neurogaze.eeg.corpora.sources import Fingerprints, Identity, located, readable
from neurogaze.eeg.montage import chosen_names
from neurogaze.eeg.recordings import Corpus, Trial
from neurogaze.errors import InputError

VARIABLE = "NEUROGAZE_CUSTOM"


class Custom(Corpus):
    """Trials of a folder of recordings, one for each row of a CSV file.

    Columns of the CSV: `file` (relative to the root), `subject`, `clip`, `valence`, `arousal`, and
    where wanted `dominance`, `label` (class from 0), `start` and `stop` of the trial and
    `baseline_start` and `baseline_stop` of its rest (s from the first sample of the file), `event`
    (rating event; trials of one person that share one have one rating and are never separated, by
    default those of one clip). An empty rating means that nobody rated. Rows that share a file open
    it once. Signals that MNE takes for EEG and that are no electrodes are left out with a warning.

    Args:
        root: folder of the recordings; None asks the environment variable NEUROGAZE_CUSTOM.
        ratings: name of the CSV file in it.
        scale: lowest and highest rating, mapped to -1 and 1.
        channels: electrodes wanted, in this order; None takes all that the 10-05 system has, in
            alphabetical order. Case does not matter, and T3 means T7.
        corpus_name: name of the corpus, also in file names.

    Raises:
        InputError: for a missing folder or table, an empty scale, no electrode, or one that is
            unknown or named twice.
    """

    def __init__(
        self,
        root: Path | None = None,
        ratings: str = "ratings.csv",
        scale: tuple[float, float] = (1.0, 9.0),
        channels: tuple[str, ...] | None = None,
        corpus_name: str = "custom",
    ) -> None:
        self.root = located(root, VARIABLE, f"the folder that holds {ratings}")
        self.table = self.root / ratings
        if not self.table.is_file():
            raise InputError(self.table, "does not exist", "name the CSV of the ratings")
        if not (np.isfinite(scale).all() and scale[0] < scale[1]):
            raise InputError(
                "scale", f"{scale} has no extent", "give the lowest and highest rating"
            )
        self.name, self.scale = corpus_name, (float(scale[0]), float(scale[1]))
        self.channels = None if channels is None else chosen_names(channels)
        self._fingerprints = Fingerprints()
        self._told: set[tuple[str, ...]] = set()

    @cached_property
    def _people(self) -> dict[str, list[Row]]:
        """Rows of each person, in the order of the table."""
        people: dict[str, list[Row]] = {}
        for row in read_table(self.table, self.scale):
            people.setdefault(row.subject, []).append(row)
        return people

    def subjects(self) -> tuple[str, ...]:
        """People in the order of the table; no recording is opened."""
        return tuple(self._people)

    def trials(self, subject: str) -> Iterator[Trial]:
        """Trials of one person, file by file in the order of the table.

        Raises:
            InputError: for an unknown person, or a file that is missing, damaged, not in volts,
                lacks electrodes, is shorter than the table says, a later part of another file of
                the table, or interrupted or marked bad within a trial.
        """
        for file, rows in self._files(subject).items():
            recording = opened(self._path(file, rows[0]), self.channels)
            self._tell_left_out(recording)
            for row in rows:
                yield self._trial(recording, row)

    def _files(self, subject: str) -> dict[str, list[Row]]:
        """Rows of one person by file."""
        if subject not in self._people:
            raise InputError(self.table, f"subject {subject!r} is not in it", "see subjects()")
        files: dict[str, list[Row]] = {}
        for row in self._people[subject]:
            files.setdefault(row.file, []).append(row)
        return files

    def _path(self, file: str, row: Row) -> Path:
        path = self.root / file
        where = f"{self.table}, row {row.number}, column 'file'"
        with readable(path, "give it a shorter or plainer name"):
            there = path.exists()
        if not there:
            remedy = f"put it there or point {VARIABLE} at it"
            raise InputError(where, f"{path} does not exist", remedy)
        if is_fif(path):
            self._refuse_part(path, row)
        return path

    def _refuse_part(self, path: Path, row: Row) -> None:
        """Refuse a file whose later parts are in the table too: MNE reads them along with it."""
        parts = {part.resolve() for part in fif_parts(path)[1:]}
        for other in (row for rows in self._people.values() for row in rows):
            if (self.root / other.file).resolve() in parts:
                where = f"{self.table}, rows {row.number} and {other.number}, column 'file'"
                found = f"{other.file!r} is a later part of {row.file!r}"
                raise InputError(where, found, "name the first part, and seconds from its start")

    def _tell_left_out(self, recording: Opened) -> None:
        """Warn once an object of the same signals."""
        names = recording.left_out
        if names and names not in self._told:
            self._told.add(names)
            total = len(names) + len(recording.names)
            told = (
                f"{len(names)} of {total} EEG signals are left out, not being of the 10-05 system"
            )
            warnings.warn(f"{recording.path}: {told}: {', '.join(names)}", stacklevel=3)

    def _trial(self, recording: Opened, row: Row) -> Trial:
        valence, arousal, dominance = (self._scaled(rating) for rating in row.ratings)
        said = tuple(rating for rating in row.ratings if rating is not None)
        rest = None if row.rest is None else self._volts(recording, row, "baseline_")
        return Trial(
            eeg=self._volts(recording, row),
            sfreq=recording.sfreq,
            channels=recording.names,
            corpus=self.name,
            subject=row.subject,
            clip=row.clip,
            event=row.event,
            trial=row.trial,
            source=recording.path,
            baseline=rest,
            valence=valence,
            arousal=arousal,
            dominance=dominance,
            label=row.label,
            raw_rating=said if None not in row.ratings[:2] else None,
        )

    def _scaled(self, rating: float | None) -> float | None:
        """A rating in [-1, 1]."""
        low, high = self.scale
        return None if rating is None else 2 * (rating - low) / (high - low) - 1

    def _volts(self, recording: Opened, row: Row, part: str = "") -> NDArray[np.float32]:
        """Samples of the trial, or with `part` "baseline_" of its rest, offsets removed."""
        begin, end = row.rest if part and row.rest is not None else row.span
        rate, total = recording.sfreq, int(recording.raw.n_times)
        first, last = round(begin * rate), total if end is None else round(end * rate)
        where = f"{self.table}, row {row.number}, column '{part}"
        for column, sample, low in (("start", first, 0), ("stop", last, first + 1)):
            if not low <= sample <= total - (column == "start"):
                found = f"{sample / rate:g} s, where {recording.path} lasts {total / rate:g} s"
                raise InputError(
                    f"{where}{column}'", found, "correct the time, or restore the file"
                )
        for mark in recording.marks:
            if mark.inside(first, last):
                found = f"{mark.text!r} is marked at {mark.first / rate:g} s of {recording.path}"
                remedy = "cut the trial before or after it, or leave the row out"
                raise InputError(f"{where}start'", found, remedy)
        return recording.volts(first, last)

    def identity(self, subject: str) -> Identity:
        """Hash of the person's files, and of their rows with what they are read by."""
        named = [self._path(name, rows[0]) for name, rows in self._files(subject).items()]
        paths = {part for path in named for part in recording_files(path)}
        prints = [self._fingerprints.of(path) for path in sorted(paths)]
        rows = [replace(row, number=0) for row in self._people[subject]]
        read_by: dict[str, object] = {"rows": rows, "scale": self.scale, "channels": self.channels}
        apart = {path.name: signals_apart(path, self.channels) for path in named}
        if any(apart.values()):  # older versions stored features of stretched samples
            read_by["apart"] = apart
        jumping = {path.name: periods for path in named if (periods := periods_of(path))}
        if jumping:  # older versions stored features of samples that jump
            read_by["unwrapped"] = jumping
        return {"sha256": settings_hash(prints), "table": settings_hash(read_by)}
