"""Pictures that a source names, and what else lies there; what cannot be entered is said."""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass
from pathlib import Path

from neurogaze.deploy.pictures import SUFFIXES
from neurogaze.deploy.video import SUFFIXES as VIDEO_SUFFIXES
from neurogaze.errors import InputError
from neurogaze.faces.walking import files_under, reason_of

OTHER_SUFFIXES = (
    *(".avif", ".heic", ".heif", ".jp2", ".jxl"),
    *(".arw", ".cr2", ".cr3", ".dng", ".nef", ".orf", ".raf", ".raw", ".rw2"),
    *(".eps", ".ico", ".pbm", ".pcx", ".pgm", ".pnm", ".ppm", ".psd", ".svg", ".svgz", ".tga"),
)
"""Of pictures that are not read, in lower case: what not every system knows as their types."""


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


def find_pictures(source: Path) -> Found:
    """List one picture, or all pictures in a folder and the folders below it.

    Files count by their suffix (`pictures.SUFFIXES`, in any case); a file named as the source
    counts whatever its suffix is. How folders and links are followed, `faces.walking` says.

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
        raise InputError(source, reason_of(error), "give a picture or a folder") from error
    walked = files_under(source)
    suffixes = [path.suffix.lower() for path in walked.files]
    pipes = [(p, "is not a regular file") for p in walked.irregular if p.suffix.lower() in SUFFIXES]
    return Found(
        [path for path, suffix in zip(walked.files, suffixes, strict=True) if suffix in SUFFIXES],
        sorted(walked.refused + pipes),
        sum(suffix in VIDEO_SUFFIXES for suffix in suffixes),
        sum(suffix not in SUFFIXES and _of_picture(suffix) for suffix in suffixes),
    )


def _of_picture(suffix: str) -> bool:
    """Whether a name that ends so is that of a picture."""
    kind, _ = mimetypes.guess_type(f"x{suffix}")
    return suffix in OTHER_SUFFIXES or (kind or "").startswith("image/")
