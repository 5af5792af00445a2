"""Boxes around faces: overlaps, order, and pictures shrunk for the search."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Point = tuple[float, float]
"""x and y, pixels of the picture."""


@dataclass(frozen=True)
class Box:
    """Where a face is; pixels of the picture, from its upper left corner.

    Args:
        left: of the left edge; may lie outside the picture.
        top: of the upper edge.
        width: of the box.
        height: of the box.
        score: of the detector, in its own units; larger is surer.
        eyes: centres of both eyes where they are known, the one further left in the picture first.
        cropped: the box is the picture that a student takes: no margin is added to it.
    """

    left: float
    top: float
    width: float
    height: float
    score: float
    eyes: tuple[Point, Point] | None = None
    cropped: bool = False

    @property
    def area(self) -> float:
        """Square pixels."""
        return self.width * self.height

    @property
    def centre(self) -> Point:
        """Middle of the box."""
        return self.left + self.width / 2, self.top + self.height / 2


def overlap(one: Box, other: Box) -> float:
    """Area that two boxes share, over the area of the smaller one.

    Over the smaller one, not over the union: a box inside another is the same face found twice.

    >>> overlap(Box(0, 0, 4, 4, 1.0), Box(2, 0, 2, 2, 1.0))
    1.0
    """
    right = min(one.left + one.width, other.left + other.width)
    bottom = min(one.top + one.height, other.top + other.height)
    shared = max(0.0, right - max(one.left, other.left))
    shared *= max(0.0, bottom - max(one.top, other.top))
    return shared / min(one.area, other.area)


def merged(boxes: Iterable[Box], most: float) -> list[Box]:
    """Non-maximum suppression: of boxes that overlap by more than `most`, the surest stays.

    Args:
        boxes: in any order; the answer does not depend on it.
        most: of `overlap`.

    Returns:
        The boxes that stay, largest first.
    """
    kept: list[Box] = []
    for box in sorted(boxes, key=lambda b: (-b.score, -b.area, b.left, b.top)):
        if all(overlap(box, other) <= most for other in kept):
            kept.append(box)
    return sorted(kept, key=lambda b: (-b.area, b.left, b.top))


def scaled(box: Box, x: float, y: float) -> Box:
    """The same box in the picture made `x` times as wide and `y` times as high."""
    eyes = None
    if box.eyes is not None:
        (left_x, left_y), (right_x, right_y) = box.eyes
        eyes = ((left_x * x, left_y * y), (right_x * x, right_y * y))
    left, top, width, height = box.left * x, box.top * y, box.width * x, box.height * y
    return Box(left, top, width, height, box.score, eyes, box.cropped)


def shrunk(image: NDArray[np.uint8], longest: int) -> NDArray[np.uint8]:
    """A picture whose longer side is at most `longest` pixels, reduced with antialiasing.

    Args:
        image: `uint8 [H, W]` or `uint8 [H, W, 3]`.
        longest: pixels.
    """
    height, width = image.shape[:2]
    if max(height, width) <= longest:
        return image
    scale = longest / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR))
