"""The grid of somebody who knows the truth of a made-up world, and how near others come to it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neurogaze.errors import InputError
from neurogaze.prototypes.controls import made_up, with_mean_cosine
from neurogaze.prototypes.grid import PrototypeGrid
from neurogaze.prototypes.vectors import mean_cosine, orthogonal_rows, unit_rows


def oracle(grid: PrototypeGrid, places: NDArray[np.floating], seed: int) -> PrototypeGrid:
    """Prototypes whose cosines are those of the true places of the cells.

    As the other made-up grids they are shifted to the mean cosine of the grid where that can be
    reached, and embedded by a random orthogonal map.

    Args:
        grid: grid to stand in for.
        places: `[K, d]`, where the faces of each cell lie.
        seed: of the orthogonal map.

    Raises:
        InputError: for another number of cells, or more dimensions than a prototype has values.
    """
    cells, width = places.shape
    if cells != len(grid.counts) or width > grid.dim:
        found = f"{cells} places in {width} dimensions for {len(grid.counts)} x {grid.dim}"
        raise InputError("oracle grid", found, "give one place a cell, and a wider grid")
    rows = with_mean_cosine(unit_rows(places, "oracle grid"), grid.mean_cosine)
    rows = rows @ orthogonal_rows(width, grid.dim, seed)
    return made_up(grid, "oracle", seed, rows, {"mean_cosine": mean_cosine(rows)})


def gram_correlation(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    """Pearson correlation of the cosines between different rows of two sets of vectors.

    Args:
        first: `[K, D]`.
        second: `[K, E]`; rows are taken as directions, and no basis matters.

    >>> turn = np.array([[0.0, 1.0], [-1.0, 0.0]])
    >>> rows = np.array([[1.0, 0.0], [0.6, 0.8], [0.0, -1.0]])
    >>> round(gram_correlation(rows, rows @ turn), 12)
    1.0
    """
    pairs = np.triu_indices(len(first), 1)
    one, other = (unit_rows(rows, "Gram matrix") for rows in (first, second))
    return float(np.corrcoef((one @ one.T)[pairs], (other @ other.T)[pairs])[0, 1])
