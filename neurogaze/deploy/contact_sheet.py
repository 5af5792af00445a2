"""Many faces on one picture: each with its label, eight bars and the valence/arousal plane."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from neurogaze.deploy import strokes
from neurogaze.deploy.pictures import read_rgb
from neurogaze.deploy.rows import FaceRow
from neurogaze.errors import InputError

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

FINER = 2
"""Times the sheet is drawn larger before it is reduced, for smooth circles."""

FACE, BARS, GAP, HEAD = 132, 176, 14, 34
"""Sides of face and plane, width of the bars, gaps, and height of a card's head, pixels."""

CARD = (2 * FACE + BARS + 4 * GAP, FACE + HEAD + 2 * GAP)
TITLE, STRIP = 62, 34
COLUMNS = 3
MARGIN = 20
MOST = 24
"""Faces on a sheet that is made of files."""


def contact_sheet(
    crops: Sequence[NDArray[np.uint8]], rows: Sequence[FaceRow], title: str = "", cells: int = 0
) -> NDArray[np.uint8]:
    """Draw a card for every face.

    Args:
        crops: pictures of the faces, `uint8 [h, w, 3]` or grey `uint8 [h, w]`, of any size.
        rows: what was said of them, one a crop.
        title: above all cards; "" for "Perceived expressions".
        cells: of the model's grid along a side, see `strokes.cells_of`; 0 draws the axes alone.

    Returns:
        `uint8 [H, W, 3]`, as wide as `COLUMNS` cards or fewer.

    Raises:
        InputError: for no face, as many crops as rows not being there, or a row without a face.
    """
    from PIL import ImageDraw

    if not rows or len(crops) != len(rows) or any(row.face is None for row in rows):
        found = f"{len(crops)} crops and {len(rows)} rows, or a row without a face"
        raise InputError("contact sheet", found, "give one row with a face for every crop")
    across = min(COLUMNS, len(rows))
    down = -(-len(rows) // across)
    width = 2 * MARGIN + across * CARD[0] + (across - 1) * GAP
    height = TITLE + down * (CARD[1] + GAP) + MARGIN + STRIP
    sheet = Image.new("RGB", (FINER * width, FINER * height), "#f4f6f8")
    pen = ImageDraw.Draw(sheet)
    _draw_title(pen, title or "Perceived expressions", width)
    for i, (crop, row) in enumerate(zip(crops, rows, strict=True)):
        left = MARGIN + (i % across) * (CARD[0] + GAP)
        _draw_card(sheet, pen, crop, row, (left, TITLE + (i // across) * (CARD[1] + GAP)), cells)
    strip = tuple(FINER * value for value in (0, height - STRIP, width, height))
    strokes.draw_stamp(pen, rows, (strip[0], strip[1], strip[2], strip[3]), FINER * 16)
    return np.asarray(sheet.resize((width, height), Image.Resampling.LANCZOS), dtype=np.uint8)


def _draw_title(pen: ImageDraw, title: str, width: int) -> None:
    """The title, and what dot and ring mean."""
    used = strokes.fitting(pen, title, FINER * 24, FINER * (width - 2 * MARGIN) * 0.5)
    middle = FINER * TITLE / 2
    pen.text((FINER * MARGIN, middle), title, fill=strokes.INK, font=used, anchor="lm")
    legend = "V/A plane:  dot = prototype-space,  ring = of the emotion words"
    used = strokes.fitting(pen, legend, FINER * 14, FINER * (width - 2 * MARGIN) * 0.48)
    right = FINER * (width - MARGIN)
    pen.text((right, middle), legend, fill=strokes.SOFT, font=used, anchor="rm")


def _draw_card(
    sheet: Image.Image,
    pen: ImageDraw,
    crop: NDArray[np.uint8],
    row: FaceRow,
    at: tuple[int, int],
    cells: int,
) -> None:
    """One face with everything about it, its upper left corner at (x, y)."""
    left, top = FINER * at[0], FINER * at[1]
    wide, high, gap = FINER * CARD[0], FINER * CARD[1], FINER * GAP
    box = (left, top, left + wide, top + high)
    pen.rounded_rectangle(box, radius=gap // 2, fill=strokes.PAPER, outline=strokes.PALE, width=2)
    _draw_head(pen, row, left + gap, top + gap // 2, wide - 2 * gap)
    y, side = top + FINER * HEAD + gap // 2, FINER * FACE
    picture = Image.fromarray(crop).convert("RGB")
    sheet.paste(ImageOps.fit(picture, (side, side), Image.Resampling.BICUBIC), (left + gap, y))
    x = left + gap + side + gap
    strokes.draw_bars(pen, row, x, y, (FINER * BARS, side))
    _draw_named_plane(pen, row, (x + FINER * BARS + gap, y), side, cells)


def _draw_head(pen: ImageDraw, row: FaceRow, left: int, top: int, width: int) -> None:
    """Label and probability on the left, where the face comes from on the right."""
    name, share = strokes.likeliest(row)
    said = f"{name}  {share:.2f}" if row.label else f"unsure  ({name} {share:.2f})"
    middle, high = top + FINER * HEAD / 2, FINER * 16
    chip = (left, middle - high / 2, left + high, middle + high / 2)
    pen.rounded_rectangle(chip, radius=high // 4, fill=strokes.colour_of(row))
    used = strokes.font(FINER * 17)
    pen.text((left + 1.5 * high, middle), said, fill=strokes.INK, font=used, anchor="lm")
    room = width - 2.5 * high - pen.textlength(said, font=used)
    used = strokes.font(FINER * 11)
    origin = shortened(pen.textlength("m", font=used), room, f"{row.file} #{row.face}")
    pen.text((left + width, middle), origin, fill=strokes.FAINT, font=used, anchor="rm")


def shortened(letter: float, room: float, text: str) -> str:
    """The end of a text that fits into `room` pixels when letters are `letter` pixels wide.

    >>> shortened(10.0, 60.0, "holiday/one.png"), shortened(10.0, 60.0, "a.png")
    ('...png', 'a.png')
    """
    most = max(4, int(room / letter))
    return text if len(text) <= most else f"...{text[3 - most :]}"


def _draw_named_plane(
    pen: ImageDraw, row: FaceRow, at: tuple[int, int], side: int, cells: int
) -> None:
    """The plane with the names of its axes below it."""
    left, top = at
    strokes.draw_plane(pen, row, left, top, side, cells)
    used, near, middle = strokes.font(FINER * 10), FINER * 3, left + side / 2
    axes = (middle, top + side + near)
    pen.text(axes, "valence across, arousal up", fill=strokes.SOFT, font=used, anchor="ma")
    if row.valence is None:
        low = (middle, top + side - near)
        pen.text(low, "prototype V/A not shown", fill=strokes.SOFT, font=used, anchor="md")


def sheet_of(
    source: Path, rows: Iterable[FaceRow], title: str = "", most: int = MOST, cells: int = 0
) -> NDArray[np.uint8]:
    """The contact sheet of a folder that was read.

    Args:
        source: the folder, or the one picture.
        rows: what `neurogaze.deploy.writing.read_faces` gives of its table.
        title: above all cards.
        most: faces to show, evenly chosen from all.
        cells: as for `contact_sheet`.

    Raises:
        InputError: where no row has a face, or a picture is gone.
    """
    faces = [row for row in rows if row.face is not None]
    places = np.unique(np.linspace(0, len(faces) - 1, min(most, len(faces))).round().astype(int))
    chosen = [faces[place] for place in places]
    folder = source if source.is_dir() else source.parent
    crops = [_cut(read_rgb(folder / row.file), row) for row in chosen]
    return contact_sheet(crops, chosen, title, cells)


def _cut(rgb: NDArray[np.uint8], row: FaceRow) -> NDArray[np.uint8]:
    """The part of a picture inside the box of a row; at least one pixel."""
    height, width = rgb.shape[:2]
    left = min(max(0, round(row.left or 0.0)), width - 1)
    top = min(max(0, round(row.top or 0.0)), height - 1)
    right = max(left + 1, round((row.left or 0.0) + (row.width or 0.0)))
    bottom = max(top + 1, round((row.top or 0.0) + (row.height or 0.0)))
    return rgb[top:bottom, left:right]
