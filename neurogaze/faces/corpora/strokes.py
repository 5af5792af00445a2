"""Soft-edged shapes on a batch of canvases: the pen of the drawn face.

A canvas is `float32 [B, S, S]`, grey levels about 0..1. A shape is a signed distance in canvas
units (the picture spans -1..1), negative inside, turned into coverage with an edge of one pixel.
Parameters are `float32 [B, 1, 1]`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.floating]
"""One value a pixel, `[B, S, S]`, or one a face, `[B, 1, 1]`."""


def coverage(distance: Field, softness: float) -> Field:
    """Share of each pixel inside a shape: 1 within, 0 outside, linear over `softness`."""
    inside = distance * np.float32(-1.0 / softness)
    inside += np.float32(0.5)
    return np.clip(inside, 0.0, 1.0, out=inside)


def paint(canvas: Field, cover: Field, level: Field | float) -> None:
    """Blend `level` into the canvas where `cover` says so, in place."""
    change = level - canvas
    change *= cover
    canvas += change


def ellipse(x: Field, y: Field, width: Field | float, height: Field | float) -> Field:
    """Distance to an ellipse about the origin, exact on its edge and close to it nearby."""
    radius = np.square(x / width)
    radius += np.square(y / height)
    np.sqrt(radius, out=radius)
    radius -= np.float32(1.0)
    radius *= np.minimum(width, height)
    return radius


def between(value: Field, low: Field | float, high: Field | float) -> Field:
    """Distance to the strip where `value` lies between `low` and `high`."""
    return np.maximum(low - value, value - high)


def line(x: Field, y: Field, half_length: Field | float, half_width: Field | float) -> Field:
    """Distance to a horizontal bar about the origin."""
    bar = np.abs(x)
    bar -= half_length
    return np.maximum(bar, np.abs(y) - half_width, out=bar)


def bump(position: Field) -> Field:
    """A parabola: 1 at 0, 0 at -1 and 1 and beyond."""
    height = np.square(position)
    np.subtract(np.float32(1.0), height, out=height)
    return np.maximum(height, 0.0, out=height)
