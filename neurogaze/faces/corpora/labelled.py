"""Pictures with one label each: listed before any is opened, read to a table, named by a hash."""

from __future__ import annotations

import hashlib
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError
from neurogaze.faces.corpora.places import size_of
from neurogaze.faces.decoding import read_grey
from neurogaze.faces.images import FaceTable, pixel_groups, unknown_split
from neurogaze.faces.reading import Pictures, fitted, read_pictures, summary_of

RULE = "label"
"""Rule of a corpus that gives each picture one label: it is taken as it is."""

READER_VERSION = 2
"""Raised when the same files would be read into another table; part of the identity."""

TEST_SPLITS = ("valid",)
"""The only split of a set that is there to be judged on."""


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
        subjects: who is seen, `N`, or None.
        sequences: which recording, `N`, or None.

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
    subjects: tuple[str, ...] | None = None
    sequences: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if len(set(self.ids)) < len(self.ids):
            doubled = next(name for name, n in Counter(self.ids).items() if n > 1)
            raise InputError(self.folder, f"{doubled} is listed twice", "list each picture once")

    @property
    def class_counts(self) -> NDArray[np.int64]:
        """Listed pictures of each emotion, `int64 [8]`."""
        return np.bincount(self.labels, minlength=len(EMOTIONS)).astype(np.int64)

    @property
    def paths(self) -> tuple[Path, ...]:
        """The picture files, `N`."""
        return tuple(self.folder / file for file in self.files)


def one_hot_votes(labels: NDArray[np.int64]) -> NDArray[np.float32]:
    """Votes where nobody voted: the label has them all.

    Args:
        labels: `int64 [N]`.

    Returns:
        `float32 [N, 8]`.
    """
    return np.eye(len(EMOTIONS), dtype=np.float32)[labels]


def labelled_table(
    read: Pictures,
    ids: Sequence[str],
    labels: NDArray[np.int64],
    names: tuple[str, str, str],
    subjects: Sequence[str] | None = None,
    sequences: Sequence[str] | None = None,
    note: str = "",
) -> FaceTable:
    """Join the pictures that could be read with what is known of all that were asked for.

    Args:
        read: the readable ones among `N`.
        ids: sample ids, `N`.
        labels: `int64 [N]`, index into `EMOTIONS`.
        names: of corpus, split and label rule.
        subjects: who is seen, `N`, or None.
        sequences: which recording, `N`, or None.
        note: what must be said beside every figure of these pictures.
    """
    dataset, split, rule = names
    kept = read.kept
    return FaceTable(
        images=read.images,
        ids=np.array(ids, dtype=np.str_)[kept],
        labels=labels[kept],
        votes=one_hot_votes(labels[kept]),
        groups=pixel_groups(read.images),
        dataset=dataset,
        split=split,
        rule=rule,
        skipped=read.skipped,
        subjects=None if subjects is None else np.array(subjects, dtype=np.str_)[kept],
        sequences=None if sequences is None else np.array(sequences, dtype=np.str_)[kept],
        note=note,
    )


def read_listed(
    listed: Listed, name: str, split: str, strict: bool, progress: bool = False, note: str = ""
) -> FaceTable:
    """Open every listed picture; warn of what is left out.

    Args:
        listed: the pictures.
        name: of the corpus.
        split: of the corpus.
        strict: raise at the first picture that is missing or unreadable, rather than skip it.
        progress: show a bar.
        note: what must be said beside every figure of these pictures.

    Raises:
        InputError: when `strict` and a picture cannot be read, or when none can.
    """
    if listed.left_out:
        reasons = ", ".join(f"{n} {reason}" for reason, n in sorted(listed.left_out.items()))
        warnings.warn(f"{listed.folder}: left out of {split}: {reasons}", stacklevel=3)
    if listed.unreadable:
        warnings.warn(f"{listed.folder}: {summary_of(listed.unreadable)}", stacklevel=3)
    read = read_pictures(listed.ids, lambda i: _face(listed, i), listed.folder, strict, progress)
    return labelled_table(
        Pictures(read.kept, read.images, (*listed.unreadable, *read.skipped)),
        listed.ids,
        listed.labels,
        (name, split, RULE),
        subjects=listed.subjects,
        sequences=listed.sequences,
        note=note,
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


def check_test_split(name: str, split: str) -> None:
    """Hold that a test set is asked for its only split.

    Raises:
        InputError: for any other split.
    """
    if split not in TEST_SPLITS:
        raise unknown_split(f"{name} (a test set, all of it 'valid')", split, TEST_SPLITS)


def content_identity(
    name: str, split: str, strict: bool, content: str
) -> dict[str, str | int | float | bool]:
    """What names a corpus whose content has a hash of its own, the same on every machine."""
    return {
        "corpus": name,
        "split": split,
        "strict": strict,
        "reader": READER_VERSION,
        "content_sha256": content,
    }


def listed_identity(
    listed: Listed, name: str, split: str, strict: bool
) -> dict[str, str | int | float | bool]:
    """What names a listed corpus: ids, labels and boxes, and the size of every picture file.

    Pixels are not read, so that pictures of equal names and sizes are not told apart; their store
    is, by place and time of the files.
    """
    digest = hashlib.sha256(listed.labels.astype("<i8").tobytes())
    if listed.boxes is not None:
        digest.update(listed.boxes.astype("<f8").tobytes())
    for sample, path, file in zip(listed.ids, listed.paths, listed.files, strict=True):
        digest.update(f"{sample}\t{file}\t{size_of(path)}\n".encode())
    digest.update("\n".join(listed.unreadable).encode())
    return content_identity(name, split, strict, digest.hexdigest())
