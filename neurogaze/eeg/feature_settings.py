"""Settings of the EEG features, and the settings of published code."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from numbers import Integral
from typing import Literal

from neurogaze.eeg.bands import BANDS
from neurogaze.eeg.preprocessing import Preprocessing, refuse_endless
from neurogaze.errors import InputError

CHOICES = {
    "bands": tuple(BANDS),
    "filtering": ("zero_phase", "window", "streaming"),
    "zscore": ("none", "window", "person"),
    "baseline_mode": ("entropy", "average"),
    "unit": ("nats", "bits"),
}


@dataclass(frozen=True)
class FeatureSettings:
    """Settings of `neurogaze.eeg.features.trial_features`.

    Args:
        preprocessing: clean-up of the recording before the band filters.
        bands: key of `BANDS`.
        window: length of a window, s.
        hop: from one window to the next, s.
        baseline: subtract the entropy of the baseline where a trial has one.
        filter_order: order of the Butterworth prototype; each pass of the band filter has twice it.
        floor: least variance, V^2; one below it is raised to it and counted.
        filtering: "zero_phase" filters the whole trial without delay; "streaming" filters it
            causally, so no window depends on what comes after it; "window" filters each window
            alone, from rest, see `neurogaze.eeg.paper_code`.
        zscore: "window" first standardises each window, all electrodes together; only where
            windows are filtered alone. "person" last gives each feature in standard deviations of
            its person's own windows, rated or not, tested or not (transductive): whoever uses it
            needs recordings of a person before anything is said of them, and every result says so.
        baseline_mode: "entropy" subtracts the mean entropy of the baseline windows; "average" the
            entropy of the mean of its seconds, which is lower by about half the log of their
            number, and noisier.
        unit: of the entropies, nats or bits.

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
    filtering: Literal["zero_phase", "window", "streaming"] = "zero_phase"
    zscore: Literal["none", "window", "person"] = "none"
    baseline_mode: Literal["entropy", "average"] = "entropy"
    unit: Literal["nats", "bits"] = "nats"

    def __post_init__(self) -> None:
        """Refuse settings that have no meaning."""
        for name, known in CHOICES.items():
            value = getattr(self, name)
            if value not in known:
                raise InputError(name, f"{value!r} is unknown", f"use one of {sorted(known)}")
        for name in ("window", "hop", "floor", "filter_order"):
            value = getattr(self, name)
            if not 0 < value < math.inf:
                raise InputError(
                    name, f"{value} is not finite and above 0", "give a positive number"
                )
        if isinstance(self.filter_order, bool) or not isinstance(self.filter_order, Integral):
            raise InputError("filter_order", f"{self.filter_order!r}", "give a whole number")
        for name in ("window", "hop"):
            refuse_endless(name, getattr(self, name))
        if self.zscore == "window" and self.filtering != "window":
            found = f"'window' with filtering {self.filtering!r}"
            raise InputError("zscore", found, "set filtering to window, or zscore to none")


PAPER_CODE = FeatureSettings(
    preprocessing=Preprocessing(reference="none", notch=(), offset="keep"),
    bands="paper_code",
    window=512 / 128,
    hop=117 / 128,
    filter_order=5,
    filtering="window",
    zscore="window",
    baseline_mode="average",
    unit="bits",
)
"""As the code published with RBTransformer (Kumar et al., arXiv:2511.13954) makes its features."""


QUIRKS = {
    "bands": "paper_code",
    "filtering": "window",
    "zscore": "window",
    "baseline_mode": "average",
}
"""Settings of the published code that change what the features mean."""


TRANSDUCTIVE = "features standardised within each person, tested people too (transductive)"


def quirks_of(settings: FeatureSettings) -> str:
    """What every result on such features must say: quirks of the published code, and transduction.

    >>> quirks_of(FeatureSettings()), quirks_of(PAPER_CODE)
    ('', 'paper_code features')
    >>> quirks_of(FeatureSettings(baseline_mode="average"))
    'features of paper_code in baseline_mode'
    >>> quirks_of(FeatureSettings(zscore="person"))
    'features standardised within each person, tested people too (transductive)'
    """
    if settings == PAPER_CODE:
        return "paper_code features"
    shared = [name for name, value in QUIRKS.items() if getattr(settings, name) == value]
    said = [f"features of paper_code in {', '.join(shared)}"] if shared else []
    return "; ".join([*said, TRANSDUCTIVE] if settings.zscore == "person" else said)


def unit_of(settings: FeatureSettings) -> str:
    """Unit of the features.

    >>> unit_of(FeatureSettings()), unit_of(FeatureSettings(zscore="person"))
    ('nats', 'standard deviations of the person')
    """
    return "standard deviations of the person" if settings.zscore == "person" else settings.unit


def window_samples(settings: FeatureSettings) -> tuple[int, int]:
    """Window and hop in samples."""
    sfreq = settings.preprocessing.sfreq
    return max(2, round(settings.window * sfreq)), max(1, round(settings.hop * sfreq))


def window_seconds(settings: FeatureSettings) -> float:
    """Length of a window as it is cut, in whole samples, s.

    >>> window_seconds(FeatureSettings()), window_seconds(FeatureSettings(window=1.33))
    (4.0, 1.328125)
    """
    cut = window_samples(settings)[0] / settings.preprocessing.sfreq
    return settings.window if math.isclose(cut, settings.window) else cut
