"""Noise of a given colour, slow wandering and blinks: the time courses of generated recordings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.fft import next_fast_len

BLINK_SECONDS = 0.3


def coloured(
    rng: np.random.Generator,
    bands: Sequence[tuple[float, float, float]],
    size: int,
    sfreq: float,
) -> NDArray[np.float64]:
    """Gaussian noise of expected variance 1 whose power falls as `f ** -exponent` inside a band.

    Args:
        rng: source of the draws; the number of draws does not depend on the bands.
        bands: (low, high, exponent) of each noise, Hz.
        size: samples.
        sfreq: sampling rate, Hz.

    Returns:
        `[len(bands), size]`.
    """
    length = next_fast_len(size, real=True)
    hertz = np.fft.rfftfreq(length, 1 / sfreq)
    low, high, exponent = (column[:, None] for column in np.array(bands, dtype=np.float64).T)
    inside = (hertz >= low) & (hertz < high)
    shape = np.where(inside, np.maximum(hertz, hertz[1]) ** (-exponent / 2), 0.0)
    shape /= np.sqrt(np.sum(shape**2, axis=1, keepdims=True))
    real, imaginary = rng.standard_normal((2, len(bands), len(hertz)))
    # irfft divides by the length and counts every line twice, once for its mirror image
    waves = np.fft.irfft(shape * (real + 1j * imaginary) * length / 2, n=length)
    return np.asarray(waves[:, :size], dtype=np.float64)


def slow(
    rng: np.random.Generator, count: int, size: int, hertz: float, sfreq: float
) -> NDArray[np.float64]:
    """Smooth wandering of expected variance 1 below a frequency, `[count, size]`.

    Knots of white noise, two a period of `hertz`, are joined by cubic splines.
    """
    from scipy.interpolate import CubicSpline

    knots = np.arange(0.0, size + sfreq / hertz, sfreq / (2 * hertz))
    knots = np.append(knots, knots[-1] + sfreq / (2 * hertz))
    values = rng.standard_normal((count, len(knots)))
    return np.asarray(CubicSpline(knots, values, axis=1)(np.arange(size)), dtype=np.float64)


def blink_train(
    rng: np.random.Generator, size: int, per_second: float, sfreq: float
) -> NDArray[np.float64]:
    """Blinks of height about 1 at random moments, `[size]`.

    Args:
        rng: source of the draws.
        size: samples.
        per_second: mean rate; the person blinks more in one recording than in another.
        sfreq: sampling rate, Hz.
    """
    rate = per_second * np.exp(0.4 * rng.standard_normal())
    moments = rng.uniform(0, size, rng.poisson(rate * size / sfreq))
    heights = rng.uniform(0.7, 1.3, len(moments))
    width = BLINK_SECONDS * sfreq / 4
    away = (np.arange(size) - moments[:, None]) / width
    return np.asarray(heights @ np.exp(-0.5 * away**2), dtype=np.float64)
