"""Who is drawn and how they are pictured: ranges of the drawing parameters, by domain."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neurogaze.faces.corpora.drawing import PERSON, VIEW

Range = tuple[float, float]

PEOPLE: dict[str, tuple[Range, Range]] = {
    "width": ((0.62, 0.78), (0.74, 0.92)),
    "jaw": ((0.10, 0.34), (0.02, 0.16)),
    "skin": ((0.50, 0.90), (0.78, 0.98)),
    "hair": ((0.06, 0.38), (0.04, 0.20)),
    "hairline": ((-0.80, -0.62), (-0.78, -0.68)),
    "hair_length": ((-0.25, 0.90), (-0.30, 0.10)),
    "eye_distance": ((0.30, 0.37), (0.32, 0.42)),
    "eye_size": ((0.85, 1.15), (1.15, 1.50)),
    "iris": ((0.05, 0.30), (0.03, 0.12)),
    "brow_thickness": ((0.028, 0.055), (0.018, 0.034)),
    "brow_height": ((0.20, 0.27), (0.25, 0.33)),
    "nose_length": ((0.16, 0.28), (0.10, 0.18)),
    "nose_width": ((0.09, 0.14), (0.06, 0.09)),
    "mouth_width": ((0.88, 1.15), (0.68, 0.92)),
    "mouth_height": ((0.46, 0.56), (0.44, 0.52)),
    "lips": ((0.045, 0.085), (0.020, 0.045)),
}
"""Uniform range of each trait at domain 0 and at domain 1."""

BEARDED = 0.15
BEARD: Range = (0.25, 0.7)

VIEWS: dict[str, tuple[Range, Range]] = {
    "shift_x": ((-0.08, 0.08), (-0.08, 0.08)),
    "shift_y": ((-0.08, 0.08), (-0.10, 0.10)),
    "zoom": ((1.00, 1.20), (0.82, 1.02)),
    "yaw": ((-0.14, 0.14), (-0.20, 0.20)),
    "light_x": ((-0.30, 0.30), (-0.45, 0.45)),
    "light_y": ((-0.15, 0.15), (-0.30, 0.30)),
    "gain": ((0.85, 1.30), (0.70, 1.05)),
    "background": ((0.10, 0.75), (0.45, 0.95)),
    "backdrop": ((0.00, 0.30), (0.20, 1.00)),
    "sketch": ((0.00, 0.15), (0.60, 1.00)),
    "blur": ((0.00, 0.18), (0.05, 0.22)),
    "coarse": ((0.00, 0.10), (0.25, 0.65)),
    "noise": ((0.005, 0.035), (0.01, 0.05)),
}
"""Uniform range of each property of the picture at domain 0 and at domain 1."""

TILT: Range = (6.0, 9.0)
"""Standard deviation of the roll of the head in degrees, at domain 0 and at domain 1."""


def _uniform(
    ranges: dict[str, tuple[Range, Range]], n: int, domain: float, rng: np.random.Generator
) -> dict[str, NDArray[np.float64]]:
    """One column a name, `[n]`, from a range that moves from domain 0 to domain 1."""
    drawn = {}
    for name, (near, far) in ranges.items():
        low, high = ((1.0 - domain) * a + domain * b for a, b in zip(near, far, strict=True))
        drawn[name] = rng.uniform(low, high, size=n)
    return drawn


def sample_people(n: int, domain: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw `n` people.

    Args:
        n: how many.
        domain: 0 to 1; proportions and tones of the population.
        rng: source of chance; the number of draws does not depend on `domain`.

    Returns:
        `float32 [n, 18]`, columns as in `PERSON`.
    """
    people = _uniform(PEOPLE, n, domain, rng)
    has_beard = rng.uniform(size=n) < BEARDED
    people["beard"] = np.where(has_beard, rng.uniform(*BEARD, size=n), 0.0)
    people["side"] = np.where(rng.uniform(size=n) < 0.5, -1.0, 1.0)
    return np.stack([people[name] for name in PERSON], axis=1).astype(np.float32)


def sample_views(n: int, domain: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw how `n` people are pictured.

    Args:
        n: how many.
        domain: 0 to 1; style, light and resolution.
        rng: source of chance; the number of draws does not depend on `domain`.

    Returns:
        `float32 [n, 14]`, columns as in `VIEW`.
    """
    views = _uniform(VIEWS, n, domain, rng)
    tilt = np.radians((1.0 - domain) * TILT[0] + domain * TILT[1])
    views["angle"] = tilt * np.clip(rng.standard_normal(n), -2.5, 2.5)
    return np.stack([views[name] for name in VIEW], axis=1).astype(np.float32)
