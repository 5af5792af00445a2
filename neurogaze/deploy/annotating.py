"""Pictures with what a student said drawn on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from neurogaze.deploy import strokes
from neurogaze.deploy.rows import FaceRow

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

SMALLEST = 240
"""Shorter side of an annotated picture, pixels: smaller ones are enlarged until text fits."""

LARGEST = 2000
"""Longer side up to which they are enlarged."""

TEXT, SMALLEST_TEXT, LARGEST_TEXT = 1 / 26, 11, 30
"""Height of text in shorter sides of the picture, and its bounds in pixels."""


def annotate(rgb: NDArray[np.uint8], rows: Sequence[FaceRow], cells: int = 0) -> NDArray[np.uint8]:
    """Draw boxes, labels with probabilities, the V/A plane and, below, the stamp.

    Args:
        rgb: `uint8 [H, W, 3]`; enlarged a whole number of times where it is under `SMALLEST`.
        rows: of this picture.
        cells: of the model's grid along a side, see `strokes.cells_of`; 0 draws axes alone.

    Returns:
        `uint8 [H', W', 3]`; its size depends on that of the picture alone.
    """
    from PIL import ImageDraw

    height, width = rgb.shape[:2]
    times = max(1, min(-(-SMALLEST // min(height, width)), LARGEST // max(height, width)))
    text = min(max(round(TEXT * times * min(height, width)), SMALLEST_TEXT), LARGEST_TEXT)
    strip = 2 * text
    drawn = Image.new("RGB", (width * times, height * times + strip), strokes.INK)
    picture = Image.fromarray(rgb)
    drawn.paste(picture.resize((width * times, height * times), Image.Resampling.BICUBIC))
    pen = ImageDraw.Draw(drawn)
    for row in rows:
        if row.face is not None:
            _draw_face(pen, row, times, text, (width * times, height * times), cells)
    below = (0, height * times, width * times, height * times + strip)
    strokes.draw_stamp(pen, rows, below, text)
    return np.asarray(drawn, dtype=np.uint8)


def _draw_face(
    pen: ImageDraw, row: FaceRow, times: int, text: int, size: tuple[int, int], cells: int
) -> None:
    """Box, tag and plane of one face, kept inside the picture of `size` (width, height)."""
    left, top = times * (row.left or 0.0), times * (row.top or 0.0)
    right, bottom = left + times * (row.width or 0.0), top + times * (row.height or 0.0)
    left, right = max(left, 0.0), max(min(right, size[0] - 1), left, 0.0)
    top, bottom = max(top, 0.0), max(min(bottom, size[1] - 1), top, 0.0)
    line, colour = max(2, text // 7), strokes.colour_of(row)
    pen.rectangle((left, top, right, bottom), outline=colour, width=line)
    _draw_plane_beside(pen, row, (left, top, right, bottom), text, size[0], cells)
    words, used = tag_of(row), strokes.font(text)
    wide, high = pen.textlength(words, font=used) + text, 1.5 * text
    x = max(0.0, min(left, size[0] - wide))
    y = top - high if top >= high else top
    pen.rectangle((x, y, x + wide, y + high), fill=colour)
    middle = (x + wide / 2, y + high / 2)
    pen.text(middle, words, fill=strokes.ink_on(row), font=used, anchor="mm")


def _draw_plane_beside(
    pen: ImageDraw,
    row: FaceRow,
    box: tuple[float, float, float, float],
    text: int,
    width: int,
    cells: int,
) -> None:
    """The plane to the right of a box, else to its left, else small in its corner."""
    left, top, right, bottom = box
    side, gap = min(max(0.4 * (bottom - top), 3.0 * text), 8.0 * text), text / 3
    if right + gap + side < width:
        x = right + gap
    elif left - gap - side >= 0:
        x = left - gap - side
    else:
        side = 3.0 * text
        x = max(right - gap - side, 0.0)
    strokes.draw_plane(pen, row, x, max(bottom - gap - side, 0.0), side, cells)


def tag_of(row: FaceRow) -> str:
    """The words at a box: perceived expression and probability, with the number in a video."""
    name, share = strokes.likeliest(row)
    said = f"{name} {share:.2f}" if row.label else f"unsure ({name} {share:.2f})"
    return said if row.frame is None else f"#{row.face} {said}"
