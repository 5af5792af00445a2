"""Frequency bands, and a recording filtered into them without delay."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from neurogaze.eeg.zero_phase import (
    Filtered,
    butterworth_gain,
    filtered,
    notch_gain,
    notch_settling,
    settling,
)
from neurogaze.errors import InputError

Band = tuple[str, float, float]

FAITHFUL: tuple[Band, ...] = (
    ("theta", 4.0, 8.0),
    ("alpha", 8.0, 13.0),
    ("beta", 13.0, 30.0),
    ("gamma", 30.0, 45.0),
)
BANDS: dict[str, tuple[Band, ...]] = {
    "faithful": FAITHFUL,
    "five": (("delta", 1.0, 4.0), *FAITHFUL),
    "paper_code": (
        ("theta", 4.0, 8.0),
        ("alpha", 8.0, 14.0),
        ("beta", 14.0, 31.0),
        ("gamma", 31.0, 49.0),
    ),
}
"""(name, low, high) of each band, Hz, adjacent and half-open."""

CACHED_LENGTHS = 32
"""Responses kept at once; the clips of one corpus have fewer lengths."""


def refuse_band(low: float, high: float, sfreq: float) -> None:
    """Refuse a band that a sampling rate cannot hold.

    Raises:
        InputError: for an upper edge at or above Nyquist.
    """
    if sfreq <= 2 * high:
        raise InputError(
            f"band {low}-{high} Hz",
            f"a rate of {sfreq} Hz holds nothing above {sfreq / 2} Hz",
            "use a recording of a higher rate, or bands that end lower",
        )


def band_filter(
    eeg: NDArray[np.floating], sfreq: float, low: float, high: float, order: int = 4
) -> NDArray[np.float64]:
    """Zero-phase Butterworth band-pass over the last axis, its squared magnitude applied by FFT.

    Equals SciPy's `sosfiltfilt` on the same reflection, see `neurogaze.eeg.zero_phase`.

    Args:
        eeg: `[..., samples]`, any unit.
        sfreq: sampling rate, Hz.
        low: lower edge, Hz; the amplitude of a tone there is halved.
        high: upper edge, Hz, below half of `sfreq`.
        order: order of the prototype.

    Raises:
        InputError: for an upper edge at or above Nyquist.
    """
    x = np.asarray(eeg, dtype=np.float64)
    flat = x.reshape(-1, x.shape[-1])
    y = np.empty_like(flat)
    for rows, _, narrow in zero_phase_bands(flat, sfreq, (("", low, high),), order):
        y[rows] = narrow
    return y.reshape(x.shape)


def zero_phase_bands(
    x: NDArray[np.float64],
    sfreq: float,
    bands: tuple[Band, ...],
    order: int,
    notches: tuple[float, ...] = (),
) -> Iterator[Filtered]:
    """A few electrodes in one band at a time, from one transform for all bands and notches.

    All bands share the reflection of the filter that settles last.

    Args:
        x: `[C, samples]`, any unit.
        sfreq: sampling rate, Hz.
        bands: what to filter into.
        order: order of the prototypes.
        notches: frequencies to remove besides, Hz.

    Yields:
        The rows, the index of the band, and `[rows, samples]`.

    Raises:
        InputError: for an upper edge at or above Nyquist.
    """
    for _, low, high in bands:
        refuse_band(low, high, sfreq)
    padding = max(
        *(settling(sfreq, min(low, high - low), order) for _, low, high in bands),
        *(notch_settling(sfreq, frequency) for frequency in notches),
        0,
    )
    yield from filtered(x, padding, lambda length: _gains(length, sfreq, bands, order, notches))


@lru_cache(maxsize=CACHED_LENGTHS)
def _gains(
    length: int, sfreq: float, bands: tuple[Band, ...], order: int, notches: tuple[float, ...]
) -> tuple[NDArray[np.float64], ...]:
    """Gain of each band with all notches; shared, so nobody may write."""
    gains = tuple(butterworth_gain(length, sfreq, low, high, order) for _, low, high in bands)
    removed = [notch_gain(length, sfreq, frequency) for frequency in notches]
    for gain in gains:
        for notch in removed:
            gain *= notch
        gain.flags.writeable = False
    return gains
