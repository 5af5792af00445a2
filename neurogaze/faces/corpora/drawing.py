"""A drawn face: facial actions, a person and a view become a grey picture.

The actions are continuous and modelled on the action units of the Facial Action Coding System
(Ekman and Friesen, 1978). Nothing here comes from a photograph. Positions are in units of half the
picture, x to the right and y downwards, the face centred at the origin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurogaze.faces.corpora.features import (
    Frame,
    draw_brows,
    draw_eyes,
    draw_head,
    draw_mouth,
    draw_nose,
)
from neurogaze.faces.corpora.strokes import Field
from neurogaze.faces.reading import FACE_SIZE

ACTIONS = (
    "inner_brow",
    "outer_brow",
    "brow_lower",
    "lid",
    "cheek",
    "nose_wrinkle",
    "lip_corner",
    "smirk",
    "mouth_open",
    "lip_press",
)
"""0 at rest, about 1 at full; `lid` and `lip_corner` also go down to -1."""

PERSON = (
    "width",
    "jaw",
    "skin",
    "hair",
    "hairline",
    "hair_length",
    "eye_distance",
    "eye_size",
    "iris",
    "brow_thickness",
    "brow_height",
    "nose_length",
    "nose_width",
    "mouth_width",
    "mouth_height",
    "lips",
    "beard",
    "side",
)
"""What stays of a person from one expression to the next; `side` is the side of the smirk."""

VIEW = (
    "angle",
    "shift_x",
    "shift_y",
    "zoom",
    "yaw",
    "light_x",
    "light_y",
    "gain",
    "background",
    "backdrop",
    "sketch",
    "blur",
    "coarse",
    "noise",
)
"""How the person was pictured. `sketch` runs from shaded (0) to line drawing (1)."""

SIZE = FACE_SIZE
SUPERSAMPLING = 2
CHUNK = 32
"""Faces drawn at once: the working set then fits a processor cache."""

PARTS = (
    (draw_nose, -0.35, 0.85),
    (draw_eyes, -0.50, 0.15),
    (draw_brows, -0.90, 0.25),
    (draw_mouth, 0.20, 1.15),
)
"""Parts in the order of painting, and the heights between which each may leave a mark."""

DRAWING_VERSION = 1
"""Raised when the same parameters would give other pixels."""


@dataclass(frozen=True, eq=False)
class FaceParameters:
    """Everything that decides a batch of drawn faces.

    Args:
        actions: `float32 [N, 10]`, columns as in `ACTIONS`.
        person: `float32 [N, 18]`, columns as in `PERSON`.
        view: `float32 [N, 14]`, columns as in `VIEW`.
    """

    actions: NDArray[np.float32]
    person: NDArray[np.float32]
    view: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.actions)

    def rows(self, start: int, stop: int) -> FaceParameters:
        """Faces from `start` up to `stop`."""
        part = slice(start, stop)
        return FaceParameters(self.actions[part], self.person[part], self.view[part])


def columns(values: NDArray[np.float32], names: tuple[str, ...]) -> dict[str, Field]:
    """Split a parameter table into one `[B, 1, 1]` field a name."""
    values = values.astype(np.float32)
    return {name: values[:, i, None, None] for i, name in enumerate(names)}


def draw(faces: FaceParameters, seed: int) -> NDArray[np.uint8]:
    """Draw faces; equal parameters and seed give equal pixels.

    Args:
        faces: at most a few dozen at once (`CHUNK`), for speed.
        seed: of the sensor noise.

    Returns:
        `uint8 [N, 48, 48]`.
    """
    actions, person = columns(faces.actions, ACTIONS), columns(faces.person, PERSON)
    view = columns(faces.view, VIEW)
    frame = _frame(view)
    canvas = _backdrop(frame, view)
    draw_head(canvas, frame, person, actions)
    for draw_part, low, high in PARTS:
        rows, band = frame.band(low, high)
        draw_part(canvas[:, rows], band, person, actions)
    return _photograph(canvas, frame, view, seed)


def _frame(view: dict[str, Field]) -> Frame:
    """Carry picture coordinates back to the coordinates of an upright, frontal face."""
    axis = ((np.arange(SIZE * SUPERSAMPLING) + 0.5) / (SIZE * SUPERSAMPLING) * 2 - 1).astype("f4")
    across, down = axis[None, None, :], axis[None, :, None]
    moved_x, moved_y = across - view["shift_x"], down - view["shift_y"]
    cos, sin = np.cos(view["angle"]) / view["zoom"], np.sin(view["angle"]) / view["zoom"]
    x, y = cos * moved_x + sin * moved_y, cos * moved_y - sin * moved_x
    turned = x - view["yaw"] * np.maximum(1.0 - np.square(x), 0.0)
    return Frame(across, down, x, y, turned, np.abs(turned), view["sketch"])


def _backdrop(frame: Frame, view: dict[str, Field]) -> Field:
    """Behind the head: a grey slope, with soft stripes as far as `backdrop` says."""
    slope = view["background"] + 0.12 * view["light_x"] * frame.across
    stripes = 0.18 * view["backdrop"] * np.sin(9.0 * frame.across + 5.0 * frame.down)
    return np.asarray(slope + stripes + 0.0 * frame.x, dtype=np.float32)


def _photograph(
    canvas: Field, frame: Frame, view: dict[str, Field], seed: int
) -> NDArray[np.uint8]:
    """Light the scene, take it in at 48x48, blur it, add noise and round to grey levels."""
    canvas *= view["gain"] * (1.0 + view["light_x"] * frame.across + view["light_y"] * frame.down)
    picture = _halved(canvas)
    for _ in range(2):
        picture = _blurred(picture, view["blur"])
    coarse = _halved(picture).repeat(2, axis=1).repeat(2, axis=2)
    picture += view["coarse"] * (coarse - picture)
    noise = np.random.default_rng(seed).standard_normal(picture.shape, dtype=np.float32)
    picture += view["noise"] * noise
    return np.clip(np.rint(picture * 255.0), 0, 255).astype(np.uint8)


def _halved(picture: Field) -> Field:
    rows = picture[:, 0::2] + picture[:, 1::2]
    return np.asarray(0.25 * (rows[:, :, 0::2] + rows[:, :, 1::2]), dtype=np.float32)


def _blurred(picture: Field, weight: Field) -> Field:
    """Three-tap blur in both directions; `weight` in 0..0.33 is the share of each neighbour."""
    position = np.arange(SIZE)
    for axis in (1, 2):
        before = picture.take(np.maximum(position - 1, 0), axis=axis)
        after = picture.take(np.minimum(position + 1, SIZE - 1), axis=axis)
        picture = picture + weight * (before + after - 2.0 * picture)
    return picture
