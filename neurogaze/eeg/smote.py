"""SMOTE: rare classes filled up between neighbours (Chawla et al. 2002, JAIR 16, 321-357).

A made-up window lies on the straight line between a window and one of its nearest neighbours of the
same class. Only training rows may be given: made-up windows of a whole corpus would carry test
windows into the training.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neurogaze.errors import InputError

NEIGHBOURS = 5
"""Of the paper, and of imbalanced-learn."""

BLOCK = 1 << 23
"""Most distances held at once."""

QUICK = 8
"""Blocks of distances that are done in less than two seconds, and get no progress bar."""


def smote(
    vectors: NDArray[np.floating],
    classes: NDArray[np.integer],
    rng: np.random.Generator,
    neighbours: int = NEIGHBOURS,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Windows to add so that every class is as frequent as the most frequent one.

    As imbalanced-learn's `SMOTE`: window and neighbour are drawn evenly and with replacement, the
    place between them evenly over the line.

    Args:
        vectors: `[N, D]`; distances are Euclidean in the given units.
        classes: class of each, `[N]`.
        rng: draws windows, neighbours and places; the same state gives the same windows.
        neighbours: how many of the nearest windows of the class may be the other end.

    Returns:
        `float32 [M, D]` and their classes `int64 [M]`, class by class.

    Raises:
        InputError: for a rare class with no more windows than `neighbours`.
    """
    names, counts = np.unique(classes, return_counts=True)
    made: list[NDArray[np.float32]] = [np.empty((0, vectors.shape[1]), np.float32)]
    for name, count in zip(names.tolist(), counts.tolist(), strict=True):
        missing = int(counts.max()) - count
        if missing and count <= neighbours:
            found = (
                f"class {name} has {count} training windows, too few for {neighbours} neighbours"
            )
            raise InputError("smote", found, "use a coarser target, or set smote to false")
        if missing:
            members = np.asarray(vectors[classes == name], dtype=np.float64)
            made.append(_between(members, missing, rng, neighbours))
    return np.concatenate(made), np.repeat(names, counts.max() - counts).astype(np.int64)


def _between(
    members: NDArray[np.float64], size: int, rng: np.random.Generator, neighbours: int
) -> NDArray[np.float32]:
    """Points between members of one class and their neighbours, `[size, D]`."""
    start, which = np.divmod(rng.integers(len(members) * neighbours, size=size), neighbours)
    share = rng.random((size, 1))
    used, place = np.unique(start, return_inverse=True)
    end = nearest(members, used, neighbours)[place, which]
    return np.asarray(members[start] + share * (members[end] - members[start]), np.float32)


def nearest(
    members: NDArray[np.float64], rows: NDArray[np.int64], neighbours: int
) -> NDArray[np.int64]:
    """The nearest others of some rows, nearest first.

    Args:
        members: `[N, D]`.
        rows: of `members`, `[R]`.
        neighbours: how many.

    Returns:
        Rows of `members`, `int64 [R, neighbours]`.
    """
    from rich.progress import track

    centred = members - members.mean(axis=0)
    square = (centred**2).sum(axis=1)
    found = []
    blocks = np.array_split(rows, max(1, len(rows) * len(members) // BLOCK))
    for block in track(blocks, "SMOTE", transient=True, disable=len(blocks) <= QUICK):
        distance = square - 2 * centred[block] @ centred.T
        distance[np.arange(len(block)), block] = np.inf
        closest = np.argpartition(distance, neighbours - 1, axis=1)[:, :neighbours]
        order = np.take_along_axis(distance, closest, axis=1).argsort(axis=1)
        found.append(np.take_along_axis(closest, order, axis=1))
    return np.concatenate(found).astype(np.int64)
