"""What the published number of pictures of each emotion says about a copy of a corpus."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError

SAME = 0.02
"""Share of the published pictures by which a copy may differ and still be told by its numbers."""
MOVED = 0.10
"""Share of them in other classes from which on the classes are mixed up."""


def compare_counts(where: Path, counts: NDArray[np.int64], published: Sequence[int]) -> None:
    """Hold the pictures of each emotion against the published numbers.

    Copies differ honestly (pictures lost on the way, re-cropped or sorted out, a part taken for a
    trial), so another number is a warning. The published numbers in another order are no such
    copy: the classes are mixed up. A copy that lost up to two pictures in a hundred is still known
    by its numbers.

    Args:
        where: what is counted, for messages.
        counts: `int64 [8]`, in the order of `EMOTIONS`.
        published: likewise.

    Raises:
        InputError: when the numbers are those published, but of other emotions.
    """
    refuse_mixed_up(where, counts, published)
    if counts.tolist() != list(published):
        told = f"{counts.sum()} pictures ({_named(counts)}); published: {_named(published)}"
        warnings.warn(f"{where}: {told}", stacklevel=3)


def refuse_mixed_up(where: Path, counts: NDArray[np.int64], published: Sequence[int]) -> None:
    """Refuse the published numbers of pictures, or nearly those, under other emotions.

    Args:
        where: what is counted, for messages.
        counts: `int64 [8]`, in the order of `EMOTIONS`.
        published: likewise.

    Raises:
        InputError: when the classes are mixed up.
    """
    if mixed_up(counts, published):
        told = f"the classes are mixed up: {_named(counts)}; published: {_named(published)}"
        raise InputError(where, told, "restore the names or numbers of the classes")


def _named(counts: NDArray[np.int64] | Sequence[int]) -> str:
    return ", ".join(f"{n} {name}" for n, name in zip(counts, EMOTIONS, strict=True))


def mixed_up(counts: NDArray[np.int64], published: Sequence[int]) -> bool:
    """Whether the numbers are those published, or nearly, but of other emotions.

    >>> mixed_up(np.array([90, 50, 0]), (50, 90, 0)), mixed_up(np.array([49, 90, 0]), (50, 90, 0))
    (True, False)
    """
    wanted = np.array(published)
    if sorted(counts.tolist()) == sorted(published):
        return bool((counts != wanted).any())
    ranked = np.abs(np.sort(counts) - np.sort(wanted)).sum()
    moved = np.abs(counts - wanted).sum() / 2
    return bool(ranked <= SAME * wanted.sum() and moved > MOVED * wanted.sum())
