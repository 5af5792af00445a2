"""What a face corpus yields: one table of grey pictures with labels and votes."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from neurogaze.affect import EMOTIONS
from neurogaze.artefacts import arrays_hash
from neurogaze.errors import InputError

VOTE_TOLERANCE = 1e-4
KEYS = ("subjects", "sequences")
"""Columns that a corpus may know or not."""


@dataclass(frozen=True, eq=False)
class FaceTable:
    """Pictures of one split of one corpus, with what people saw in them.

    Args:
        images: `uint8 [N, H, W]`, grey.
        ids: `str [N]`, unique within the corpus.
        labels: `int64 [N]`, index into `EMOTIONS`.
        votes: `float32 [N, 8]`, share of the votes of each emotion; rows sum to 1.
        groups: `str [N]`, equal for pictures that are equal pixel by pixel.
        dataset: name of the corpus.
        split: name of the split.
        rule: how votes became labels.
        skipped: samples that belong here but could not be read, each with its reason.
        subjects: `str [N]`, who is seen; "" where the corpus does not say. None: nobody known.
        sequences: `str [N]`, equal for frames of one recording; "" or None likewise.
        note: what must be said beside every figure of these pictures; "" for nothing.

    Raises:
        InputError: when the arrays do not fit together, or a label is no emotion.
    """

    images: NDArray[np.uint8]
    ids: NDArray[np.str_]
    labels: NDArray[np.int64]
    votes: NDArray[np.float32]
    groups: NDArray[np.str_]
    dataset: str
    split: str
    rule: str
    skipped: tuple[str, ...] = ()
    subjects: NDArray[np.str_] | None = None
    sequences: NDArray[np.str_] | None = None
    note: str = ""

    def __post_init__(self) -> None:
        n = len(self.images)
        expected = {"ids": (n,), "labels": (n,), "votes": (n, len(EMOTIONS)), "groups": (n,)}
        expected |= {name: (n,) for name in KEYS if getattr(self, name) is not None}
        for name, shape in expected.items():
            found = getattr(self, name).shape
            _require(found == shape, self, f"{name} has shape {found}, not {shape}")
        _require(
            self.images.ndim == 3 and self.images.dtype == np.uint8,
            self,
            f"images are {self.images.dtype} of shape {self.images.shape}, not uint8 [N, H, W]",
        )
        _require(
            bool(np.all((self.labels >= 0) & (self.labels < len(EMOTIONS)))),
            self,
            f"a label lies outside 0..{len(EMOTIONS) - 1}",
        )
        _require(
            bool(np.all(np.abs(self.votes.sum(axis=1) - 1.0) < VOTE_TOLERANCE)),
            self,
            "a row of votes does not sum to 1",
        )

    def __len__(self) -> int:
        return len(self.images)

    def take(self, index: NDArray[Any]) -> FaceTable:
        """Rows at `index` (positions or a boolean mask `[N]`), in that order."""
        return FaceTable(
            images=self.images[index],
            ids=self.ids[index],
            labels=self.labels[index],
            votes=self.votes[index],
            groups=self.groups[index],
            dataset=self.dataset,
            split=self.split,
            rule=self.rule,
            skipped=self.skipped,
            subjects=None if self.subjects is None else self.subjects[index],
            sequences=None if self.sequences is None else self.sequences[index],
            note=self.note,
        )

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of pictures, ids, labels, votes, groups and keys, whatever file holds them."""
        names = ("images", "ids", "labels", "votes", "groups", *self.keys)
        return arrays_hash({name: getattr(self, name) for name in names})

    @property
    def keys(self) -> tuple[str, ...]:
        """Which of `subjects` and `sequences` the corpus knows."""
        return tuple(name for name in KEYS if getattr(self, name) is not None)

    @cached_property
    def units(self) -> NDArray[np.str_]:
        """What may be resampled or held out independently, `str [N]`.

        Rows that share a person, a recording or their pixels are one unit; chains of such ties
        (a twin of a picture of a person) are followed to their end.
        """
        columns = [self.groups, *(getattr(self, name) for name in KEYS if name in self.keys)]
        return tied(columns)

    @property
    def class_counts(self) -> NDArray[np.int64]:
        """Pictures of each emotion, `int64 [8]`."""
        return np.bincount(self.labels, minlength=len(EMOTIONS)).astype(np.int64)


def _require(holds: bool, table: FaceTable, found: str) -> None:
    if not holds:
        where = f"{table.dataset} ({table.split})"
        raise InputError(where, found, "mend the reader of this corpus")


def tied(columns: Sequence[NDArray[np.str_]]) -> NDArray[np.str_]:
    """Join rows that share a name in any column, and rows joined through others.

    Args:
        columns: each `str [N]`; an empty name ties nothing.

    Returns:
        `str [N]`, the number of the component of each row, as text of equal width.

    >>> tied([np.array(["a", "a", "b", "c"]), np.array(["", "s", "s", ""])]).tolist()
    ['0', '0', '0', '1']
    """
    n = len(columns[0])
    ties = [_ties(column, n) for column in columns]
    pairs = np.concatenate(ties, axis=1)
    graph = coo_matrix((np.ones(pairs.shape[1]), (pairs[0], pairs[1])), shape=(n, n))
    _, component = connected_components(graph, directed=False)
    width = len(str(n - 1)) if n > 1 else 1
    return np.char.zfill(component.astype(str), min(width, len(str(component.max(initial=0)))))


def _ties(column: NDArray[np.str_], n: int) -> NDArray[np.int64]:
    """Each named row tied to the first row of its name, `[2, named rows]`."""
    named = np.flatnonzero(column != "")
    _, first, which = np.unique(column[named], return_index=True, return_inverse=True)
    return np.stack([named, named[first[which]]]) if len(named) else np.zeros((2, 0), np.int64)


def pixel_groups(images: NDArray[np.uint8]) -> NDArray[np.str_]:
    """Name each picture by a hash of its pixels, so that twins share a name.

    Args:
        images: `uint8 [N, H, W]`.

    Returns:
        `str [N]`, 32 hexadecimal digits each.

    >>> twins = pixel_groups(np.zeros((2, 4, 4), dtype=np.uint8))
    >>> bool(twins[0] == twins[1])
    True
    """
    names = [hashlib.blake2b(i.tobytes(), digest_size=16).hexdigest() for i in images]
    return np.array(names, dtype="<U32")


class FaceCorpus(ABC):
    """A set of labelled faces on disk, or drawn by a recipe.

    A subclass has `name` and is built from its root folder; it reads nothing before `load`. Its
    `splits` are the parts that training and evaluation ask for; a set that is there to be judged on
    has "valid" alone. Its `note` is what must be said beside every figure of it.
    """

    name: str
    splits: tuple[str, ...] = ("train", "valid")
    strict: bool = False
    note: str = ""

    @abstractmethod
    def load(self, split: str, progress: bool = False) -> FaceTable:
        """Read one split, with a progress bar if asked.

        Raises:
            InputError: for a split the corpus does not have, or data that cannot be used.
        """

    @abstractmethod
    def identity(self, split: str) -> dict[str, str | int | float | bool]:
        """What must change when the pictures or labels change, the same on every machine."""

    def files(self, split: str) -> Sequence[Path]:
        """Files that `identity` knows by name and size alone; none where it knows the content.

        The store looks at their place and time too: pictures of equal names and sizes in two
        folders, or written over, are stored apart.
        """
        return ()


def unknown_split(name: str, split: str, known: tuple[str, ...]) -> InputError:
    """The error for a split that a corpus does not have."""
    return InputError(f"{name}, split {split!r}", "there is no such split", f"use one of {known}")
