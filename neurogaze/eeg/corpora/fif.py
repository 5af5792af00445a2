"""The chain of tags of a FIF file, which damage can close to a ring, and its later parts.

A tag tells where the next one is (Elekta Neuromag, "Functional Image File Format"). MNE follows the
chain where the directory at the end cannot be read, and a ring without end fills the memory. A
recording beyond 2 GB lies in several files, each of which names the next.
"""

from __future__ import annotations

import gzip
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from neurogaze.eeg.corpora.sources import DAMAGED, readable
from neurogaze.errors import InputError

SUFFIXES = (".fif", ".fif.gz")
TAG = struct.Struct(">iIii")  # kind, type, bytes, place of the next tag
DIRECTLY_AFTER = 0
ROLE, NUMBER, NAME = 115, 117, 118
"""Kinds of the tags that say what another file is to this one, its number and its name."""
NEXT = 2
"""Role of the file that goes on with the recording."""
LONGEST_NAME = 4096


def is_fif(path: Path) -> bool:
    """Whether MNE takes a file for FIF, by its name."""
    return path.name.lower().endswith(SUFFIXES)


def fif_parts(path: Path) -> tuple[Path, ...]:
    """The files of one recording in order: this one and the later parts that are there.

    Args:
        path: FIF file, compressed or not.

    Raises:
        InputError: for a chain of tags, or of parts, that comes back to what it has passed.
    """
    parts = [path]
    while (after := _next_part(parts[-1])) is not None and after.is_file():
        if any(after.samefile(part) for part in parts):
            raise InputError(
                parts[-1], f"names {after.name} as its next part, which it follows", DAMAGED
            )
        parts.append(after)
    return tuple(parts)


def _next_part(path: Path) -> Path | None:
    """The file that a FIF file names as its next part; a name goes before a number, as in MNE."""
    role, number, name = NEXT, None, None
    with readable(path), _opened(path) as stream:
        for kind, content in _tags(path, stream):
            if kind == ROLE:
                (role,) = struct.unpack(">i", content[:4])
            elif kind == NAME and role == NEXT:
                name = content.decode("latin-1")
            elif kind == NUMBER and role == NEXT:
                (number,) = struct.unpack(">i", content[:4])
    if name is not None:
        return path.parent / name
    return None if number is None else path.with_name(_numbered(path.name, number))


def _opened(path: Path) -> BinaryIO:
    if path.name.lower().endswith(".gz"):
        return cast(BinaryIO, gzip.open(path, "rb"))
    return path.open("rb")


def _tags(path: Path, stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Kind of every tag in the order of the chain, and its content where it tells of another file.

    Raises:
        InputError: for a chain that comes back to a tag it has passed.
    """
    seen: set[int] = set()
    place = 0
    while place >= 0:
        if place in seen:
            raise InputError(path, f"the tag at byte {place} follows itself", DAMAGED)
        seen.add(place)
        stream.seek(place)
        tag = stream.read(TAG.size)
        if len(tag) < TAG.size:
            return
        kind, _, size, after = TAG.unpack(tag)
        told = kind in (ROLE, NUMBER, NAME) and 0 <= size <= LONGEST_NAME
        yield kind, stream.read(size) if told else b""
        place = place + TAG.size + size if after == DIRECTLY_AFTER else after


def _numbered(name: str, number: int) -> str:
    """Name of a part by its number: "a.fif" is followed by "a-1.fif", that by "a-2.fif".

    >>> _numbered("a.fif", 1), _numbered("a-1.fif", 2)
    ('a-1.fif', 'a-2.fif')
    """
    stem, dot, suffix = name.partition(".")
    before, dash, last = stem.rpartition("-")
    return f"{before if dash and last.isdigit() else stem}-{number}{dot}{suffix}"
