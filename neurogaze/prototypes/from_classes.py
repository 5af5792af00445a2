"""A grid from a face network: the means of its classes, spread over the plane from their anchors.

It stands in for the EEG's grid with structure that faces alone have: which expressions a network
that saw no recording finds alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurogaze.affect import EMOTIONS, anchors
from neurogaze.errors import InputError
from neurogaze.prototypes.cells import near_weights
from neurogaze.prototypes.controls import made_up, with_mean_cosine
from neurogaze.prototypes.grid import PrototypeGrid
from neurogaze.prototypes.isospectral import factor
from neurogaze.prototypes.vectors import mean_cosine, orthogonal_rows, unit_rows


def class_grid(
    grid: PrototypeGrid,
    means: NDArray[np.floating],
    seed: int = 0,
    source: Mapping[str, Any] | None = None,
) -> PrototypeGrid:
    """Interpolate the mean embeddings of the eight classes over the cells of a grid.

    Each cell takes the unit means weighted by a Gaussian of the distance from its centre to the
    anchor of the class, with a standard deviation of one bin. As for the other made-up grids, only
    cosines matter to a student: they are embedded by a random orthogonal map in the width of the
    grid and shifted to its mean cosine.

    Args:
        grid: grid to stand in for.
        means: `[8, D]`, mean embedding of each class in the order of `EMOTIONS`.
        seed: of the orthogonal map.
        source: what the embeddings are of, such as the hash of a checkpoint; goes to provenance.

    Raises:
        InputError: for another number of means, one without a direction, or a grid narrower than
            the eight means need.
    """
    if len(means) != len(EMOTIONS):
        found = f"{len(means)} of them for {len(EMOTIONS)} classes"
        raise InputError("class means", found, "give one a class, in the order of EMOTIONS")
    gap = np.square(grid.centers[:, None] - anchors()[None]).sum(axis=2)
    mixed = near_weights(gap, 2.0 / grid.size) @ unit_rows(means, "class means")
    rows = with_mean_cosine(unit_rows(mixed, "class grid"), grid.mean_cosine)
    rows = factor(rows @ rows.T, grid.dim) @ orthogonal_rows(grid.dim, grid.dim, seed)
    facts = {"mean_cosine": mean_cosine(rows), "sigma": 2.0 / grid.size}
    made = made_up(grid, "face", seed, rows, facts)
    return replace(made, provenance=made.provenance | {"source": dict(source or {})})
