"""Clean-up of a whole recording before any band filter: DC, notch, resampling, reference."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from neurogaze.errors import InputError

NOTCH_QUALITY = 30.0
"""Notch frequency over its -3 dB width: 1.7 Hz wide at 50 Hz."""

NOTCH_PAD = 1.0
"""Seconds of odd reflection on each side of a notch filter, five of its time constants."""

MAX_RATIO = 10_000
"""Largest whole number in the ratio of two sampling rates that is resampled exactly."""


@dataclass(frozen=True)
class Preprocessing:
    """Settings of `clean`.

    Args:
        reference: "average" subtracts the mean over channels; "none" leaves the reference.
        notch: mains frequencies to remove, Hz; one at or above Nyquist is left out.
        sfreq: sampling rate of what follows, Hz.
        crop_last: seconds to cut into windows, counted from the end, or None for all; a shorter
            recording is kept whole.

    Raises:
        InputError: for a setting outside its range.
    """

    reference: Literal["average", "none"] = "average"
    notch: tuple[float, ...] = (50.0,)
    sfreq: float = 128.0
    crop_last: float | None = None

    def __post_init__(self) -> None:
        """Refuse settings that have no meaning."""
        if self.reference not in ("average", "none"):
            raise InputError("reference", f"{self.reference!r} is unknown", "use average or none")
        for name, value in (("sfreq", self.sfreq), ("crop_last", self.crop_last)):
            if value is not None and not value > 0:
                raise InputError(name, f"{value} is not above 0", "give a positive number")
        if any(not frequency > 0 for frequency in self.notch):
            raise InputError("notch", f"{self.notch} holds one not above 0", "give Hz above 0")


def clean(eeg: NDArray[np.floating], sfreq: float, settings: Preprocessing) -> NDArray[np.float64]:
    """Remove DC and mains, resample and re-reference one whole recording.

    `crop_last` is left to what cuts the windows, so that no filter sees an edge that the recording
    did not have.

    Args:
        eeg: `[channels, samples]`, volts.
        sfreq: its sampling rate, Hz.
        settings: what to do.

    Returns:
        `[channels, samples']`, volts, at `settings.sfreq`.

    Raises:
        InputError: for a rate that has no exact ratio to `settings.sfreq`, or an average
            reference over a single channel.
    """
    x = np.asarray(eeg, dtype=np.float64)
    x = x - x.mean(axis=1, keepdims=True)
    for frequency in settings.notch:
        if frequency < sfreq / 2:
            x = _notch(x, sfreq, frequency)
    x = _resample(x, sfreq, settings.sfreq)
    if settings.reference == "average":
        x = _average_reference(x)
    return x


def _notch(x: NDArray[np.float64], sfreq: float, frequency: float) -> NDArray[np.float64]:
    """Second-order notch, forwards and backwards."""
    b, a = signal.iirnotch(frequency, NOTCH_QUALITY, fs=sfreq)
    padding = min(round(NOTCH_PAD * sfreq), x.shape[1] - 1)
    return np.asarray(signal.sosfiltfilt(signal.tf2sos(b, a), x, axis=1, padlen=padding))


def _resample(x: NDArray[np.float64], sfreq: float, wanted: float) -> NDArray[np.float64]:
    """Polyphase resampling with its anti-alias filter; lines continue the recording outside."""
    if sfreq == wanted:
        return x
    ratio = Fraction(wanted / sfreq).limit_denominator(MAX_RATIO)
    if ratio == 0 or abs(float(ratio) * sfreq / wanted - 1) > 1e-9:
        raise InputError(
            "sampling rate",
            f"{sfreq} Hz has no exact ratio to {wanted} Hz",
            "set sfreq to the rate of the recording, or round the rate where it is read",
        )
    return np.asarray(
        signal.resample_poly(x, ratio.numerator, ratio.denominator, axis=1, padtype="line")
    )


def _average_reference(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Subtract the mean over channels from every sample."""
    if x.shape[0] < 2:
        raise InputError("reference", "average over a single channel", "set reference to none")
    return x - x.mean(axis=0, keepdims=True)
