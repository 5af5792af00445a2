"""Files under a folder, however it is linked; what cannot be entered is said, not raised."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

HIDDEN = "."
"""Names that begin with it are left out: thumbnails, and twins that a Mac writes beside files."""

Identity = tuple[int, int]
"""Device and inode: one folder has one, whatever leads to it."""


@dataclass(frozen=True)
class Walked:
    """What lies under a folder.

    Args:
        files: regular files, sorted.
        irregular: pipes, sockets and devices, sorted.
        refused: what cannot be followed, each with the reason in words, sorted.
    """

    files: list[Path]
    irregular: list[Path]
    refused: list[tuple[Path, str]]


@dataclass
class _Walk:
    """What has been seen so far, and what is still to be entered."""

    seen: set[Identity] = field(default_factory=set)
    links: list[Path] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    irregular: list[Path] = field(default_factory=list)
    refused: list[tuple[Path, str]] = field(default_factory=list)


def files_under(folder: Path) -> Walked:
    """List all files in a folder and the folders below it.

    Every folder is read once: links to folders are followed after the folders themselves, and
    refused where they lead to one that was read. Names that begin with a dot are left out.
    """
    walk = _Walk()
    _read(folder, walk)
    while walk.links:
        walk.links.sort(reverse=True)
        _read(walk.links.pop(), walk)
    return Walked(sorted(walk.files), sorted(walk.irregular), sorted(walk.refused))


def _read(top: Path, walk: _Walk) -> None:
    """Read a folder and those inside it; links to folders are kept for later."""
    waiting = [top]
    while waiting:
        folder = waiting.pop()
        try:
            status = folder.stat()
            if (status.st_dev, status.st_ino) in walk.seen:
                walk.refused.append((folder, "leads to a folder that is read already"))
                continue
            with os.scandir(folder) as listing:
                entries = [entry for entry in listing if not entry.name.startswith(HIDDEN)]
        except OSError as error:
            walk.refused.append((folder, reason_of(error)))
            continue
        walk.seen.add((status.st_dev, status.st_ino))
        for entry in entries:
            _take(entry, walk, waiting)


def _take(entry: os.DirEntry[str], walk: _Walk, waiting: list[Path]) -> None:
    """Sort one entry of a folder to where it belongs."""
    path = Path(entry.path)
    try:
        if entry.is_dir():
            (walk.links if entry.is_symlink() else waiting).append(path)
        elif entry.is_file():
            walk.files.append(path)
        elif entry.is_symlink() and not path.exists():
            walk.refused.append((path, "is a broken link"))
        else:
            walk.irregular.append(path)
    except OSError as error:
        walk.refused.append((path, reason_of(error)))


def reason_of(error: OSError) -> str:
    """Why the system does not let us in, in words."""
    return f"cannot be read ({error.strerror or type(error).__name__})"
