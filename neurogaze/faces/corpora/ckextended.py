"""`ckextended.csv`: last and first frames of CK+ as text, in the layout of FER2013.

920 pictures of 48x48 pixels, 593 of them neutral. All of them are offered as "valid".
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurogaze.affect import EMOTIONS
from neurogaze.artefacts import file_hash
from neurogaze.errors import InputError
from neurogaze.faces.corpora.ck_tree import SEQUENCES
from neurogaze.faces.corpora.classes import Codes, labels_of
from neurogaze.faces.corpora.labelled import (
    RULE,
    TEST_SPLITS,
    check_test_split,
    content_identity,
    labelled_table,
)
from neurogaze.faces.corpora.pixels import PixelSheet, read_pixels
from neurogaze.faces.corpora.places import first_place, root_of, root_remedy
from neurogaze.faces.corpora.published import refuse_mixed_up
from neurogaze.faces.images import FaceCorpus, FaceTable
from neurogaze.faces.reading import read_pictures

SHEET_NAME = "ckextended.csv"
PUBLISHED = (593, *SEQUENCES[1:])
"""Pictures of each emotion, in the order of `EMOTIONS` (not in that of the codes)."""

CODES = Codes(("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral", "contempt"))
"""Order of FER2013 with contempt behind it: not the order of CK+."""


class CkExtended(FaceCorpus):
    """`ckextended.csv`: 920 faces as text, 593 of them neutral; every row is "valid".

    The file does not say who is seen, so no split of it keeps people apart: its `Usage`, a random
    one, is not used.

    Args:
        root: folder that holds `ckextended.csv`; by default the environment variable
            `NEUROGAZE_CKEXTENDED`.
        strict: raise at the first row whose pixels do not parse, rather than skip it.
    """

    splits = TEST_SPLITS

    def __init__(self, root: Path | None = None, strict: bool = False) -> None:
        self.name = "ckextended"
        self.strict = strict
        self._root = root

    @property
    def _path(self) -> Path:
        root = root_of(self._root, self.name)
        return first_place(root, (SHEET_NAME,), root_remedy(self.name))

    def load(self, split: str, progress: bool = False) -> FaceTable:
        """Read all rows, in the order of the file.

        Raises:
            InputError: for an unknown split, a class number that is none, or when the published
                number of pictures belongs to other emotions.
        """
        check_test_split(self.name, split)
        sheet = read_pixels(self._path, f"supply {SHEET_NAME} as published")
        labels = sheet_labels(sheet)
        refuse_mixed_up(sheet.path, np.bincount(labels, minlength=len(EMOTIONS)), PUBLISHED)
        ids = [f"row{row:05d}" for row in range(len(sheet))]
        read = read_pictures(ids, sheet.picture, sheet.path, self.strict, progress)
        return labelled_table(read, ids, labels, (self.name, split, RULE))

    def identity(self, split: str) -> dict[str, str | int | float | bool]:
        """The file by content."""
        check_test_split(self.name, split)
        return content_identity(self.name, split, self.strict, file_hash(self._path))


def sheet_labels(sheet: PixelSheet) -> NDArray[np.int64]:
    """Labels of the rows of `ckextended.csv`, `int64 [N]`.

    Raises:
        InputError: for a class number that is none, naming the first such row.
    """
    if not sheet.emotions:
        raise InputError(sheet.path, "has no column 'emotion'", f"supply {SHEET_NAME}")
    names = [CODES.name(code) for code in sheet.emotions]
    for row, name in enumerate(names):
        if name not in CODES.names:
            raise InputError(sheet.where(row), f"emotion is {name!r}", f"use one of {CODES}")
    return np.array(labels_of(sheet.path, names), dtype=np.int64)
