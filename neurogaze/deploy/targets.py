"""Where a run may write: never over what it reads, and never among files of somebody else."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from pathlib import Path

from neurogaze.errors import InputError

VIDEO = ".mp4"
"""Suffix of a target that becomes a video; any other target of drawings is a folder."""


def check_targets(source: Path | None, out: Path, annotated: Path | None) -> None:
    """Refuse a table or drawings that would replace what is read, or be read by the next run.

    Args:
        source: a picture, a folder or a video; None for a camera.
        out: the table.
        annotated: a folder or an `.mp4`; None draws nothing.

    Raises:
        InputError: where `out` or `annotated` is the source or each other, where a folder of
            drawings holds the source or lies in it, and for links that lead in a circle.
    """
    place_of(out)
    check_not_read(out, [] if source is None else [source])
    if annotated is None:
        return
    if same(annotated, out):
        raise InputError(annotated, "is the table too", "give --annotated another name")
    if annotated.suffix.lower() == VIDEO and annotated.is_dir():
        raise InputError(annotated, "is a folder", f"name a file, or a folder without {VIDEO}")
    if source is not None:
        _check_apart(source, annotated)


def check_not_read(out: Path, read: Iterable[Path]) -> None:
    """Refuse a file to write that is one of those that are read, by whatever name.

    Args:
        out: file to write.
        read: files that are read; they need not be there.

    Raises:
        InputError: naming `out`, or a link that leads in a circle.
    """
    if any(same(path, out) for path in read):
        raise InputError(out, "is what is read", "give --out another name")


def _check_apart(source: Path, annotated: Path) -> None:
    read, drawn = place_of(source), place_of(annotated)
    if same(source, annotated):
        raise InputError(annotated, "is what is read", "give --annotated another name")
    if drawn in read.parents:
        found = "holds what is read: drawings would replace other files in it"
        raise InputError(annotated, found, "name another folder")
    if source.is_dir() and read in drawn.parents:
        raise InputError(annotated, "lies in the folder that is read", "name another folder")


def check_fresh(annotated: Path | None) -> None:
    """Refuse a folder of drawings that holds anything: its files may have the same names.

    Hidden files do not count, for no drawing is hidden. An `.mp4` may be replaced, as a table may.

    Raises:
        InputError: for a folder that is not empty.
    """
    if annotated is None or annotated.suffix.lower() == VIDEO or not annotated.is_dir():
        return
    if any(not path.name.startswith(".") for path in annotated.iterdir()):
        found = "is a folder that is not empty, and files in it could be replaced"
        raise InputError(annotated, found, "name a new folder, or empty this one")


def same(one: Path, other: Path) -> bool:
    """Whether two names lead to one place, be it there or not.

    Raises:
        InputError: as `place_of`.
    """
    if place_of(one) == place_of(other):
        return True
    try:
        return one.samefile(other)
    except OSError:  # one of them is not there
        return False


def place_of(path: Path) -> Path:
    """The place that a name leads to, be it there or not.

    Raises:
        InputError: for links that lead in a circle.
    """
    try:
        path.stat()
    except OSError as error:
        if error.errno == errno.ELOOP:
            found = "is reached by links that lead in a circle"
            raise InputError(path, found, "remove the link, or name another place") from None
    return Path(os.path.realpath(path))  # `resolve` raises RuntimeError for a circle, until 3.13
