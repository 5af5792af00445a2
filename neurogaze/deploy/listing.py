"""The pictures that get a row, under names that every format can hold."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from neurogaze.deploy.folders import Found, find_pictures
from neurogaze.deploy.journal import key_of
from neurogaze.deploy.pictures import SUFFIXES
from neurogaze.errors import InputError

SAVED_AS = "PNG or JPEG"
"""What a picture of a type that is not read should become."""

ESCAPED = re.compile(r"\\ud[89a-f][0-9a-f]{2}")
"""How a byte of a name that is no UTF-8 is written."""


@dataclass(frozen=True)
class Listed:
    """A picture that was found.

    Args:
        path: of the file.
        name: relative to the folder that is read, as rows give it.
        key: under which the journal keeps it; of the name as the disk has it.
        refused: why it cannot be followed; "" where it can.
    """

    path: Path
    name: str
    key: str
    refused: str = ""


def listed(source: Path) -> tuple[list[Listed], Found]:
    """Everything that gets a row, by name, and what was found, with all that is passed over.

    Raises:
        InputError: for a source that is not there or holds no picture.
    """
    found = find_pictures(source)
    named = [(path, "") for path in found.paths] + found.refused
    if not named and found.videos:
        held = f"holds no picture, but {found.videos:,} videos"
        raise InputError(source, held, "give each video by itself")
    if not named and found.others:
        held = f"holds no picture that is read, but {found.others:,} of other types"
        raise InputError(source, held, f"save them as {SAVED_AS}")
    if not named:
        raise InputError(source, "holds no picture", f"give files that end in {SUFFIXES}")
    folder = source if source.is_dir() else source.parent
    pictures = []
    for path, refused in sorted(named):
        name = path.relative_to(folder).as_posix()
        pictures.append(Listed(path, printable(name), key_of(name, path), refused))
    return pictures, found


def printable(name: str) -> str:
    r"""A name as text that every format can hold, though a disk may hold any bytes.

    No two names become one: a name that looks as if it were escaped has its backslashes doubled.

    >>> printable("caf\udce9.png")
    'caf\\udce9.png'
    """
    escaped = name.encode("utf-8", "backslashreplace").decode()
    if not ESCAPED.search(escaped):
        return name
    return name.replace("\\", "\\\\").encode("utf-8", "backslashreplace").decode()
