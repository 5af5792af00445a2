"""DREAMER: 23 people, 18 film clips, Emotiv EPOC at 128 Hz, one MATLAB file.

Katsigiannis and Ramzan (2018), IEEE J. Biomed. Health Inform. 22(1); the file is `DREAMER.mat` of
Zenodo record 546113 and needs an agreement.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurogaze.eeg.corpora.dreamer_file import PEOPLE, RELEASE, DreamerFile
from neurogaze.eeg.corpora.sources import Identity, located, readable
from neurogaze.eeg.recordings import EPOC, Corpus, Trial
from neurogaze.errors import InputError

VARIABLE = "NEUROGAZE_DREAMER"
FILE_NAME = "DREAMER.mat"
VOLTS_PER_UNIT = 1e-6  # the file is in microvolts
LOWEST_RATING, MIDDLE_RATING, HIGHEST_RATING = 1.0, 3.0, 5.0
UNUSED = ("ECG",)  # fields of a person that are let go at once


@dataclass(frozen=True, eq=False)
class _Recordings:
    """What of the file is held in memory: one struct a person, rate in Hz, electrode columns."""

    people: np.ndarray
    sfreq: float
    picks: list[int]
    width: int
    """Columns that the file has names for."""


class Dreamer(Corpus):
    """Trials of DREAMER: a clip, the 61 s of rest before it, and the person's own ratings.

    Clips last from one to six minutes. The file is opened once, unpacked at the first request for
    a trial, and let go when the trials of every person have been read (a later request unpacks it
    again). Trials may be asked for from several threads.

    Args:
        root: `DREAMER.mat` or the folder that holds it; None asks the environment variable
            NEUROGAZE_DREAMER.

    Raises:
        InputError: if the file is missing, damaged, or not laid out as released.
    """

    name = "dreamer"

    def __init__(self, root: Path | None = None) -> None:
        place = located(root, VARIABLE, f"{FILE_NAME} or its folder")
        self.path = place / FILE_NAME if place.is_dir() else place
        if not self.path.is_file():
            raise InputError(self.path, "does not exist", RELEASE)
        self._file = DreamerFile(self.path)
        self._lock = Lock()
        self._held: _Recordings | None = None
        self._finished: set[str] = set()

    def _recordings(self) -> _Recordings:
        """The content of the file, unpacked where nobody holds it."""
        with self._lock:
            if self._held is None:
                self._held = self._unpacked()
            return self._held

    def _unpacked(self) -> _Recordings:
        """The file without the fields that nobody reads, which are a fifth of it."""
        content = self._file.content()
        people = self._field(content, PEOPLE).ravel()
        if not len(people):
            raise InputError(self.path, f"field {PEOPLE!r} holds nobody", RELEASE)
        for person in people:
            names = getattr(person, "dtype", np.dtype(object)).names or ()
            for name in set(UNUSED) & set(names):
                person[name] = None
        names = self._electrodes(content)
        picks = [names.index(name) for name in EPOC]
        return _Recordings(people, self._sfreq(content), picks, len(names))

    def _let_go(self, subject: str) -> None:
        """Free the content once the trials of everybody were read to the end."""
        everybody = self._n_people
        with self._lock:
            self._finished.add(subject)
            if len(self._finished) == everybody:
                self._held = None
                self._finished.clear()

    @cached_property
    def _n_people(self) -> int:
        """Number of people: by the header, or by the content where that is laid out otherwise."""
        promised = self._file.n_people()
        return len(self._recordings().people) if promised is None else promised

    def _sfreq(self, content: np.ndarray) -> float:
        """Sampling rate of the EEG, Hz."""
        field = self._field(content, "EEG_SamplingRate")
        with readable(self.path, RELEASE):
            rate = float(field.ravel()[0])
        if not 0 < rate < np.inf:
            raise InputError(self.path, f"EEG_SamplingRate is {rate}", RELEASE)
        return rate

    def _electrodes(self, content: np.ndarray) -> list[str]:
        """Names of the columns, the 14 electrodes among them."""
        cells = self._field(content, "EEG_Electrodes").ravel()
        with readable(self.path, RELEASE):
            names = [str(np.asarray(cell).ravel()[0]) for cell in cells]
        missing = [name for name in EPOC if name not in names]
        if missing:
            raise InputError(self.path, f"electrodes {missing} are missing from {names}", RELEASE)
        return names

    def _field(self, struct: Any, name: str) -> np.ndarray:
        """A field of a 1x1 MATLAB struct, whichever of its dimensions were written.

        Raises:
            InputError: if it is no struct or lacks the field.
        """
        array = np.asarray(struct)
        if array.dtype.names is None or name not in array.dtype.names or array.size != 1:
            found = f"field {name!r} is missing; there are {array.dtype.names}"
            raise InputError(self.path, found, RELEASE)
        return np.asarray(array.ravel()[0][name])

    def subjects(self) -> tuple[str, ...]:
        """People in the order of the file: "S01", "S02", ..."""
        return tuple(f"S{number:02d}" for number in range(1, self._n_people + 1))

    def trials(self, subject: str) -> Iterator[Trial]:
        """The clips of one person in the order of the file.

        Raises:
            InputError: for an unknown person, fields that do not agree, or unusable samples.
        """
        if subject not in self.subjects():
            raise InputError(self.path, f"subject {subject!r} is not in it", "see subjects()")
        held = self._recordings()
        person = held.people[self.subjects().index(subject)]
        eeg = self._field(person, "EEG")
        clips = self._field(eeg, "stimuli").ravel()
        rests = self._field(eeg, "baseline").ravel()
        ratings = self._ratings(person, subject)
        if not len(clips) == len(rests) == len(ratings):
            found = f"{subject} has {len(clips)} clips, {len(rests)} rests, {len(ratings)} ratings"
            raise InputError(self.path, found, RELEASE)
        for number, (clip, rest) in enumerate(zip(clips, rests, strict=True), start=1):
            unit = f"{subject}/clip{number:02d}"
            samples = self._volts(clip, held, unit)
            before = self._volts(rest, held, f"baseline of {unit}")
            yield self._trial(unit, held.sfreq, samples, before, ratings[number - 1])
        self._let_go(subject)

    def _ratings(self, person: Any, subject: str) -> NDArray[np.float64]:
        """Valence, arousal and dominance of each clip on 1..5, `[clips, 3]`.

        The file holds unsigned bytes, on which `rating - 3` would wrap around.
        """
        with readable(self.path, RELEASE):
            columns = [
                self._field(person, f"Score{axis}").ravel().astype(np.float64)
                for axis in ("Valence", "Arousal", "Dominance")
            ]
            ratings = np.stack(columns, axis=1)
        bad = ratings[~((ratings >= LOWEST_RATING) & (ratings <= HIGHEST_RATING))]
        if bad.size:
            raise InputError(
                self.path, f"{subject} has ratings {bad.tolist()} not in 1..5", RELEASE
            )
        return ratings

    def _volts(self, item: Any, held: _Recordings, where: str) -> NDArray[np.float32]:
        """Time x channel in microvolts to channel x time in volts, electrodes picked by name."""
        samples = np.asarray(item)
        if samples.ndim != 2 or samples.shape[1] != held.width or not samples.size:
            found = f"{where} has shape {samples.shape}, not [samples, {held.width}]"
            raise InputError(self.path, found, RELEASE)
        volts = np.empty((len(held.picks), len(samples)), dtype=np.float32)
        with readable(self.path, RELEASE):
            for row, column in zip(volts, held.picks, strict=True):
                np.multiply(samples[:, column], VOLTS_PER_UNIT, out=row, dtype=np.float64)
        return volts

    def _trial(
        self,
        unit: str,
        sfreq: float,
        eeg: NDArray[np.float32],
        baseline: NDArray[np.float32],
        rating: NDArray[np.float64],
    ) -> Trial:
        va = (rating - MIDDLE_RATING) / (HIGHEST_RATING - MIDDLE_RATING)
        subject, clip = unit.split("/")
        return Trial(
            eeg=eeg,
            sfreq=sfreq,
            channels=EPOC,
            corpus=self.name,
            subject=subject,
            clip=clip,
            event=unit,
            trial=unit,
            source=self.path,
            baseline=baseline,
            valence=float(va[0]),
            arousal=float(va[1]),
            dominance=float(va[2]),
            raw_rating=tuple(rating.tolist()),
        )

    def identity(self, subject: str) -> Identity:
        """Name, size and hash of the file; it is one file, so the same for everybody."""
        return self._file.identity()
