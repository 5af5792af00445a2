"""The columns of a manifest, whether it is a CSV of paths or an NPZ of pictures."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurogaze.errors import InputError
from neurogaze.faces.reading import ARRAY_ERRORS

PATHS = ("image_path", "path", "img", "file", "filepath", "filename")
NAMES = ("label_name", "class_name", "label_str")
NUMBERS = ("label_id", "label", "labels", "cls", "class", "target", "y")
"""Headers by which path, class name and class number go, the first that is there counting."""

KEYS = ("subject", "sequence", "split")
"""Headers of what else may be known of a picture; any other column is passed over."""

IMAGES = ("images", "image")
CLASSES = ("label_names", "class_names", "classes")
"""Arrays of an NPZ: the pictures, and the names of the classes in the order of their numbers."""

ENDINGS = (".csv", ".npz")
COLOUR = 3
"""Channels of a picture in colour."""


SURROGATE, SURROGATE_BITS = 0xD800 >> 11, 11
"""What code points of surrogates, halves of letters, begin with; no text may hold them alone."""


@dataclass(frozen=True, eq=False)
class Columns:
    """What a manifest says of each picture.

    Args:
        path: the file.
        first: number of the first row in messages.
        cells: columns by header in small letters, each `N` texts.
        images: `uint8 [N, H, W]` or `[N, H, W, 3]`, or None where there are paths.
        classes: names of the classes in the order of their numbers; empty where not told.
    """

    path: Path
    first: int
    cells: dict[str, tuple[str, ...]]
    images: NDArray[np.uint8] | None = None
    classes: tuple[str, ...] = field(default=())

    def __len__(self) -> int:
        return len(next(iter(self.cells.values())))

    def where(self, row: int) -> str:
        """File and row, as whoever opens it would count."""
        return f"{self.path}, row {row + self.first}"

    def among(self, headers: Sequence[str]) -> list[str]:
        """Those headers that are there, in the order asked for."""
        return [header for header in headers if header in self.cells]


def read_columns_of(path: Path) -> Columns:
    """Read a manifest; see `Columns`.

    Raises:
        InputError: for a file that is neither CSV nor NPZ, cannot be read or lacks the pictures.
    """
    if path.suffix.lower() not in ENDINGS:
        raise InputError(path, "is neither a CSV nor an NPZ file", f"end its name in {ENDINGS}")
    columns = _from_npz(path) if path.suffix.lower() == ".npz" else _from_csv(path)
    if not len(columns):
        raise InputError(path, "has no row", "list one picture a row")
    return columns


def _from_csv(path: Path) -> Columns:
    remedy = "save it as CSV in UTF-8, separated by commas, one row a picture"
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            rows = [row for row in csv.reader(stream, skipinitialspace=True) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(path, f"not a table ({error})", remedy) from error
    header = [name.strip().lower() for name in rows[0]] if rows else []
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise InputError(path, f"has columns {twice} twice", "remove one of each")
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(header):
            found = f"has {len(row)} cells, its header {len(header)}"
            raise InputError(f"{path}, row {number}", found, remedy)
    cells = {name: tuple(row[i].strip() for row in rows[1:]) for i, name in enumerate(header)}
    columns = Columns(path, 2, cells)
    if not columns.among(PATHS):
        raise InputError(path, f"has no column of paths, but {header}", f"name one of {PATHS}")
    return columns


def _from_npz(path: Path) -> Columns:
    remedy = "save plain arrays: images uint8, labels as numbers or fixed-width text"
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name.lower(): stored[name] for name in stored.files}
    except ARRAY_ERRORS as error:
        raise InputError(path, f"not an archive of plain arrays ({error})", remedy) from error
    named = next((name for name in IMAGES if name in arrays), None)
    if named is None:
        raise InputError(path, f"has no array 'images', but {sorted(arrays)}", remedy)
    images = _pictures(path, arrays.pop(named))
    classes = next((arrays.pop(name) for name in CLASSES if name in arrays), np.array([], "U1"))
    arrays = {name: arrays[name] for name in (*NAMES, *NUMBERS, *KEYS) if name in arrays}
    wrong = [name for name, values in arrays.items() if values.shape != (len(images),)]
    if wrong:
        found = f"arrays {wrong} do not hold one value for each of {len(images)} images"
        raise InputError(path, found, remedy)
    cells = {name: _texts(path, values, remedy) for name, values in arrays.items()}
    rows = tuple(map(str, range(len(images))))
    return Columns(path, 0, {"row": rows} | cells, images, _texts(path, classes.ravel(), remedy))


def _texts(path: Path, values: NDArray[np.generic], remedy: str) -> tuple[str, ...]:
    """Values as text; bytes are UTF-8, and damaged text has letters that no function can take."""
    if values.dtype.kind == "S":
        try:
            return tuple(value.decode() for value in values.tolist())
        except UnicodeDecodeError as error:
            raise InputError(path, f"holds text that is no UTF-8 ({error})", remedy) from error
    if values.dtype.kind == "U" and values.nbytes:
        native = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("="))
        letters = native.view(np.uint32)
        if ((letters > sys.maxunicode) | (letters >> SURROGATE_BITS == SURROGATE)).any():
            raise InputError(path, "holds text of letters that do not exist", remedy)
    return tuple(map(str, values.tolist()))


def _pictures(path: Path, images: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Pictures without a channel axis of one, or with colour last."""
    if images.ndim == 4 and images.shape[1] == 1:
        images = images[:, 0]
    elif images.ndim == 4 and images.shape[-1] == 1:
        images = images[..., 0]
    grey, colour = images.ndim == 3, images.ndim == 4 and images.shape[-1] == COLOUR
    if images.dtype != np.uint8 or not (grey or colour):
        found = f"images are {images.dtype} of shape {images.shape}"
        raise InputError(path, found, "save them as uint8 [N, H, W] or [N, H, W, 3]")
    return images.astype(np.uint8, copy=False)
