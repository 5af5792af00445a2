"""RAF-DB, basic emotions: the official tree, or the copy in one numbered folder a class."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from neurogaze.errors import InputError
from neurogaze.faces.corpora.class_folders import list_classes
from neurogaze.faces.corpora.classes import Codes, labels_of
from neurogaze.faces.corpora.labelled import Listed, listed_identity, read_listed
from neurogaze.faces.corpora.places import first_place, root_of, root_remedy
from neurogaze.faces.corpora.published import compare_counts
from neurogaze.faces.corpora.sheets import inside
from neurogaze.faces.images import FaceCorpus, FaceTable, unknown_split

RAF_CODES = Codes(("surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral"), 1)
"""Classes of RAF-DB in the order of their codes, which begin at 1; there is no contempt."""

SPLITS = {"train": "train", "valid": "test"}
"""What RAF-DB calls a split. It has no validation set; its test set is what is judged."""

LIST_NAME = "list_patition_label.txt"
"""Spelt as its authors do."""

LISTS = tuple(f"{place}EmoLabel/{LIST_NAME}" for place in ("", "basic/"))
IMAGES = tuple(f"{place}Image/aligned" for place in ("", "basic/"))
COPIES = ("DATASET/", "")
PUBLISHED = {
    "train": (2_524, 4_772, 1_290, 1_982, 705, 717, 281, 0),
    "valid": (680, 1_185, 329, 478, 162, 160, 74, 0),
}
"""Pictures of each emotion, in the order of `EMOTIONS` (not in that of the codes)."""

LIST_REMEDY = "restore the list as RAF-DB supplies it"


def list_official(path: Path, images: Path, part: str) -> Listed:
    """Rows `train_00001.jpg 5` of the list, with the aligned pictures they name.

    Args:
        path: the list.
        images: folder of `train_00001_aligned.jpg` and so on.
        part: "train" or "test".

    Raises:
        InputError: for a line that does not parse, a name of neither part, or unknown codes (all
            are named).
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(path, f"not a list ({error})", LIST_REMEDY) from error
    rows = [_row(path, n, line) for n, line in enumerate(lines, start=1) if line.strip()]
    labels = np.array(labels_of(path, [RAF_CODES.name(code) for _, code in rows]), dtype=np.int64)
    kept = [i for i, (name, _) in enumerate(rows) if name.startswith(f"{part}_")]
    stems = [Path(rows[i][0]).stem for i in kept]
    return Listed(
        folder=images,
        files=tuple(f"{stem}_aligned.jpg" for stem in stems),
        ids=tuple(f"{part}/{stem}" for stem in stems),
        labels=labels[kept],
    )


def _row(path: Path, number: int, line: str) -> tuple[str, str]:
    where = f"{path}, line {number}"
    cells = line.split()
    if len(cells) != 2 or not cells[0].startswith(("train_", "test_")):
        raise InputError(where, f"cannot read {line!r}", LIST_REMEDY)
    return inside(where, cells[0]), cells[1]


def list_rafdb(root: Path, part: str) -> Listed:
    """Pictures of a part, in whichever of the two forms lies there.

    Raises:
        InputError: when there is neither, or it cannot be used.
    """
    if any((root / place).exists() for place in LISTS):
        path = first_place(root, LISTS, LIST_REMEDY)
        images = first_place(root, IMAGES, "unpack the aligned pictures")
        return list_official(path, images, part)
    copies = [f"{place}{part}" for place in COPIES]
    return list_classes(first_place(root, (*copies, *LISTS), root_remedy("rafdb")), RAF_CODES)


class RafDb(FaceCorpus):
    """RAF-DB with seven basic emotions (Li, Deng and Du, CVPR 2017); no contempt.

    "valid" is the test set of RAF-DB.

    Args:
        root: folder of `basic` (or the one below it), or of `DATASET/train/1` and so on; by
            default the environment variable `NEUROGAZE_RAFDB`.
        strict: raise at the first picture that is missing or unreadable, rather than skip it.
    """

    def __init__(self, root: Path | None = None, strict: bool = False) -> None:
        self.name = "rafdb"
        self.strict = strict
        self._root = root
        self._listed: dict[str, Listed] = {}

    def listed(self, split: str) -> Listed:
        """Pictures of a split, listed once.

        Raises:
            InputError: for an unknown split, or lists or folders that are missing or unusable.
        """
        if split not in SPLITS:
            raise unknown_split(self.name, split, tuple(SPLITS))
        if split not in self._listed:
            self._listed[split] = list_rafdb(root_of(self._root, self.name), SPLITS[split])
        return self._listed[split]

    def load(self, split: str, progress: bool = False) -> FaceTable:
        """Read "train" or "valid" in the order of the list, or folder by folder.

        Raises:
            InputError: as `listed`; when no picture can be read; or when the published number of
                pictures belongs to other emotions.
        """
        listed = self.listed(split)
        compare_counts(listed.folder, listed.class_counts, PUBLISHED[split])
        return read_listed(listed, self.name, split, self.strict, progress)

    def identity(self, split: str) -> dict[str, str | int | float | bool]:
        """Labels by content, pictures by name and size."""
        return listed_identity(self.listed(split), self.name, split, self.strict)

    def files(self, split: str) -> tuple[Path, ...]:
        """The picture files of a split."""
        return self.listed(split).paths
