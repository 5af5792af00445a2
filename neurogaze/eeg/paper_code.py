"""Features as published code makes them: every window filtered alone, from rest, causally.

Kumar et al. (RBTransformer, arXiv:2511.13954) standardise a window by one mean and one deviation
for all its electrodes, filter it with a Butterworth band-pass in transfer-function form and take
the variance with the transient of the filter in it (the definition of TorchEEG's
`BandDifferentialEntropy`). Offsets between electrodes survive the common standardisation and excite
that transient, so these features hold some of the recording's identity; `zero_phase` is the
default for that reason.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from einops import rearrange
from numpy.typing import NDArray
from scipy.signal import butter, lfilter, sosfilt

from neurogaze.eeg.bands import Band, refuse_band
from neurogaze.eeg.windows import band_variance
from neurogaze.errors import InputError

FORM_ERROR = 0.02
"""Share of its power by which rounding may change a filter in transfer-function form: 0.01 nats."""

Form = tuple[NDArray[np.float64], NDArray[np.float64]]


def standardised(windows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each window less its mean, over its deviation, all electrodes and samples together.

    Args:
        windows: `[windows, C, samples]`, any unit; a window that never changes becomes zero.
    """
    centred = windows - windows.mean(axis=(1, 2), keepdims=True)
    deviation = centred.std(axis=(1, 2), keepdims=True)
    return np.asarray(centred / np.where(deviation > 0, deviation, 1.0))


def window_variances(
    windows: NDArray[np.float64], sfreq: float, bands: tuple[Band, ...], order: int
) -> NDArray[np.float64]:
    """Variance of each window in each band, every window filtered causally from rest.

    Args:
        windows: `[windows, C, samples]`, any unit.
        sfreq: sampling rate, Hz.
        bands: what to filter into.
        order: order of the Butterworth prototype.

    Returns:
        `[windows, C, bands]`, squared unit.

    Raises:
        InputError: for an upper edge at or above Nyquist, or an order so high that rounding makes
            another filter of it.
    """
    variances = []
    for _, low, high in bands:
        refuse_band(low, high, sfreq)
        b, a = _form(low, high, sfreq, order, windows.shape[-1])
        variances.append(band_variance(lfilter(b, a, windows)))
    return np.stack(variances, axis=-1)


def refuse_order(sfreq: float, bands: tuple[Band, ...], order: int, samples: int) -> None:
    """Refuse an order that `window_variances` would refuse, before there are windows.

    Args:
        sfreq: sampling rate, Hz.
        bands: what to filter into.
        order: order of the Butterworth prototype.
        samples: length of a window.

    Raises:
        InputError: as `window_variances`.
    """
    for _, low, high in bands:
        refuse_band(low, high, sfreq)
        _form(low, high, sfreq, order, samples)


@lru_cache(maxsize=64)
def _form(low: float, high: float, sfreq: float, order: int, samples: int) -> Form:
    """Transfer function of a band, which over so many samples must do what its sections do.

    Raises:
        InputError: where it does not.
    """
    impulse = np.eye(1, samples)[0]
    b, a = butter(order, (low, high), btype="bandpass", fs=sfreq)
    sections = butter(order, (low, high), btype="bandpass", fs=sfreq, output="sos")
    with np.errstate(over="ignore", invalid="ignore"):
        power = np.sum(lfilter(b, a, impulse) ** 2)
        change = abs(power / np.sum(sosfilt(sections, impulse) ** 2) - 1)
    if not change <= FORM_ERROR:  # also for what is no number
        found = (
            f"{order} is too high for {low:g}-{high:g} Hz at {sfreq:g} Hz, windows filtered alone"
        )
        raise InputError("filter_order", found, "lower it, or set filtering to zero_phase")
    return b, a


def averaged_second(eeg: NDArray[np.float64], sfreq: float) -> NDArray[np.float64]:
    """Mean over time of the non-overlapping seconds of a recording, `[C, sfreq]`.

    The mean of K independent seconds has 1 / K of their variance.

    Args:
        eeg: `[C, samples]`, one second or more; what does not fill a second is left over.
        sfreq: sampling rate, Hz.
    """
    second = round(sfreq)
    chunks = eeg[:, : eeg.shape[1] // second * second]
    return rearrange(chunks, "c (chunk t) -> chunk c t", t=second).mean(axis=0)
