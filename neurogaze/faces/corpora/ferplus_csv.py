"""Pictures of FER+ straight from `fer2013.csv`, as the script of its authors would write them.

Row `i` of `fer2013.csv` is row `i` of the votes file, which names it. The script writes the picture
of a row under that name into the folder of its `Usage`; where a name occurs twice in one, the later
picture takes the place of the earlier, for both rows.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurogaze.errors import InputError
from neurogaze.faces.corpora.pixels import FIRST_ROW, PixelSheet, read_pixels
from neurogaze.faces.corpora.votes import VoteSheet

PIXELS_NAME = "fer2013.csv"
PLACES = (PIXELS_NAME, f"fer2013/{PIXELS_NAME}")
"""Where the file lies below the root, or inside the folder that its archive makes."""

OFFICIAL_ROWS = 35_887
REMEDY = f"supply {PIXELS_NAME} as published, {OFFICIAL_ROWS:,} rows in their order"


def find_sheet(root: Path) -> Path | None:
    """`fer2013.csv` below a root, or None."""
    return next((root / place for place in PLACES if (root / place).is_file()), None)


def sheet_reader(path: Path, votes: VoteSheet) -> Callable[[int], NDArray[np.uint8]]:
    """Read `fer2013.csv` whole, and return what gives the picture of a row of the votes file.

    Args:
        path: the file.
        votes: the votes file, row by row.

    Returns:
        A function from a row, counted from 0, to `uint8 [48, 48]`; it raises `InputError` where the
        pixels do not parse.

    Raises:
        InputError: for a file whose rows are not those of the votes file: without `Usage`, of
            another number, or in another order.
    """
    sheet = read_pixels(path, REMEDY)
    check_rows_meet(sheet, votes)
    named = list(zip(votes.usage.tolist(), votes.names.tolist(), strict=True))
    last = {name: row for row, name in enumerate(named)}
    return lambda row: sheet.picture(last[named[row]])


def check_rows_meet(sheet: PixelSheet, votes: VoteSheet) -> None:
    """Hold that the rows of both files are the same pictures, as far as they tell.

    Raises:
        InputError: when they are not.
    """
    if not sheet.usages:
        found = "has no column 'Usage', like train.csv and test.csv of the challenge"
        raise InputError(sheet.path, f"{found}: nothing says which votes are whose", REMEDY)
    if len(sheet) != len(votes.names):
        found = f"{len(sheet):,} rows, and the votes file {len(votes.names):,}"
        raise InputError(sheet.path, f"has {found}: they meet by row", REMEDY)
    other = np.flatnonzero(np.array(sheet.usages) != votes.usage)
    if len(other):
        row = int(other[0])
        told = f"Usage is {sheet.usages[row]!r}, in row {row + FIRST_ROW} of the votes file "
        found = f"{told}{str(votes.usage[row])!r}"
        raise InputError(sheet.where(row), found, REMEDY)
