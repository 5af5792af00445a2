"""DREAMER: 23 people, 18 film clips, Emotiv EPOC at 128 Hz, one MATLAB file.

Katsigiannis and Ramzan (2018), IEEE J. Biomed. Health Inform. 22(1); the file is `DREAMER.mat` of
Zenodo record 546113 and needs an agreement.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from einops import rearrange
from numpy.typing import NDArray

from neurogaze.eeg.corpora.sources import Fingerprints, Identity, located, readable
from neurogaze.eeg.recordings import EPOC, Corpus, Trial
from neurogaze.errors import InputError

VARIABLE = "NEUROGAZE_DREAMER"
FILE_NAME = "DREAMER.mat"
VOLTS_PER_UNIT = 1e-6  # the file is in microvolts
LOWEST_RATING, MIDDLE_RATING, HIGHEST_RATING = 1.0, 3.0, 5.0
RELEASE = "supply DREAMER.mat as released (Zenodo record 546113)"


class Dreamer(Corpus):
    """Trials of DREAMER: a clip, the 61 s of rest before it, and the person's own ratings.

    Clips last from one to six minutes. The file is read once, at the first request.

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
        self._fingerprints = Fingerprints()

    @cached_property
    def _content(self) -> np.ndarray:
        """The one struct of the file, `[1, 1]`."""
        from scipy.io import loadmat

        with readable(self.path):
            content = loadmat(
                self.path, variable_names=["DREAMER"], verify_compressed_data_integrity=False
            )
        if "DREAMER" not in content:
            raise InputError(self.path, "holds no variable 'DREAMER'", RELEASE)
        return np.asarray(content["DREAMER"])

    @cached_property
    def _people(self) -> np.ndarray:
        """One struct a person, `[people]`."""
        return self._field(self._content, "Data").ravel()

    @cached_property
    def sfreq(self) -> float:
        """Sampling rate of the EEG, Hz."""
        field = self._field(self._content, "EEG_SamplingRate")
        with readable(self.path, RELEASE):
            rate = float(field.ravel()[0])
        if not 0 < rate < np.inf:
            raise InputError(self.path, f"EEG_SamplingRate is {rate}", RELEASE)
        return rate

    @cached_property
    def _picks(self) -> list[int]:
        """Columns of the 14 electrodes, found by name."""
        cells = self._field(self._content, "EEG_Electrodes").ravel()
        with readable(self.path, RELEASE):
            names = [str(np.asarray(cell).ravel()[0]) for cell in cells]
        missing = [name for name in EPOC if name not in names]
        if missing:
            raise InputError(self.path, f"electrodes {missing} are missing from {names}", RELEASE)
        return [names.index(name) for name in EPOC]

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
        return tuple(f"S{number:02d}" for number in range(1, len(self._people) + 1))

    def trials(self, subject: str) -> Iterator[Trial]:
        """The clips of one person in the order of the file.

        Raises:
            InputError: for an unknown person, fields that do not agree, or unusable samples.
        """
        if subject not in self.subjects():
            raise InputError(self.path, f"subject {subject!r} is not in it", "see subjects()")
        person = self._people[self.subjects().index(subject)]
        eeg = self._field(person, "EEG")
        clips = self._field(eeg, "stimuli").ravel()
        rests = self._field(eeg, "baseline").ravel()
        ratings = self._ratings(person, subject)
        if not len(clips) == len(rests) == len(ratings):
            found = f"{subject} has {len(clips)} clips, {len(rests)} rests, {len(ratings)} ratings"
            raise InputError(self.path, found, RELEASE)
        for number, (clip, rest) in enumerate(zip(clips, rests, strict=True), start=1):
            yield self._trial(subject, f"clip{number:02d}", clip, rest, ratings[number - 1])

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

    def _volts(self, item: Any, where: str) -> NDArray[np.float32]:
        """Time x channel in microvolts to channel x time in volts, electrodes picked by name."""
        samples = np.asarray(item)
        if samples.ndim != 2 or samples.shape[1] <= max(self._picks) or not samples.size:
            found = f"{where} has shape {samples.shape}, not [samples, {len(EPOC)}]"
            raise InputError(self.path, found, RELEASE)
        with readable(self.path, RELEASE):
            volts = samples[:, self._picks].astype(np.float64) * VOLTS_PER_UNIT
        picked = rearrange(volts, "time channel -> channel time")
        return np.ascontiguousarray(picked, dtype=np.float32)

    def _trial(
        self, subject: str, clip: str, samples: Any, rest: Any, rating: NDArray[np.float64]
    ) -> Trial:
        unit = f"{subject}/{clip}"
        va = (rating - MIDDLE_RATING) / (HIGHEST_RATING - MIDDLE_RATING)
        return Trial(
            eeg=self._volts(samples, unit),
            sfreq=self.sfreq,
            channels=EPOC,
            corpus=self.name,
            subject=subject,
            clip=clip,
            event=unit,
            trial=unit,
            source=self.path,
            baseline=self._volts(rest, f"baseline of {unit}"),
            valence=float(va[0]),
            arousal=float(va[1]),
            dominance=float(va[2]),
            raw_rating=tuple(rating.tolist()),
        )

    def identity(self, subject: str) -> Identity:
        """Name, size and hash of the file; it is one file, so the same for everybody."""
        return self._fingerprints.of(self.path)
