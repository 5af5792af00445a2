"""Pictures that were read and the one label of each, joined to a table that knows who is seen."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurogaze.faces.corpora.labelled import READER_VERSION, one_hot_votes
from neurogaze.faces.images import FaceTable, pixel_groups, unknown_split
from neurogaze.faces.reading import Pictures

TEST_SPLITS = ("valid",)
"""The only split of a set that is there to be judged on."""


def labelled_table(
    read: Pictures,
    ids: Sequence[str],
    labels: NDArray[np.int64],
    names: tuple[str, str, str],
    subjects: Sequence[str] | None = None,
    sequences: Sequence[str] | None = None,
) -> FaceTable:
    """Join the pictures that could be read with what is known of all that were asked for.

    Args:
        read: the readable ones among `N`.
        ids: sample ids, `N`.
        labels: `int64 [N]`, index into `EMOTIONS`.
        names: of corpus, split and label rule.
        subjects: who is seen, `N`, or None.
        sequences: which recording, `N`, or None.
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
    )


def lines_hash(lines: Iterable[str]) -> str:
    """SHA-256 of lines in their order."""
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


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
    """What names the stored copy of a corpus whose content has a hash of its own."""
    return {
        "corpus": name,
        "split": split,
        "strict": strict,
        "reader": READER_VERSION,
        "content_sha256": content,
    }


def size_of(path: Path) -> int:
    """Bytes of a file, -1 where there is none."""
    return path.stat().st_size if path.is_file() else -1
