"""Maps of 32 x 32 pixels of four bands: one matrix beside a loop of `griddata`."""

from __future__ import annotations

import time

import numpy as np
from einops import rearrange
from figures import Figure, at_least, at_most, plain
from numpy.typing import NDArray
from scipy.interpolate import CloughTocher2DInterpolator, griddata

from neurogaze.eeg.recordings import EPOC
from neurogaze.eeg.topomap import electrode_positions, grid_points, interpolation_matrix, project

SIZE, BANDS, BATCH = 32, 4, 256
RATIO_TARGET, DEVIATION_TARGET = 200.0, 1e-6
TOLERANCE, ITERATIONS = 1e-13, 10_000


def maps(
    matrix: NDArray[np.float32], features: NDArray[np.float32], out: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Draw the maps of one batch into a buffer, as a network does that uses and forgets them.

    Args:
        matrix: `[channels, pixels]`.
        features: standardised, `[windows, channels, bands]`.
        out: `[windows * bands, pixels]`; shorter batches fill its beginning.
    """
    rows = rearrange(features, "n c k -> (n k) c")
    return np.matmul(rows, matrix, out=out[: len(rows)])


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
    narrow = np.ascontiguousarray(matrix.T, dtype=np.float32)
    out = np.zeros((BATCH * BANDS, SIZE**2), np.float32)
    ours_rate, loop_rate, tight, loose = [], [], [], []
    for _ in range(rounds):
        features = rng.standard_normal((windows, len(EPOC), BANDS), dtype=np.float32)
        begin = time.perf_counter()
        for start in range(0, windows, BATCH):
            maps(narrow, features[start : start + BATCH], out)
        middle = time.perf_counter()
        loop = np.array([
            [griddata(places, window[:, k], pixels, method="cubic") for k in range(BANDS)]
            for window in features[:theirs]
        ])  # fmt: skip
        end = time.perf_counter()
        ours_rate.append(windows * BANDS / (middle - begin))
        loop_rate.append(len(loop) * BANDS / (end - middle))
        made = maps(narrow, features[:theirs], out).reshape(theirs, BANDS, -1)
        exact = CloughTocher2DInterpolator(
            places, features[0].astype(np.float64), tol=TOLERANCE, maxiter=ITERATIONS
        )(pixels)[mask]
        scale = np.abs(exact).max()
        tight.append(float(np.abs(made[0].T[mask] - exact).max() / scale))
        loose.append(float(np.abs(made - loop)[..., mask].max() / scale))
    ratio = [ours / loop for ours, loop in zip(ours_rate, loop_rate, strict=True)]
    return [
        plain("maps, griddata loop", loop_rate, "maps/s"),
        plain("maps, one matrix", ours_rate, "maps/s"),
        at_least("maps, matrix : griddata", ratio, RATIO_TARGET),
        at_most("maps, deviation from tight solver", [max(tight)], DEVIATION_TARGET, "relative"),
        plain("maps, deviation from griddata as it is", [max(loose)], "relative"),
    ]
