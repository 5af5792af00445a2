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
    root = Path(root).expanduser()
    if not root.exists():
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


class Fingerprints:
    """Name, size and SHA-256 of source files; each file is hashed once per object."""

    def __init__(self) -> None:
        self._known: dict[Path, Identity] = {}

    def of(self, path: Path) -> Identity:
        """Identity of one file, as `Corpus.identity` returns it.

        Raises:
            InputError: if the file is missing or cannot be read.
        """
        if path not in self._known:
            with readable(path, "restore the file"):
                self._known[path] = {
                    "file": path.name,
                    "bytes": path.stat().st_size,
                    "sha256": file_hash(path),
                }
        return dict(self._known[path])
