"""Unit vectors over the cells of the valence/arousal plane: lengths, cosines, centres."""

from __future__ import annotations

import numpy as np
from einops import rearrange
from numpy.typing import NDArray

from neurogaze.errors import InputError

REBUILD = "build the grid again with `neurogaze consolidate`"


def cell_centers(edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Centres (valence, arousal) of the cells between edges, `[S * S, 2]`, in cell order.

    >>> cell_centers(np.array([-1.0, 0.0, 1.0])).tolist()
    [[-0.5, -0.5], [0.5, -0.5], [-0.5, 0.5], [0.5, 0.5]]
    """
    middle = (edges[:-1] + edges[1:]) / 2.0
    valence, arousal = np.meshgrid(middle, middle)
    return rearrange([valence, arousal], "va row column -> (row column) va")


def unit_rows(rows: NDArray[np.floating], where: str) -> NDArray[np.float64]:
    """Rows scaled to length 1.

    Args:
        rows: `[K, D]`.
        where: what to name in an error.

    Raises:
        InputError: for a row of length 0 or with a value that is not finite.
    """
    rows = np.asarray(rows, dtype=np.float64)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    bad = np.flatnonzero(~(length[:, 0] > 1e-9) | ~np.isfinite(length[:, 0]))
    if len(bad):
        raise InputError(where, f"the vectors of cells {bad.tolist()} have no direction", REBUILD)
    return rows / length


def mean_cosine(prototypes: NDArray[np.floating]) -> float:
    """Mean cosine between different unit rows, `[K, D]`; 0 for a single row."""
    rows = np.asarray(prototypes, dtype=np.float64)
    n = len(rows)
    if n < 2:
        return 0.0
    total = np.square(rows.sum(0)).sum() - np.square(rows).sum()
    return float(total / (n * (n - 1)))


def effective_rank(prototypes: NDArray[np.floating]) -> float:
    """Effective rank of the Gram matrix of unit rows, `[K, D]` (Roy and Vetterli 2007).

    It is exp of the entropy of the normalised eigenvalues: 1 when all rows coincide, K when they
    are orthogonal.
    """
    rows = np.asarray(prototypes, dtype=np.float64)
    share = np.clip(np.linalg.eigvalsh(rows @ rows.T), 0.0, None)
    share = share[share > 0] / share.sum()
    return float(np.exp(-(share * np.log(share)).sum()))


def orthogonal_rows(rows: int, columns: int, seed: int) -> NDArray[np.float64]:
    """Random matrix with orthonormal rows, uniform over all such, `[rows, columns]`."""
    rng = np.random.default_rng(seed)
    factor, triangle = np.linalg.qr(rng.standard_normal((columns, rows)))
    return np.asarray((factor * np.sign(np.diag(triangle))).T)
