"""Clean-up of a whole recording before any band filter: DC, notch, resampling, reference."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from neurogaze.eeg.zero_phase import filtered, notch_gain, notch_settling
from neurogaze.errors import InputError

MAX_RATIO = 10_000
"""Largest whole number in the ratio of two sampling rates that is resampled exactly."""


HIGHEST_RATE = 1e6
"""Hz; no amplifier of EEG is near it."""

LONGEST = 1e9
"""Seconds, 32 years."""


def refuse_endless(name: str, seconds: float) -> None:
    """Refuse a length in seconds that no recording has.

    Raises:
        InputError: for more than `LONGEST`.
    """
    if seconds > LONGEST:
        raise InputError(name, f"{seconds} s is longer than any recording", "give fewer seconds")


@dataclass(frozen=True)
class Preprocessing:
    """Settings of `clean`.

    Args:
        reference: "average" subtracts the mean over channels; "none" leaves the reference.
        notch: mains frequencies to remove, Hz; one at or above Nyquist is left out.
        sfreq: sampling rate of what follows, Hz.
        crop_last: seconds to cut into windows, counted from the end, or None for all; a shorter
            recording is kept whole.
        offset: "remove" subtracts the mean over time of each channel; "keep" leaves it.

    Raises:
        InputError: for a setting outside its range.
    """

    reference: Literal["average", "none"] = "average"
    notch: tuple[float, ...] = (50.0,)
    sfreq: float = 128.0
    crop_last: float | None = None
    offset: Literal["remove", "keep"] = "remove"

    def __post_init__(self) -> None:
        """Refuse settings that have no meaning."""
        if self.reference not in ("average", "none"):
            raise InputError("reference", f"{self.reference!r} is unknown", "use average or none")
        if self.offset not in ("remove", "keep"):
            raise InputError("offset", f"{self.offset!r} is unknown", "use remove or keep")
        for name, value in (("sfreq", self.sfreq), ("crop_last", self.crop_last)):
            if value is not None and not 0 < value < math.inf:
                found = f"{value} is not finite and above 0"
                raise InputError(name, found, "give a positive number")
        if self.sfreq > HIGHEST_RATE:
            raise InputError("sfreq", f"{self.sfreq} Hz", f"give {HIGHEST_RATE:g} Hz or less")
        if self.crop_last is not None:
            refuse_endless("crop_last", self.crop_last)
        if not all(0 < frequency < math.inf for frequency in self.notch):
            found = f"{self.notch} holds one that is not finite and above 0"
            raise InputError("notch", found, "give Hz above 0")


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
    x, left = clean_but_notch(eeg, sfreq, settings)
    return _notched(x, settings.sfreq, left)


def clean_but_notch(
    eeg: NDArray[np.floating], sfreq: float, settings: Preprocessing
) -> tuple[NDArray[np.float64], tuple[float, ...]]:
    """`clean`, and the notches it left to do, for filters that take them in the same pass.

    Notches must come before a change of rate; where there is none they may come last, for they
    commute with the rest.

    Returns:
        `[channels, samples']`, volts, at `settings.sfreq`, and frequencies, Hz.

    Raises:
        InputError: as `clean`.
    """
    x = np.array(eeg, dtype=np.float64)
    if settings.offset == "remove":
        x -= x.mean(axis=1, keepdims=True)
    notches = tuple(frequency for frequency in settings.notch if frequency < sfreq / 2)
    if sfreq != settings.sfreq:
        x, notches = _resample(_notched(x, sfreq, notches), sfreq, settings.sfreq), ()
    if settings.reference == "average":
        x -= common_signal(x)
    return x, notches


def _notched(
    x: NDArray[np.float64], sfreq: float, notches: tuple[float, ...]
) -> NDArray[np.float64]:
    """Second-order notches, forwards and backwards; overwrites `x`."""
    for frequency in notches:
        gain = partial(_one_gain, sfreq=sfreq, frequency=frequency)
        for rows, _, y in filtered(x, notch_settling(sfreq, frequency), gain):
            x[rows] = y
    return x


def _one_gain(length: int, sfreq: float, frequency: float) -> list[NDArray[np.float64]]:
    """`notch_gain` as `filtered` wants it."""
    return [notch_gain(length, sfreq, frequency)]


def _resample(x: NDArray[np.float64], sfreq: float, wanted: float) -> NDArray[np.float64]:
    """Polyphase resampling with its anti-alias filter; lines continue the recording outside."""
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


def common_signal(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over channels at every sample, which an average reference subtracts.

    Args:
        x: `[channels, samples]`, volts.

    Returns:
        `[1, samples]`, volts.

    Raises:
        InputError: for a single channel.
    """
    if x.shape[0] < 2:
        raise InputError("reference", "average over a single channel", "set reference to none")
    return np.asarray(x.mean(axis=0, keepdims=True))
