"""A common basis for teachers trained apart, and how well they then agree."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from neurogaze.errors import InputError
from neurogaze.prototypes.cells import cell_means

Floats = NDArray[np.float64]


def align_folds(anchors: NDArray[np.floating]) -> tuple[Floats, Floats]:
    """Rotate every fold's anchor embeddings onto those of fold 0 (orthogonal Procrustes).

    Args:
        anchors: `[F, M, D]`, the same M windows embedded by each of F teachers.

    Returns:
        Rotations `[F, D, D]`, to be applied as `embedding @ rotation`, reflections allowed; and
        residuals `[F]`, the share of the anchors' variance left unexplained after the best scale
        (0 = equal shape, 1 = nothing in common; the disparity of `scipy.spatial.procrustes`).
        With fewer windows than dimensions any two teachers can be turned onto one another: the
        residual is then near 0 and says nothing.

    Raises:
        InputError: for fewer than two anchor windows, or anchors that do not vary.
    """
    anchors = np.asarray(anchors, dtype=np.float64)
    if anchors.ndim != 3 or anchors.shape[1] < 2:
        raise InputError(
            "anchors", f"shape {anchors.shape} is not folds x windows x width", "embed more windows"
        )
    centred = anchors - anchors.mean(axis=1, keepdims=True)
    scale = np.sqrt(np.square(centred).sum(axis=(1, 2), keepdims=True))
    if not np.isfinite(scale).all() or not (scale > 0).all():
        raise InputError("anchors", "embeddings are all equal or not finite", "embed other windows")
    centred = centred / scale
    left, strength, right = np.linalg.svd(np.swapaxes(centred, 1, 2) @ centred[0])
    rotations = left @ right
    if anchors.shape[1] <= anchors.shape[2]:  # turned at will where the windows do not reach
        rotations[0] = np.eye(anchors.shape[2])
    return rotations, np.clip(1.0 - np.square(strength.sum(axis=1)), 0.0, 1.0)


def cross_fold_cosine(
    unit: Floats, cells: NDArray[np.int64], fold: NDArray[np.int64], n_cells: int
) -> list[float | None]:
    """Mean cosine between the folds' own prototypes of each cell; None with fewer than two folds.

    A value near 1 says that the teachers, once aligned, mean the same by the cell.
    """
    means = [cell_means(unit[fold == f], cells[fold == f], n_cells) for f in np.unique(fold)]
    lengths = [np.linalg.norm(mean, axis=1) for mean in means]
    result: list[float | None] = []
    for cell in range(n_cells):
        rows = [m[cell] / n[cell] for m, n in zip(means, lengths, strict=True) if n[cell] > 1e-9]
        cosines = [float(a @ b) for a, b in combinations(rows, 2)]
        result.append(float(np.mean(cosines)) if cosines else None)
    return result
