"""The feature table: what every later step of the EEG wing reads."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from neurogaze.artefacts import arrays_hash, settings_hash
from neurogaze.errors import InputError

RATINGS = ("valence", "arousal", "dominance")
ROWS = ("features", "subject", "clip", "event", "trial", "start", *RATINGS, "label")
"""Fields of a table with one entry a window."""


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """Windows of a corpus: subjects in corpus order, then trials, then time.

    Args:
        features: `float32 [N, C, K]`, in `unit`.
        channels: C electrode names.
        bands: K band names.
        window: length of a window, s.
        corpus: name of the corpus.
        subject: text `[N]`.
        clip: text `[N]`, stimulus, shared between people.
        event: text `[N]`, rating event, of one person only.
        trial: text `[N]`.
        start: `float64 [N]`, s from the first sample of the trial that was kept.
        valence: `float64 [N]` in [-1, 1], NaN = not rated.
        arousal: likewise.
        dominance: likewise.
        label: `int64 [N]`, class of a corpus that has classes, -1 = none.
        floors: variances that had to be raised to the floor.
        settings_hash: SHA-256 of the `FeatureSettings`.
        quirks: what must be said of features made so, see `quirks_of`; "" where nothing must.
        unit: of the features, see `unit_of`.
    """

    features: NDArray[np.float32]
    channels: tuple[str, ...]
    bands: tuple[str, ...]
    window: float
    corpus: str
    subject: NDArray[np.str_]
    clip: NDArray[np.str_]
    event: NDArray[np.str_]
    trial: NDArray[np.str_]
    start: NDArray[np.float64]
    valence: NDArray[np.float64]
    arousal: NDArray[np.float64]
    dominance: NDArray[np.float64]
    label: NDArray[np.int64]
    floors: int
    settings_hash: str
    quirks: str = ""
    unit: str = "nats"

    def __post_init__(self) -> None:
        """Refuse a table whose columns cannot belong together.

        Raises:
            InputError: for columns of other lengths or widths than the features.
        """
        shape = (self.n_rows, len(self.channels), len(self.bands))
        lengths = {name: len(getattr(self, name)) for name in ROWS}
        if self.features.shape != shape or set(lengths.values()) != {self.n_rows}:
            raise InputError(
                f"feature table of {self.corpus}",
                f"features {self.features.shape}, columns {lengths} where {shape} is expected",
                "prepare the corpus anew",
            )

    @property
    def n_rows(self) -> int:
        """Number of windows, N."""
        return len(self.features)

    @property
    def rated(self) -> NDArray[np.bool_]:
        """`bool [N]`: both valence and arousal are known."""
        return np.isfinite(self.valence) & np.isfinite(self.arousal)

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """`bool [N]`: rated, or of a known class."""
        return self.rated | (self.label >= 0)

    @property
    def sha256(self) -> str:
        """Hash over the content, whatever files it came from."""
        arrays = {name: getattr(self, name) for name in ROWS}
        texts = {k: np.array(v.tolist(), str) for k, v in arrays.items() if v.dtype.kind == "U"}
        # quirks and unit follow from the hash of the settings
        kept = {f.name for f in fields(self)} - {*ROWS, "quirks", "unit"}
        rest = {name: getattr(self, name) for name in kept}
        return settings_hash({"arrays": arrays_hash({**arrays, **texts}), **rest})

    def take(self, index: NDArray[np.integer] | NDArray[np.bool_]) -> FeatureTable:
        """The rows of `index`, in its order; the count of floors stays that of the whole."""
        return replace(self, **{name: getattr(self, name)[index] for name in ROWS})
