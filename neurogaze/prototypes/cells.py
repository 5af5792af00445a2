"""Which windows fall in which cell, who they come from, and what stands in an empty one."""

from __future__ import annotations

import numpy as np
from einops import einsum
from numpy.typing import NDArray

from neurogaze.affect import grid_centers
from neurogaze.errors import InputError
from neurogaze.prototypes.vectors import unit_rows

TIE_TOLERANCE = 1e-9
Floats = NDArray[np.float64]


def quantile_matched(values: NDArray[np.floating], reference: NDArray[np.floating]) -> Floats:
    """Give values the distribution of a reference; their order is kept and ties stay ties.

    The value of rank `r` of `n` becomes the reference's quantile at `(r - 1/2) / n`, by Hazen's
    rule, so a reference of the same length is taken over value by value.

    Args:
        values: `[n]`.
        reference: `[m]`, finite.

    >>> quantile_matched(np.array([0.1, 0.3, 0.2]), np.array([-1.0, 0.0, 1.0])).tolist()
    [-1.0, 1.0, 0.0]
    """
    from scipy.stats import rankdata

    level = (rankdata(values) - 0.5) / len(values)
    return np.quantile(np.asarray(reference, dtype=np.float64), level, method="hazen")


def people(cells: NDArray[np.int64], who: NDArray[np.str_], n_cells: int) -> NDArray[np.int64]:
    """Number of different people in each cell, `[n_cells]`."""
    pairs = np.unique(np.stack([cells.astype(str), who], axis=1), axis=0)
    return np.bincount(pairs[:, 0].astype(np.int64), minlength=n_cells).astype(np.int64)


def merge_small(
    cells: NDArray[np.int64], who: NDArray[np.str_], size: int, min_subjects: int
) -> NDArray[np.int64]:
    """Move windows out of cells with too few people, to the nearest cell with enough.

    Raises:
        InputError: when no cell has enough people.
    """
    enough = people(cells, who, size**2) >= min_subjects
    if not enough.any():
        raise InputError("grid", f"no cell has {min_subjects} people", "lower min_subjects or size")
    distance = _distances(size)
    target = np.where(enough, np.arange(size**2), np.where(enough, distance, np.inf).argmin(1))
    return np.asarray(target[cells], dtype=np.int64)


def _distances(size: int) -> Floats:
    """Distances between cell centres, `[K, K]`."""
    centers = grid_centers(size)
    return np.linalg.norm(centers[:, None] - centers[None], axis=2)


def cell_means(unit: Floats, cells: NDArray[np.int64], n_cells: int) -> Floats:
    """Mean of the rows in each cell, `[n_cells, D]`; 0 where there are none."""
    member = np.equal(np.arange(n_cells)[:, None], cells[None]).astype(np.float64)
    total = einsum(member, unit, "k n, n d -> k d")
    return total / np.maximum(member.sum(1, keepdims=True), 1.0)


def fill_empty(prototypes: Floats, counts: NDArray[np.int64], size: int) -> Floats:
    """Give an empty cell the prototype of the nearest filled centre; ties are averaged.

    Args:
        prototypes: `[K, D]`, unit rows where `counts` is positive.
        counts: `[K]`.
        size: cells on one axis.

    Returns:
        `[K, D]`, unit rows.
    """
    distance = np.where(counts > 0, _distances(size), np.inf)
    nearest = distance <= distance.min(axis=1, keepdims=True) + TIE_TOLERANCE
    nearest = np.where((counts > 0)[:, None], np.eye(len(counts), dtype=bool), nearest)
    return unit_rows(nearest.astype(np.float64) @ prototypes, "filled cells")
