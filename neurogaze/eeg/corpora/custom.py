"""Recordings of your own: files of any format that MNE reads, and a CSV of ratings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurogaze.artefacts import settings_hash
from neurogaze.eeg.corpora.biosemi import centred, electrodes, picked
from neurogaze.eeg.corpora.custom_table import Row, read_table
from neurogaze.eeg.corpora.edf import edf_signals
from neurogaze.eeg.corpora.fif import refuse_ring
from neurogaze.eeg.corpora.sources import Fingerprints, Identity, located, readable
from neurogaze.eeg.montage import canonical_names
from neurogaze.eeg.recordings import Corpus, Trial
from neurogaze.errors import InputError

VARIABLE = "NEUROGAZE_CUSTOM"
LARGEST_DEVIATION = 0.05
"""Volts; the median electrode of no recording varies more, but one in microvolts does."""
READABLE = "check that MNE can read it; it may be truncated"


class Custom(Corpus):
    """Trials of a folder of recordings, one for each row of a CSV file.

    Columns of the CSV: `file` (relative to the root), `subject`, `clip`, `valence`, `arousal`, and
    where wanted `dominance`, `label` (class from 0), `start` and `stop` of the trial and
    `baseline_start` and `baseline_stop` of its rest (s from the first sample of the file), `event`
    (rating event; trials of one person that share one have one rating and are never separated, by
    default those of one clip). An empty rating means that nobody rated. Rows that share a file open
    it once.

    Args:
        root: folder of the recordings; None asks the environment variable NEUROGAZE_CUSTOM.
        ratings: name of the CSV file in it.
        scale: lowest and highest rating, mapped to -1 and 1.
        channels: electrodes wanted, in this order; None takes all that the 10-05 system has, in
            alphabetical order. Case does not matter, and T3 means T7.
        corpus_name: name of the corpus, also in file names.

    Raises:
        InputError: for a missing folder or table, an empty scale or an unknown electrode.
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
        self.channels = None if channels is None else canonical_names(channels)
        self._fingerprints = Fingerprints()

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
                lacks electrodes or is shorter than the table says.
        """
        for file, rows in self._files(subject).items():
            path = self._path(file, rows[0])
            raw, picks, names = self._opened(path)
            for row in rows:
                yield self._trial(path, raw, picks, names, row)

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
        if not path.exists():
            where = f"{self.table}, row {row.number}, column 'file'"
            raise InputError(
                where, f"{path} does not exist", f"put it there or point {VARIABLE} at it"
            )
        return path

    def _opened(self, path: Path) -> tuple[Any, list[int], tuple[str, ...]]:
        """A recording of MNE, not yet in memory, its places of the electrodes and their names."""
        import mne

        if path.suffix.lower() in (".edf", ".bdf"):
            edf_signals(path)  # MNE reads what there is of a file that was cut off
        if path.suffix.lower() == ".fif":
            refuse_ring(path)
        with readable(path, READABLE):
            raw = mne.io.read_raw(path, preload=False, verbose="ERROR")
        names = self.channels or tuple(sorted(electrodes(raw.ch_names, path)))
        if not names:
            found = f"none of its signals {raw.ch_names} is an electrode of the 10-05 system"
            raise InputError(path, found, "rename its signals")
        picks = picked(raw.ch_names, names, path)
        bad = [raw.ch_names[i] for i in picks if raw.ch_names[i] in raw.info["bads"]]
        if bad:
            remedy = "interpolate them, or leave them out by naming `channels`"
            raise InputError(path, f"electrodes {bad} are marked bad", remedy)
        return raw, picks, names

    def _trial(
        self, path: Path, raw: Any, picks: list[int], names: tuple[str, ...], row: Row
    ) -> Trial:
        valence, arousal, dominance = (self._scaled(rating) for rating in row.ratings)
        said = tuple(rating for rating in row.ratings if rating is not None)
        rest = None if row.rest is None else self._volts(path, raw, picks, row, "baseline_")
        return Trial(
            eeg=self._volts(path, raw, picks, row),
            sfreq=float(raw.info["sfreq"]),
            channels=names,
            corpus=self.name,
            subject=row.subject,
            clip=row.clip,
            event=row.event,
            trial=row.trial,
            source=path,
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

    def _volts(
        self, path: Path, raw: Any, picks: list[int], row: Row, part: str = ""
    ) -> NDArray[np.float32]:
        """Samples of the trial, or with `part` "baseline_" of its rest, offsets removed."""
        begin, end = row.rest if part and row.rest is not None else row.span
        rate, total = float(raw.info["sfreq"]), int(raw.n_times)
        first, last = round(begin * rate), total if end is None else round(end * rate)
        for column, sample, low in (("start", first, 0), ("stop", last, first + 1)):
            if not low <= sample <= total - (column == "start"):
                where = f"{self.table}, row {row.number}, column '{part}{column}'"
                found = f"{sample / rate:g} s, where {path} lasts {total / rate:g} s"
                raise InputError(where, found, "correct the time, or restore the file")
        with readable(path, READABLE):
            volts = np.asarray(raw.get_data(picks, first, last, verbose="ERROR"), dtype=np.float64)
        deviation = float(np.median(volts.std(axis=1)))
        if deviation > LARGEST_DEVIATION:
            found = f"the median standard deviation of its electrodes is {deviation:.3g} V"
            raise InputError(path, found, "write it in volts, the unit of MNE, not in microvolts")
        return centred(volts)

    def identity(self, subject: str) -> Identity:
        """Hash of the person's files, and of their rows with what they are read by."""
        files = self._files(subject)
        paths = {p for name, rows in files.items() for p in _parts(self._path(name, rows[0]))}
        prints = [self._fingerprints.of(path) for path in sorted(paths)]
        rows = [replace(row, number=0) for row in self._people[subject]]
        read_by = {"rows": rows, "scale": self.scale, "channels": self.channels}
        return {"sha256": settings_hash(prints), "table": settings_hash(read_by)}


def _parts(path: Path) -> list[Path]:
    """All files of one recording: the content of a folder, or those that share its name.

    BrainVision keeps samples and markers beside the header, EEGLAB the samples, FIF its later parts
    under numbers. A BrainVision header may name other files, which count too.
    """
    if path.is_dir():
        return [p for p in path.rglob("*") if p.is_file()]
    stem = re.compile(re.escape(path.stem) + r"(-\d+)?")
    found = {p for p in path.parent.iterdir() if p.is_file() and stem.fullmatch(p.stem)}
    if path.suffix.lower() == ".vhdr":
        text = path.read_text(encoding="utf-8", errors="replace")
        named = re.findall(r"^(?:DataFile|MarkerFile)\s*=\s*(.+?)\s*$", text, re.MULTILINE)
        found |= {path.parent / name for name in named if (path.parent / name).is_file()}
    return sorted(found)
