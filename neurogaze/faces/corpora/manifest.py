"""A list of labelled pictures of your own: a CSV of paths, or an NPZ of pictures."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from neurogaze.artefacts import file_hash
from neurogaze.errors import InputError
from neurogaze.faces.corpora.classes import labels_of
from neurogaze.faces.corpora.labelled import RULE, content_identity, labelled_table
from neurogaze.faces.corpora.manifest_columns import PATHS, Columns, read_columns_of
from neurogaze.faces.corpora.manifest_labels import check_listed_once, class_names
from neurogaze.faces.corpora.places import (
    MissingError,
    lines_hash,
    real_folder,
    root_remedy,
    size_of,
)
from neurogaze.faces.images import FaceCorpus, FaceTable, unknown_split
from neurogaze.faces.labels import DROPPED
from neurogaze.faces.reading import fitted, read_pictures
from neurogaze.faces.upright import read_upright

SPLIT_NAMES = {"training": "train", "val": "valid", "validation": "valid", "testing": "test"}
ONLY_SPLIT = "valid"
"""Split of every row of a manifest that names none: it is there to be judged on."""

READER_VERSION = 3
"""Raised when the same files would be read into another table; part of the identity."""


class Manifest(FaceCorpus):
    """Labelled pictures that a CSV lists, or an NPZ holds.

    Columns of the CSV, or arrays of the NPZ, go by the headers in `manifest_columns`: a path
    (relative to the file) or `images`, a class name or number, and where wanted `subject`,
    `sequence` and `split`. Without `split`, all rows are "valid". Rows of a class that is no
    emotion (none, uncertain, no-face) are left out and counted. Each picture is turned
    upright, cut to its middle square, and brought to 48x48.

    Args:
        root: the CSV or NPZ file; by default the environment variable `NEUROGAZE_MANIFEST`.
        classes: class names in the order of their numbers, which count from 0; needed where the
            file has numbers alone.
        corpus_name: name of the corpus, also in file names.
        strict: raise at the first picture that is missing or unreadable, rather than skip it.
    """

    def __init__(
        self,
        root: Path | None = None,
        classes: list[str] | None = None,
        corpus_name: str = "manifest",
        strict: bool = False,
    ) -> None:
        self.name = corpus_name
        self.classes = tuple(classes or ())
        self.strict = strict
        self._root = root

    @property
    def path(self) -> Path:
        """The manifest.

        Raises:
            MissingError: when none is given, or there is no such file.
        """
        given = self._root or os.environ.get("NEUROGAZE_MANIFEST")
        if not given:
            raise MissingError("manifest root", "is not given", root_remedy("manifest"))
        if not Path(given).is_file():
            raise MissingError(given, "there is no such file", root_remedy("manifest"))
        return Path(given)

    @property
    def splits(self) -> tuple[str, ...]:  # type: ignore[override]
        """Those that the rows name, sorted; "valid" alone where they name none.

        Raises:
            InputError: when the manifest cannot be read.
        """
        return _named(read_columns_of(self.path))

    def load(self, split: str, progress: bool = False) -> FaceTable:
        """Read the rows of one split, in the order of the file.

        Raises:
            InputError: for an unknown split, a table that does not parse, labels that contradict
                each other, or classes that are not known.
        """
        columns = read_columns_of(self.path)
        names = class_names(columns, self.classes)
        labels = np.array(labels_of(self.path, names), dtype=np.int64)
        belongs = _splits(columns) == _known(columns, self.name, split)
        _warn_of_no_emotion(self.path, split, [names[i] for i in _rows(belongs, labels == DROPPED)])
        rows = _rows(belongs, labels != DROPPED)
        samples = _samples(columns)
        check_listed_once(self.path, samples, _places(columns), columns.first)
        ids = [samples[row] for row in rows]
        read = read_pictures(
            ids, lambda i: _face(columns, rows[i]), self.path, self.strict, progress
        )
        return labelled_table(
            read,
            ids,
            labels[rows],
            (self.name, split, RULE),
            subjects=_optional(columns, "subject", rows),
            sequences=_optional(columns, "sequence", rows),
        )

    def identity(self, split: str) -> dict[str, str | int | float | bool]:
        """The manifest by content, its pictures by path and size, and the settings."""
        columns = read_columns_of(self.path)
        _known(columns, self.name, split)
        lines = [file_hash(self.path), *self.classes]
        if columns.images is None:
            lines += [f"{name} {size_of(_picture(columns, name))}" for name in _samples(columns)]
        own = content_identity(self.name, split, self.strict, lines_hash(lines))
        return own | {"reader": READER_VERSION}

    def files(self, split: str) -> tuple[Path, ...]:
        """The pictures that the rows name; none where the file holds them."""
        columns = read_columns_of(self.path)
        if columns.images is not None:
            return ()
        return tuple(_picture(columns, name) for name in _samples(columns))


def _rows(belongs: NDArray[np.bool_], wanted: NDArray[np.bool_]) -> list[int]:
    return [int(row) for row in np.flatnonzero(belongs & wanted)]


def _samples(columns: Columns) -> tuple[str, ...]:
    """Sample ids: paths as they are written, or numbers of rows."""
    if columns.images is not None:
        return tuple(f"row{row:05d}" for row in range(len(columns)))
    return columns.cells[columns.among(PATHS)[0]]


def _picture(columns: Columns, name: str) -> Path:
    """File of a path in the manifest; either slash parts folders."""
    return columns.path.parent / name.replace("\\", "/")


def _places(columns: Columns) -> tuple[str, ...]:
    """What each row leads to, however its path is spelt; files need not be there."""
    if columns.images is not None:
        return _samples(columns)
    pictures = [_picture(columns, name) for name in _samples(columns)]
    folders = {folder: real_folder(folder) for folder in {p.parent for p in pictures}}
    return tuple(f"{folders[picture.parent]}/{picture.name}" for picture in pictures)


def _face(columns: Columns, row: int) -> NDArray[np.uint8]:
    if columns.images is None:
        return fitted(read_upright(_picture(columns, _samples(columns)[row])))
    image = columns.images[row]
    grey = image if image.ndim == 2 else np.asarray(Image.fromarray(image).convert("L"))
    return fitted(grey)


def _splits(columns: Columns) -> NDArray[np.str_]:
    """Split of every row, `str [N]`.

    Raises:
        InputError: for a row without one, where others have one.
    """
    given = columns.cells.get("split")
    if given is None:
        return np.full(len(columns), ONLY_SPLIT)
    for row, value in enumerate(given):
        if not value:
            raise InputError(f"{columns.where(row)}, column 'split'", "is empty", "fill it in")
    return np.array([SPLIT_NAMES.get(value.lower(), value.lower()) for value in given])


def _known(columns: Columns, name: str, split: str) -> str:
    if split not in _named(columns):
        raise unknown_split(name, split, _named(columns))
    return split


def _named(columns: Columns) -> tuple[str, ...]:
    return tuple(sorted(set(_splits(columns).tolist())))


def _optional(columns: Columns, name: str, rows: Sequence[int]) -> list[str] | None:
    cells = columns.cells.get(name)
    return None if cells is None else [cells[row] for row in rows]


def _warn_of_no_emotion(path: Path, split: str, names: Sequence[str]) -> None:
    if names:
        counts = ", ".join(f"{n} {name}" for name, n in sorted(Counter(names).items()))
        warnings.warn(f"{path}: left out of {split}: {counts}", stacklevel=3)
