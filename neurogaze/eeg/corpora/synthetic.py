"""People who do not exist: recordings whose affect is known because it was put in.

Dipoles in a spherical head produce band-limited rhythms. The power of some follows what the person
felt: left frontal alpha falls and right frontal alpha rises with valence (Davidson 1992, Brain
Cogn. 20), beta and gamma lean a little the other way; frontal theta and beta and temporal gamma
rise with arousal, and alpha falls, most of all at the back. Around them lie what makes real
recordings hard: rhythms that wander for other reasons, spatially correlated 1/f background, blinks,
mains hum, drifts, the offset and the steps of an Emotiv EPOC, and people who differ.

Nothing measured on this corpus says anything about people.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from einops import einsum
from numpy.typing import NDArray

from neurogaze.eeg.corpora.people import RHYTHMS, Person, modulation, person
from neurogaze.eeg.corpora.rhythms import blink_train, coloured, slow
from neurogaze.eeg.recordings import EPOC, Corpus, Trial
from neurogaze.errors import InputError

RECIPE = 1  # raise it whenever the samples change, so that no stale features are used
SFREQ = 128.0
CALIBRATED_SNR = 1.0
"""Ridge on the default features, six folds of two people it never saw, over trial means, reaches a
concordance of (valence, arousal), mean of seeds 0 to 2: (.01, .06) at 0, (.07, .13) at 0.25,
(.22, .24) at 0.5, (.51, .49) at 1, (.78, .76) at 2. Single seeds scatter by .05 to .1.
"""

LEAST_SECONDS = 1 / min(rhythm.high - rhythm.low for rhythm in RHYTHMS)
"""A shorter recording may have no frequency inside the narrowest rhythm, s."""

BLINKS_PER_SECOND = 0.2
MAINS_HZ = 50.0
DRIFT_MICROVOLTS, DRIFT_HZ = 15.0, 0.05
OFFSET_MICROVOLTS, OFFSET_SPREAD, STEP_MICROVOLTS = 4200.0, 10.0, 0.51
STATE_SPREAD = 0.5  # log power of a rhythm, across trials, for reasons other than affect
WANDER_SPREAD, WANDER_HZ = 0.3, 0.1  # log power within a trial
BACKGROUND_FROM_HZ = 0.3
RATING_SPREAD = 0.22
RATING_STEPS = 4.0  # a rating is 5 + 4 * affect, on 1..9
CLIP_REACH = 0.85
GOLDEN_RATIO = 1.618033988749895
RATING_STREAM, SIGNAL_STREAM = 1, 2


def clip_affect(n_clips: int) -> NDArray[np.float64]:
    """(Valence, arousal) that each clip aims at, `[n_clips, 2]`: a Fibonacci lattice on the plane.

    >>> clip_affect(1).tolist()
    [[0.0, 0.0]]
    """
    number = np.arange(n_clips)
    valence = (number + 0.5) / n_clips
    arousal = np.mod(0.5 + number / GOLDEN_RATIO, 1.0)
    return np.asarray((2 * np.stack([valence, arousal], axis=1) - 1) * CLIP_REACH)


class SyntheticEeg(Corpus):
    """Generated recordings of people who watch clips, laid out like DREAMER.

    Two corpora of different `seed` are different people who watch the same clips. The samples of a
    person depend on neither `n_subjects` nor `rated`; with `snr` 0 they are the same whatever was
    felt, all else being equal.

    Args:
        n_subjects: number of people.
        n_clips: clips that each of them watches.
        seconds: length of a clip, at least `LEAST_SECONDS`.
        baseline_seconds: rest before it, as long at least; 0 leaves it out.
        snr: factor on the affect modulation of log power; 0 leaves no affect in the samples.
        rated: whether people say what they felt.
        seed: of everything.

    Raises:
        InputError: for a number out of range.
    """

    name = "synthetic_eeg"

    def __init__(
        self,
        n_subjects: int = 12,
        n_clips: int = 18,
        seconds: float = 30.0,
        baseline_seconds: float = 20.0,
        snr: float = CALIBRATED_SNR,
        rated: bool = True,
        seed: int = 0,
    ) -> None:
        _check({"n_subjects": n_subjects, "n_clips": n_clips})
        refuse_length("SyntheticEeg", "seconds", seconds)
        if baseline_seconds < 0 or snr < 0 or seed < 0:
            found = f"baseline_seconds={baseline_seconds}, snr={snr}, seed={seed}"
            raise InputError("SyntheticEeg", found, "none of them may be negative")
        if baseline_seconds:
            refuse_length("SyntheticEeg", "baseline_seconds", baseline_seconds)
        self.n_subjects, self.n_clips, self.snr = n_subjects, n_clips, snr
        self.seconds, self.baseline_seconds = seconds, baseline_seconds
        self.rated, self.seed = rated, seed
        self.people = f"{self.name}, seed {seed}"

    def subjects(self) -> tuple[str, ...]:
        """People by a name that holds the seed, so that no two corpora share one: "P0-01", ..."""
        return tuple(f"P{self.seed}-{number:02d}" for number in range(1, self.n_subjects + 1))

    def trials(self, subject: str) -> Iterator[Trial]:
        """The clips one person watches.

        Raises:
            InputError: for an unknown person.
        """
        number = self.number(subject)
        for clip in range(self.n_clips):
            yield self._trial(subject, number, clip)

    def affect(self, number: int, clip: int) -> NDArray[np.float64]:
        """What a person feels at a clip and would say: (valence, arousal) before rounding."""
        rng = np.random.default_rng([self.seed, number, clip, RATING_STREAM])
        felt = clip_affect(self.n_clips)[clip] + RATING_SPREAD * rng.standard_normal(2)
        return np.clip(felt + person(self.seed, number).rating_bias, -1.0, 1.0)

    def _trial(self, subject: str, number: int, clip: int) -> Trial:
        felt = self.affect(number, clip)
        rest = round(self.baseline_seconds * SFREQ)
        rng = np.random.default_rng([self.seed, number, clip, SIGNAL_STREAM])
        shift = self.snr * person(self.seed, number).sensitivity * modulation(felt)
        volts = record(person(self.seed, number), shift, rest, round(self.seconds * SFREQ), rng)
        steps = np.round(RATING_STEPS * felt)
        valence, arousal = (steps / RATING_STEPS).tolist()
        unit = f"{subject}/clip{clip + 1:02d}"
        return Trial(
            eeg=np.ascontiguousarray(volts[:, rest:]),
            sfreq=SFREQ,
            channels=EPOC,
            corpus=self.name,
            subject=subject,
            clip=f"clip{clip + 1:02d}",
            event=unit,
            trial=unit,
            source=Path(self.name),
            baseline=np.ascontiguousarray(volts[:, :rest]) if rest else None,
            valence=valence if self.rated else None,
            arousal=arousal if self.rated else None,
            raw_rating=tuple((5.0 + steps).tolist()) if self.rated else None,
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
            "snr": self.snr,
            "rated": self.rated,
        }


def _check(sizes: dict[str, float]) -> None:
    """Refuse a size that is not positive."""
    for name, value in sizes.items():
        if not value > 0:
            raise InputError("SyntheticEeg", f"{name}={value}", "give a positive number")


def refuse_length(corpus: str, name: str, seconds: float) -> None:
    """Refuse a recording that has no end, or is too short for its rhythms.

    Args:
        corpus: name of the class.
        name: of its argument.
        seconds: length.

    Raises:
        InputError: for a length below `LEAST_SECONDS`, or one that is not finite.
    """
    if not LEAST_SECONDS <= seconds < math.inf:
        raise InputError(corpus, f"{name}={seconds}", f"give {LEAST_SECONDS} s or more")


def record(
    who: Person,
    shift: NDArray[np.float64],
    rest: int,
    active: int,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Rest followed by a clip, `[C, rest + active]`, volts.

    Args:
        who: the person.
        shift: affect modulation of the log power of each rhythm while the clip runs, `[R]`, nats.
        rest: samples before the clip.
        active: samples of the clip.
        rng: the same draws are made whatever `shift` is.
    """
    size = rest + active
    n_rhythms = len(RHYTHMS)
    state = STATE_SPREAD * rng.standard_normal(n_rhythms) + shift
    power = WANDER_SPREAD * slow(rng, n_rhythms, size, WANDER_HZ, SFREQ)
    power[:, rest:] += state[:, None]
    bands = [(rhythm.low, rhythm.high, 0.0) for rhythm in RHYTHMS]
    waves = coloured(rng, bands, size, SFREQ) * np.exp(power / 2)
    noise = coloured(rng, [(BACKGROUND_FROM_HZ, SFREQ / 2, who.exponent)] * len(EPOC), size, SFREQ)
    signal = einsum(who.rhythm_gain, waves, "channel rhythm, rhythm time -> channel time")
    signal += who.background_gain @ noise + _artefacts(who, size, rng)
    steps = np.round((signal + OFFSET_MICROVOLTS) / STEP_MICROVOLTS)
    return np.asarray(steps * STEP_MICROVOLTS * 1e-6, dtype=np.float32)


def _artefacts(who: Person, size: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Blinks, hum, drift and electrode offsets, `[C, size]`, microvolts."""
    seconds = np.arange(size) / SFREQ
    blinks = blink_train(rng, size, BLINKS_PER_SECOND, SFREQ)
    hum = np.sin(2 * np.pi * (MAINS_HZ * seconds + rng.uniform()))
    drift = DRIFT_MICROVOLTS * slow(rng, len(EPOC), size, DRIFT_HZ, SFREQ)
    offset = OFFSET_SPREAD * rng.standard_normal((len(EPOC), 1))
    return np.outer(who.eye_gain, blinks) + np.outer(who.mains_gain, hum) + drift + offset
