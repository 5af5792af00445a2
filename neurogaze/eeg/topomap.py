"""Electrode values to a scalp picture, as one matrix.

Positions are projected azimuthal-equidistantly (radius = polar angle) and interpolated with the
Clough-Tocher scheme on their Delaunay triangulation. That map is linear in the electrode values, so
its columns are the pictures of unit vectors and applying it is one product. The picture therefore
has the rank of the montage: it gives a network a place for each value and no further information.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, get_args

import numpy as np
from einops import rearrange
from numpy.typing import NDArray
from scipy.interpolate import CloughTocher2DInterpolator, LinearNDInterpolator
from scipy.spatial import Delaunay

from neurogaze.eeg.montage import electrode_positions, partners, project
from neurogaze.errors import InputError

__all__ = ["electrode_positions", "grid_points", "interpolation_matrix", "project"]

EXTENT = 1.1
"""Half the side of the picture and radius of the head circle; 1 = polar angle of 90 degrees."""

BORDER_RADIUS = 1.5
"""Circle of the added points in mode "head"; every position of the template lies within 1.43."""

BORDER_POINTS = 32

LINE_WIDTH = 0.01
"""Root mean square distance from a line of electrodes on it, polar angles of 90 degrees: those of
the midline lie within 0.009, all others at 0.05 or more."""

TOLERANCE = 1e-13
MAX_ITERATIONS = 10_000
"""Of the solver of the Clough-Tocher gradients."""

Mode = Literal["hull", "head"]
Method = Literal["cubic", "linear"]


def grid_points(size: int) -> NDArray[np.float64]:
    """Places of the pixels, `[size * size, 2]`: rows from front to back, columns left to right."""
    axis = np.linspace(-EXTENT, EXTENT, size)
    x, y = np.meshgrid(axis, -axis)
    return np.stack([x.ravel(), y.ravel()], axis=1)


def interpolation_matrix(
    channels: Sequence[str],
    size: int = 32,
    mode: Mode = "hull",
    method: Method = "cubic",
    symmetric: bool = False,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The matrix that turns electrode values into a picture, and where the picture is valid.

    Args:
        channels: C names, see `electrode_positions`.
        size: pixels a side.
        mode: "hull" stops at the hull of the electrodes; "head" goes on to the head circle, towards
            the mean of the electrodes nearby.
        method: "cubic" (Clough-Tocher, may overshoot) or "linear" (never does).
        symmetric: average of the map and its mirror image, because the triangulation of a symmetric
            montage is not unique; each electrode needs its partner on the other side.

    Returns:
        `float64 [size * size, C]`, zero where not valid, and `bool [size * size]`.

    Raises:
        InputError: for unknown, repeated or collinear electrodes, fewer than three, or one without
            a partner when `symmetric`; for a size below 1, or an unknown mode.
    """
    if size < 1:
        raise InputError("size", f"{size} pixels a side", "use 1 or more")
    if mode not in get_args(Mode):
        raise InputError("mode", f"{mode!r} is unknown", f"use one of {get_args(Mode)}")
    matrix, mask = _cached(tuple(channels), size, mode, method, symmetric)
    return matrix.copy(), mask.copy()


@lru_cache(maxsize=32)
def _cached(
    channels: tuple[str, ...], size: int, mode: Mode, method: Method, symmetric: bool
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """`interpolation_matrix` of hashable arguments; the arrays are shared, so nobody may write."""
    nodes = project(electrode_positions(channels))
    if symmetric:
        partner = partners(channels)
        nodes = (nodes + nodes[partner] * (-1, 1)) / 2
    matrix = node_weights(nodes, grid_points(size), mode, method)
    if symmetric:
        image = rearrange(matrix, "(h w) c -> h w c", h=size)
        image = (image + image[:, ::-1][:, :, partner]) / 2
        matrix = rearrange(image, "h w c -> (h w) c")
    mask: NDArray[np.bool_] = np.asarray(np.isfinite(matrix).all(axis=1))
    return np.where(mask[:, None], matrix, 0.0), mask


def node_weights(
    nodes: NDArray[np.float64], query: NDArray[np.float64], mode: Mode, method: Method
) -> NDArray[np.float64]:
    """Weight of each node in the value at each place, `[Q, C]`; NaN where there is no value.

    Raises:
        InputError: for repeated or collinear nodes, or fewer than three.
    """
    if len(np.unique(nodes.round(9), axis=0)) < len(nodes):
        raise InputError("montage", "names the same place twice", "name each electrode once")
    _refuse_line(nodes)
    values, places = np.eye(len(nodes)), nodes
    if mode == "head":
        places = np.concatenate([nodes, _border()])
        values = np.concatenate([values, _border_values(places, len(nodes))])
    weights = _interpolate(places, values, query, method)
    if mode == "head":
        weights[np.hypot(query[:, 0], query[:, 1]) > EXTENT] = np.nan
    return weights


def _refuse_line(nodes: NDArray[np.float64]) -> None:
    """Refuse nodes that lie on one line, or are too few to do anything else.

    Raises:
        InputError: for either.
    """
    centred = nodes - nodes.mean(axis=0) if len(nodes) else nodes
    if len(nodes) < 3 or np.linalg.svd(centred)[1][1] < LINE_WIDTH * len(nodes) ** 0.5:
        found = f"{len(nodes)} electrodes span no area"
        raise InputError("montage", found, "use three or more, not on one line")


def _interpolate(
    places: NDArray[np.float64],
    values: NDArray[np.float64],
    query: NDArray[np.float64],
    method: Method,
) -> NDArray[np.float64]:
    """Values at `query` from those at `places`; NaN outside their hull."""
    if method == "linear":
        return np.asarray(LinearNDInterpolator(places, values)(query))
    cubic = CloughTocher2DInterpolator(places, values, tol=TOLERANCE, maxiter=MAX_ITERATIONS)
    return np.asarray(cubic(query))


def _border() -> NDArray[np.float64]:
    """Points evenly around the head, none on the midline, `[BORDER_POINTS, 2]`."""
    angle = (np.arange(BORDER_POINTS) + 0.5) * 2 * np.pi / BORDER_POINTS
    return BORDER_RADIUS * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _border_values(places: NDArray[np.float64], n_nodes: int) -> NDArray[np.float64]:
    """Mean of the electrodes each border point touches, or its nearest, `[BORDER_POINTS, C]`."""
    starts, neighbours = Delaunay(places).vertex_neighbor_vertices
    values = np.zeros((len(places) - n_nodes, n_nodes))
    for row, point in enumerate(range(n_nodes, len(places))):
        touched = neighbours[starts[point] : starts[point + 1]]
        touched = touched[touched < n_nodes]
        if not touched.size:
            distance = np.linalg.norm(places[:n_nodes] - places[point], axis=1)
            touched = np.array([distance.argmin()])
        values[row, touched] = 1 / len(touched)
    return values
