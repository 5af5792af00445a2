"""The lists of AffectNet as first released: one row a picture, with class and face box.

Codes 0 to 7 are emotions; None, Uncertain and No-face are left out. Valence and arousal are not
read: -2 in them marks Uncertain and No-face, which the code says already.
"""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import numpy as np

from neurogaze.errors import InputError
from neurogaze.faces.corpora.classes import Codes, labels_of
from neurogaze.faces.corpora.labelled import Listed
from neurogaze.faces.corpora.sheets import Row, inside, read_columns
from neurogaze.faces.labels import DROPPED
from neurogaze.faces.reading import Box

AFFECTNET_CODES = Codes(
    (
        "neutral",
        "happy",
        "sad",
        "surprise",
        "fear",
        "disgust",
        "anger",
        "contempt",
        "none",
        "uncertain",
        "no-face",
    )
)
"""Classes of AffectNet in the order of their codes (Mollahosseini, Hasani and Mahoor, 2019)."""

COLUMNS = (
    "subDirectory_filePath",
    "face_x",
    "face_y",
    "face_width",
    "face_height",
    "expression",
)
NO_BOX = ("", "null", "nan")
"""Cells that give no number, in small letters."""

WITHOUT_BOX = "without a face box"
LIST_REMEDY = "restore the list as AffectNet supplies it"


def list_manual(path: Path, images: Path, split: str) -> Listed:
    """Rows of `training.csv` or `validation.csv` that are emotions.

    A row whose width is negative has no face and is left out; where width or height is zero or not
    given, the whole picture is the face.

    Args:
        path: the list.
        images: folder that its file names are relative to.
        split: begins the ids.

    Raises:
        InputError: for a list that is no table, unknown classes (all are named), a box that is no
            number, or a file outside the folder.
    """
    rows = list(read_columns(path, COLUMNS, LIST_REMEDY))
    names = [AFFECTNET_CODES.name(_whole(cells[-1])) for _, cells in rows]
    labels = labels_of(path, names)
    left_out: Counter[str] = Counter()
    files, ids, kept, boxes = [], [], [], []
    for number, ((line, cells), name, label) in enumerate(zip(rows, names, labels, strict=True)):
        box = _box(path, (line, cells)) if label != DROPPED else None
        reason = name if label == DROPPED else WITHOUT_BOX if box and box[2] < 0 else ""
        if reason:
            left_out[reason] += 1
            continue
        files.append(inside(f"{path}, line {line}", cells[0]))
        ids.append(f"{split}/row{number:06d}/{cells[0]}")
        kept.append(label)
        boxes.append(box if box and min(box[2:]) > 0 else (math.nan,) * 4)
    return Listed(
        folder=images,
        files=tuple(files),
        ids=tuple(ids),
        labels=np.array(kept, dtype=np.int64),
        boxes=np.array(boxes, dtype=np.float64).reshape(len(kept), 4),
        left_out=left_out,
    )


def _whole(text: str) -> str:
    """A code without the decimals that spreadsheets add: "3.0" is "3"."""
    return text.removesuffix(".0")


def _box(path: Path, row: Row) -> Box | None:
    """The face box of a row, or None where it is not given."""
    line, cells = row
    if any(cell.lower() in NO_BOX for cell in cells[1:5]):
        return None
    try:
        left, top, width, height = [float(cell) for cell in cells[1:5]]
    except ValueError:
        found = f"the face box is {','.join(cells[1:5])!r}"
        raise InputError(f"{path}, line {line}", found, LIST_REMEDY) from None
    return left, top, width, height
