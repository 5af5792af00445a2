"""CK+48: the last three frames of every labelled sequence of CK+, in class folders.

981 pictures of 48x48 pixels and no neutral one. All of them are offered as "valid".
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

import numpy as np

from neurogaze.errors import InputError
from neurogaze.faces.corpora.ck_tree import SEQUENCES
from neurogaze.faces.corpora.class_folders import list_classes
from neurogaze.faces.corpora.classes import NO_CODES
from neurogaze.faces.corpora.labelled import (
    TEST_SPLITS,
    Listed,
    check_test_split,
    listed_identity,
    read_listed,
)
from neurogaze.faces.corpora.places import root_of
from neurogaze.faces.corpora.published import refuse_mixed_up
from neurogaze.faces.images import FaceCorpus, FaceTable

FRAME_NAME = re.compile(r"(S\d+)_(\d+)_\d+")
FOLDER = "CK+48"
PUBLISHED = tuple(3 * n for n in SEQUENCES)
"""Pictures of each emotion, in the order of `EMOTIONS`."""


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
            InputError: for an unknown split or class, two folders of one class, a name that does
                not tell the person, or when the published number of pictures belongs to other
                emotions.
        """
        listed = self.listed(split)
        refuse_mixed_up(listed.folder, listed.class_counts, PUBLISHED)
        return read_listed(listed, self.name, split, self.strict, progress)

    def listed(self, split: str) -> Listed:
        """Pictures by person and sequence.

        Raises:
            InputError: as `load`, save for the numbers.
        """
        check_test_split(self.name, split)
        return list_48(root_of(self._root, self.name))

    def identity(self, split: str) -> dict[str, str | int | float | bool]:
        """Class, name and size of every picture; pixels are not read."""
        return listed_identity(self.listed(split), self.name, split, self.strict)

    def files(self, split: str) -> tuple[Path, ...]:
        """The picture files."""
        return self.listed(split).paths


def list_48(root: Path) -> Listed:
    """Pictures of CK+48, by person and sequence; those of no emotion are left out and counted.

    Raises:
        InputError: for unknown classes, two folders of one class, a name that does not tell the
            person, or a picture that lies in two classes.
    """
    folder = root / FOLDER if (root / FOLDER).is_dir() else root
    given = list_classes(folder, NO_CODES)
    if not given.files:
        raise InputError(folder, "holds no picture", f"point at the folder {FOLDER}")
    places: dict[str, int] = {}
    for row, file in enumerate(given.files):
        name = PurePosixPath(file).name
        if name in places:
            told = f"is also in {PurePosixPath(given.files[places[name]]).parent}"
            raise InputError(folder / file, told, "keep it in one class")
        places[name] = row
    rows = [places[name] for name in sorted(places)]
    keys = [_keys(folder / given.files[row]) for row in rows]
    return Listed(
        folder=folder,
        files=tuple(given.files[row] for row in rows),
        ids=tuple(sample for sample, _, _ in keys),
        labels=given.labels[np.array(rows)],
        left_out=given.left_out,
        subjects=tuple(subject for _, subject, _ in keys),
        sequences=tuple(sequence for _, _, sequence in keys),
    )


def _keys(path: Path) -> tuple[str, str, str]:
    """Sample id, person and sequence of a picture."""
    named = FRAME_NAME.fullmatch(path.stem)
    if named is None:
        found = "is not named after person, sequence and frame"
        raise InputError(path, found, "name it as published, such as S010_004_00000017.png")
    subject, number = named.groups()
    return f"{subject}/{number}/{path.stem}", subject, f"{subject}_{number}"
