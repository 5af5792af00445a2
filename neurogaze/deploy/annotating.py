"""Pictures and videos with what a student said drawn on them; each file is written aside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from neurogaze.artefacts import written_aside
from neurogaze.deploy import strokes
from neurogaze.deploy.batching import Shot
from neurogaze.deploy.rows import UNDRAWN, FaceRow, undrawn
from neurogaze.deploy.targets import VIDEO
from neurogaze.errors import InputError

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

KEPT = (".png", ".jpg", ".jpeg")
"""Suffixes of pictures that keep their name; others get `.png` after it."""

QUALITY = 92
"""Of JPEG."""

SMALLEST = 240
"""Shorter side of an annotated picture, pixels: smaller ones are enlarged until text fits."""

LARGEST = 2000
"""Longer side up to which they are enlarged."""

TEXT, SMALLEST_TEXT, LARGEST_TEXT = 1 / 26, 11, 30
"""Height of text in shorter sides of the picture, and its bounds in pixels."""


class Annotator(Protocol):
    """Takes pictures with their rows, in their order."""

    def draw(self, rgb: NDArray[np.uint8], rows: Sequence[FaceRow]) -> str:
        """Draw the rows on the picture and keep it; say why that is impossible, "" where it is."""
        ...


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


class _Pictures:
    """A folder of pictures, under the names they had."""

    def __init__(self, folder: Path, cells: int) -> None:
        self._folder, self._cells = folder, cells

    def draw(self, rgb: NDArray[np.uint8], rows: Sequence[FaceRow]) -> str:
        """One that is too large for its format, or its name for the disk, stops no other."""
        path = self._folder / picture_name(rows[0])
        drawn = Image.fromarray(annotate(rgb, rows, self._cells))
        try:
            with written_aside(path) as aside:  # PNG passes over the quality
                drawn.save(aside, quality=QUALITY)
        except (OSError, ValueError) as error:
            return getattr(error, "strerror", None) or str(error) or type(error).__name__
        return ""


def picture_name(row: FaceRow) -> str:
    """The file that the annotated picture of a row gets, relative to its folder.

    >>> picture_name(FaceRow("a/b.webp")), picture_name(FaceRow("clip.mp4", frame=7))
    ('a/b.webp.png', 'clip.mp4-000007.jpg')
    """
    if row.frame is not None:
        return f"{row.file.replace(':', '-')}-{row.frame:06d}.jpg"
    return row.file if row.file.lower().endswith(KEPT) else f"{row.file}.png"


def drawn_rows(
    shot: Shot, rows: Sequence[FaceRow], pen: Annotator
) -> tuple[Sequence[FaceRow], str]:
    """Draw the rows of a shot on its picture, where it was kept.

    Returns:
        The rows, with a note where the picture could not be written, and that note.
    """
    trouble = "" if shot.rgb is None else pen.draw(shot.rgb, rows)
    if not trouble:
        return rows, ""
    return [undrawn(row, trouble) for row in rows], f"{UNDRAWN}: {trouble}"


class _Video:
    """One video; every frame has the size of the first."""

    def __init__(self, path: Path, name: Path, rate: float, cells: int) -> None:
        self._path, self._name, self._rate, self._cells = path, name, rate, cells
        self._writer: Any = None

    def draw(self, rgb: NDArray[np.uint8], rows: Sequence[FaceRow]) -> str:
        import cv2

        drawn = annotate(rgb, rows, self._cells)
        if self._writer is None:
            code = cv2.VideoWriter.fourcc(*"mp4v")
            size = (drawn.shape[1], drawn.shape[0])
            self._writer = cv2.VideoWriter(str(self._path), code, self._rate, size)
            if not self._writer.isOpened():
                raise InputError(self._name, "cannot be written as video", "name a folder instead")
        self._writer.write(np.ascontiguousarray(drawn[..., ::-1]))
        return ""

    def close(self) -> None:
        if self._writer is not None:
            self._writer.release()


class _Nothing:
    def draw(self, rgb: NDArray[np.uint8], rows: Sequence[FaceRow]) -> str:
        return ""


@contextmanager
def annotator(to: Path | None, rate: float = 0.0, cells: int = 0) -> Iterator[Annotator]:
    """What draws on pictures and keeps them.

    Args:
        to: a folder; an `.mp4` to write; None draws nothing.
        rate: frames a second of the video that is read; 0 for pictures.
        cells: of the model's grid along a side, see `strokes.cells_of`; 0 draws axes alone.

    Raises:
        InputError: for an `.mp4` of single pictures, a file where a folder should be, or a folder
            that cannot be made.
    """
    if to is None:
        yield _Nothing()
    elif to.suffix.lower() != VIDEO:
        if to.exists() and not to.is_dir():
            raise InputError(to, "is a file", f"name a folder, or a file that ends in {VIDEO}")
        _make(to)
        yield _Pictures(to, cells)
    elif not rate:
        raise InputError(to, "is a video, but pictures are read", "name a folder")
    else:
        with written_aside(to) as aside:
            video = _Video(aside, to, rate, cells)
            try:
                yield video
            finally:
                video.close()


def _make(folder: Path) -> None:
    """At once, for a folder that cannot be made concerns the whole run and not one picture."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        found = f"cannot be made ({error.strerror or type(error).__name__})"
        raise InputError(folder, found, "name another folder") from error
