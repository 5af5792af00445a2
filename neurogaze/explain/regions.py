"""Where on a face the muscles of each expression act, and whether a map points there.

Action units (AU) of the emotions are those of the prototypes of Ekman, Friesen and Hager (2002,
FACS Investigator's Guide, chapter 10) and, where these leave a choice, of the labelling rules of
CK+ (Lucey et al. 2010, table 1):

    happiness 6+12, surprise 1+2+5+26, sadness 1+4+15, anger 4+5+7+23, disgust 9+15+16,
    fear 1+2+4+5+7+20+26, contempt 12+14; neutral has none and is left out.

Where each unit shows is drawn by us as rectangles and ellipses on a frontal face of 48 x 48 pixels,
the eyes at row 18 and columns 15 and 33, the mouth at row 38: the places of these in the mean
picture of FERPlus. They were drawn before any map was seen. A head that is turned is not where the
template is, so agreement is bounded by pose too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError
from neurogaze.faces.reading import FACE_SIZE

Masks = NDArray[np.bool_]


@dataclass(frozen=True)
class Ellipse:
    """An ellipse; a pixel belongs to it when its centre does.

    Args:
        x: of its centre, pixels from the left.
        y: of its centre, pixels from the top.
        across: half its width, pixels.
        down: half its height, pixels.
    """

    x: float
    y: float
    across: float
    down: float

    def mask(self, size: int = FACE_SIZE) -> Masks:
        """Its pixels, `bool [size, size]`."""
        centre = np.arange(size) + 0.5
        across, down = (centre - self.x) / self.across, (centre - self.y) / self.down
        return np.asarray(np.square(down)[:, None] + np.square(across)[None] <= 1)


@dataclass(frozen=True)
class Rectangle:
    """An upright rectangle, from `left` up to `right` and from `top` down to `bottom`, pixels."""

    left: int
    top: int
    right: int
    bottom: int

    def mask(self, size: int = FACE_SIZE) -> Masks:
        """Its pixels, `bool [size, size]`."""
        inside = np.zeros((size, size), bool)
        inside[self.top : self.bottom, self.left : self.right] = True
        return inside


Shape = Ellipse | Rectangle


def _both(x: float, y: float, across: float, down: float) -> tuple[Shape, ...]:
    """An ellipse on the left of the picture and its mirror image."""
    return Ellipse(x, y, across, down), Ellipse(FACE_SIZE - x, y, across, down)


UNITS: dict[int, tuple[str, tuple[Shape, ...]]] = {
    1: ("inner brow raiser", (Rectangle(16, 8, 32, 15),)),
    2: ("outer brow raiser", _both(12.0, 12.5, 5.0, 4.0)),
    4: ("brow lowerer", (Rectangle(10, 11, 38, 16),)),
    5: ("upper lid raiser", _both(15.0, 17.0, 6.0, 4.0)),
    6: ("cheek raiser", _both(13.0, 23.0, 6.0, 4.5)),
    7: ("lid tightener", _both(15.0, 18.5, 6.0, 3.5)),
    9: ("nose wrinkler", (Rectangle(20, 16, 28, 29),)),
    12: ("lip corner puller", _both(16.0, 36.0, 4.5, 4.5)),
    14: ("dimpler", _both(16.0, 37.5, 3.5, 3.5)),
    15: ("lip corner depressor", _both(16.0, 40.0, 4.0, 4.0)),
    16: ("lower lip depressor", (Rectangle(17, 39, 31, 44),)),
    20: ("lip stretcher", (Rectangle(13, 36, 35, 42),)),
    23: ("lip tightener", (Ellipse(24.0, 38.0, 8.0, 4.0),)),
    26: ("jaw drop", (Rectangle(15, 36, 33, 47),)),
}
"""Action unit -> its name, and where it shows on the template."""

EMOTION_UNITS: dict[str, tuple[int, ...]] = {
    "happiness": (6, 12),
    "surprise": (1, 2, 5, 26),
    "sadness": (1, 4, 15),
    "anger": (4, 5, 7, 23),
    "disgust": (9, 15, 16),
    "fear": (1, 2, 4, 5, 7, 20, 26),
    "contempt": (12, 14),
}
"""Emotion -> its action units; neutral has none."""


def unit_mask(unit: int) -> Masks:
    """Where an action unit shows, `bool [48, 48]`."""
    return np.asarray(np.any([shape.mask() for shape in UNITS[unit][1]], axis=0))


def emotion_mask(emotion: str) -> Masks:
    """Where any action unit of an emotion shows, `bool [48, 48]`.

    Raises:
        InputError: for an emotion without action units.
    """
    if emotion not in EMOTION_UNITS:
        remedy = f"use one of {', '.join(EMOTION_UNITS)}"
        raise InputError(f"emotion {emotion!r}", "has no action units", remedy)
    return np.asarray(np.any([unit_mask(unit) for unit in EMOTION_UNITS[emotion]], axis=0))


def emotion_masks() -> Masks:
    """The masks of all emotions, `bool [8, 48, 48]`; that of neutral is empty."""
    empty = np.zeros((FACE_SIZE, FACE_SIZE), bool)
    return np.stack([emotion_mask(n) if n in EMOTION_UNITS else empty for n in EMOTIONS])
