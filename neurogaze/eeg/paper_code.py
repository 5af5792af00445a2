"""Features as published code makes them: every window filtered alone, from rest, causally.

Kumar et al. (RBTransformer, arXiv:2511.13954) standardise a window by one mean and one deviation
for all its electrodes, filter it with a Butterworth band-pass in transfer-function form and take
the variance with the transient of the filter in it (the definition of TorchEEG's
`BandDifferentialEntropy`). Offsets between electrodes survive the common standardisation and excite
that transient, so these features hold some of the recording's identity; `zero_phase` is the
default for that reason.
"""

from __future__ import annotations

import numpy as np
from einops import rearrange
from numpy.typing import NDArray
from scipy.signal import butter, lfilter

from neurogaze.eeg.bands import Band, refuse_band
from neurogaze.eeg.windows import band_variance


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
        InputError: for an upper edge at or above Nyquist.
    """
    variances = []
    for _, low, high in bands:
        refuse_band(low, high, sfreq)
        b, a = butter(order, (low, high), btype="bandpass", fs=sfreq)
        variances.append(band_variance(lfilter(b, a, windows)))
    return np.stack(variances, axis=-1)


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
