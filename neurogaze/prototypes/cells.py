"""Which windows fall in which cell, who they come from, and what stands in an empty one."""

from __future__ import annotations

import numpy as np
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

    Of several that are equally near it is the first: of lower arousal, then of lower valence.

    Raises:
        InputError: when no cell has enough people.
    """
    enough = people(cells, who, size**2) >= min_subjects
    if not enough.any():
        raise InputError("grid", f"no cell has {min_subjects} people", "lower min_subjects or size")
    distance = _steps(size)
    target = np.where(enough, np.arange(size**2), np.where(enough, distance, np.inf).argmin(1))
    return np.asarray(target[cells], dtype=np.int64)


def _steps(size: int) -> NDArray[np.int64]:
    """Squared distances counted in cells, `[K, K]`: equal ones are equal, whatever is rounded."""
    places = np.stack(np.divmod(np.arange(size**2), size), axis=1)
    return np.asarray(np.square(places[:, None] - places[None]).sum(axis=2), dtype=np.int64)


def _distances(size: int) -> Floats:
    """Distances between cell centres, `[K, K]`."""
    centers = grid_centers(size)
    return np.linalg.norm(centers[:, None] - centers[None], axis=2)


def group_sums(unit: Floats, groups: NDArray[np.int64], n_groups: int) -> Floats:
    """Sum of the rows in each group, `[n_groups, D]`; 0 where there are none.

    Args:
        unit: `[N, D]`.
        groups: group of each row, `[N]`, in `[0, n_groups)`.
        n_groups: number of groups.
    """
    from scipy.sparse import csr_array

    shape, rows = (n_groups, len(groups)), np.arange(len(groups))
    return np.asarray(csr_array((np.ones(len(groups)), (groups, rows)), shape=shape) @ unit)


def cell_means(unit: Floats, cells: NDArray[np.int64], n_cells: int) -> Floats:
    """Mean of the rows in each cell, `[n_cells, D]`; 0 where there are none."""
    counts = np.bincount(cells, minlength=n_cells)
    return group_sums(unit, cells, n_cells) / np.maximum(counts, 1)[:, None]


def prototypes_of(sums: Floats, counts: NDArray, size: int, smoothing: float = 0.0) -> Floats:
    """Sums of unit embeddings to the prototypes of all cells, empty ones too.

    Args:
        sums: `[K, D]`, sum of the unit embeddings in each cell.
        counts: `[K]`, how many there are.
        size: cells on one axis.
        smoothing: standard deviation of a Gaussian over cell centres by which sums are mixed, in
            units of valence and arousal; 0: none, an empty cell then takes its nearest.

    Returns:
        `[K, D]`, unit rows.

    Raises:
        InputError: for a cell whose embeddings cancel.
    """
    observed = counts > 0
    if smoothing > 0:
        return unit_rows(_kernel(size, smoothing, observed) @ sums, "smoothed cells")
    means = np.zeros(sums.shape)
    means[observed] = unit_rows(sums[observed] / counts[observed, None], "cell means")
    return fill_empty(means, counts, size)


def _kernel(size: int, width: float, observed: NDArray[np.bool_]) -> Floats:
    """Gaussian weight of every cell in every other, `[K, K]`; 1 for the nearest observed."""
    return near_weights(np.where(observed, np.square(_distances(size)), np.inf), width)


def near_weights(squared: Floats, width: float) -> Floats:
    """Gaussian weights of distances, `[K, N]`; 1 for the nearest.

    Rows are scaled, which changes no direction of a weighted sum: far from everything nothing
    underflows.

    Args:
        squared: squared distances `[K, N]`; infinite for what is to have no weight.
        width: standard deviation.
    """
    nearest = squared.min(axis=1, keepdims=True)
    return np.asarray(np.exp(-(squared - nearest) / (2.0 * width**2)))


def spreads(sums: Floats, counts: NDArray, prototypes: Floats) -> list[float | None]:
    """Mean cosine distance of the members of each cell to its prototype; None where it has none.

    Args:
        sums: `[K, D]`, sum of the unit embeddings in each cell.
        counts: `[K]`, how many there are.
        prototypes: `[K, D]`, unit rows.
    """
    along = (sums * prototypes).sum(axis=1)
    return [float(1.0 - a / n) if n else None for a, n in zip(along, counts, strict=True)]


def fill_empty(prototypes: Floats, counts: NDArray, size: int) -> Floats:
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
