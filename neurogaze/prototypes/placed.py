"""Embeddings ready to be averaged: of length 1, in one basis, each at a place of the plane."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurogaze.affect import cell_index
from neurogaze.prototypes.cells import merge_small


@dataclass(frozen=True, eq=False)
class Placed:
    """Windows of held-out people in the common basis of all teachers.

    Args:
        unit: float64 `[N, D]`, embeddings of length 1.
        va: float64 `[N, 2]`, valence and arousal by which they are put in cells; finite.
        subject: str `[N]`, person.
        corpus: str `[N]`.
        fold: int64 `[N]`, the teacher that made the row.
        row: int64 `[N]`, place of the row among the embeddings it was chosen from.
        residuals: float64 `[F]`, what alignment left unexplained of each fold; empty without it.
    """

    unit: NDArray[np.float64]
    va: NDArray[np.float64]
    subject: NDArray[np.str_]
    corpus: NDArray[np.str_]
    fold: NDArray[np.int64]
    row: NDArray[np.int64]
    residuals: NDArray[np.float64]

    def cells(self, size: int, min_subjects: int = 1) -> NDArray[np.int64]:
        """Cell of each row, `[N]`, those of cells with too few people in the nearest with enough.

        Raises:
            InputError: when no cell has enough people.
        """
        return merge_small(cell_index(self.va, size), self.subject, size, min_subjects)
