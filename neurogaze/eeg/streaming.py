"""Features of a recording that is still arriving."""

from __future__ import annotations

import numpy as np
from einops import rearrange
from numpy.typing import NDArray

from neurogaze.eeg.bands import BANDS
from neurogaze.eeg.causal import CausalBands
from neurogaze.eeg.feature_settings import FeatureSettings, window_samples
from neurogaze.eeg.features import entropy
from neurogaze.eeg.windows import band_variance, cut
from neurogaze.errors import InputError


class StreamingFeatures:
    """Entropies of each window as soon as its last sample is there.

    They are those that `trial_features` finds in the whole recording, before any baseline: that is
    the mean of `push` over a rest, taken by an object of its own.

    Args:
        channels: number of electrodes, in the order of the rows pushed.
        settings: with `filtering` "streaming"; its baseline and `crop_last` are not used.

    Raises:
        InputError: for settings that need samples yet to come.
    """

    def __init__(self, channels: int, settings: FeatureSettings) -> None:
        if settings.filtering != "streaming":
            found = f"{settings.filtering!r} filters need the whole recording"
            raise InputError("filtering", found, "set filtering to streaming")
        if settings.zscore == "person":
            found = "'person' needs all recordings of a person"
            raise InputError("zscore", found, "set zscore to none")
        bands = BANDS[settings.bands]
        self._settings = settings
        self._channels = channels
        self._filters = CausalBands(channels, settings.preprocessing, bands, settings.filter_order)
        self._held = np.empty((len(bands), channels, 0))
        self._skip = 0

    def push(self, eeg: NDArray[np.floating]) -> NDArray[np.float64]:
        """Entropies of the windows that these samples complete.

        Args:
            eeg: `[channels, samples]`, volts, following the last call.

        Returns:
            `[windows, channels, bands]`, nats or bits, often without a window.

        Raises:
            InputError: for another number of electrodes, or NaN or infinite samples; the stream
                goes on as if they had not been pushed.
        """
        if eeg.ndim != 2 or len(eeg) != self._channels:
            found = f"shape {eeg.shape} does not fit {self._channels} electrodes"
            raise InputError("stream", found, "push [channels, samples]")
        if not np.isfinite(eeg).all():  # the filters would never forget it
            raise InputError("stream", "NaN or infinite samples", "leave them out, or repair them")
        length, hop = window_samples(self._settings)
        fresh = self._filters.push(eeg)
        held = np.concatenate([self._held, fresh[..., self._skip :]], axis=-1)
        self._skip = max(0, self._skip - fresh.shape[-1])
        if held.shape[-1] < length:
            self._held = held
            return np.empty((0, self._channels, len(held)))
        variance = band_variance(cut(held, length, hop))
        done = variance.shape[-1] * hop
        self._skip = max(0, done - held.shape[-1])
        self._held = held[..., done:].copy()
        return entropy(rearrange(variance, "k c w -> w c k"), self._settings)
