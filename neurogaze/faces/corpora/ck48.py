"""CK+48: the last three frames of every labelled sequence of CK+, in class folders.

981 pictures of 48x48 pixels and no neutral one. All of them are offered as "valid".
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from neurogaze.errors import InputError
from neurogaze.faces.corpora.ck_tree import Frame
from neurogaze.faces.corpora.classes import labels_of
from neurogaze.faces.corpora.labelled import RULE
from neurogaze.faces.corpora.one_label import (
    TEST_SPLITS,
    check_test_split,
    content_identity,
    labelled_table,
    lines_hash,
    size_of,
)
from neurogaze.faces.corpora.places import folders_in, pictures_in, root_of
from neurogaze.faces.decoding import read_grey
from neurogaze.faces.images import FaceCorpus, FaceTable
from neurogaze.faces.reading import fitted, read_pictures

FRAME_NAME = re.compile(r"(S\d+)_(\d+)_\d+")
FOLDER = "CK+48"


class CkPlus48(FaceCorpus):
    """CK+48: the last three frames of each sequence at 48x48, no neutral; every row is "valid".

    Person and sequence are read off the file name, such as `S010_004_00000017.png`.

    Args:
        root: folder of the class folders, or one that holds it as `CK+48`; by default the
            environment variable `NEUROGAZE_CKPLUS48`.
        strict: raise at the first picture that is unreadable, rather than skip it.
    """

    splits = TEST_SPLITS

    def __init__(self, root: Path | None = None, strict: bool = False) -> None:
        self.name = "ckplus48"
        self.strict = strict
        self._root = root

    def load(self, split: str, progress: bool = False) -> FaceTable:
        """Read the pictures, by person and sequence.

        Raises:
            InputError: for an unknown split or class, or a name that does not tell the person.
        """
        check_test_split(self.name, split)
        root = root_of(self._root, self.name)
        listed = frames_48(root)
        ids = [frame.sample for frame in listed]
        read = read_pictures(
            ids, lambda i: fitted(read_grey(listed[i].picture)), root, self.strict, progress
        )
        return labelled_table(
            read,
            ids,
            np.array([frame.label for frame in listed], dtype=np.int64),
            (self.name, split, RULE),
            subjects=[frame.subject for frame in listed],
            sequences=[frame.sequence for frame in listed],
        )

    def identity(self, split: str) -> dict[str, str | int | float | bool]:
        """Class, name and size of every picture; pixels are not read."""
        check_test_split(self.name, split)
        listed = frames_48(root_of(self._root, self.name))
        rows = [f"{f.sample} {f.label} {size_of(f.picture)}" for f in listed]
        return content_identity(self.name, split, self.strict, lines_hash(rows))


def frames_48(root: Path) -> list[Frame]:
    """Pictures of CK+48, by person and sequence.

    Raises:
        InputError: for unknown classes, a name that does not tell the person, or a picture that
            lies in two classes.
    """
    folder = root / FOLDER if (root / FOLDER).is_dir() else root
    classes = folders_in(folder)
    if not classes:
        raise InputError(folder, "holds no class folder", f"point at the folder {FOLDER}")
    found: dict[str, Frame] = {}
    for name, label in zip(classes, labels_of(folder, classes), strict=True):
        for file in pictures_in(folder / name):
            frame = _frame_48(folder / name / file, label)
            if file in found:
                told = f"is also in {found[file].picture.parent.name}"
                raise InputError(frame.picture, told, "keep it in one class")
            found[file] = frame
    if not found:
        raise InputError(folder, "holds no picture", f"point at the folder {FOLDER}")
    return [found[file] for file in sorted(found)]


def _frame_48(path: Path, label: int) -> Frame:
    named = FRAME_NAME.fullmatch(path.stem)
    if named is None:
        found = "is not named after person, sequence and frame"
        raise InputError(path, found, "name it as published, such as S010_004_00000017.png")
    subject, number = named.groups()
    return Frame(path, subject, f"{subject}_{number}", label, None)
