"""Prototype-space valence and arousal: where on the plane the prototypes put a face.

The read-out of an embedding with cosines `s_k` to the prototypes of cells with centres `e_k` is the
expectation `sum_k softmax_k(s_k / T) e_k`. At the temperature of training (0.90) all of them lie
near the middle of the plane, so the read-out has one of its own. Nothing of it is a measurement:
no rating of valence or arousal of a face enters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import softmax

from neurogaze.affect import EMOTIONS, anchors, cell_index
from neurogaze.errors import InputError
from neurogaze.evaluation.metrics import check_classes

Floats = NDArray[np.float64]

LOWEST, HIGHEST = 0.005, 5.0
"""Temperatures searched: from one nearest prototype alone to all of them alike."""
GRID = 41
"""Temperatures tried before the search, evenly in their logarithm: it starts around the best."""
TOLERANCE = 1e-6

SHOWN_FROM = 0.5
"""Least correlation, on either axis, of the class means with the class anchors."""
FEWEST_CLASSES = 3
"""Classes below which a correlation says nothing: two points always lie on a line."""
UNKNOWN_CELLS = "it is not known which cells of the grid were observed: its file is not at hand"


@dataclass(frozen=True)
class VAFit:
    """A fitted read-out, and whether it may be shown.

    Args:
        temperature: of the softmax over cosines.
        shown: whether class means correlate with the anchors and the anchors' cells were observed.
        reason: why it is not shown; "" where it is.
        class_means: read-out of each class, mean over its pictures: name -> (valence, arousal).
        correlation: Pearson of class means with anchors: (valence, arousal); 0 where undefined.
        distance: root of the mean squared distance from the anchors, each class counting alike.
        n: pictures.
    """

    temperature: float
    shown: bool
    reason: str
    class_means: dict[str, tuple[float, float]]
    correlation: tuple[float, float]
    distance: float
    n: int


def expected_va(cosines: NDArray[np.floating], centers: Floats, temperature: float) -> Floats:
    """Expectation of the cell centres under the prototype softmax, `[N, 2]`.

    Args:
        cosines: of embeddings with prototypes, `[N, K]`.
        centers: valence and arousal of the cells, `[K, 2]`.
        temperature: cosines are divided by it.

    >>> expected_va(np.array([[1.0, 1.0]]), np.array([[-0.5, 0.0], [0.5, 0.4]]), 0.1).tolist()
    [[0.0, 0.2]]
    """
    weights = softmax(np.asarray(cosines, np.float64) / temperature, axis=1)
    return np.asarray(weights @ centers, np.float64)


def va_readout(
    cosines: NDArray[np.floating],
    centers: Floats,
    labels: NDArray[np.integer],
    observed: NDArray[np.bool_] | None,
) -> VAFit:
    """Fit the temperature of the read-out on held-out pictures, and decide whether to show it.

    The temperature makes the squared distance between read-out and class anchor smallest, mean over
    the pictures of a class and then over classes: else neutral, the largest class, whose anchor is
    the middle of the plane, would ask for a read-out that never leaves it.

    Args:
        cosines: of the embeddings with the prototypes, `[N, K]`.
        centers: valence and arousal of the cells, `[K, 2]`, a square grid in cell order.
        labels: class of each picture, `[N]`.
        observed: cells that recordings were in, `bool [K]`; None where nobody knows.

    Raises:
        InputError: for arrays that do not fit together or are not finite, or a label that is no
            class.
    """
    said: Floats = np.asarray(cosines, np.float64)
    fits = said.ndim == 2 and centers.shape == (said.shape[1], 2)
    if not fits or labels.shape != said.shape[:1] or not len(labels):
        found = f"{said.shape}, centres {centers.shape}, labels {labels.shape}"
        raise InputError("cosines", found, "give [N, K], [K, 2] and [N]")
    if not np.isfinite(said).all():
        raise InputError("cosines", "are not finite", "look for a diverged run")
    check_classes("labels", labels)
    temperature = _fitted(said, centers, labels)
    va = expected_va(said, centers, temperature)
    present = np.unique(labels)
    means = np.stack([va[labels == c].mean(axis=0) for c in present])
    correlation = _correlation(means, anchors()[present])
    reason = _doubt(correlation, present, len(centers), observed)
    return VAFit(
        temperature=temperature,
        shown=not reason,
        reason=reason,
        class_means={
            EMOTIONS[c]: (float(v), float(a)) for c, (v, a) in zip(present, means, strict=True)
        },
        correlation=correlation,
        distance=float(np.sqrt(_distance(va, labels))),
        n=len(labels),
    )


def _distance(va: Floats, labels: NDArray[np.integer]) -> float:
    """Mean squared distance from the class anchors, each class counting alike."""
    squared = np.square(va - anchors()[labels]).sum(axis=1)
    return float(np.mean([squared[labels == c].mean() for c in np.unique(labels)]))


def _fitted(cosines: Floats, centers: Floats, labels: NDArray[np.integer]) -> float:
    """The temperature of the smallest distance, within the range searched."""

    def loss(log: float) -> float:
        return _distance(expected_va(cosines, centers, float(np.exp(log))), labels)

    grid = np.linspace(np.log(LOWEST), np.log(HIGHEST), GRID)
    best = int(np.argmin([loss(x) for x in grid]))
    around = (float(grid[max(best - 1, 0)]), float(grid[min(best + 1, GRID - 1)]))
    found = minimize_scalar(loss, bounds=around, method="bounded", options={"xatol": TOLERANCE})
    return float(np.exp(found.x))


def _correlation(means: Floats, places: Floats) -> tuple[float, float]:
    """Pearson correlation on either axis, 0 where either side does not vary."""
    found = []
    for said, true in zip(means.T, places.T, strict=True):
        said, true = said - said.mean(), true - true.mean()
        both = float(np.sqrt(np.square(said).sum() * np.square(true).sum()))
        found.append(float(said @ true) / both if both > np.finfo(np.float64).eps else 0.0)
    return found[0], found[1]


def _doubt(
    correlation: tuple[float, float],
    present: NDArray[np.integer],
    n_cells: int,
    observed: NDArray[np.bool_] | None,
) -> str:
    """Why the read-out is not shown; "" where it may be."""
    if len(present) < FEWEST_CLASSES:
        return f"the held-out slice has {len(present)} classes, too few to tell"
    if min(correlation) < SHOWN_FROM:
        said = "valence {:.2f}, arousal {:.2f}".format(*correlation)
        return f"class means correlate too little with the anchors ({said}; {SHOWN_FROM} needed)"
    if observed is None:
        return UNKNOWN_CELLS
    cells = cell_index(anchors()[present], round(n_cells**0.5))
    unseen = [EMOTIONS[c] for c, cell in zip(present, cells, strict=True) if not observed[cell]]
    return f"no recording was in the cell of {', '.join(unseen)}" if unseen else ""
