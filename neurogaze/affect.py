"""The language both wings share: eight emotions, the valence/arousal plane, and its grid.

Valence and arousal (V, A) are dimensionless and lie in [-1, 1]. Arrays that hold both have the
columns (valence, arousal). Grid cells are numbered row by row from low arousal to high, and within
a row from low valence to high: `cell = arousal_bin * size + valence_bin`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neurogaze.errors import InputError

EMOTIONS = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
)
"""FER+ column order. Every probability vector in the package has this order."""

SYNONYMS = {
    "neutrality": "neutral",
    "happy": "happiness",
    "joy": "happiness",
    "surprised": "surprise",
    "sad": "sadness",
    "angry": "anger",
    "disgusted": "disgust",
    "fearful": "fear",
    "contemptuous": "contempt",
}

CLASS_ANCHORS: dict[str, tuple[float, float]] = {
    "neutral": (0.0, 0.0),
    "happiness": (0.81, 0.51),
    "surprise": (0.40, 0.67),
    "sadness": (-0.63, -0.27),
    "anger": (-0.51, 0.59),
    "disgust": (-0.60, 0.35),
    "fear": (-0.64, 0.60),
    "contempt": (-0.40, 0.20),
}
"""(valence, arousal) of each emotion word, after Russell and Mehrabian (1977), J. Res. Pers. 11.

Contempt is not in that table; its place is our choice. Anger, disgust and contempt fall in one cell
of the 5x5 grid and fear in the next: no grid of this size can tell them apart.
"""


def canonical_emotion(name: str) -> str:
    """Map a class name or one of its synonyms to its name in `EMOTIONS`.

    Raises:
        InputError: for a name that is no emotion of ours, listing those that are.

    >>> canonical_emotion(" Happy")
    'happiness'
    """
    key = name.strip().lower()
    key = SYNONYMS.get(key, key)
    if key not in EMOTIONS:
        raise InputError(f"label {name!r}", "is not a known emotion", f"use one of {EMOTIONS}")
    return key


def anchors() -> NDArray[np.float64]:
    """The anchors as an array, `[8, 2]`, rows in the order of `EMOTIONS`."""
    return np.array([CLASS_ANCHORS[name] for name in EMOTIONS])


def grid_edges(size: int = 5) -> NDArray[np.float64]:
    """Edges of the bins on one axis, `[size + 1]`, from -1 to 1.

    >>> grid_edges(5).tolist()
    [-1.0, -0.6, -0.2, 0.2, 0.6, 1.0]
    """
    return np.round(np.linspace(-1.0, 1.0, size + 1), 12)


def grid_centers(size: int = 5) -> NDArray[np.float64]:
    """Centres (valence, arousal) of the cells, `[size * size, 2]`, in cell order.

    >>> grid_centers(5)[[0, 12, 24]].tolist()
    [[-0.8, -0.8], [0.0, 0.0], [0.8, 0.8]]
    """
    edges = grid_edges(size)
    middle = np.round((edges[:-1] + edges[1:]) / 2, 12)
    valence, arousal = np.meshgrid(middle, middle)
    return np.stack([valence.ravel(), arousal.ravel()], axis=1) + 0.0


EDGE_TOLERANCE = 1e-9
"""Ratings are scaled to the plane in floats, and one that lies on an edge may come out below it."""


def cell_index(va: NDArray[np.floating], size: int = 5) -> NDArray[np.int64]:
    """Cell of each (valence, arousal) pair; bins are [lo, hi) and the last is closed.

    Args:
        va: `[n, 2]`; values outside [-1, 1] are clipped to it.
        size: cells per axis.

    Returns:
        `[n]`, integers in `[0, size * size)`.

    >>> cell_index(np.array([[-1.0, -1.0], [0.2, 0.0], [1.0, 1.0]])).tolist()
    [0, 13, 24]

    Six on a scale from 0 to 10 is 0.2 but for a rounding:

    >>> 2 * 6 / 10 - 1 < 0.2, cell_index(np.array([[2 * 6 / 10 - 1, 0.0]])).tolist()
    (True, [13])
    """
    clipped = np.clip(np.asarray(va, dtype=np.float64), -1.0, 1.0)
    bins = np.searchsorted(grid_edges(size), clipped + EDGE_TOLERANCE, side="right") - 1
    bins = np.clip(bins, 0, size - 1)
    return np.asarray(bins[:, 1] * size + bins[:, 0], dtype=np.int64)
