"""Differential entropy per window, channel and band.

For a zero-mean Gaussian signal of variance v, h = ln(2 pi e v) / 2 nats (Cover and Thomas, Elements
of Information Theory, 2006, eq. 8.9; used on EEG bands by Shi, Jiao and Lu, EMBC 2013). The whole
trial is filtered, then cut, so no window carries the transient of its own edges.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

from neurogaze.eeg.preprocessing import Preprocessing, clean
from neurogaze.eeg.recordings import Trial
from neurogaze.errors import InputError

FEATURE_VERSION = 2
"""Raised whenever `clean` or `trial_features` would return other values for the same settings."""

FAITHFUL = (
    ("theta", 4.0, 8.0),
    ("alpha", 8.0, 13.0),
    ("beta", 13.0, 30.0),
    ("gamma", 30.0, 45.0),
)
BANDS: dict[str, tuple[tuple[str, float, float], ...]] = {
    "faithful": FAITHFUL,
    "five": (("delta", 1.0, 4.0), *FAITHFUL),
}
"""(name, low, high) of each band, Hz, adjacent and half-open."""

PAD_PERIODS = 4.0
"""Odd reflection on each side of a band filter, in periods of its lowest frequency or width."""


@dataclass(frozen=True)
class FeatureSettings:
    """Settings of `trial_features`.

    Args:
        preprocessing: clean-up of the recording before the band filters.
        bands: key of `BANDS`.
        window: length of a window, s.
        hop: from one window to the next, s.
        baseline: subtract the mean entropy of the baseline windows where a trial has a baseline.
        filter_order: order of the Butterworth prototype; each pass of the band filter has twice it.
        floor: least variance, V^2; one below it is raised to it and counted.

    Raises:
        InputError: for a setting outside its range.
    """

    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    bands: str = "faithful"
    window: float = 4.0
    hop: float = 2.0
    baseline: bool = True
    filter_order: int = 4
    floor: float = 1e-18

    def __post_init__(self) -> None:
        """Refuse settings that have no meaning."""
        if self.bands not in BANDS:
            raise InputError("bands", f"{self.bands!r} is unknown", f"use one of {sorted(BANDS)}")
        for name in ("window", "hop", "floor", "filter_order"):
            if not getattr(self, name) > 0:
                raise InputError(name, f"{getattr(self, name)} is not above 0", "make it positive")


@dataclass(frozen=True, eq=False)
class TrialFeatures:
    """Features of one trial.

    Args:
        values: `float32 [windows, channels, bands]`, nats (a difference where there is a baseline).
        start: `float64 [windows]`, s from the first sample kept.
        floors: variances that were raised to the floor, baseline included.
    """

    values: NDArray[np.float32]
    start: NDArray[np.float64]
    floors: int


def differential_entropy(
    signal: NDArray[np.floating], axis: int = -1, floor: float = 1e-18
) -> NDArray[np.float64]:
    """Entropy of a Gaussian with the population variance of the signal, nats.

    Args:
        signal: samples, volts.
        axis: the axis of time.
        floor: least variance, V^2.

    >>> float(differential_entropy(np.array([-1.0, 1.0])).round(4))
    1.4189
    """
    return _entropy(np.var(np.asarray(signal, dtype=np.float64), axis=axis), floor)


def _entropy(variance: NDArray[np.float64], floor: float) -> NDArray[np.float64]:
    """Nats of a Gaussian of this variance, raised to the floor, V^2."""
    return np.asarray(0.5 * np.log(2 * math.pi * math.e * np.maximum(variance, floor)))


def band_filter(
    eeg: NDArray[np.floating], sfreq: float, low: float, high: float, order: int = 4
) -> NDArray[np.float64]:
    """Zero-phase Butterworth band-pass in second-order sections over the last axis.

    Args:
        eeg: `[..., samples]`, any unit.
        sfreq: sampling rate, Hz.
        low: lower edge, Hz.
        high: upper edge, Hz, below half of `sfreq`.
        order: order of the prototype.

    Raises:
        InputError: for an upper edge at or above Nyquist.
    """
    if sfreq <= 2 * high:
        raise InputError(
            f"band {low}-{high} Hz",
            f"a rate of {sfreq} Hz holds nothing above {sfreq / 2} Hz",
            "use a recording of a higher rate, or bands that end lower",
        )
    sections = butter(order, (low, high), btype="bandpass", fs=sfreq, output="sos")
    padding = math.ceil(PAD_PERIODS * sfreq / min(low, high - low))
    x = np.asarray(eeg, dtype=np.float64)
    return np.asarray(sosfiltfilt(sections, x, padlen=min(padding, x.shape[-1] - 1)))


def trial_features(trial: Trial, settings: FeatureSettings) -> TrialFeatures:
    """Entropy of every window, channel and band of one trial.

    Raises:
        InputError: for a trial (or its baseline) shorter than a window, or sampled at no more than
            twice the top of the bands.
    """
    _refuse_slow(trial, settings)
    where = f"{trial.source} ({trial.trial})"
    kept = settings.preprocessing.crop_last
    values, floors = _entropies(trial.eeg, trial.sfreq, settings, kept, where)
    if settings.baseline and trial.baseline is not None:
        rest, more = _entropies(trial.baseline, trial.sfreq, settings, None, f"{where}, baseline")
        values, floors = values - rest.mean(axis=0), floors + more
    start = np.arange(len(values)) * _samples(settings)[1] / settings.preprocessing.sfreq
    return TrialFeatures(values.astype(np.float32), start, floors)


def _samples(settings: FeatureSettings) -> tuple[int, int]:
    """Window and hop in samples."""
    sfreq = settings.preprocessing.sfreq
    return max(2, round(settings.window * sfreq)), max(1, round(settings.hop * sfreq))


def _entropies(
    eeg: NDArray[np.floating],
    sfreq: float,
    settings: FeatureSettings,
    kept: float | None,
    where: str,
) -> tuple[NDArray[np.float64], int]:
    """`[windows, channels, bands]` nats without baseline correction, and the floors met.

    Only the last `kept` seconds are cut into windows, but all of it is filtered.
    """
    rate, (length, hop) = settings.preprocessing.sfreq, _samples(settings)
    cleaned = clean(eeg, sfreq, settings.preprocessing)
    samples = cleaned.shape[1] if kept is None else min(cleaned.shape[1], round(kept * rate))
    if samples < length:
        found = f"{samples / rate:.2f} s hold no window of {settings.window} s"
        raise InputError(where, found, "shorten the window, or leave this recording out")
    bands = BANDS[settings.bands]
    variance = np.empty((1 + (samples - length) // hop, len(cleaned), len(bands)))
    for k, (_, low, high) in enumerate(bands):
        narrow = band_filter(cleaned, rate, low, high, settings.filter_order)[:, -samples:]
        windows = np.lib.stride_tricks.sliding_window_view(narrow, length, axis=1)[:, ::hop]
        variance[:, :, k] = windows.var(axis=-1).T
    floors = int(np.count_nonzero(variance < settings.floor))
    return _entropy(variance, settings.floor), floors


def _refuse_slow(trial: Trial, settings: FeatureSettings) -> None:
    """Refuse bands that the recording, at the rate it was made, cannot hold."""
    top = BANDS[settings.bands][-1][2]
    if trial.sfreq <= 2 * top:
        raise InputError(
            f"{trial.source} ({trial.trial})",
            f"its rate, {trial.sfreq} Hz, is not above twice the top band edge, {top} Hz",
            "use recordings of a higher rate",
        )
