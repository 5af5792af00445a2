"""The few shapes that pictures of rows are made of: text, bars, and the valence/arousal plane."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from neurogaze.affect import EMOTIONS, grid_edges
from neurogaze.deploy.rows import FaceRow

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

    from neurogaze.deploy.contract import Contract

INK, SOFT, FAINT, PALE, PAPER = "#1f2933", "#52606d", "#9aa5b1", "#eef1f4", "#ffffff"
LINES = "#d5dbe1"
"""Between the cells of the plane."""

ALARM = "#b42318"
"""Behind the stamp of a student that saw drawn faces only."""

COLOURS = dict(
    zip(
        EMOTIONS,
        ("#8d99a6", "#e69f00", "#f0e442", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9"),
        strict=True,
    )
)
"""Of the emotions, after Okabe and Ito (2008); the same as in reports."""

DARK = frozenset({"sadness", "anger", "disgust"})
"""Emotions on whose colour text is white."""

WORDS = "perceived expression; V/A is prototype-space, not measured"
SMALLEST_TEXT = 7


@lru_cache(maxsize=32)
def font(size: int) -> FreeTypeFont | ImageFont:
    """The typeface that Pillow brings along, so that pictures are alike everywhere."""
    from PIL.ImageFont import load_default

    return load_default(size)


def fitting(draw: ImageDraw, text: str, size: int, width: float) -> FreeTypeFont | ImageFont:
    """The typeface at `size`, or smaller until the text is at most `width` pixels wide."""
    while size > SMALLEST_TEXT and draw.textlength(text, font=font(size)) > width:
        size -= 1
    return font(size)


def colour_of(row: FaceRow) -> str:
    """Of the perceived expression; grey where the student abstains."""
    return COLOURS[row.label] if row.label else FAINT


def ink_on(row: FaceRow) -> str:
    """What text on `colour_of` is written with."""
    return PAPER if row.label in DARK else INK


def likeliest(row: FaceRow) -> tuple[str, float]:
    """Name and probability of the likeliest emotion, also where the student abstains."""
    shares = row.probabilities or (0.0,) * len(EMOTIONS)
    best = max(range(len(EMOTIONS)), key=shares.__getitem__)
    return EMOTIONS[best], shares[best]


def stamp_of(rows: Sequence[FaceRow]) -> tuple[str, str]:
    """The words under a picture of rows and the colour behind them."""
    if any(row.generated for row in rows):
        return "MEANINGLESS ON PEOPLE: trained on drawn faces", ALARM
    return WORDS, INK


def draw_stamp(
    draw: ImageDraw, rows: Sequence[FaceRow], at: tuple[int, int, int, int], size: int
) -> None:
    """Fill a strip (left, top, right, bottom) with the words of `stamp_of`."""
    left, top, right, bottom = at
    words, colour = stamp_of(rows)
    draw.rectangle((left, top, right, bottom), fill=colour)
    used = fitting(draw, words, size, right - left - size)
    middle = ((left + right) / 2, (top + bottom) / 2)
    draw.text(middle, words, fill=PAPER, font=used, anchor="mm")


def draw_plane(
    draw: ImageDraw, row: FaceRow, left: float, top: float, side: float, cells: int = 0
) -> None:
    """The valence/arousal plane: valence to the right, arousal upwards.

    A full dot is the prototype-space point, a ring that of the emotion words.

    Args:
        draw: on what.
        row: of the face.
        left: edge of the plane, pixels.
        top: edge of the plane, pixels.
        side: of the plane, pixels.
        cells: of the model's grid along a side; 0 where it has none or it is not known, which
            draws the two axes alone.
    """
    draw.rectangle((left, top, left + side, top + side), fill=PAPER)
    for edge in grid_edges(cells or 2)[1:-1]:
        x, y = _pixel(float(edge), 0.0, left, top, side)[0], top + side * (float(edge) + 1) / 2
        draw.line((x, top, x, top + side), fill=LINES, width=_thin(side))
        draw.line((left, y, left + side, y), fill=LINES, width=_thin(side))
    draw.rectangle((left, top, left + side, top + side), outline=FAINT, width=_thin(side))
    radius = max(2.0, side / 22)
    if row.anchored_valence is not None and row.anchored_arousal is not None:
        x, y = _pixel(row.anchored_valence, row.anchored_arousal, left, top, side)
        ring = (x - radius, y - radius, x + radius, y + radius)
        draw.ellipse(ring, outline=SOFT, width=max(1, round(radius / 3)))
    if row.valence is not None and row.arousal is not None:
        x, y = _pixel(row.valence, row.arousal, left, top, side)
        dot = (x - radius, y - radius, x + radius, y + radius)
        draw.ellipse(dot, fill=colour_of(row), outline=INK, width=max(1, round(radius / 4)))


def cells_of(contract: Contract) -> int:
    """Cells of a model's grid along a side; 0 without a grid."""
    return math.isqrt(len(contract.centers))


def _thin(side: float) -> int:
    return max(1, round(side / 120))


def _pixel(
    valence: float, arousal: float, left: float, top: float, side: float
) -> tuple[float, float]:
    return left + side * (valence + 1) / 2, top + side * (1 - arousal) / 2


def draw_bars(
    draw: ImageDraw, row: FaceRow, left: float, top: float, size: tuple[int, int]
) -> None:
    """Eight named bars, one below the other, in a field of `size` (width, height) pixels."""
    width, height = size
    step = height / len(EMOTIONS)
    used = font(round(step * 0.72))
    words = max(draw.textlength(name, font=used) for name in EMOTIONS)
    number = draw.textlength("0.00", font=used)
    start, room = left + words + step / 2, width - words - number - step
    best, _ = likeliest(row)
    for i, (name, share) in enumerate(zip(EMOTIONS, row.probabilities or (), strict=True)):
        y, ink = top + i * step, INK if name == best else SOFT
        draw.text((start - step / 2, y + step / 2), name, fill=ink, font=used, anchor="rm")
        draw.rectangle((start, y + step * 0.2, start + room, y + step * 0.8), fill=PALE)
        end = start + room * share
        draw.rectangle((start, y + step * 0.2, end, y + step * 0.8), fill=COLOURS[name])
        place = (left + width, y + step / 2)
        draw.text(place, f"{share:.2f}", fill=ink, font=used, anchor="rm")
