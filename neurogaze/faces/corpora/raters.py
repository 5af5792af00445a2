"""What a drawn face means to show, and what simulated raters see in it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neurogaze.affect import EMOTIONS
from neurogaze.faces.corpora.drawing import ACTIONS
from neurogaze.faces.labels import VOTE_COLUMNS

PROTOTYPES: dict[str, dict[str, float]] = {
    "neutral": {},
    "happiness": {"cheek": 0.8, "lip_corner": 1.0, "mouth_open": 0.25, "lid": -0.1},
    "surprise": {"inner_brow": 1.0, "outer_brow": 1.0, "lid": 0.9, "mouth_open": 0.9},
    "sadness": {"inner_brow": 0.9, "brow_lower": 0.2, "lip_corner": -0.9, "lid": -0.5},
    "anger": {"brow_lower": 1.0, "lid": 0.35, "lip_press": 0.9, "lip_corner": -0.3},
    "disgust": {
        "brow_lower": 0.7,
        "nose_wrinkle": 1.0,
        "lip_corner": -0.4,
        "cheek": 0.4,
        "lid": -0.35,
    },
    "fear": {
        "inner_brow": 1.0,
        "outer_brow": 0.5,
        "brow_lower": 0.5,
        "lid": 1.0,
        "mouth_open": 0.45,
        "lip_corner": -0.4,
    },
    "contempt": {"smirk": 1.0, "lid": -0.2, "lip_press": 0.3, "brow_lower": 0.15},
}
"""Full-strength actions of each emotion, after the combinations that FACS manuals list."""

ACTION_NOISE = 0.20
STRENGTH = (0.55, 1.10)
RATERS = 10
RATER_NOISE = 0.2
RATER_TEMPERATURE = 0.25
TYPICAL_STRENGTH = 0.8
UNKNOWN_SHARE = 0.02
NO_FACE_SHARE = 0.002


def prototypes() -> NDArray[np.float32]:
    """`PROTOTYPES` as a table, `float32 [8, 10]`, rows as `EMOTIONS`, columns as `ACTIONS`."""
    rows = [[PROTOTYPES[emotion].get(action, 0.0) for action in ACTIONS] for emotion in EMOTIONS]
    return np.array(rows, dtype=np.float32)


def sample_actions(emotions: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float32]:
    """Actions of faces meant to show `emotions`: a prototype at some strength, and noise.

    Args:
        emotions: `int64 [N]`, index into `EMOTIONS`.
        rng: source of chance.

    Returns:
        `float32 [N, 10]`.
    """
    strength = rng.uniform(*STRENGTH, size=(len(emotions), 1))
    noise = rng.normal(0.0, ACTION_NOISE, size=(len(emotions), len(ACTIONS)))
    actions = prototypes()[emotions] * strength + noise
    lowest = np.array([-1.0 if name in {"lid", "lip_corner"} else 0.0 for name in ACTIONS])
    return np.clip(actions, lowest, 1.3).astype(np.float32)


def simulate_votes(actions: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.int64]:
    """Ten raters see each face with their own error and name the emotion that is near.

    Args:
        actions: `float32 [N, 10]`.
        rng: source of chance.

    Returns:
        Counts, `int64 [N, 10]`, columns as in `VOTE_COLUMNS`; rows sum to 10.
    """
    typical = prototypes() * TYPICAL_STRENGTH
    error = rng.normal(0.0, RATER_NOISE, size=(len(actions), RATERS, len(ACTIONS)))
    seen = (actions[:, None, :] + error).astype(np.float32)
    cross = seen @ typical.T
    distance = np.square(typical).sum(axis=1) - 2.0 * cross
    chance = rng.gumbel(size=distance.shape)
    votes = np.argmax(chance - distance / RATER_TEMPERATURE, axis=2)
    lapse = rng.uniform(size=votes.shape)
    votes = np.where(lapse < UNKNOWN_SHARE, len(EMOTIONS), votes)
    votes = np.where(lapse < NO_FACE_SHARE, len(EMOTIONS) + 1, votes)
    return (votes[:, :, None] == np.arange(len(VOTE_COLUMNS))).sum(axis=1).astype(np.int64)
