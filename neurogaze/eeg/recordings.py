"""What a recording is: the trial every corpus yields, and the corpus that yields it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurogaze.errors import InputError

EPOC = (
    "AF3", "F7", "F3", "FC5", "T7", "P7", "O1", "O2", "P8", "T8", "FC6", "F4", "F8", "AF4",
)  # fmt: skip
"""The 14 electrodes of the Emotiv EPOC in the order of DREAMER and DASPS."""


@dataclass(frozen=True, eq=False)
class Trial:
    """One continuous recording of one person, with what that person said of it.

    Args:
        eeg: `float32 [channels, samples]`, volts.
        sfreq: sampling rate, Hz.
        channels: electrode names in the 10-05 system, one a row of `eeg`.
        corpus: name of the corpus.
        subject: person, unique within the corpus.
        clip: stimulus, shared by the people who saw it.
        event: rating event; trials that share one rating share this and are never separated.
        trial: unique within the corpus.
        source: file the trial was read from.
        baseline: rest before the trial, laid out as `eeg`, or None.
        valence: in [-1, 1], or None where nobody rated.
        arousal: likewise.
        dominance: likewise.
        label: class label where a corpus has one.
        raw_rating: valence, arousal (and dominance) on the scale of the corpus.
    """

    eeg: NDArray[np.float32]
    sfreq: float
    channels: tuple[str, ...]
    corpus: str
    subject: str
    clip: str
    event: str
    trial: str
    source: Path
    baseline: NDArray[np.float32] | None = None
    valence: float | None = None
    arousal: float | None = None
    dominance: float | None = None
    label: int | None = None
    raw_rating: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        """Refuse a trial that no later step could use.

        Raises:
            InputError: for wrong shapes, no, NaN or infinite samples, or a channel that never
                changes.
        """
        for name, eeg in (("eeg", self.eeg), ("baseline", self.baseline)):
            if eeg is None:
                continue
            where = f"{self.source} ({self.trial}, {name})"
            if eeg.ndim != 2 or eeg.shape[0] != len(self.channels):
                raise InputError(
                    where,
                    f"shape {eeg.shape} does not fit {len(self.channels)} channels",
                    "check that the file holds the corpus it is named after",
                )
            if not eeg.shape[1]:
                raise InputError(where, "holds no sample", "repair or remove this recording")
            finite = [bool(np.isfinite(row).all()) for row in eeg]
            bad = [c for c, ok in zip(self.channels, finite, strict=True) if not ok]
            if bad:
                raise InputError(
                    where, f"NaN or infinite samples in {bad}", "repair or remove this recording"
                )
            flat = [
                c
                for c, x in zip(self.channels, np.ptp(eeg, axis=1).tolist(), strict=True)
                if x == 0
            ]
            if flat:
                raise InputError(
                    where, f"channel {flat} is flat", "repair or remove this recording"
                )


class Corpus(ABC):
    """A set of recordings on disk, or made by a recipe.

    A subclass has `name`, is built from its root folder or file, and reads each source file once,
    besides hashing it.
    """

    name: str
    people: str = ""
    """Whom it records, where another corpus records the same people; empty: nobody else's."""

    @abstractmethod
    def subjects(self) -> tuple[str, ...]:
        """People in the corpus, in a fixed order."""

    def number(self, subject: str) -> int:
        """Place of a person in `subjects`, from 0.

        Raises:
            InputError: for somebody who is not in it.
        """
        if subject not in self.subjects():
            found = f"there is no subject {subject!r}"
            raise InputError(type(self).__name__, found, "see subjects()")
        return self.subjects().index(subject)

    @abstractmethod
    def trials(self, subject: str) -> Iterator[Trial]:
        """Trials of one person, lazily, in a fixed order.

        Several people may be read at once, each by a thread of its own.
        """

    @abstractmethod
    def identity(self, subject: str) -> dict[str, str | int | float | bool]:
        """What must change when the data of this person change: source size and hash, or recipe.

        It is hashed with the settings to name the cached features of this person.
        """
