"""Pictures written as text: the CSV layout of FER2013 and of sets made in its image."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurogaze.errors import InputError
from neurogaze.faces.reading import FACE_SIZE

BRIGHTEST = 255
FIRST_ROW = 2
"""Row of the first picture as a spreadsheet counts; the header is row 1."""


@dataclass(frozen=True, eq=False)
class PixelSheet:
    """The rows of such a file, in its order.

    Args:
        path: the file.
        pixels: grey levels row by row, as text; see `picture_of`.
        emotions: class number as text; empty where the file has no such column.
        usages: part of the set; empty where the file has no such column.
    """

    path: Path
    pixels: tuple[str, ...]
    emotions: tuple[str, ...]
    usages: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.pixels)

    def where(self, row: int) -> str:
        """File and row as a spreadsheet counts it; `row` counts pictures from 0."""
        return f"{self.path}, row {row + FIRST_ROW}"

    def picture(self, row: int) -> NDArray[np.uint8]:
        """The picture of a row, `uint8 [48, 48]`.

        Raises:
            InputError: when its pixels do not parse.
        """
        return picture_of(self.pixels[row], self.where(row))


def read_pixels(path: Path, remedy: str) -> PixelSheet:
    """Read the columns `pixels`, `emotion` and `Usage`, found by name; only the first must be.

    Args:
        path: CSV in UTF-8; blank lines are passed over.
        remedy: what to do about a file that is none.

    Raises:
        InputError: when the file cannot be read, or has no pixels.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.reader(stream)
            header = [name.strip().lower() for name in next(reader, [])]
            rows = [row for row in reader if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(path, f"not a table of pixels ({error})", remedy) from error
    if "pixels" not in header:
        raise InputError(path, f"has no column 'pixels', but {header}", remedy)
    if not rows:
        raise InputError(path, "holds no rows", remedy)

    def column(name: str) -> tuple[str, ...]:
        if name not in header:
            return ()
        at = header.index(name)
        return tuple(row[at].strip() if at < len(row) else "" for row in rows)

    return PixelSheet(path, column("pixels"), column("emotion"), column("usage"))


def picture_of(text: str, where: str) -> NDArray[np.uint8]:
    """Grey levels written with spaces between them, as a picture `uint8 [48, 48]`.

    Raises:
        InputError: for another number of them, or one that is no whole number from 0 to 255.

    >>> picture_of(" ".join(["7"] * 2304), "row 2").shape
    (48, 48)
    """
    remedy = "restore the row"
    try:
        levels = [int(level) for level in text.split()]
    except ValueError:
        raise InputError(where, "a pixel is no whole number", remedy) from None
    if len(levels) != FACE_SIZE**2:
        raise InputError(where, f"holds {len(levels)} pixels, not {FACE_SIZE**2}", remedy)
    if min(levels) < 0 or max(levels) > BRIGHTEST:
        found = f"pixels from {min(levels)} to {max(levels)}"
        raise InputError(where, found, "give grey levels from 0 to 255")
    return np.array(levels, dtype=np.uint8).reshape(FACE_SIZE, FACE_SIZE)
