"""SEED: 15 people, three sessions of 15 film clips, 62 electrodes, one label a clip.

Zheng and Lu (2015), IEEE Trans. Autonomous Mental Development 7(3). The files are those of
`Preprocessed_EEG` and need an agreement.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from neurogaze.eeg.corpora.mat5 import load_mat
from neurogaze.eeg.corpora.sources import Fingerprints, Identity, located, readable
from neurogaze.eeg.recordings import Corpus, Trial
from neurogaze.errors import InputError

VARIABLE = "NEUROGAZE_SEED"
FOLDER, LABEL_FILE = "Preprocessed_EEG", "label.mat"
CAP = (
    "Fp1", "Fpz", "Fp2", "AF3", "AF4", "F7", "F5", "F3", "F1", "Fz", "F2", "F4", "F6", "F8",
    "FT7", "FC5", "FC3", "FC1", "FCz", "FC2", "FC4", "FC6", "FT8", "T7", "C5", "C3", "C1", "Cz",
    "C2", "C4", "C6", "T8", "TP7", "CP5", "CP3", "CP1", "CPz", "CP2", "CP4", "CP6", "TP8", "P7",
    "P5", "P3", "P1", "Pz", "P2", "P4", "P6", "P8", "PO7", "PO5", "PO3", "POz", "PO4", "PO6",
    "PO8", "CB1", "O1", "Oz", "O2", "CB2",
)  # fmt: skip
"""The 62 electrodes in the order of the files.

CB1 and CB2 lie below the 10-05 system, so a topomap of all 62 is refused.
"""

SFREQ = 200.0
VOLTS_PER_UNIT = 1e-6  # the files are in microvolts
LOWEST_LABEL, HIGHEST_LABEL = -1, 1  # negative, neutral, positive
RELEASE = f"supply the file as released in {FOLDER}"


def _files(place: Path) -> dict[str, tuple[Path, ...]]:
    """Sessions of each person by date, people by number; names are `<person>_<date>.mat`.

    Raises:
        InputError: if no file has such a name.
    """
    found: dict[int, dict[str, Path]] = {}
    for path in sorted(place.glob("*.mat")):
        name = re.fullmatch(r"(\d+)_(\d{8})", path.stem)
        if name:
            found.setdefault(int(name[1]), {})[name[2]] = path
    if not found:
        remedy = f"point {VARIABLE} at {FOLDER} or its parent"
        raise InputError(place, "holds no recording such as 1_20131027.mat", remedy)
    return {
        str(number): tuple(path for _, path in sorted(sessions.items()))
        for number, sessions in sorted(found.items())
    }


class Seed(Corpus):
    """Trials of SEED: film clips of about four minutes, labelled negative, neutral or positive.

    Labels 0, 1 and 2 are the file's -1, 0 and 1; they are those of the clip, not of the person,
    and nobody rated valence or arousal. Everybody saw the same clips in each of the sessions. The
    signals were low-passed at 75 Hz before release; there is no rest.

    Args:
        root: the folder `Preprocessed_EEG` or its parent; None asks the environment variable
            NEUROGAZE_SEED.

    Raises:
        InputError: if the folder holds no recordings or no labels.
    """

    name = "seed"
    people = "seed"

    def __init__(self, root: Path | None = None) -> None:
        place = located(root, VARIABLE, f"the folder {FOLDER} or its parent")
        place = place / FOLDER if (place / FOLDER).is_dir() else place
        self.files = _files(place)
        self.label_file = place / LABEL_FILE
        if not self.label_file.is_file():
            raise InputError(self.label_file, "does not exist", RELEASE)
        self._fingerprints = Fingerprints()

    def _labels(self) -> list[int]:
        """Class of each clip: 0, 1 or 2; read anew each time, as the hash of the file is."""
        content = load_mat(self.label_file)
        if "label" not in content:
            raise InputError(self.label_file, "holds no variable 'label'", RELEASE)
        with readable(self.label_file, RELEASE):
            labels = np.asarray(content["label"]).ravel().astype(np.float64).tolist()
        bad = [x for x in labels if x not in range(LOWEST_LABEL, HIGHEST_LABEL + 1)]
        if bad or not labels:
            raise InputError(self.label_file, f"labels {labels} are not of -1, 0, 1", RELEASE)
        return [int(label) - LOWEST_LABEL for label in labels]

    def _sessions(self, subject: str) -> tuple[Path, ...]:
        """The files of one person, or an InputError that lists who is there."""
        if subject not in self.files:
            known = list(self.files)
            raise InputError("SEED", f"subject {subject!r} is not in it", f"use one of {known}")
        return self.files[subject]

    def subjects(self) -> tuple[str, ...]:
        """People by number: "1" to "15"."""
        return tuple(self.files)

    def trials(self, subject: str) -> Iterator[Trial]:
        """The clips of one person, session by session.

        One session is in memory at a time, and what was yielded of it is let go.

        Raises:
            InputError: for a damaged file, clips that do not fit the labels, or unusable samples.
        """
        labels = self._labels()
        for session, path in enumerate(self._sessions(subject), start=1):
            content = load_mat(path)
            for clip, name in _clips(path, list(content), len(labels)):
                unit = f"{subject}/session{session}/clip{clip}"
                eeg = _volts(path, name, content.pop(name))
                yield Trial(
                    eeg=eeg,
                    sfreq=SFREQ,
                    channels=CAP,
                    corpus=self.name,
                    subject=subject,
                    clip=f"clip{clip}",
                    event=unit,
                    trial=unit,
                    source=path,
                    label=labels[clip - 1],
                )

    def identity(self, subject: str) -> Identity:
        """Names, sizes and hashes of the person's files and of the labels."""
        prints = [self._fingerprints.of(path) for path in self._sessions(subject)]
        prints.append(self._fingerprints.of(self.label_file))
        return {f"{key} {n}": value for n, one in enumerate(prints) for key, value in one.items()}


def _clips(path: Path, names: list[str], n_labels: int) -> list[tuple[int, str]]:
    """Number and variable of each clip; variables are `<initials>_eeg<number>`."""
    matches = [(re.search(r"_eeg(\d+)$", name), name) for name in names]
    clips = sorted((int(match[1]), name) for match, name in matches if match)
    numbers = [number for number, _ in clips]
    if numbers != list(range(1, n_labels + 1)):
        found = f"has clips {numbers} and label.mat has {n_labels} labels"
        raise InputError(path, found, RELEASE)
    return clips


def _volts(path: Path, name: str, samples: Any) -> np.ndarray:
    """Microvolts `[62, time]` to volts, float32."""
    array = np.asarray(samples)
    if array.ndim != 2 or array.shape[0] != len(CAP) or not array.size:
        raise InputError(
            path, f"{name} has shape {array.shape}, not ({len(CAP)}, samples)", RELEASE
        )
    with readable(path, RELEASE):
        volts = array.astype(np.float32)
    volts *= VOLTS_PER_UNIT
    return volts
