"""Copies of FER+ that are not FER+: augmented beforehand, or with the splits dealt anew.

The widely held one has class folders in each of three splits of 66,379, 8,341 and 3,579 pictures.
They were varied and multiplied before they were shared, no votes file can be matched with them, and
the smallest part has the size of the official validation split. A score on it compares to nothing,
and varied copies of one picture may teach and judge.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from neurogaze.errors import InputError
from neurogaze.faces.corpora.classes import label_of
from neurogaze.faces.corpora.places import folders_in, pictures_in

SPLIT_FOLDERS = ("train", "training", "val", "valid", "validation", "test")
SIGN = 2
"""Class folders that tell a re-pack from a folder that happens to be called like an emotion."""

WHY = (
    "it is a re-pack (the known one has 66,379 / 8,341 / 3,579 pictures): they were augmented or "
    "dealt anew before they were shared, so copies of one picture may teach and judge, and no "
    "votes belong to them"
)
REMEDY = (
    "supply fer2013new.csv with fer2013.csv, or with the 28,558 / 3,579 / 3,573 pictures that the "
    "script of FER+ writes"
)


def refuse_class_folders(root: Path) -> None:
    """Refuse a root that holds pictures by split and emotion, as no release of FER+ does.

    Raises:
        InputError: when it does, with the number of pictures found.
    """
    found = {}
    for split in folders_in(root):
        if split.lower() in SPLIT_FOLDERS:
            classes = class_folders(root / split)
            if len(classes) >= SIGN:
                found[split] = sum(len(pictures_in(folder)) for folder in classes)
    if found:
        held = ", ".join(f"{n:,} pictures in {split}" for split, n in found.items())
        raise InputError(root, f"holds folders of emotions ({held}); {WHY}", REMEDY)


def class_folders(folder: Path) -> list[Path]:
    """Folders named after an emotion."""
    return [folder / name for name in folders_in(folder) if label_of(name) is not None]


def refuse_surplus(folder: Path, named: Collection[str]) -> None:
    """Refuse a folder of a split that holds more than the pictures of the split.

    Args:
        folder: such as `FER2013Train`.
        named: pictures of the split in the votes file.

    Raises:
        InputError: for more pictures than names, or folders of emotions.
    """
    classes = class_folders(folder)
    if len(classes) >= SIGN:
        told = f"holds folders of emotions, such as {classes[0].name}; {WHY}"
        raise InputError(folder, told, REMEDY)
    with os.scandir(folder) as entries:
        pictures = {e.name for e in entries if _is_picture(e.name)}
    known = set(named)
    if len(pictures) > len(known):
        extra = sorted(pictures - known)[0]
        told = f"{len(pictures):,} pictures, and the votes file names {len(known):,} of this split"
        raise InputError(folder, f"holds {told} (not {extra}); {WHY}", REMEDY)


def _is_picture(name: str) -> bool:
    return name.lower().endswith(".png") and not name.startswith(".")
