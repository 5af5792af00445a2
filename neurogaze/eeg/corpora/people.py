"""People of the synthetic corpus: where their rhythms sit, how loud they are, what moves them.

All places are dipoles below electrodes, pointing outwards, in the head of `corpora.forward`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from neurogaze.eeg.corpora.forward import HEAD_RADIUS, directions, lead_field
from neurogaze.eeg.recordings import EPOC


@dataclass(frozen=True)
class Rhythm:
    """A dipole below an electrode whose band power may follow affect.

    Args:
        below: electrode that names the place.
        low: lower edge of the band, Hz.
        high: upper edge, Hz.
        microvolts: root mean square at the electrode that sees it best, in the mean person.
        valence: change of log power per unit of valence, nats, at `snr` 1.
        arousal: likewise per unit of arousal.
        product: likewise per unit of valence times arousal.
    """

    below: str
    low: float
    high: float
    microvolts: float
    valence: float = 0.0
    arousal: float = 0.0
    product: float = 0.0


RHYTHMS = (
    Rhythm("F3", 8, 13, 6.0, valence=-0.62, arousal=-0.11),
    Rhythm("F4", 8, 13, 6.0, valence=0.62, arousal=-0.11),
    Rhythm("F5", 13, 30, 4.0, valence=0.34, arousal=0.22),
    Rhythm("F6", 13, 30, 4.0, valence=-0.34, arousal=0.22),
    Rhythm("FT7", 30, 45, 2.5, valence=0.22, arousal=0.4, product=0.45),
    Rhythm("FT8", 30, 45, 2.5, valence=-0.22, arousal=0.4, product=-0.45),
    Rhythm("FCz", 4, 8, 6.0, arousal=0.22, product=0.45),
    Rhythm("POz", 8, 13, 12.0, arousal=-0.28),
    Rhythm("P5", 13, 30, 3.0),
    Rhythm("P6", 13, 30, 3.0),
    Rhythm("Oz", 30, 45, 2.0),
    Rhythm("Cz", 8, 13, 6.0),
)
BLINK_MICROVOLTS, MAINS_MICROVOLTS = 90.0, 3.0
DEPTH = 0.78  # of a rhythm, as a share of the head radius
EYES = np.array([[-0.03, 0.06, -0.035], [0.03, 0.06, -0.035]])  # from the head's centre, m
EYE_MOMENT = (0.0, 0.8, 0.6)
N_BACKGROUND = 60
BACKGROUND_DEPTHS = (0.45, 0.82)
BACKGROUND_MICROVOLTS = 9.0
BACKGROUND_EXPONENT = 1.0  # power falls as 1/f
HEAD_SPREAD = 0.04  # between people, as a share of the head radius
PLACE_SPREAD = 0.004  # of a rhythm, m
GAIN_SPREAD = 0.35  # log amplitude of a rhythm
LOUDNESS_SPREAD = 0.2  # log amplitude of background, blinks and hum
EXPONENT_SPREAD = 0.1
SENSITIVITY_SPREAD = 0.3  # log of how strongly power follows affect
RATING_BIAS = 0.12
PERSON_STREAM = 0


@dataclass(frozen=True, eq=False)
class Person:
    """What stays the same in one person.

    Args:
        rhythm_gain: microvolts at each electrode for a rhythm of unit variance, `[C, R]`.
        background_gain: likewise for independent 1/f noises, `[C, C]`.
        eye_gain: microvolts at each electrode at the top of a blink, `[C]`.
        mains_gain: microvolts of hum, `[C]`.
        exponent: slope of the background.
        sensitivity: factor on the affect modulation of each rhythm, `[R]`.
        rating_bias: (valence, arousal) of a habit of rating, `[2]`.
    """

    rhythm_gain: NDArray[np.float64]
    background_gain: NDArray[np.float64]
    eye_gain: NDArray[np.float64]
    mains_gain: NDArray[np.float64]
    exponent: float
    sensitivity: NDArray[np.float64]
    rating_bias: NDArray[np.float64]


def modulation(affect: NDArray[np.float64]) -> NDArray[np.float64]:
    """Change of log power of each rhythm with (valence, arousal), `[R]`, nats, at `snr` 1."""
    valence, arousal = affect
    weights = np.array([[r.valence, r.arousal, r.product] for r in RHYTHMS])
    return weights @ np.array([valence, arousal, valence * arousal])


@lru_cache(maxsize=64)
def person(seed: int, number: int) -> Person:
    """Draw one person.

    Args:
        seed: of the corpus.
        number: of the person in it, from 0.
    """
    rng = np.random.default_rng([seed, number, 0, PERSON_STREAM])
    scale = float(np.exp(HEAD_SPREAD * rng.standard_normal()))
    rhythms, background = _rhythm_gain(rng, scale), _background_gain(rng, scale)
    eyes = lead_field(EPOC, EYES, np.tile(EYE_MOMENT, (2, 1)), scale).sum(axis=1)
    loudness = np.exp(LOUDNESS_SPREAD * rng.standard_normal(3))
    return Person(
        rhythm_gain=rhythms,
        background_gain=background * loudness[0],
        eye_gain=BLINK_MICROVOLTS * loudness[1] * eyes / np.abs(eyes).max(),
        mains_gain=MAINS_MICROVOLTS * loudness[2] * rng.uniform(0.3, 1.7, len(EPOC)),
        exponent=BACKGROUND_EXPONENT + EXPONENT_SPREAD * float(rng.standard_normal()),
        sensitivity=np.exp(SENSITIVITY_SPREAD * rng.standard_normal(len(RHYTHMS))),
        rating_bias=RATING_BIAS * rng.standard_normal(2),
    )


def _rhythm_gain(rng: np.random.Generator, scale: float) -> NDArray[np.float64]:
    """Microvolts at each electrode for each rhythm of one person, `[C, R]`."""
    outward = directions([rhythm.below for rhythm in RHYTHMS])
    places = DEPTH * HEAD_RADIUS * outward
    mean = np.abs(lead_field(EPOC, places, outward)).max(axis=0)
    moved = places + PLACE_SPREAD * rng.uniform(-1, 1, places.shape)
    loudness = np.array([rhythm.microvolts for rhythm in RHYTHMS])
    loudness *= np.exp(GAIN_SPREAD * rng.standard_normal(len(RHYTHMS)))
    return np.asarray(lead_field(EPOC, moved, outward, scale) / mean * loudness, dtype=np.float64)


def _background_gain(rng: np.random.Generator, scale: float) -> NDArray[np.float64]:
    """A root of the covariance that many independent dipoles give the electrodes, `[C, C]`."""
    rays = rng.standard_normal((2, N_BACKGROUND, 3))
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    depths = HEAD_RADIUS * rng.uniform(*BACKGROUND_DEPTHS, (N_BACKGROUND, 1))
    field = lead_field(EPOC, depths * rays[0], rays[1], scale)
    covariance = field @ field.T
    covariance *= BACKGROUND_MICROVOLTS**2 / np.trace(covariance) * len(EPOC)
    return np.asarray(np.linalg.cholesky(covariance), dtype=np.float64)
