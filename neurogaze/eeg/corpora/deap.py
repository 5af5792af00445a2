"""DEAP as preprocessed by its authors: 32 people, 40 music videos, 32 electrodes at 128 Hz.

Koelstra et al. (2012), IEEE Trans. Affective Computing 3(1). The files are those of
`data_preprocessed_python` and need an agreement: one Python 2 pickle a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurogaze.eeg.corpora.pickled import pickled_arrays
from neurogaze.eeg.corpora.sources import Fingerprints, Identity, located
from neurogaze.eeg.recordings import Corpus, Trial
from neurogaze.errors import InputError

VARIABLE = "NEUROGAZE_DEAP"
FOLDER = "data_preprocessed_python"
GENEVA = (
    "Fp1", "AF3", "F3", "F7", "FC5", "FC1", "C3", "T7", "CP5", "CP1", "P3", "P7", "PO3", "O1",
    "Oz", "Pz", "Fp2", "AF4", "Fz", "F4", "F8", "FC6", "FC2", "Cz", "C4", "T8", "CP6", "CP2",
    "P4", "P8", "PO4", "O2",
)  # fmt: skip
"""The 32 electrodes in the order of the preprocessed files, which is that of Geneva."""

SFREQ = 128.0
HIGHPASS_HZ = 4.0  # band-passed at 4-45 Hz before release
VOLTS_PER_UNIT = 1e-6  # the files are in microvolts
N_CHANNELS, N_SAMPLES = 40, 8064  # 32 electrodes and 8 of the body; 63 s
BASELINE_SAMPLES = 384  # 3 s
LOWEST_RATING, MIDDLE_RATING, HIGHEST_RATING = 1.0, 5.0, 9.0
SCALES = 4  # valence, arousal, dominance, liking
RELEASE = f"supply the file as released in {FOLDER}"


def deap_files(root: Path | None, folder: str, suffix: str) -> dict[str, Path]:
    """Source file of each person, by name, from a folder of the release or its parent.

    Args:
        root: the folder or its parent; None asks the environment variable NEUROGAZE_DEAP.
        folder: its name.
        suffix: of its files.

    Raises:
        InputError: if there is no such folder or no recording in it.
    """
    place = located(root, VARIABLE, f"the folder {folder} or its parent")
    for candidate in (place / folder, place):
        if candidate.is_dir():
            files = {path.stem: path for path in sorted(candidate.glob(f"s*{suffix}"))}
            found = {name: path for name, path in files.items() if re.fullmatch(r"s\d+", name)}
            if found:
                return found
    raise InputError(
        place, f"holds no {folder}/s01{suffix}", f"point {VARIABLE} at the parent of {folder}"
    )


def file_of(files: dict[str, Path], subject: str) -> Path:
    """The file of one person.

    Raises:
        InputError: for an unknown person, listing who is there.
    """
    if subject not in files:
        raise InputError("DEAP", f"subject {subject!r} is not in it", f"use one of {list(files)}")
    return files[subject]


class Deap(Corpus):
    """Trials of DEAP: one minute of a music video, the 3 s before it, and the person's ratings.

    The signals were averaged to a common reference, freed of eye artefacts and band-passed at
    4-45 Hz before release, so there is no delta band. The 3 s of rest hold no window of 4 s.

    Args:
        root: the folder `data_preprocessed_python` or its parent; None asks the environment
            variable NEUROGAZE_DEAP.

    Raises:
        InputError: if the folder holds no recordings.
    """

    name = "deap"
    people = "deap"
    highpass = HIGHPASS_HZ

    def __init__(self, root: Path | None = None) -> None:
        self.files = deap_files(root, FOLDER, ".dat")
        self._fingerprints = Fingerprints()

    def subjects(self) -> tuple[str, ...]:
        """People by name: "s01" to "s32"."""
        return tuple(self.files)

    def trials(self, subject: str) -> Iterator[Trial]:
        """The clips of one person, in the order of the videos, not of their presentation.

        Raises:
            InputError: for a damaged file, a pickle of anything but arrays, or unusable ratings.
        """
        path = file_of(self.files, subject)
        data, labels = _arrays(path)
        for number, (samples, rating) in enumerate(zip(data, labels, strict=True), start=1):
            yield _trial(path, subject, f"clip{number:02d}", samples, rating)

    def identity(self, subject: str) -> Identity:
        """Name, size and hash of the person's file."""
        return self._fingerprints.of(file_of(self.files, subject))


def deap_affect(rating: NDArray[np.float64]) -> tuple[float, float, float]:
    """Valence, arousal and dominance on 1..9 to [-1, 1].

    >>> deap_affect(np.array([1.0, 5.0, 9.0]))
    (-1.0, 0.0, 1.0)
    """
    valence, arousal, dominance = (
        (rating[:3] - MIDDLE_RATING) / (HIGHEST_RATING - MIDDLE_RATING)
    ).tolist()
    return valence, arousal, dominance


def refuse_ratings(path: Path, ratings: NDArray[np.float64]) -> None:
    """Refuse ratings off the scale.

    Raises:
        InputError: for ratings not in 1..9, naming them.
    """
    bad = ratings[~((ratings >= LOWEST_RATING) & (ratings <= HIGHEST_RATING))]
    if bad.size:
        raise InputError(path, f"ratings {bad.tolist()} are not in 1..9", RELEASE)


def _arrays(path: Path) -> tuple[np.ndarray, NDArray[np.float64]]:
    """Samples `[trials, 40, 8064]` in microvolts and ratings `[trials, 4]` on 1..9 of one file."""
    arrays = pickled_arrays(path)
    missing = [name for name in ("data", "labels") if name not in arrays]
    if missing:
        raise InputError(path, f"arrays {missing} are missing from {[*arrays]}", RELEASE)
    data, labels = arrays["data"], arrays["labels"].astype(np.float64)
    if data.ndim != 3 or data.shape[1:] != (N_CHANNELS, N_SAMPLES) or not data.size:
        found = f"data has shape {data.shape}, not (trials, {N_CHANNELS}, {N_SAMPLES})"
        raise InputError(path, found, RELEASE)
    if labels.shape != (len(data), SCALES):
        raise InputError(path, f"labels has shape {labels.shape}, not ({len(data)}, 4)", RELEASE)
    refuse_ratings(path, labels[:, :3])
    return data, labels


def _trial(
    path: Path, subject: str, clip: str, samples: np.ndarray, rating: NDArray[np.float64]
) -> Trial:
    """One clip in volts; `samples` holds all 40 channels, the rest before the clip first."""
    unit = f"{subject}/{clip}"
    volts = samples[: len(GENEVA)] * VOLTS_PER_UNIT
    with np.errstate(over="ignore"):  # a trial refuses infinite samples
        volts = volts.astype(np.float32)
    valence, arousal, dominance = deap_affect(rating)
    return Trial(
        eeg=np.ascontiguousarray(volts[:, BASELINE_SAMPLES:]),
        sfreq=SFREQ,
        channels=GENEVA,
        corpus=Deap.name,
        subject=subject,
        clip=clip,
        event=unit,
        trial=unit,
        source=path,
        baseline=np.ascontiguousarray(volts[:, :BASELINE_SAMPLES]),
        valence=valence,
        arousal=arousal,
        dominance=dominance,
        raw_rating=tuple(rating[:3].tolist()),
    )
