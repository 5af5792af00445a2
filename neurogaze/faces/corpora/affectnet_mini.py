"""A small re-labelled selection of AffectNet that is passed around: folders and `labels.csv`.

Folder and table disagree for some pictures; the table is the later judgement and is believed.
"""

from __future__ import annotations

import warnings
from collections import Counter
from pathlib import Path, PurePosixPath

import numpy as np

from neurogaze.faces.corpora.classes import label_of, labels_of
from neurogaze.faces.corpora.labelled import (
    TEST_SPLITS,
    Listed,
    check_test_split,
    listed_identity,
    read_listed,
)
from neurogaze.faces.corpora.places import root_of, root_remedy
from neurogaze.faces.corpora.sheets import inside, read_columns
from neurogaze.faces.images import FaceCorpus, FaceTable
from neurogaze.faces.labels import DROPPED

COLUMNS = ("pth", "label")
CAVEAT = (
    "affectnet_mini is not an official split of AffectNet: many of its pictures belong to the "
    "training set of AffectNet, so never report it as AffectNet validation; the agreement of "
    "AffectNet forbids passing pictures on, so treat these as restricted"
)


def list_mini(root: Path) -> Listed:
    """Rows of `labels.csv`; ids begin with the row and keep the folder.

    Raises:
        InputError: for a table that cannot be used, unknown classes (all are named), or a file
            outside the folder.
    """
    path = root / "labels.csv"
    rows = list(read_columns(path, COLUMNS, root_remedy("affectnet_mini")))
    labels = np.array(labels_of(path, [name for _, (_, name) in rows]), dtype=np.int64)
    files = [inside(f"{path}, line {line}", file) for line, (file, _) in rows]
    kept = np.flatnonzero(labels != DROPPED)
    return Listed(
        folder=root,
        files=tuple(files[i] for i in kept),
        ids=tuple(f"row{i:05d}/{files[i]}" for i in kept),
        labels=labels[kept],
        left_out=Counter(row[1][1].lower() for row, y in zip(rows, labels, strict=True) if y < 0),
    )


def disagreements(listed: Listed) -> int:
    """Pictures that lie in the folder of another emotion than the table says."""
    folders = [PurePosixPath(file).parent.name for file in listed.files]
    meaning = {name: label_of(name) for name in set(folders)}
    pairs = zip(folders, listed.labels.tolist(), strict=True)
    return sum(meaning[name] not in (None, label) for name, label in pairs)


class AffectNetMini(FaceCorpus):
    """About 29,000 pictures of 96x96 with `labels.csv`; a test set only, all of it "valid".

    Args:
        root: folder of `labels.csv` and of the class folders; by default the environment variable
            `NEUROGAZE_AFFECTNET_MINI`.
        strict: raise at the first picture that is missing or unreadable, rather than skip it.
    """

    splits = TEST_SPLITS
    note = CAVEAT

    def __init__(self, root: Path | None = None, strict: bool = False) -> None:
        self.name = "affectnet_mini"
        self.strict = strict
        self._root = root
        self._listed: dict[str, Listed] = {}

    def listed(self, split: str) -> Listed:
        """Pictures of the table, which is read once.

        Raises:
            InputError: for another split than "valid", or a table that cannot be used.
        """
        check_test_split(self.name, split)
        if split not in self._listed:
            self._listed[split] = list_mini(root_of(self._root, self.name))
        return self._listed[split]

    def load(self, split: str, progress: bool = False) -> FaceTable:
        """Read all pictures in the order of the table; warn of what this set is not.

        Raises:
            InputError: as `listed`, or when no picture can be read.
        """
        listed = self.listed(split)
        warnings.warn(self.note, stacklevel=2)
        elsewhere = disagreements(listed)
        if elsewhere:
            told = f"{elsewhere} of {len(listed.files)} pictures lie in the folder of another class"
            warnings.warn(f"{listed.folder}: {told}; labels.csv is believed", stacklevel=2)
        return read_listed(listed, self.name, split, self.strict, progress, self.note)

    def identity(self, split: str) -> dict[str, str | int | float | bool]:
        """Labels by content, pictures by name and size."""
        return listed_identity(self.listed(split), self.name, split, self.strict)

    def files(self, split: str) -> tuple[Path, ...]:
        """The picture files of the table."""
        return self.listed(split).paths
