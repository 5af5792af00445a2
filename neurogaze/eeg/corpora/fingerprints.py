"""Recordings that tell who was recorded, and when, and nothing of what was felt.

Every person, and every recording of a person, has a pattern of band power over the electrodes, as
real ones have from anatomy, impedance and drowsiness. No pattern depends on a rating. What a model
scores here above chance it therefore owes to the split: it recognised a person, a recording or, on
request, a clip whose rating it had seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
from einops import einsum, rearrange
from numpy.typing import NDArray

from neurogaze.eeg.corpora.rhythms import coloured
from neurogaze.eeg.corpora.synthetic import refuse_length
from neurogaze.eeg.recordings import EPOC, Corpus, Trial
from neurogaze.errors import InputError

RECIPE = 3  # raise it whenever the samples change, so that no stale features are used
SFREQ = 128.0
RHYTHMS = ((4.0, 8.0), (8.0, 14.0), (14.0, 31.0), (31.0, 49.0))
"""Bands whose power makes up a fingerprint, Hz."""
RHYTHM_MICROVOLTS = (6.0, 6.0, 5.0, 3.0)
BACKGROUND_MICROVOLTS, BACKGROUND_FROM_HZ, BACKGROUND_EXPONENT = 3.0, 0.5, 1.0

SUBJECT_SPREAD = 0.5
"""Log amplitude of a rhythm at an electrode, between people."""
RECORDING_SPREAD = 0.8
"""Likewise between the recordings of one person, where they differ by recording."""
CLIP_SPREAD = 1.0
"""Likewise between clips, where everybody who watches one has its mark."""
SHARED_REST = 0.1
"""Likewise between the recordings of one person, beside what the clip gives them."""

LEVELS = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])
"""Ratings 1 to 5 on [-1, 1]."""
LOW, HIGH = LEVELS[:2], LEVELS[2:]
"""Both sides of the rule "high is at least the middle of the scale"."""

PERSON, RECORDING, CLIP, RATING, CLIP_RATING, SAMPLES = range(1, 7)
"""Last number of the seed of each draw."""


class Fingerprints(Corpus):
    """Generated recordings with fingerprints and without affect.

    Of each person's ratings, on each axis, half are high: at least the middle of the scale.

    Args:
        n_subjects: number of people.
        n_clips: clips that each of them watches, an even number.
        seconds: length of a clip.
        baseline_seconds: rest before it, with the fingerprint of the person alone; 0 leaves it out.
        fingerprint: "trial" draws the fingerprint of a recording anew each time; "clip" draws it
            once a clip, so that everybody who watches it has it.
        ratings: "independent" draws each person's ratings by lot; "clip" lets them depend on the
            clip, which is high or low for everybody but for the share that disagrees.
        agreement: share of a person's ratings that go with the clip, where they depend on it.
        seed: of everything.

    Raises:
        InputError: for a number out of range.
    """

    name = "fingerprints"

    def __init__(
        self,
        n_subjects: int = 6,
        n_clips: int = 12,
        seconds: float = 20.0,
        baseline_seconds: float = 3.0,
        fingerprint: Literal["trial", "clip"] = "trial",
        ratings: Literal["independent", "clip"] = "independent",
        agreement: float = 0.875,
        seed: int = 0,
    ) -> None:
        if n_subjects < 1 or n_clips < 2 or n_clips % 2:
            found = f"n_subjects={n_subjects}, n_clips={n_clips}"
            raise InputError("Fingerprints", found, "use people, and an even number of clips")
        refuse_length("Fingerprints", "seconds", seconds)
        if baseline_seconds != 0:
            refuse_length("Fingerprints", "baseline_seconds", baseline_seconds)
        if seed < 0 or not 0.5 <= agreement <= 1:
            found = f"agreement={agreement}, seed={seed}"
            raise InputError("Fingerprints", found, "use an agreement of 0.5 to 1, a seed from 0")
        if fingerprint not in ("trial", "clip") or ratings not in ("independent", "clip"):
            found = f"fingerprint={fingerprint!r}, ratings={ratings!r}"
            raise InputError("Fingerprints", found, "see the documentation of the class")
        self.n_subjects, self.n_clips = n_subjects, n_clips
        self.seconds, self.baseline_seconds = seconds, baseline_seconds
        self.fingerprint, self.ratings, self.agreement = fingerprint, ratings, agreement
        self.seed = seed
        self.people = f"{self.name}, seed {seed}"

    def subjects(self) -> tuple[str, ...]:
        """People by a name that holds the seed: "F0-01", ..."""
        return tuple(f"F{self.seed}-{number:02d}" for number in range(1, self.n_subjects + 1))

    def trials(self, subject: str) -> Iterator[Trial]:
        """The clips one person watches.

        Raises:
            InputError: for an unknown person.
        """
        number = self.number(subject)
        ratings = self._ratings(number)
        for clip in range(self.n_clips):
            yield self._trial(subject, number, clip, ratings[clip])

    def _draw(self, stream: int, number: int = 0, clip: int = 0) -> np.random.Generator:
        return np.random.default_rng([self.seed, number, clip, stream])

    def _ratings(self, number: int) -> NDArray[np.float64]:
        """(Valence, arousal) that one person gives to each clip, `[n_clips, 2]`."""
        draw, of_clip, half = self._draw(RATING, number), self._draw(CLIP_RATING), self.n_clips // 2
        n_other = round((1 - self.agreement) * half)
        axes = []
        for _ in range(2):
            high = of_clip.permutation(np.arange(self.n_clips) < half)
            if self.ratings == "independent":
                high = draw.permutation(high)
            else:
                sides = np.flatnonzero(high), np.flatnonzero(~high)
                high[np.concatenate([draw.permutation(s)[:n_other] for s in sides])] ^= True
            up, down = draw.choice(HIGH, self.n_clips), draw.choice(LOW, self.n_clips)
            axes.append(np.where(high, up, down))
        return np.stack(axes, axis=1)

    def _log_amplitudes(self, number: int, clip: int) -> tuple[NDArray, NDArray]:
        """Log amplitude of each rhythm at each electrode at rest and during a clip, `[C, R]`."""
        shape = (len(EPOC), len(RHYTHMS))
        person = SUBJECT_SPREAD * self._draw(PERSON, number).standard_normal(shape)
        own = self._draw(RECORDING, number, clip).standard_normal(shape)
        if self.fingerprint == "trial":
            return person, person + RECORDING_SPREAD * own
        shared = CLIP_SPREAD * self._draw(CLIP, clip=clip).standard_normal(shape)
        return person, person + shared + SHARED_REST * own

    def _trial(self, subject: str, number: int, clip: int, rating: NDArray[np.float64]) -> Trial:
        rest, active = round(self.baseline_seconds * SFREQ), round(self.seconds * SFREQ)
        draw = self._draw(SAMPLES, number, clip)
        before, during = self._log_amplitudes(number, clip)
        baseline = _recording(draw, before, rest) if rest else None
        unit = f"{subject}/clip{clip + 1:02d}"
        return Trial(
            eeg=_recording(draw, during, active),
            sfreq=SFREQ,
            channels=EPOC,
            corpus=self.name,
            subject=subject,
            clip=f"clip{clip + 1:02d}",
            event=unit,
            trial=unit,
            source=Path(self.name),
            baseline=baseline,
            valence=float(rating[0]),
            arousal=float(rating[1]),
            raw_rating=tuple((2.0 * rating + 3.0).tolist()),
        )

    def identity(self, subject: str) -> dict[str, str | int | float | bool]:
        """The recipe of one person."""
        return {
            "recipe": RECIPE,
            "seed": self.seed,
            "number": self.number(subject),
            "n_clips": self.n_clips,
            "seconds": self.seconds,
            "baseline_seconds": self.baseline_seconds,
            "fingerprint": self.fingerprint,
            "ratings": self.ratings,
            "agreement": self.agreement,
        }


def _recording(
    draw: np.random.Generator, log_amplitude: NDArray[np.float64], size: int
) -> NDArray[np.float32]:
    """Rhythms of given log amplitude over a 1/f background, `[C, size]`, volts."""
    amplitude = np.asarray(RHYTHM_MICROVOLTS) * np.exp(log_amplitude)
    bands = [(low, high, 0.0) for low, high in RHYTHMS]
    waves = coloured(draw, bands * len(log_amplitude), size, SFREQ)
    waves = rearrange(waves, "(c r) t -> c r t", c=len(log_amplitude))
    background = [(BACKGROUND_FROM_HZ, SFREQ / 2, BACKGROUND_EXPONENT)] * len(log_amplitude)
    microvolts = einsum(amplitude, waves, "c r, c r t -> c t")
    microvolts += BACKGROUND_MICROVOLTS * coloured(draw, background, size, SFREQ)
    return np.asarray(microvolts * 1e-6, dtype=np.float32)
