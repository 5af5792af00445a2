"""Control grids: what a student gains from a grid that is not, or not in place, the EEG's.

A student with a learned projection cannot see a rotation of the grid; only the cosines between
prototypes act on it. So the made-up grids share the mean cosine of the grid they stand in for.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from neurogaze.errors import InputError
from neurogaze.prototypes.grid import PrototypeGrid
from neurogaze.prototypes.vectors import mean_cosine, unit_rows

LENGTH_SCALE = 0.8
FAR = 1e3


def _shifted(rows: NDArray[np.float64], along: NDArray[np.float64], step: float) -> Any:
    """Unit rows after a common shift."""
    return unit_rows(rows + step * along, "control grid")


def with_mean_cosine(rows: NDArray[np.float64], target: float) -> NDArray[np.float64]:
    """Shift all rows along their mean until different rows have a given mean cosine.

    A shift forward narrows the cone the rows lie in, a shift back to their mean opens it. A target
    below what centred rows have cannot be reached; the rows are then centred.

    Args:
        rows: `[K, D]`, unit rows.
        target: mean cosine of different rows, below 1.

    Returns:
        `[K, D]`, unit rows.
    """
    length = float(np.linalg.norm(rows.mean(0)))
    along = rows.mean(0) / length
    lowest, highest = -length, FAR
    if mean_cosine(_shifted(rows, along, lowest)) >= target:
        return np.asarray(_shifted(rows, along, lowest))
    if mean_cosine(_shifted(rows, along, highest)) <= target:
        return np.asarray(_shifted(rows, along, highest))
    step = brentq(lambda s: mean_cosine(_shifted(rows, along, s)) - target, lowest, highest)
    return np.asarray(_shifted(rows, along, float(step)))


def _control(
    grid: PrototypeGrid, kind: str, seed: int, prototypes: NDArray[np.float64], **facts: float
) -> PrototypeGrid:
    """A grid without any recording behind it, in the place of another."""
    empty = np.zeros(len(grid.counts), dtype=np.int64)
    return replace(
        grid,
        prototypes=prototypes.astype(np.float32),
        counts=empty,
        n_subjects=empty,
        filled=np.zeros(len(empty), dtype=np.bool_),
        provenance={"kind": kind, "seed": seed, "source_sha256": grid.sha256} | facts,
    )


def permuted(grid: PrototypeGrid, seed: int) -> PrototypeGrid:
    """The same prototypes in shuffled cells; the centres stay, counts go with their prototype.

    Raises:
        InputError: for a grid of one cell, which cannot be shuffled.
    """
    n_cells, rng = len(grid.counts), np.random.default_rng(seed)
    if n_cells < 2:
        raise InputError("grid", "one cell cannot be shuffled", "use a larger grid")
    order = rng.permutation(n_cells)
    while (order == np.arange(n_cells)).all():
        order = rng.permutation(n_cells)
    return replace(
        grid,
        prototypes=grid.prototypes[order],
        counts=grid.counts[order],
        n_subjects=grid.n_subjects[order],
        filled=grid.filled[order],
        provenance={
            "kind": "permuted",
            "seed": seed,
            "source_sha256": grid.sha256,
            "order": order.tolist(),
        },
    )


def rotated(grid: PrototypeGrid, seed: int) -> PrototypeGrid:
    """The same grid in another basis: cosines stay, so a student must do as well with it."""
    turn = _orthogonal(grid.dim, grid.dim, seed)
    provenance = {"kind": "rotated", "seed": seed, "source_sha256": grid.sha256}
    prototypes = unit_rows(grid.prototypes @ turn, "rotated grid").astype(np.float32)
    return replace(grid, prototypes=prototypes, provenance=provenance)


def random(grid: PrototypeGrid, seed: int, match_cosine: bool = True) -> PrototypeGrid:
    """Normalised Gaussian vectors, shifted to the mean cosine of the grid unless told not to."""
    rng = np.random.default_rng(seed)
    rows = unit_rows(rng.standard_normal(grid.prototypes.shape), "random grid")
    if match_cosine:
        rows = with_mean_cosine(rows, grid.mean_cosine)
    return _control(grid, "random", seed, rows, mean_cosine=mean_cosine(rows))


def geometry(grid: PrototypeGrid, seed: int, length_scale: float = LENGTH_SCALE) -> PrototypeGrid:
    """The valence/arousal plane without EEG: close cells are alike, whatever the brain says.

    The cosine of two cells is a Gaussian of the distance of their centres; the vectors are embedded
    by a random orthogonal map and shifted to the mean cosine of the grid.

    Args:
        grid: grid to stand in for.
        seed: of the orthogonal map.
        length_scale: standard deviation of the Gaussian, in units of valence and arousal; 0.8 is
            two bins of the 5x5 grid.

    Raises:
        InputError: when there are more cells than the prototypes have values.
    """
    cells = len(grid.counts)
    if cells > grid.dim:
        raise InputError("grid", f"{cells} cells in {grid.dim} values", "use wider embeddings")
    squared = np.square(grid.centers[:, None] - grid.centers[None]).sum(-1)
    value, vector = np.linalg.eigh(np.exp(-squared / (2.0 * length_scale**2)))
    features = vector * np.sqrt(np.clip(value, 0.0, None))
    rows = with_mean_cosine(unit_rows(features, "geometry grid"), grid.mean_cosine)
    rows = rows @ _orthogonal(cells, grid.dim, seed)
    return _control(
        grid, "geometry", seed, rows, mean_cosine=mean_cosine(rows), length_scale=length_scale
    )


def _orthogonal(rows: int, columns: int, seed: int) -> NDArray[np.float64]:
    """Random matrix with orthonormal rows, uniform over all such, `[rows, columns]`."""
    rng = np.random.default_rng(seed)
    factor, triangle = np.linalg.qr(rng.standard_normal((columns, rows)))
    return np.asarray((factor * np.sign(np.diag(triangle))).T)
