"""From a box to the picture that a student was trained on: upright, square, grey, 48 pixels.

Everything is a pure function of pixels and numbers. The crop of a detected face is sampled on a
turned square grid that is finer than the result, and averaged down: the mean over the area of each
pixel, so that large faces do not alias. A picture that is a face already is cut and resized by
`neurogaze.faces.reading.fitted`, as corpora are: students saw exactly that of such pictures, which
no turning or sampling between pixels comes into.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from einops import reduce
from numpy.typing import NDArray
from PIL import Image

from neurogaze.deploy.boxes import Box
from neurogaze.deploy.contract import CropRule
from neurogaze.errors import InputError
from neurogaze.faces.reading import FACE_SIZE, LARGEST_BOX, fitted

STEEPEST = math.radians(30.0)
"""Of the line through the eyes: a detector of upright faces finds none that are turned further."""

LEVEL_FROM = math.radians(8.0)
"""Least angle that is levelled. Half the faces of FERPlus are turned by more than 3.6 degrees and
students saw them so: levelling those takes a crop further from what was trained on."""

EYES_APART = (0.2, 0.75)
"""Least and greatest distance of credible eyes, in box widths."""

FINEST = 6
"""Most samples along a side of each pixel of a crop; larger faces are averaged in blocks before."""


@dataclass(frozen=True)
class Square:
    """A turned square in a picture.

    Args:
        x: of its centre, pixels from the left edge.
        y: of its centre, pixels from the upper edge.
        side: pixels.
        angle: by which its upper edge falls towards the right, radians.
    """

    x: float
    y: float
    side: float
    angle: float = 0.0


def grey(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """ITU-R 601 luma, as the corpora are read; `[H, W, 3]` to `[H, W]`."""
    return np.asarray(Image.fromarray(rgb).convert("L"), dtype=np.uint8)


def eye_angle(box: Box) -> float:
    """Angle of the line through the eyes, radians, positive where it falls to the right.

    Returns:
        0 where the eyes are unknown, or where their line is steeper than `STEEPEST` or their
        distance outside `EYES_APART`: such eyes are nostrils or the ends of a brow.
    """
    if box.eyes is None:
        return 0.0
    (left, upper), (right, lower) = box.eyes
    angle = math.atan2(lower - upper, right - left)
    apart = math.hypot(right - left, lower - upper) / box.width
    credible = abs(angle) <= STEEPEST and EYES_APART[0] <= apart <= EYES_APART[1]
    return angle if credible else 0.0


def square_of(box: Box, rule: CropRule) -> Square:
    """The square that a rule cuts for a box; "below" follows the face where it is turned."""
    side = max(box.width, box.height)
    x, y = box.centre
    if box.cropped:
        return Square(x, y, side)
    angle = eye_angle(box) if rule.level_eyes else 0.0
    angle = angle if abs(angle) >= LEVEL_FROM else 0.0
    drop = rule.drop * side
    x, y = x - drop * math.sin(angle), y + drop * math.cos(angle)
    return Square(x, y, rule.margin * side, angle)


def crop_face(rgb: NDArray[np.uint8], box: Box, rule: CropRule) -> NDArray[np.uint8]:
    """Cut one face out of a picture.

    Args:
        rgb: `uint8 [H, W, 3]`.
        box: where the face is, pixels; may reach beyond the picture, whose edge is then repeated.
        rule: margin, drop and whether the eyes are brought level; of no effect on a box that is
            `cropped`, which is reduced as in training: bicubic, by `fitted`. A detected face has
            no such counterpart, and its square may be turned: it is sampled over areas, by
            `sampled`.

    Returns:
        Grey, `uint8 [48, 48]`.

    Raises:
        InputError: for a box without area or end, wholly outside the picture, or with a side of
            more than `LARGEST_BOX` times that of the picture.
    """
    _check(rgb, box)
    if box.cropped:
        return np.asarray(fitted(grey(rgb), (box.left, box.top, box.width, box.height)))
    return sampled(rgb, square_of(box, rule))


def crop_faces(rgb: NDArray[np.uint8], boxes: Sequence[Box], rule: CropRule) -> NDArray[np.uint8]:
    """Cut all faces out of a picture: `crop_face` of each, `uint8 [N, 48, 48]`."""
    faces = np.zeros((len(boxes), FACE_SIZE, FACE_SIZE), dtype=np.uint8)
    for i, box in enumerate(boxes):
        faces[i] = crop_face(rgb, box, rule)
    return faces


def sampled(rgb: NDArray[np.uint8], square: Square, size: int = FACE_SIZE) -> NDArray[np.uint8]:
    """Grey levels of a turned square, upright.

    Bilinear where the square is enlarged; the mean of finer bilinear samples where it shrinks. A
    square of `size` pixels on whole pixels comes back unchanged.

    Args:
        rgb: `uint8 [H, W, 3]`.
        square: in pixels; what lies outside the picture repeats its edge.
        size: height and width to return.

    Returns:
        `uint8 [size, size]`.
    """
    finer = min(max(1, math.ceil(square.side / size)), FINEST)
    patch, left, top, block = _patch(rgb, square, size * finer)
    steps = (np.arange(size * finer) + 0.5) / (size * finer) - 0.5
    across, down = np.meshgrid(steps * square.side, steps * square.side)
    cos, sin = math.cos(square.angle), math.sin(square.angle)
    x = (square.x + cos * across - sin * down - left) / block - 0.5
    y = (square.y + sin * across + cos * down - top) / block - 0.5
    fine = _bilinear(patch, x, y)
    mean = reduce(fine, "(h a) (w b) -> h w", "mean", a=finer, b=finer)
    return np.rint(mean).astype(np.uint8)


def _patch(
    rgb: NDArray[np.uint8], square: Square, samples: int
) -> tuple[NDArray[np.uint8], int, int, int]:
    """The part of a picture that a square needs, grey; averaged in blocks if samples lie apart.

    Returns:
        `uint8 [h, w]`, its left and upper edge in the picture, and the side of a block, pixels.
    """
    height, width = rgb.shape[:2]
    block = max(1, math.ceil(square.side / samples))
    turned = abs(math.cos(square.angle)) + abs(math.sin(square.angle))
    reach = square.side * turned / 2 + 2 * block
    left = min(max(0, math.floor(square.x - reach)), width - 1)
    top = min(max(0, math.floor(square.y - reach)), height - 1)
    right = max(left + 1, min(width, math.ceil(square.x + reach)))
    bottom = max(top + 1, min(height, math.ceil(square.y + reach)))
    part = grey(np.ascontiguousarray(rgb[top:bottom, left:right]))
    if block > 1:
        part = np.asarray(Image.fromarray(part).reduce(block), dtype=np.uint8)
    return part, left, top, block


def _bilinear(
    image: NDArray[np.uint8], x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Values between pixel centres, which lie at whole numbers; the edge goes on outside."""
    height, width = image.shape
    x, y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
    x0, y0 = np.floor(x).astype(np.intp), np.floor(y).astype(np.intp)
    x1, y1 = np.minimum(x0 + 1, width - 1), np.minimum(y0 + 1, height - 1)
    u, v = x - x0, y - y0
    upper = image[y0, x0] * (1 - u) + image[y0, x1] * u
    lower = image[y1, x0] * (1 - u) + image[y1, x1] * u
    return upper * (1 - v) + lower * v


def _check(rgb: NDArray[np.uint8], box: Box) -> None:
    height, width = rgb.shape[:2]
    sides = (box.left, box.top, box.width, box.height)
    outside = box.left >= width or box.top >= height
    outside |= box.left + box.width <= 0 or box.top + box.height <= 0
    too_large = max(box.width, box.height) > LARGEST_BOX * max(height, width)
    empty = box.width <= 0 or box.height <= 0
    if not all(map(math.isfinite, sides)) or empty or outside or too_large:
        raise InputError("face box", f"{sides} in a picture of {width}x{height}", "mend the box")
