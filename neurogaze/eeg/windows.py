"""A signal cut into regular windows, and the population variance of each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def cut(x: NDArray[np.float64], length: int, hop: int) -> NDArray[np.float64]:
    """Windows of a signal as a read-only view, `[..., windows, length]`.

    Args:
        x: `[..., samples]`, at least `length` of them.
        length: samples of a window.
        hop: samples from one window to the next; what does not fill a window is left over.
    """
    windows = np.lib.stride_tricks.sliding_window_view(x, length, axis=-1)
    return np.asarray(windows[..., ::hop, :])


def band_variance(windows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Population variance over the last axis, as the mean square less the squared mean.

    Made for band-passed signals, whose mean is small: no copy less the mean is needed. Rounding may
    leave a zero variance at -1e-16 of the mean square.
    """
    samples = windows.shape[-1]
    power = np.einsum("...t,...t->...", windows, windows) / samples
    mean = np.einsum("...t->...", windows) / samples
    return np.asarray(power - mean**2)
