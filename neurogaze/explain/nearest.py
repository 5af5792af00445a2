"""Which prototypes of the valence/arousal plane a face lies next to."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neurogaze.errors import InputError

N_NEAREST = 3


class Near(NamedTuple):
    """A prototype close to a face.

    Attributes:
        cell: its number, row by row from low arousal, within a row from low valence.
        valence: of the centre of its cell.
        arousal: likewise.
        cosine: of the face's embedding with it.
    """

    cell: int
    valence: float
    arousal: float
    cosine: float


def nearest_prototypes(
    cosines: NDArray[np.floating], centers: NDArray[np.floating], n: int = N_NEAREST
) -> list[list[Near]]:
    """The prototypes with the highest cosine to each face, the nearest first.

    Args:
        cosines: of faces with prototypes, `[N, K]`; K is 0 without a grid.
        centers: valence and arousal of the cells, `[K, 2]`.
        n: how many, at most.

    Raises:
        InputError: for arrays that do not fit together.

    >>> nearest_prototypes(np.array([[0.1, 0.7]]), np.array([[-0.5, 0], [0.5, 0]]), 1)
    [[Near(cell=1, valence=0.5, arousal=0.0, cosine=0.7)]]
    """
    centers = np.asarray(centers, np.float64).reshape(-1, 2)
    if cosines.ndim != 2 or cosines.shape[1] != len(centers):
        found = f"{cosines.shape} cosines for {len(centers)} cells"
        raise InputError("cosines", found, "give one for each prototype")
    order = np.argsort(-np.asarray(cosines, np.float64), axis=1, kind="stable")[:, :n]
    return [
        [Near(int(k), float(centers[k, 0]), float(centers[k, 1]), float(row[k])) for k in cells]
        for row, cells in zip(cosines, order, strict=True)
    ]
