"""Maps of 32 x 32 pixels of four bands: one matrix beside a loop of `griddata`."""

from __future__ import annotations

import time

import numpy as np
from figures import Figure, at_least, at_most, plain
from numpy.typing import NDArray
from scipy.interpolate import CloughTocher2DInterpolator, griddata

from neurogaze.eeg.recordings import EPOC
from neurogaze.eeg.topomap import electrode_positions, grid_points, interpolation_matrix, project

SIZE, BANDS = 32, 4
RATIO_TARGET, DEVIATION_TARGET = 200.0, 1e-6
TOLERANCE, ITERATIONS = 1e-13, 10_000


def maps(matrix: NDArray[np.float32], features: NDArray[np.float32]) -> NDArray[np.float32]:
    """`[windows, bands, pixels]` of standardised features `[windows, channels, bands]`."""
    return np.matmul(features.transpose(0, 2, 1), matrix.T)


def compare(rounds: int, windows: int, theirs: int) -> list[Figure]:
    """Ratio of maps a second in `rounds` turns, and deviations inside the hull.

    Args:
        rounds: turns.
        windows: of a turn of ours.
        theirs: windows of a turn of `griddata`.
    """
    rng = np.random.default_rng(0)
    places = project(electrode_positions(EPOC))
    pixels = grid_points(SIZE)
    matrix, mask = interpolation_matrix(EPOC, SIZE)
    narrow = np.ascontiguousarray(matrix, dtype=np.float32)
    ours_rate, loop_rate, tight, loose = [], [], [], []
    for _ in range(rounds):
        features = rng.standard_normal((windows, len(EPOC), BANDS), dtype=np.float32)
        begin = time.perf_counter()
        made = maps(narrow, features)
        middle = time.perf_counter()
        loop = np.array([
            [griddata(places, window[:, k], pixels, method="cubic") for k in range(BANDS)]
            for window in features[:theirs]
        ])  # fmt: skip
        end = time.perf_counter()
        ours_rate.append(windows * BANDS / (middle - begin))
        loop_rate.append(len(loop) * BANDS / (end - middle))
        exact = CloughTocher2DInterpolator(
            places, features[0].astype(np.float64), tol=TOLERANCE, maxiter=ITERATIONS
        )(pixels)[mask]
        scale = np.abs(exact).max()
        tight.append(float(np.abs(made[0].T[mask] - exact).max() / scale))
        loose.append(float(np.abs(made[: len(loop)] - loop)[..., mask].max() / scale))
    ratio = [ours / loop for ours, loop in zip(ours_rate, loop_rate, strict=True)]
    return [
        plain("maps, griddata loop", loop_rate, "maps/s"),
        plain("maps, one matrix", ours_rate, "maps/s"),
        at_least("maps, matrix : griddata", ratio, RATIO_TARGET),
        at_most("maps, deviation from tight solver", [max(tight)], DEVIATION_TARGET, "relative"),
        plain("maps, deviation from griddata as it is", [max(loose)], "relative"),
    ]
