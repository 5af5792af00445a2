"""Control grids: what a student gains from a grid that is not, or not in place, the EEG's.

A student with a learned projection cannot see a rotation of the grid; only the cosines between
prototypes act on it. So the made-up grids share the mean cosine of the grid they stand in for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from neurogaze.errors import InputError
from neurogaze.prototypes.grid import PrototypeGrid
from neurogaze.prototypes.isospectral import factor, random_gram
from neurogaze.prototypes.vectors import mean_cosine, orthogonal_rows, unit_rows

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


def made_up(
    grid: PrototypeGrid,
    kind: str,
    seed: int,
    prototypes: NDArray[np.float64],
    facts: Mapping[str, float],
) -> PrototypeGrid:
    """A grid without any recording behind it, in the place of another.

    Args:
        grid: the other.
        kind: what it is called.
        seed: of its draw.
        prototypes: `[K, D]`, unit rows.
        facts: numbers for its provenance.
    """
    empty = np.zeros(len(grid.counts), dtype=np.int64)
    return replace(
        grid,
        prototypes=prototypes.astype(np.float32),
        counts=empty,
        n_subjects=empty,
        filled=np.zeros(len(empty), dtype=np.bool_),
        provenance={"kind": kind, "seed": seed, "source_sha256": grid.sha256, **facts},
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
    turn = orthogonal_rows(grid.dim, grid.dim, seed)
    provenance = {"kind": "rotated", "seed": seed, "source_sha256": grid.sha256}
    prototypes = unit_rows(grid.prototypes @ turn, "rotated grid").astype(np.float32)
    return replace(grid, prototypes=prototypes, provenance=provenance)


def random(grid: PrototypeGrid, seed: int, match_cosine: bool = True) -> PrototypeGrid:
    """Normalised Gaussian vectors, shifted to the mean cosine of the grid unless told not to."""
    rng = np.random.default_rng(seed)
    rows = unit_rows(rng.standard_normal(grid.prototypes.shape), "random grid")
    if match_cosine:
        rows = with_mean_cosine(rows, grid.mean_cosine)
    return made_up(grid, "random", seed, rows, {"mean_cosine": mean_cosine(rows)})


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
    rows = rows @ orthogonal_rows(cells, grid.dim, seed)
    facts = {"mean_cosine": mean_cosine(rows), "length_scale": length_scale}
    return made_up(grid, "geometry", seed, rows, facts)


def gram_matched(grid: PrototypeGrid, seed: int) -> PrototypeGrid:
    """Random prototypes as tightly packed as the grid's: their Gram matrix has the same spectrum.

    Eigenvalues, lengths and the mean cosine are those of the grid to 1e-5, the rounding of stored
    prototypes, so effective rank and energy are too; which cells are alike is random.

    Args:
        grid: grid to stand in for.
        seed: of the draw.

    Raises:
        InputError: for one cell, where nothing can be random.
    """
    cells, draw = len(grid.counts), np.random.default_rng(seed)
    if cells < 2:
        raise InputError("grid", "one cell cannot be shuffled", "use a larger grid")
    exact = unit_rows(grid.prototypes, "grid")
    rows = factor(random_gram(exact @ exact.T, draw), grid.dim)
    rows = rows @ orthogonal_rows(grid.dim, grid.dim, seed)
    return made_up(grid, "gram_matched", seed, rows, {"mean_cosine": mean_cosine(rows)})


CONTROLS: dict[str, Callable[[PrototypeGrid, int], PrototypeGrid]] = {
    "permuted": permuted,
    "random": random,
    "gram_matched": gram_matched,
    "geometry": geometry,
    "rotated": rotated,
}
"""Grids that are made of another grid and a seed."""


def control(kind: str, grid: PrototypeGrid, seed: int) -> PrototypeGrid:
    """The control of a kind.

    Args:
        kind: name of a function of this module.
        grid: grid to stand in for.
        seed: of the draw.

    Raises:
        InputError: for an unknown kind, or what the control itself refuses.
    """
    if kind not in CONTROLS:
        raise InputError(f"grid {kind!r}", "is no control", f"use {', '.join(CONTROLS)}")
    return CONTROLS[kind](grid, seed)
