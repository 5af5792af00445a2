"""Pictures under a folder, however it is linked; what cannot be entered is said, not raised."""

from __future__ import annotations

import mimetypes
import os
from dataclasses import dataclass, field
from pathlib import Path

from neurogaze.deploy.pictures import SUFFIXES
from neurogaze.deploy.video import SUFFIXES as VIDEO_SUFFIXES
from neurogaze.errors import InputError

HIDDEN = "."
"""Names that begin with it are left out: thumbnails, and twins that a Mac writes beside files."""

OTHER_SUFFIXES = (
    *(".avif", ".heic", ".heif", ".jp2", ".jxl"),
    *(".arw", ".cr2", ".cr3", ".dng", ".nef", ".orf", ".raf", ".raw", ".rw2"),
    *(".eps", ".ico", ".pbm", ".pcx", ".pgm", ".pnm", ".ppm", ".psd", ".svg", ".svgz", ".tga"),
)
"""Of pictures that are not read, in lower case: what not every system knows as their types."""

Identity = tuple[int, int]
"""Device and inode: one folder has one, whatever leads to it."""


@dataclass(frozen=True)
class Found:
    """Pictures that a source names.

    Args:
        paths: to read, sorted.
        refused: what cannot be followed, each with the reason in words, sorted.
        videos: files whose names end as those of videos; a folder's are passed over.
        others: files whose names end as those of pictures that are not read, likewise.
    """

    paths: list[Path]
    refused: list[tuple[Path, str]]
    videos: int = 0
    others: int = 0


@dataclass
class _Walk:
    """What has been seen so far, and what is still to be entered."""

    seen: set[Identity] = field(default_factory=set)
    links: list[Path] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)
    refused: list[tuple[Path, str]] = field(default_factory=list)
    videos: int = 0
    others: int = 0


def find_pictures(source: Path) -> Found:
    """List one picture, or all pictures in a folder and the folders below it.

    Files count by their suffix (`pictures.SUFFIXES`, in any case); a file named as the source
    counts whatever its suffix is. Every folder is read once: links to folders are followed after
    the folders themselves, and refused where they lead to one that was read. Names that begin with
    a dot are left out.

    Args:
        source: a file or a folder.

    Raises:
        InputError: when `source` is neither, or leads nowhere.
    """
    try:
        if source.is_file():
            return Found([source], [])
        if not source.is_dir():
            found = "is a broken link" if source.is_symlink() else "there is no such file or folder"
            raise InputError(source, found, "give a picture or a folder of pictures")
    except OSError as error:
        raise InputError(source, _reason(error), "give a picture or a folder") from error
    walk = _Walk()
    _read(source, walk)
    while walk.links:
        walk.links.sort(reverse=True)
        _read(walk.links.pop(), walk)
    return Found(sorted(walk.paths), sorted(walk.refused), walk.videos, walk.others)


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
            walk.refused.append((folder, _reason(error)))
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
            _take_file(path, walk)
        elif entry.is_symlink():
            walk.refused.append((path, "is a broken link"))
        elif path.suffix.lower() in SUFFIXES:
            walk.refused.append((path, "is not a regular file"))
    except OSError as error:
        walk.refused.append((path, _reason(error)))


def _take_file(path: Path, walk: _Walk) -> None:
    """Keep a picture; count a video, and a picture of a type that is not read."""
    suffix = path.suffix.lower()
    if suffix in SUFFIXES:
        walk.paths.append(path)
    walk.videos += suffix in VIDEO_SUFFIXES
    walk.others += suffix not in SUFFIXES and _of_picture(suffix)


def _of_picture(suffix: str) -> bool:
    """Whether a name that ends so is that of a picture."""
    kind, _ = mimetypes.guess_type(f"x{suffix}")
    return suffix in OTHER_SUFFIXES or (kind or "").startswith("image/")


def _reason(error: OSError) -> str:
    return f"cannot be read ({error.strerror or type(error).__name__})"
