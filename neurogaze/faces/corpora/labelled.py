"""Picture files with one label each, listed before any is opened, then read to a table."""

from __future__ import annotations

import hashlib
import warnings
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError
from neurogaze.faces.decoding import read_grey
from neurogaze.faces.images import FaceTable, pixel_groups
from neurogaze.faces.reading import fitted, read_pictures, summary_of

RULE = "label"
"""Rule of a corpus that gives each picture one label: it is taken as it is."""

READER_VERSION = 1
"""Raised when the same files would be read into another table; part of the identity."""


@dataclass(frozen=True, eq=False)
class Listed:
    """Labelled pictures of one split, not opened yet.

    Args:
        folder: that the files are relative to.
        files: `N` names of pictures.
        ids: `N` sample ids, unique within the corpus.
        labels: `int64 [N]`, index into `EMOTIONS`.
        boxes: `float64 [N, 4]`, left, top, width and height of the face in pixels, NaN where the
            whole picture is the face; None: nowhere a box.
        left_out: how many pictures are no emotion, by reason.
        unreadable: pictures whose label cannot be read, each with its reason.

    Raises:
        InputError: when two pictures have one id.
    """

    folder: Path
    files: tuple[str, ...]
    ids: tuple[str, ...]
    labels: NDArray[np.int64]
    boxes: NDArray[np.float64] | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)
    unreadable: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(set(self.ids)) < len(self.ids):
            doubled = next(name for name, n in Counter(self.ids).items() if n > 1)
            raise InputError(self.folder, f"{doubled} is listed twice", "list each picture once")

    @property
    def class_counts(self) -> NDArray[np.int64]:
        """Listed pictures of each emotion, `int64 [8]`."""
        return np.bincount(self.labels, minlength=len(EMOTIONS)).astype(np.int64)


def one_hot_votes(labels: NDArray[np.int64]) -> NDArray[np.float32]:
    """Votes where nobody voted: the label has them all.

    Args:
        labels: `int64 [N]`.

    Returns:
        `float32 [N, 8]`.
    """
    return np.eye(len(EMOTIONS), dtype=np.float32)[labels]


def read_listed(
    listed: Listed, name: str, split: str, strict: bool, progress: bool = False
) -> FaceTable:
    """Open every listed picture; warn of what is left out.

    Args:
        listed: the pictures.
        name: of the corpus.
        split: of the corpus.
        strict: raise at the first picture that is missing or unreadable, rather than skip it.
        progress: show a bar.

    Raises:
        InputError: when `strict` and a picture cannot be read, or when none can.
    """
    if listed.left_out:
        reasons = ", ".join(f"{n} {reason}" for reason, n in sorted(listed.left_out.items()))
        warnings.warn(f"{listed.folder}: left out of {split}: {reasons}", stacklevel=3)
    if listed.unreadable:
        warnings.warn(f"{listed.folder}: {summary_of(list(listed.unreadable))}", stacklevel=3)
    read = read_pictures(listed.ids, lambda i: _face(listed, i), listed.folder, strict, progress)
    labels = listed.labels[read.kept]
    return FaceTable(
        images=read.images,
        ids=np.array(listed.ids, dtype=np.str_)[read.kept],
        labels=labels,
        votes=one_hot_votes(labels),
        groups=pixel_groups(read.images),
        dataset=name,
        split=split,
        rule=RULE,
        skipped=(*listed.unreadable, *read.skipped),
    )


def _face(listed: Listed, i: int) -> NDArray[np.uint8]:
    path = listed.folder / listed.files[i]
    image = read_grey(path)
    if listed.boxes is None or np.isnan(listed.boxes[i]).any():
        return fitted(image)
    left, top, width, height = listed.boxes[i].tolist()
    try:
        return fitted(image, (left, top, width, height))
    except InputError as error:
        raise InputError(path, f"{error.where} {error.found}", error.remedy) from None


def listed_identity(
    listed: Listed, name: str, split: str, strict: bool
) -> dict[str, str | int | float | bool]:
    """What names the stored copy: ids, labels and boxes, and the size of every picture file.

    Pixels are not read: a picture replaced by another of equal name and file size goes unseen.
    """
    return {
        "corpus": name,
        "split": split,
        "strict": strict,
        "reader": READER_VERSION,
        "rows_sha256": _rows_hash(listed),
    }


def _rows_hash(listed: Listed) -> str:
    digest = hashlib.sha256(listed.labels.astype("<i8").tobytes())
    if listed.boxes is not None:
        digest.update(listed.boxes.astype("<f8").tobytes())
    for sample, file in zip(listed.ids, listed.files, strict=True):
        digest.update(f"{sample}\t{file}\t{_size(listed.folder / file)}\n".encode())
    digest.update("\n".join(listed.unreadable).encode())
    return digest.hexdigest()


def _size(path: Path) -> int:
    """Bytes of a file, -1 for none."""
    try:
        return path.stat().st_size
    except OSError:
        return -1


def compare_counts(where: Path, counts: NDArray[np.int64], published: tuple[int, ...]) -> None:
    """Hold the pictures of each emotion against the published numbers.

    Copies differ honestly (pictures lost on the way, re-cropped or sorted out, a part taken for a
    trial), so another number is a warning. The published numbers in another order are no such
    copy: the classes are mixed up.

    Args:
        where: what is counted, for messages.
        counts: `int64 [8]`, in the order of `EMOTIONS`.
        published: likewise.

    Raises:
        InputError: when the numbers are those published, but of other emotions.
    """
    found = counts.tolist()
    if found == list(published):
        return
    held = ", ".join(f"{n} {name}" for n, name in zip(found, EMOTIONS, strict=True))
    wanted = ", ".join(f"{n} {name}" for n, name in zip(published, EMOTIONS, strict=True))
    if sorted(found) == sorted(published):
        told = f"the classes are mixed up: {held}; published: {wanted}"
        raise InputError(where, told, "restore the names or numbers of the classes")
    warnings.warn(f"{where}: {sum(found)} pictures ({held}); published: {wanted}", stacklevel=3)
