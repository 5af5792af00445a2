"""The 8-label release of AffectNet: cropped pictures, and one small array file a label.

The number of a picture is unique within its split only: the same number in training and validation
is another picture.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
from rich.progress import track

from neurogaze.errors import InputError
from neurogaze.faces.corpora.affectnet_lists import AFFECTNET_CODES
from neurogaze.faces.corpora.classes import labels_of
from neurogaze.faces.corpora.labelled import Listed, listed_identity, read_listed
from neurogaze.faces.corpora.places import first_place, pictures_in, root_of, root_remedy
from neurogaze.faces.corpora.published import compare_counts
from neurogaze.faces.images import FaceCorpus, FaceTable, unknown_split
from neurogaze.faces.labels import DROPPED
from neurogaze.faces.reading import ARRAY_ERRORS

FOLDERS = {"train": "train_set", "valid": "val_set"}
PUBLISHED = {
    "train": (74_874, 134_415, 14_090, 25_459, 24_882, 3_803, 6_378, 3_750),
    "valid": (500, 500, 500, 500, 500, 500, 500, 499),
}
"""Pictures of each emotion, in the order of `EMOTIONS` (not in that of the codes)."""

MANY = 10_000
"""Labels from which on reading them takes seconds, so that a bar is shown."""

LABEL_REMEDY = "restore the file, one number that stands for a class"


def read_code(path: Path) -> str:
    """The class code in `<n>_exp.npy`: one number, or, in many copies, one text.

    Returns:
        The code as text, without decimals.

    Raises:
        InputError: when the file is missing, no such array, or holds no whole number.
    """
    try:
        value = np.load(path, allow_pickle=False)
        text = value.item().decode() if value.dtype.kind == "S" else str(value.item())
        number = float(text)
        if not number.is_integer():
            raise ValueError(f"{text} is not whole")
    except FileNotFoundError:
        raise InputError(path, "there is no such label", LABEL_REMEDY) from None
    except ARRAY_ERRORS as error:
        raise InputError(path, f"not a label ({error})", LABEL_REMEDY) from error
    return str(int(number))


def list_8label(folder: Path, split: str, strict: bool) -> Listed:
    """Pictures of `train_set` or `val_set` by number, with their labels.

    Args:
        folder: holds `images` and `annotations`.
        split: begins the ids.
        strict: raise at the first label that is missing or unreadable, rather than skip it.

    Raises:
        InputError: for a missing folder, codes without meaning (all are named), or when `strict`.
    """
    names = sorted(pictures_in(first_place(folder, ("images",), root_remedy("affectnet_8label"))),
                   key=_by_number)  # fmt: skip
    found: list[tuple[str, str]] = []
    unreadable = []
    for name in track(names, f"reading labels of {split}", disable=len(names) < MANY):
        try:
            found.append((name, read_code(folder / "annotations" / f"{Path(name).stem}_exp.npy")))
        except InputError as error:
            if strict:
                raise
            unreadable.append(f"{split}/{name}: {error.found}")
    classes = [AFFECTNET_CODES.name(code) for _, code in found]
    labels = np.array(labels_of(folder / "annotations", classes), dtype=np.int64)
    kept = [name for (name, _), label in zip(found, labels, strict=True) if label != DROPPED]
    left_out = Counter(c for c, label in zip(classes, labels, strict=True) if label == DROPPED)
    return Listed(
        folder=folder / "images",
        files=tuple(kept),
        ids=tuple(f"{split}/{name}" for name in kept),
        labels=labels[labels != DROPPED],
        left_out=left_out,
        unreadable=tuple(unreadable),
    )


def _by_number(name: str) -> tuple[bool, int, str]:
    """Sort key: numbered pictures by number, then others by name."""
    stem = Path(name).stem
    return not stem.isdecimal(), int(stem) if stem.isdecimal() else 0, name


class AffectNet8Label(FaceCorpus):
    """AffectNet with eight labels: `train_set` and `val_set`, each `images` and `annotations`.

    Args:
        root: folder of the two; by default the environment variable `NEUROGAZE_AFFECTNET_8LABEL`.
        strict: raise at the first picture or label that is missing or unreadable, rather than skip
            it.
    """

    def __init__(self, root: Path | None = None, strict: bool = False) -> None:
        self.name = "affectnet_8label"
        self.strict = strict
        self._root = root
        self._listed: dict[str, Listed] = {}

    def listed(self, split: str) -> Listed:
        """Pictures of a split with their labels, which are read once.

        Raises:
            InputError: for an unknown split, a missing folder, unknown codes, or when `strict`.
        """
        if split not in FOLDERS:
            raise unknown_split(self.name, split, tuple(FOLDERS))
        if split not in self._listed:
            root = root_of(self._root, self.name)
            folder = first_place(root, (FOLDERS[split],), root_remedy(self.name))
            self._listed[split] = list_8label(folder, split, self.strict)
        return self._listed[split]

    def load(self, split: str, progress: bool = False) -> FaceTable:
        """Read "train" or "valid" in the order of the numbers.

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
