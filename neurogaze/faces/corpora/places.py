"""Where a face corpus lies on disk: its root, the folders below it, the pictures and their size."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from neurogaze.errors import InputError

PICTURES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
"""Endings of picture files, in small letters."""

NO_CLASSES = ("__MACOSX",)
"""Folders that unpacking leaves behind."""


class MissingError(InputError):
    """Data that are not there at all, where others would be damaged: somebody may do without."""


def root_remedy(name: str) -> str:
    """How to say where a corpus lies.

    >>> root_remedy("rafdb")
    'set the variable NEUROGAZE_RAFDB, or pass --roots.rafdb (with `fit`: --data.corpus.root)'
    """
    flags = f"--roots.{name} (with `fit`: --data.corpus.root)"
    return f"set the variable NEUROGAZE_{name.upper()}, or pass {flags}"


def root_of(given: Path | None, name: str) -> Path:
    """The folder of a corpus: as given, else from the environment.

    Args:
        given: folder, or None for the variable `NEUROGAZE_<NAME>`.
        name: of the corpus.

    Raises:
        MissingError: when none is given, or it does not exist.
    """
    chosen = given or os.environ.get(f"NEUROGAZE_{name.upper()}")
    if not chosen:
        raise MissingError(f"{name} root", "is not given", root_remedy(name))
    if not Path(chosen).is_dir():
        raise MissingError(chosen, "there is no such folder", root_remedy(name))
    return Path(chosen)


def first_place(root: Path, places: Sequence[str], remedy: str) -> Path:
    """The first of several places below a root that exists.

    Raises:
        MissingError: when none does, naming all.
    """
    for place in places:
        if (root / place).exists():
            return root / place
    found = f"holds none of {', '.join(places)}"
    raise MissingError(root, found, remedy)


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


def hidden(path: Path) -> bool:
    """Whether a path below a root is none of its owner's: hidden, or left behind by unpacking.

    >>> hidden(Path("a/._b.png")), hidden(Path("__MACOSX/b.png")), hidden(Path("a/b.png"))
    (True, True, False)
    """
    return any(part.startswith(".") or part in NO_CLASSES for part in path.parts)


def size_of(path: Path) -> int:
    """Bytes of a file, -1 where there is none."""
    try:
        return path.stat().st_size if path.is_file() else -1
    except (OSError, ValueError):  # a name that no file can have
        return -1


def real_folder(folder: Path) -> Path:
    """True place of a folder, be it there or not; as it is where no folder can have that name."""
    try:
        return Path(os.path.realpath(folder))  # links in a circle are no error here
    except ValueError:
        return folder


def lines_hash(lines: Iterable[str]) -> str:
    """SHA-256 of lines in their order."""
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
