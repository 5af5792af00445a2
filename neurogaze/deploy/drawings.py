"""Annotated pictures and videos as files; each is written aside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from neurogaze.artefacts import sweep, written_aside
from neurogaze.deploy.annotating import annotate
from neurogaze.deploy.batching import Shot
from neurogaze.deploy.film import Film, film
from neurogaze.deploy.pictures import SUFFIXES
from neurogaze.deploy.rows import UNDRAWN, FaceRow, undrawn
from neurogaze.deploy.targets import VIDEO
from neurogaze.errors import InputError

KEPT = (".png", ".jpg", ".jpeg")
"""Suffixes of pictures that keep their name; others get `.png` after it."""

QUALITY = 92
"""Of JPEG."""


class Annotator(Protocol):
    """Takes pictures with their rows, in their order."""

    def draw(self, rgb: NDArray[np.uint8], rows: Sequence[FaceRow]) -> str:
        """Draw the rows on the picture and keep it; say why that is impossible, "" where it is."""
        ...


class _Pictures:
    """A folder of pictures, under the names they had."""

    def __init__(self, folder: Path, cells: int) -> None:
        self._folder, self._cells = folder, cells
        self._swept: set[Path] = set()

    def draw(self, rgb: NDArray[np.uint8], rows: Sequence[FaceRow]) -> str:
        """One that is too large for its format, or its name for the disk, stops no other."""
        path = drawing_of(self._folder, rows[0])
        drawn = Image.fromarray(annotate(rgb, rows, self._cells))
        try:
            self._sweep(path.parent)
            with written_aside(path, swept=True) as aside:  # PNG passes over the quality
                drawn.save(aside, quality=QUALITY)
        except (OSError, ValueError) as error:
            return getattr(error, "strerror", None) or str(error) or type(error).__name__
        return ""

    def _sweep(self, folder: Path) -> None:
        """Clear a folder once of drawings that a killed run left unfinished.

        Of drawings alone: a table may be written in the same folder, by this very run.
        """
        if folder not in self._swept:
            for suffix in KEPT:
                sweep(folder, f"*{suffix}")
            self._swept.add(folder)


def drawing_of(folder: Path, row: FaceRow) -> Path:
    """The file that the annotated picture of a row gets; no two pictures get the same.

    >>> drawing_of(Path("to"), FaceRow("a/b.webp")).as_posix()
    'to/a/b.webp.png'
    >>> drawing_of(Path("to"), FaceRow("clip.mp4", frame=7)).as_posix()
    'to/clip.mp4-000007.jpg'
    """
    if row.frame is not None:
        return folder / f"{row.file.replace(':', '-')}-{row.frame:06d}.jpg"
    return folder / (row.file if _keeps_name(row.file) else f"{row.file}.png")


def _keeps_name(name: str) -> bool:
    """Whether a drawing is called as its picture; `a.bmp.png` is not, for `a.bmp` has that name."""
    if not name.lower().endswith(KEPT):
        return False
    inner = name[: -len(".png")] if name.lower().endswith(".png") else ""
    return not inner.lower().endswith(SUFFIXES) or _keeps_name(inner)


def drawn_rows(
    shot: Shot, rows: Sequence[FaceRow], pen: Annotator
) -> tuple[Sequence[FaceRow], str]:
    """Draw the rows of a shot on its picture, where it was kept.

    Returns:
        The rows, with a note where the picture could not be written, and that note.
    """
    trouble = "" if shot.rgb is None else pen.draw(shot.rgb, rows)
    if not trouble:
        return rows, ""
    return [undrawn(row, trouble) for row in rows], f"{UNDRAWN}: {trouble}"


class _Video:
    """One video, with every frame at its time."""

    def __init__(self, into: Film, cells: int) -> None:
        self._film, self._cells = into, cells

    def draw(self, rgb: NDArray[np.uint8], rows: Sequence[FaceRow]) -> str:
        self._film.add(annotate(rgb, rows, self._cells), rows[0].seconds or 0.0)
        return ""


class _Nothing:
    def draw(self, rgb: NDArray[np.uint8], rows: Sequence[FaceRow]) -> str:
        return ""


@contextmanager
def annotator(to: Path | None, rate: float = 0.0, cells: int = 0) -> Iterator[Annotator]:
    """What draws on pictures and keeps them.

    Args:
        to: a folder; an `.mp4` to write; None draws nothing.
        rate: frames a second of the video to write; 0 for pictures.
        cells: of the model's grid along a side, see `strokes.cells_of`; 0 draws axes alone.

    Raises:
        InputError: for an `.mp4` of single pictures or without a frame, a file where a folder
            should be, or a folder that cannot be made.
    """
    if to is None:
        yield _Nothing()
    elif to.suffix.lower() != VIDEO:
        if to.exists() and not to.is_dir():
            raise InputError(to, "is a file", f"name a folder, or a file that ends in {VIDEO}")
        _make(to)
        yield _Pictures(to, cells)
    elif not rate:
        raise InputError(to, "is a video, but pictures are read", "name a folder")
    else:
        with film(to, rate) as into:
            yield _Video(into, cells)


def _make(folder: Path) -> None:
    """At once, for a folder that cannot be made concerns the whole run and not one picture."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        found = f"cannot be made ({error.strerror or type(error).__name__})"
        raise InputError(folder, found, "name another folder") from error
