"""Where a face corpus lies on disk: its root, the folders below it, the pictures in a folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from neurogaze.errors import InputError

PICTURES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
"""Endings of picture files, in small letters."""

NO_CLASSES = ("__MACOSX",)
"""Folders that unpacking leaves behind."""


def root_remedy(name: str) -> str:
    """How to say where a corpus lies.

    >>> root_remedy("rafdb")
    'set the environment variable NEUROGAZE_RAFDB or pass --data.corpus.root'
    """
    return f"set the environment variable NEUROGAZE_{name.upper()} or pass --data.corpus.root"


def root_of(given: Path | None, name: str) -> Path:
    """The folder of a corpus: as given, else from the environment.

    Args:
        given: folder, or None for the variable `NEUROGAZE_<NAME>`.
        name: of the corpus.

    Raises:
        InputError: when none is given, or it does not exist.
    """
    chosen = given or os.environ.get(f"NEUROGAZE_{name.upper()}")
    if not chosen:
        raise InputError(f"{name} root", "is not given", root_remedy(name))
    if not Path(chosen).is_dir():
        raise InputError(chosen, "there is no such folder", root_remedy(name))
    return Path(chosen)


def first_place(root: Path, places: Sequence[str], remedy: str) -> Path:
    """The first of several places below a root that exists.

    Raises:
        InputError: when none does, naming all.
    """
    for place in places:
        if (root / place).exists():
            return root / place
    found = f"holds none of {', '.join(places)}"
    raise InputError(root, found, remedy)


def pictures_in(folder: Path) -> list[str]:
    """Names of the picture files in a folder, sorted; hidden files and others are passed over.

    Raises:
        InputError: when the folder cannot be listed.
    """
    try:
        with os.scandir(folder) as entries:
            files = [e.name for e in entries if not e.name.startswith(".") and e.is_file()]
    except OSError as error:
        found = f"cannot be listed ({error.strerror})"
        raise InputError(folder, found, "restore the folder") from error
    return sorted(name for name in files if name.lower().endswith(PICTURES))


def folders_in(folder: Path) -> list[str]:
    """Names of the folders in a folder, sorted, without hidden ones."""
    with os.scandir(folder) as entries:
        names = [e.name for e in entries if e.is_dir() and not e.name.startswith(".")]
    return sorted(name for name in names if name not in NO_CLASSES)
