"""Filters without delay: the squared magnitude of a Butterworth or notch filter, by FFT.

A filter run forwards and then backwards multiplies each frequency f by |H(f)|^2 and turns no phase
(Gustafsson, IEEE Trans. Signal Process. 44(4), 1996; SciPy's `sosfiltfilt`). The squared magnitudes
have closed forms, so nothing is designed and one transform of a recording serves every band. The
recording goes on outside as its odd reflection, for so long that what lies beyond the reflection
counts for 1e-8 of itself where the recording begins.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import fft

DECAY = 25.0
"""Time constants of the slowest pole in the reflection: exp(-25) = 1.4e-11."""

ROWS_AT_ONCE = 2
"""Electrodes transformed together: a vector register of doubles, and small enough for a cache."""

NOTCH_QUALITY = 30.0
"""Frequency of a notch over its -3 dB width: 1.7 Hz wide at 50 Hz."""

Filtered = tuple[slice, int, NDArray[np.float64]]


def filtered(
    x: NDArray[np.float64],
    padding: int,
    gains: Callable[[int], Sequence[NDArray[np.float64]]],
) -> Iterator[Filtered]:
    """A few electrodes at a time, multiplied by each gain in turn over frequency.

    Args:
        x: `[C, samples]`, any unit; a group of rows may be overwritten once its last has come.
        padding: samples of odd reflection on each side; all there are where `x` is shorter.
        gains: from the length of the transform to gains, each `float64 [length // 2 + 1]`.

    Yields:
        The rows, the index of the gain, and `[rows, samples]`.
    """
    samples = x.shape[1]
    padding = min(padding, samples - 1)
    length = fft.next_fast_len(samples + 2 * padding, real=True)
    inner = slice(padding, padding + samples)
    for first in range(0, len(x), ROWS_AT_ONCE):
        rows = slice(first, min(first + ROWS_AT_ONCE, len(x)))
        spectrum = fft.rfft(_reflected(x[rows], padding), length)
        for index, gain in enumerate(gains(length)):
            yield rows, index, fft.irfft(spectrum * gain, length)[:, inner]


def _reflected(x: NDArray[np.float64], padding: int) -> NDArray[np.float64]:
    """`[rows, samples + 2 * padding]`, turned by 180 degrees about the first and last sample."""
    before = 2 * x[:, :1] - x[:, padding:0:-1]
    after = 2 * x[:, -1:] - x[:, -2 : -padding - 2 : -1]
    return np.concatenate([before, x, after], axis=1)


def settling(sfreq: float, width: float, order: int) -> int:
    """Samples after which a Butterworth filter has forgotten an edge.

    Its slowest pole decays at about pi * width * sin(pi / (2 * order)) per second.

    Args:
        sfreq: sampling rate, Hz.
        width: -3 dB width of the band, or its lower edge where that is less, Hz.
        order: order of the prototype.
    """
    return math.ceil(DECAY * sfreq / (math.pi * width * math.sin(math.pi / (2 * order))))


def notch_settling(sfreq: float, frequency: float) -> int:
    """Samples after which a notch has forgotten an edge, see `settling`."""
    return settling(sfreq, frequency / NOTCH_QUALITY, order=1)


def butterworth_gain(
    length: int, sfreq: float, low: float, high: float, order: int
) -> NDArray[np.float64]:
    """|H|^2 of the digital Butterworth band-pass at the frequencies of a real transform.

    With W = tan(pi f / sfreq) (bilinear transform) it is
    1 / (1 + ((W^2 - W_low W_high) / (W (W_high - W_low)))^(2 order)), one half at both edges.

    Args:
        length: samples of the transform.
        sfreq: sampling rate, Hz.
        low: lower edge, Hz.
        high: upper edge, Hz.
        order: order of the prototype; the filter has twice it.

    Returns:
        `float64 [length // 2 + 1]`, between 0 and 1.
    """
    w = np.tan(np.pi * np.arange(length // 2 + 1) / length)
    first, last = math.tan(math.pi * low / sfreq), math.tan(math.pi * high / sfreq)
    with np.errstate(divide="ignore", over="ignore"):
        detuning = ((w * w - first * last) / (w * (last - first))) ** 2
        steep = detuning
        for _ in range(order - 1):  # `**` would take a logarithm of every frequency
            steep = steep * detuning
        return np.asarray(1 / (1 + steep))


def notch_gain(length: int, sfreq: float, frequency: float) -> NDArray[np.float64]:
    """|H|^2 of the second-order notch at the frequencies of a real transform.

    With c = cos(2 pi f / sfreq) - cos(2 pi frequency / sfreq) and t the tangent of half the -3 dB
    width in radians a sample, it is c^2 / (c^2 + (t sin(2 pi f / sfreq))^2), as SciPy's `iirnotch`
    of quality `NOTCH_QUALITY`.

    Args:
        length: samples of the transform.
        sfreq: sampling rate, Hz.
        frequency: what to remove, Hz.

    Returns:
        `float64 [length // 2 + 1]`, between 0 and 1.
    """
    angle = 2 * np.pi * np.arange(length // 2 + 1) / length
    away = (np.cos(angle) - math.cos(2 * math.pi * frequency / sfreq)) ** 2
    width = math.tan(math.pi * frequency / NOTCH_QUALITY / sfreq)
    return np.asarray(away / (away + (width * np.sin(angle)) ** 2))
