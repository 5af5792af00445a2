"""Many pictures to one array: what cannot be read is skipped and counted, or refused at once."""

from __future__ import annotations

import math
import struct
import tokenize
import warnings
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.progress import track

from neurogaze.errors import InputError

FACE_SIZE = 48
"""Height and width of stored faces, pixels: that of FER2013. Larger ones are reduced to it, so
that a network sees every corpus at one scale."""

LARGEST_BOX = 4.0
"""Side of the largest face box, in the larger side of its picture: more is no face but an error,
and would need memory without bound."""

ARRAY_ERRORS = (
    ArithmeticError,
    AttributeError,
    BadZipFile,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    SystemError,
    TypeError,
    ValueError,
    struct.error,
    tokenize.TokenError,
    zlib.error,
)
"""What `np.load` raises for a file that is none of its own or damaged, and what reading its values
raises: text of code points that do not exist is a `SystemError`."""

Box = tuple[float, float, float, float]
"""Left, top, width and height of a face in its picture, pixels."""


@dataclass(frozen=True, eq=False)
class Pictures:
    """What could be read.

    Args:
        kept: positions of the readable ones, `int64 [K]`.
        images: `uint8 [K, H, W]`.
        skipped: name and reason of the others.
    """

    kept: NDArray[np.int64]
    images: NDArray[np.uint8]
    skipped: tuple[str, ...]


def read_pictures(
    names: Iterable[str],
    read: Callable[[int], NDArray[np.uint8]],
    where: Path,
    strict: bool,
    progress: bool,
) -> Pictures:
    """Read pictures one by one.

    Args:
        names: sample id of each picture.
        read: reads the picture at a position; all of one size.
        where: what to call the lot in messages.
        strict: raise at the first picture that cannot be read, rather than skip it.
        progress: show a bar.

    Raises:
        InputError: when `strict` and a picture cannot be read, or when none can.
    """
    kept: list[int] = []
    images: list[NDArray[np.uint8]] = []
    skipped: list[str] = []
    listed = list(names)
    for i, name in track(
        list(enumerate(listed)), f"reading {where.name}", disable=not progress, transient=False
    ):
        try:
            images.append(read(i))
            kept.append(i)
        except InputError as error:
            if strict:
                raise
            skipped.append(f"{name}: {error.found}")
    if skipped:
        warnings.warn(f"{where}: {summary_of(skipped)}", stacklevel=3)
    if not images:
        raise InputError(where, summary_of(skipped) or "holds no picture", "check the folder")
    return Pictures(np.array(kept, dtype=np.int64), np.stack(images), tuple(skipped))


def summary_of(skipped: Sequence[str]) -> str:
    """How many were left out, and the first of them; empty for none."""
    if not skipped:
        return ""
    return f"{len(skipped)} pictures could not be read and are left out, first {skipped[0]}"


def fitted(image: NDArray[np.uint8], box: Box | None = None, size: int = FACE_SIZE) -> NDArray:
    """Cut a face out of a picture and bring it to one size.

    Args:
        image: grey, `uint8 [H, W]`.
        box: where the face is; None: the largest square in the middle.
        size: height and width to return, pixels; reduced with antialiasing, never distorted: the
            box is widened to a square, and what lies beyond the picture repeats its border.

    Returns:
        `uint8 [size, size]`; the picture itself where it already has that size and no box.

    Raises:
        InputError: for a box without area, without end, wholly outside the picture, or with a side
            of more than `LARGEST_BOX` times that of the picture.
    """
    height, width = image.shape
    if box is None:
        side = min(height, width)
        box = ((width - side) / 2, (height - side) / 2, side, side)
    left, top, across, down = box
    outside = left >= width or top >= height or left + across <= 0 or top + down <= 0
    finite = all(map(math.isfinite, box))
    too_large = max(across, down) > LARGEST_BOX * max(height, width)
    if not finite or across <= 0 or down <= 0 or outside or too_large:
        raise InputError("face box", f"{box} in a picture of {width}x{height}", "mend the box")
    side = max(1, round(max(across, down)))
    x, y = round(left + (across - side) / 2), round(top + (down - side) / 2)
    rows, columns = np.arange(y, y + side), np.arange(x, x + side)
    square = image[np.clip(rows, 0, height - 1)][:, np.clip(columns, 0, width - 1)]
    if side == size:
        return np.ascontiguousarray(square)
    picture = Image.fromarray(square).resize((size, size), Image.Resampling.BICUBIC)
    return np.asarray(picture, dtype=np.uint8)
