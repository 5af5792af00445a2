"""Differential entropy per window, channel and band.

For a zero-mean Gaussian signal of variance v, h = ln(2 pi e v) / 2 nats (Cover and Thomas, Elements
of Information Theory, 2006, eq. 8.9; used on EEG bands by Shi, Jiao and Lu, EMBC 2013). By default
the whole trial is filtered, then cut, so no window carries the transient of its own edges.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from einops import rearrange
from numpy.typing import NDArray

from neurogaze.eeg.bands import BANDS, band_filter, zero_phase_bands
from neurogaze.eeg.causal import CausalBands, refuse_resampling
from neurogaze.eeg.feature_settings import PAPER_CODE, FeatureSettings, window_samples
from neurogaze.eeg.paper_code import averaged_second, standardised, window_variances
from neurogaze.eeg.preprocessing import clean, clean_but_notch
from neurogaze.eeg.recordings import Trial
from neurogaze.eeg.windows import band_variance, cut
from neurogaze.errors import InputError

__all__ = [
    "BANDS",
    "FEATURE_VERSION",
    "PAPER_CODE",
    "FeatureSettings",
    "TrialFeatures",
    "band_filter",
    "differential_entropy",
    "entropy",
    "trial_features",
]

FEATURE_VERSION = 4
"""Raised whenever `clean` or `trial_features` would return other values for the same settings."""


@dataclass(frozen=True, eq=False)
class TrialFeatures:
    """Features of one trial.

    Args:
        values: `float32 [windows, channels, bands]`, nats or bits (a difference where there is a
            baseline).
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
    return _nats(np.var(np.asarray(signal, dtype=np.float64), axis=axis), floor)


def _nats(variance: NDArray[np.float64], floor: float) -> NDArray[np.float64]:
    """Nats of a Gaussian of this variance, raised to the floor, V^2."""
    return np.asarray(0.5 * np.log(2 * math.pi * math.e * np.maximum(variance, floor)))


def entropy(variance: NDArray[np.float64], settings: FeatureSettings) -> NDArray[np.float64]:
    """Entropy of a Gaussian of this variance, V^2, with the floor and unit of the settings."""
    nats = _nats(variance, settings.floor)
    return nats / math.log(2) if settings.unit == "bits" else nats


def trial_features(trial: Trial, settings: FeatureSettings) -> TrialFeatures:
    """Entropy of every window, channel and band of one trial.

    Raises:
        InputError: for a trial (or its baseline) shorter than a window, sampled at no more than
            twice the top of the bands, or at another rate than a causal filter is to have, or
            features that are not finite.
    """
    _refuse_slow(trial, settings)
    where = f"{trial.source} ({trial.trial})"
    variance = _trial_variance(trial, settings, where)
    values, floors = entropy(variance, settings), _floors(variance, settings)
    if settings.baseline and trial.baseline is not None:
        rest = _rest_variance(trial.baseline, trial.sfreq, settings, f"{where}, baseline")
        values -= entropy(rest, settings).mean(axis=0)
        floors += _floors(rest, settings)
    made = values.astype(np.float32)
    if not np.isfinite(made).all():
        remedy = "lower filter_order, or check the samples"
        raise InputError(where, "its features are not finite", remedy)
    start = np.arange(len(made)) * window_samples(settings)[1] / settings.preprocessing.sfreq
    return TrialFeatures(made, start, floors)


def _trial_variance(trial: Trial, settings: FeatureSettings, where: str) -> NDArray[np.float64]:
    """Variances of the trial; only its last `crop_last` seconds are cut, but all is filtered."""
    x, notches = _prepared(trial.eeg, trial.sfreq, settings)
    kept, samples = settings.preprocessing.crop_last, x.shape[1]
    if kept is not None:
        samples = min(samples, round(kept * settings.preprocessing.sfreq))
    return _variance(x, notches, settings, samples, where)


def _rest_variance(
    eeg: NDArray[np.floating], sfreq: float, settings: FeatureSettings, where: str
) -> NDArray[np.float64]:
    """Variances of the baseline, of its windows or of the mean of its seconds."""
    x, notches = _prepared(eeg, sfreq, settings)
    if settings.baseline_mode == "average":
        rate = settings.preprocessing.sfreq
        if x.shape[1] < round(rate):
            found = f"{x.shape[1] / rate:.2f} s hold no whole second"
            raise InputError(where, found, "leave this recording out")
        x = averaged_second(x, rate)
        settings = replace(settings, window=x.shape[1] / rate)
    return _variance(x, notches, settings, x.shape[1], where)


def _prepared(
    eeg: NDArray[np.floating], sfreq: float, settings: FeatureSettings
) -> tuple[NDArray[np.float64], tuple[float, ...]]:
    """The recording as the filters want it, and the notches they are to take along."""
    if settings.filtering == "streaming":
        refuse_resampling(sfreq, settings.preprocessing)
        return np.asarray(eeg, dtype=np.float64), ()
    if settings.filtering == "window":
        return clean(eeg, sfreq, settings.preprocessing), ()
    return clean_but_notch(eeg, sfreq, settings.preprocessing)


def _variance(
    x: NDArray[np.float64],
    notches: tuple[float, ...],
    settings: FeatureSettings,
    samples: int,
    where: str,
) -> NDArray[np.float64]:
    """`[windows, channels, bands]` variances, V^2, of the windows in the last samples."""
    rate, (length, hop) = settings.preprocessing.sfreq, window_samples(settings)
    if samples < length:
        found = f"{samples / rate:.2f} s hold no window of {settings.window} s"
        raise InputError(where, found, "shorten the window, or leave this recording out")
    bands, order = BANDS[settings.bands], settings.filter_order
    if settings.filtering == "window":
        windows = rearrange(cut(x[:, -samples:], length, hop), "c w t -> w c t")
        windows = standardised(windows) if settings.zscore == "window" else windows
        return window_variances(windows, rate, bands, order)
    if settings.filtering == "streaming":
        narrow = CausalBands(len(x), settings.preprocessing, bands, order).push(x)
        variance = band_variance(cut(narrow[..., -samples:], length, hop))
        return rearrange(variance, "k c w -> w c k")
    variance = np.empty((1 + (samples - length) // hop, len(x), len(bands)))
    for rows, k, narrow in zero_phase_bands(x, rate, bands, order, notches):
        variance[:, rows, k] = band_variance(cut(narrow[:, -samples:], length, hop)).T
    return variance


def _floors(variance: NDArray[np.float64], settings: FeatureSettings) -> int:
    """How many variances lie below the floor."""
    return int(np.count_nonzero(variance < settings.floor))


def _refuse_slow(trial: Trial, settings: FeatureSettings) -> None:
    """Refuse bands that the recording, at the rate it was made, cannot hold."""
    top = BANDS[settings.bands][-1][2]
    if trial.sfreq <= 2 * top:
        raise InputError(
            f"{trial.source} ({trial.trial})",
            f"its rate, {trial.sfreq} Hz, is not above twice the top band edge, {top} Hz",
            "use recordings of a higher rate",
        )
