"""A recording filtered into bands as it arrives, with the state of every filter carried on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, iirnotch, sosfilt, tf2sos

from neurogaze.eeg.bands import Band, refuse_band
from neurogaze.eeg.preprocessing import Preprocessing, common_signal
from neurogaze.eeg.zero_phase import NOTCH_QUALITY
from neurogaze.errors import InputError

NO_RESAMPLING = "set sfreq to the rate of the recording; a stream is not resampled"


class CausalBands:
    """Clean-up and band filters of one stream; no sample depends on a later one.

    The first sample of each electrode is taken for its offset and subtracted, the notch filters and
    the Butterworth band-passes (second-order sections, one pass) run forwards only, and the average
    reference is over electrodes at one instant. One pass delays the middle of a band by about
    1 / (pi * width * sin(pi / (2 * order))) s: 0.2 s for theta.

    Args:
        channels: number of electrodes.
        preprocessing: clean-up; its `sfreq` is the rate of the stream, `crop_last` is not used.
        bands: what to filter into.
        order: order of the Butterworth prototype.

    Raises:
        InputError: for an upper edge at or above Nyquist.
    """

    def __init__(
        self, channels: int, preprocessing: Preprocessing, bands: Sequence[Band], order: int
    ) -> None:
        rate = preprocessing.sfreq
        for _, low, high in bands:
            refuse_band(low, high, rate)
        self._preprocessing = preprocessing
        self._offset: NDArray[np.float64] | None = None
        self._notches = [
            _Sections(tf2sos(*iirnotch(frequency, NOTCH_QUALITY, fs=rate)), channels)
            for frequency in preprocessing.notch
            if frequency < rate / 2
        ]
        self._bands = [
            _Sections(butter(order, (low, high), "bandpass", fs=rate, output="sos"), channels)
            for _, low, high in bands
        ]

    def push(self, eeg: NDArray[np.floating]) -> NDArray[np.float64]:
        """The next samples, filtered.

        Args:
            eeg: `[channels, samples]`, volts, following the last call.

        Returns:
            `[bands, channels, samples]`, volts.
        """
        x = np.asarray(eeg, dtype=np.float64)
        if self._preprocessing.offset == "remove" and x.shape[1]:
            self._offset = x[:, :1].copy() if self._offset is None else self._offset
            x = x - self._offset
        for notch in self._notches:
            x = notch.push(x)
        if self._preprocessing.reference == "average":
            x = x - common_signal(x)
        return np.stack([band.push(x) for band in self._bands])


class _Sections:
    """Second-order sections and their state, zero at first."""

    def __init__(self, sections: NDArray[np.float64], channels: int) -> None:
        self._sections = sections
        self._state = np.zeros((len(sections), channels, 2))

    def push(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """The next samples, `[channels, samples]`, filtered."""
        if not x.shape[1]:
            return x
        y, self._state = sosfilt(self._sections, x, zi=self._state)
        return np.asarray(y)


def refuse_resampling(sfreq: float, preprocessing: Preprocessing) -> None:
    """Refuse a stream at another rate than the features want.

    Raises:
        InputError: where the rates differ.
    """
    if sfreq != preprocessing.sfreq:
        found = f"{sfreq} Hz, not {preprocessing.sfreq} Hz"
        raise InputError("sampling rate", found, NO_RESAMPLING)
