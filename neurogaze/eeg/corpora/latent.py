"""People of a made-up world: recordings that carry valence, arousal and a latent structure.

The rhythms, heads, artefacts and habits of rating are those of `neurogaze.eeg.corpora.synthetic`.
The power of the rhythms also follows where the rated cell of the plane lies in the latent space of
a `LatentWorld`. Nothing measured on this corpus says anything about people.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurogaze.affect import cell_index
from neurogaze.eeg.corpora import synthetic
from neurogaze.eeg.corpora.people import RHYTHMS, modulation, person
from neurogaze.eeg.corpora.synthetic import (
    RATING_SPREAD,
    RATING_STEPS,
    RATING_STREAM,
    SFREQ,
    SIGNAL_STREAM,
    clip_affect,
)
from neurogaze.eeg.recordings import EPOC, Corpus, Trial
from neurogaze.errors import InputError
from neurogaze.latent_world import RECIPE, SIZE, WIDTH, LatentWorld

LATENT_GAIN, PLANE_GAIN = 2.5, 0.5
"""How strongly log power follows the latent structure (nats for a latent value of 1, the root of
the squares summed over rhythms), and a factor on what it does with valence and arousal, at `snr` 1.

A teacher of valence and arousal keeps little of what does not help it: with both as strong as in
`neurogaze.eeg.corpora.synthetic`, grids follow the plane and not the structure.
"""

MIXING_STREAM = 6


class LatentEeg(Corpus):
    """Generated recordings of people who watch clips in a `LatentWorld`, and rate them.

    Args:
        n_subjects: number of people.
        n_clips: clips that each of them watches; they cover the plane.
        seconds: length of a clip, at least `synthetic.LEAST_SECONDS`.
        snr: factor on what valence, arousal and the latent structure do to log power; 0 leaves
            neither in the samples.
        seed: of the world, the people and everything they do.

    Raises:
        InputError: for a number out of range.
    """

    name = "synthetic_latent_eeg"

    def __init__(
        self,
        n_subjects: int = 9,
        n_clips: int = 32,
        seconds: float = 8.0,
        snr: float = 1.0,
        seed: int = 0,
    ) -> None:
        synthetic.refuse_length("LatentEeg", "seconds", seconds)
        if min(n_subjects, n_clips) < 1 or snr < 0:
            found = f"n_subjects={n_subjects}, n_clips={n_clips}, snr={snr}"
            raise InputError("LatentEeg", found, "give positive numbers, and snr 0 or more")
        self.n_subjects, self.n_clips, self.seconds, self.snr = n_subjects, n_clips, seconds, snr
        self.world = LatentWorld(seed=seed)
        self.people = f"{self.name}, seed {seed}"

    @property
    def seed(self) -> int:
        """Of the world and its people."""
        return self.world.seed

    def subjects(self) -> tuple[str, ...]:
        """People by a name that holds the seed, so that no two worlds share one: "L0-01", ..."""
        return tuple(f"L{self.seed}-{number:02d}" for number in range(1, self.n_subjects + 1))

    def trials(self, subject: str) -> Iterator[Trial]:
        """The clips one person watches.

        Raises:
            InputError: for an unknown person.
        """
        number = self.number(subject)
        for clip in range(self.n_clips):
            yield self._trial(subject, number, clip)

    def rating(self, number: int, clip: int) -> NDArray[np.float64]:
        """What a person says of a clip: (valence, arousal) on the steps of the scale."""
        rng = np.random.default_rng([self.seed, number, clip, RATING_STREAM])
        felt = clip_affect(self.n_clips)[clip] + RATING_SPREAD * rng.standard_normal(2)
        felt = np.clip(felt + person(self.seed, number).rating_bias, -1.0, 1.0)
        return np.asarray(np.round(RATING_STEPS * felt) / RATING_STEPS)

    def power(self, rating: NDArray[np.float64]) -> NDArray[np.float64]:
        """Change of log power of each rhythm at a rating, `[R]`, nats, at `snr` 1."""
        place = self.world.shared()[cell_index(rating[None], SIZE)[0]]
        return np.asarray(PLANE_GAIN * modulation(rating) + self._mixing() @ place)

    def _mixing(self) -> NDArray[np.float64]:
        """Which rhythms a latent value moves, `[R, WIDTH]`, orthogonal columns."""
        rng = np.random.default_rng([self.seed, MIXING_STREAM])
        columns, _ = np.linalg.qr(rng.standard_normal((len(RHYTHMS), WIDTH)))
        return np.asarray(LATENT_GAIN * columns)

    def _trial(self, subject: str, number: int, clip: int) -> Trial:
        rating, who = self.rating(number, clip), person(self.seed, number)
        rng = np.random.default_rng([self.seed, number, clip, SIGNAL_STREAM])
        shift = self.snr * who.sensitivity * self.power(rating)
        volts = synthetic.record(who, shift, 0, round(self.seconds * SFREQ), rng)
        valence, arousal = rating.tolist()
        unit = f"{subject}/clip{clip + 1:02d}"
        return Trial(
            eeg=np.ascontiguousarray(volts),
            sfreq=SFREQ,
            channels=EPOC,
            corpus=self.name,
            subject=subject,
            clip=f"clip{clip + 1:02d}",
            event=unit,
            trial=unit,
            source=Path(self.name),
            valence=valence,
            arousal=arousal,
            raw_rating=tuple((5.0 + RATING_STEPS * rating).tolist()),
        )

    def identity(self, subject: str) -> dict[str, str | int | float | bool]:
        """The recipe of one person."""
        return {
            "recipe": synthetic.RECIPE,
            "world": RECIPE,
            "seed": self.seed,
            "number": self.number(subject),
            "n_clips": self.n_clips,
            "seconds": self.seconds,
            "snr": self.snr,
        }
