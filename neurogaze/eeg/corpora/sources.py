"""Finding the files of a corpus, telling one version from another, and failing in plain words."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from neurogaze.artefacts import file_hash
from neurogaze.errors import InputError

Identity = dict[str, str | int | float | bool]

DAMAGED = "copy or unpack the file again; it may be truncated"


def located(root: Path | None, variable: str, what: str) -> Path:
    """The place a corpus was said to be, by argument or by environment variable.

    Args:
        root: file or folder, or None to ask the environment.
        variable: name of the environment variable.
        what: what should be there, for the message.

    Raises:
        InputError: if nobody said where, or if nothing is there.
    """
    if root is None:
        said = os.environ.get(variable, "")
        if not said:
            raise InputError(variable, "is not set and no root was given", f"point it at {what}")
        root = Path(said)
    try:
        root = Path(root).expanduser()
        there = root.exists()
    except (RuntimeError, OSError, ValueError) as error:  # no such user; a name no system takes
        found = f"is no place that can be looked up ({error})".replace("\n", " ")
        raise InputError(str(root), found, f"point root or {variable} at {what}") from error
    if not there:
        raise InputError(root, "does not exist", f"point root or {variable} at {what}")
    return root


@contextmanager
def readable(path: Path, remedy: str = DAMAGED) -> Iterator[None]:
    """Turn what a file library says of a damaged file into an `InputError` that names the file.

    Raises:
        InputError: in place of any error of the block that is not one already.
    """
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # SciPy, h5py and MNE raise a dozen types on damaged files
        detail = f"{type(error).__name__}: {error}".replace("\n", " ")
        raise InputError(path, f"cannot be read ({detail})", remedy) from error


Stamp = tuple[int, int, int]
"""Size, time of the last change (ns) and inode of a file: another version has another."""


def stamp(path: Path) -> Stamp:
    """What tells one version of a file from the next without reading it.

    Raises:
        InputError: if the file is missing.
    """
    with readable(path, "restore the file"):
        return stamp_of(path.stat())


def stamp_of(found: os.stat_result) -> Stamp:
    """`stamp` of a file that was looked up already."""
    return found.st_size, found.st_mtime_ns, found.st_ino


class Fingerprints:
    """Name, size and SHA-256 of source files; each version of a file is hashed once per object."""

    def __init__(self) -> None:
        self._known: dict[tuple[Path, Stamp], Identity] = {}

    def of(self, path: Path) -> Identity:
        """Identity of one file as it is now, as `Corpus.identity` returns it.

        Raises:
            InputError: if the file is missing or cannot be read.
        """
        version = (path, stamp(path))
        if version not in self._known:
            with readable(path, "restore the file"):
                self._known[version] = {
                    "file": path.name,
                    "bytes": path.stat().st_size,
                    "sha256": file_hash(path),
                }
        return dict(self._known[version])
