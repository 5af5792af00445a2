"""The eyes of a face that a cascade has found: a pair that a face can have, or none."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from neurogaze.deploy.boxes import Box

SCALE_STEP, NEIGHBOURS = 1.1, 5
"""Of a cascade's search over sizes, and how many windows must agree; customary in OpenCV."""

EYE_PATCH = 200
"""Width that a face is brought to before its eyes are looked for, pixels."""
EYE_ROWS = (0.12, 0.62)
"""Upper and lower end of the part of a box that is searched for eyes, in box heights."""
EYE_HEIGHTS = (0.22, 0.55)
"""Where the centre of an eye may lie, in box heights."""
EYE_SIZES = (0.12, 0.4)
"""Least and greatest side of an eye's window, in box widths."""
EYE_DISTANCES = (0.28, 0.6)
"""Least and greatest distance of two eyes across, in box widths."""
EYE_SLOPE = 0.6
"""Greatest slope of the line through both eyes: about 30 degrees."""

Eye = tuple[float, float, float]
"""Centre in box widths and heights, and score."""


def with_eyes(cascade: Any, full: NDArray[np.uint8], box: Box) -> Box:
    """The box with the eyes that a cascade finds in it; unchanged where no pair is plausible.

    Args:
        cascade: OpenCV's, for single eyes.
        full: the whole picture, grey, `uint8 [H, W]`.
        box: where a face is.
    """
    patch = eye_patch(full, box)
    least, most = (round(EYE_PATCH * size) for size in EYE_SIZES)
    found, _, weights = cascade.detectMultiScale3(
        patch, scaleFactor=SCALE_STEP, minNeighbors=NEIGHBOURS,
        minSize=(least, least), maxSize=(most, most), outputRejectLevels=True,
    )  # fmt: skip
    share = (EYE_ROWS[1] - EYE_ROWS[0]) / patch.shape[0]
    eyes = [
        (float(x + w / 2) / EYE_PATCH, EYE_ROWS[0] + float(y + h / 2) * share, float(weight))
        for (x, y, w, h), weight in zip(found, np.ravel(weights), strict=True)
    ]
    pair = plausible_pair(eyes)
    return box if pair is None else _seeing(box, pair)


def eye_patch(full: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    """The part of a face that holds its eyes, `EYE_PATCH` wide; grey in, grey out."""
    upper, lower = (box.top + box.height * share for share in EYE_ROWS)
    height, width = full.shape
    left, right = max(0.0, box.left), min(float(width), box.left + box.width)
    corners = (left, max(0.0, upper), right, min(float(height), lower))
    size = EYE_PATCH, max(1, round(EYE_PATCH * (lower - upper) / box.width))
    part = Image.fromarray(full).resize(size, Image.Resampling.BILINEAR, box=corners)
    return np.asarray(part, dtype=np.uint8)


def plausible_pair(eyes: list[Eye]) -> tuple[Eye, Eye] | None:
    """The surest pair of eyes that a face can have, the left one first; None where there is none.

    Args:
        eyes: candidates, in box widths and heights.

    >>> plausible_pair([(0.3, 0.4, 2.0), (0.7, 0.4, 2.0), (0.5, 0.8, 9.0)])
    ((0.3, 0.4, 2.0), (0.7, 0.4, 2.0))
    """
    high = [eye for eye in eyes if EYE_HEIGHTS[0] <= eye[1] <= EYE_HEIGHTS[1]]
    pairs = [
        (left, right)
        for left in high
        for right in high
        if left[0] < 0.5 < right[0]
        and EYE_DISTANCES[0] <= right[0] - left[0] <= EYE_DISTANCES[1]
        and abs(right[1] - left[1]) <= EYE_SLOPE * (right[0] - left[0])
    ]
    return max(pairs, key=lambda pair: (pair[0][2] + pair[1][2], pair), default=None)


def _seeing(box: Box, pair: tuple[Eye, Eye]) -> Box:
    left, right = ((box.left + x * box.width, box.top + y * box.height) for x, y, _ in pair)
    return Box(box.left, box.top, box.width, box.height, box.score, (left, right))
