"""DASPS: 23 anxious people, six situations, Emotiv EPOC at 128 Hz.

Baghdadi, Aribi, Fourati, Halouani, Siarry and Alimi (2019), arXiv 1901.02942. The release holds
cleaned and rated segments (MATLAB v7.3, which is HDF5) and, of the same people, continuous raw EDF
recordings without usable markers: the latter are no independent corpus.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from einops import rearrange
from numpy.typing import NDArray

from neurogaze.eeg.corpora.edf import read_edf
from neurogaze.eeg.corpora.sources import Fingerprints, Identity, located, readable
from neurogaze.eeg.recordings import EPOC, Corpus, Trial
from neurogaze.errors import InputError

VARIABLE = "NEUROGAZE_DASPS"
RATED_FOLDER, RAW_FOLDER = "Raw data.mat", "Raw data .edf"
SFREQ = 128.0
HIGHPASS_HZ = 4.0  # of the cleaned segments, before release
VOLTS_PER_UNIT = 1e-6  # the .mat files are in microvolts
LOWEST_RATING, MIDDLE_RATING, HIGHEST_RATING = 1.0, 5.0, 9.0
PHASES = ("recitation", "recall")
N_SITUATIONS = 6
MOST_NUMBERS = 10**8  # of one array, 300 times the release; a damaged header can promise any number
N_TRIALS = N_SITUATIONS * len(PHASES)
RELEASE = "supply the file as released in DASPS_Database"


def _files(root: Path | None, folder: str, suffix: str) -> dict[str, Path]:
    """Source file of each person, by name, from the release folder or its parent.

    Raises:
        InputError: if there is no such folder or no recording in it.
    """
    place = located(root, VARIABLE, "the folder DASPS_Database")
    tried = [place / folder, place / "DASPS_Database" / folder, place]
    for candidate in tried:
        if candidate.is_dir():
            found = {p.stem: p for p in sorted(candidate.glob(f"S*{suffix}"))}
            found = {name: path for name, path in found.items() if re.fullmatch(r"S\d+", name)}
            if found:
                return found
    raise InputError(
        place, f"holds no {folder}/S01{suffix}", f"point {VARIABLE} at the folder DASPS_Database"
    )


def _of(files: dict[str, Path], subject: str) -> Path:
    """The file of one person, or an InputError that lists who is there."""
    if subject not in files:
        raise InputError("DASPS", f"subject {subject!r} is not in it", f"use one of {list(files)}")
    return files[subject]


class Dasps(Corpus):
    """The rated segments: six situations, each recited and then recalled, 15 s either way.

    Both segments of a situation share its one rating, hence one event. All situations are
    negative: 4 of the 276 valence ratings exceed the middle of the scale. The signals were cleaned
    and high-passed at 4 Hz before release, so there is no delta band.

    Args:
        root: the folder `DASPS_Database`; None asks the environment variable NEUROGAZE_DASPS.

    Raises:
        InputError: if the folder holds no recordings.
    """

    name = "dasps"
    people = "dasps"
    highpass = HIGHPASS_HZ

    def __init__(self, root: Path | None = None) -> None:
        self.files = _files(root, RATED_FOLDER, ".mat")
        self._fingerprints = Fingerprints()

    def subjects(self) -> tuple[str, ...]:
        """People by name: "S01" to "S23"."""
        return tuple(self.files)

    def trials(self, subject: str) -> Iterator[Trial]:
        """Twelve segments of one person: situation by situation, recitation then recall.

        Raises:
            InputError: for a damaged file, missing or misshapen data, or unusable ratings.
        """
        path = _of(self.files, subject)
        data, labels = _rated(path)
        for index, samples in enumerate(data):
            yield _segment(path, subject, index, samples, labels[:, index])

    def identity(self, subject: str) -> Identity:
        """Name, size and hash of the person's file."""
        return self._fingerprints.of(_of(self.files, subject))


def _rated(path: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Segments `[12, time, 14]` in microvolts and ratings `[2, 12]` on 1..9 of one file."""
    import h5py

    arrays = {}
    with readable(path), h5py.File(path, "r") as stream:
        for name in ("data", "labels"):
            if name not in stream:
                raise InputError(path, f"dataset {name!r} is missing; it has {[*stream]}", RELEASE)
            if stream[name].size > MOST_NUMBERS:
                raise InputError(path, f"{name} has shape {stream[name].shape}", RELEASE)
            arrays[name] = np.asarray(stream[name][()], dtype=np.float64)
    data, labels = arrays["data"], arrays["labels"]
    if data.ndim != 3 or data.shape[0] != N_TRIALS or data.shape[2] != len(EPOC) or not data.size:
        found = f"data has shape {data.shape}, not ({N_TRIALS}, samples, {len(EPOC)})"
        raise InputError(path, found, RELEASE)
    if labels.shape != (2, N_TRIALS):
        raise InputError(path, f"labels has shape {labels.shape}, not (2, {N_TRIALS})", RELEASE)
    bad = labels[~((labels >= LOWEST_RATING) & (labels <= HIGHEST_RATING))]
    if bad.size:
        raise InputError(path, f"ratings {bad.tolist()} are not in 1..9", RELEASE)
    return data, labels


def _segment(
    path: Path,
    subject: str,
    index: int,
    samples: NDArray[np.float64],
    rating: NDArray[np.float64],
) -> Trial:
    """One segment as a trial in volts; `rating` holds valence and arousal on 1..9."""
    situation = f"situation{index // len(PHASES) + 1}"
    event = f"{subject}/{situation}"
    va = (rating - MIDDLE_RATING) / (HIGHEST_RATING - MIDDLE_RATING)
    volts = rearrange(samples * VOLTS_PER_UNIT, "time channel -> channel time")
    return Trial(
        eeg=np.ascontiguousarray(volts, dtype=np.float32),
        sfreq=SFREQ,
        channels=EPOC,
        corpus=Dasps.name,
        subject=subject,
        clip=situation,
        event=event,
        trial=f"{event}/{PHASES[index % len(PHASES)]}",
        source=path,
        valence=float(va[0]),
        arousal=float(va[1]),
        raw_rating=(float(rating[0]), float(rating[1])),
    )


class DaspsRaw(Corpus):
    """The continuous raw recordings, about 4.5 minutes a person, nobody's rating attached.

    The people are those of `Dasps`, under the same names.

    Args:
        root: the folder `DASPS_Database`; None asks the environment variable NEUROGAZE_DASPS.

    Raises:
        InputError: if the folder holds no recordings.
    """

    name = "dasps_edf"
    people = "dasps"  # the same 23 people: never an independent corpus

    def __init__(self, root: Path | None = None) -> None:
        self.files = _files(root, RAW_FOLDER, ".edf")
        self._fingerprints = Fingerprints()

    def subjects(self) -> tuple[str, ...]:
        """People by name: "S01" to "S23"."""
        return tuple(self.files)

    def trials(self, subject: str) -> Iterator[Trial]:
        """The one recording of a person.

        Raises:
            InputError: for a damaged file, missing electrodes or a rate other than 128 Hz.
        """
        path = _of(self.files, subject)
        unit = f"{subject}/recording"
        yield Trial(
            eeg=read_edf(path, EPOC, SFREQ),
            sfreq=SFREQ,
            channels=EPOC,
            corpus=self.name,
            subject=subject,
            clip="recording",
            event=unit,
            trial=unit,
            source=path,
        )

    def identity(self, subject: str) -> Identity:
        """Name, size and hash of the person's file."""
        return self._fingerprints.of(_of(self.files, subject))
