"""What stands in the place of a fold teacher: principal components, or another's predictions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from einops import rearrange
from numpy.typing import NDArray

from neurogaze.eeg.batches import feature_moments
from neurogaze.eeg.splits import Split, fold_rows
from neurogaze.eeg.table import FeatureTable
from neurogaze.pipeline.embedding import Embedder, Moments, match_moments


@dataclass(frozen=True, eq=False)
class FoldPca:
    """Principal components of the standardised features of a training fold.

    Args:
        fold: its number.
        test_units: people whom it was not fitted on.
        moments: of the features of the training fold.
        components: float64 `[channels * bands, d]`, orthonormal columns in falling order of
            variance; 0 where there are more values than features.
    """

    fold: int
    test_units: frozenset[str]
    moments: Moments
    components: NDArray[np.float64]

    @property
    def width(self) -> int:
        """Values of an embedding."""
        return self.components.shape[1]

    @property
    def origin(self) -> dict[str, Any]:
        """Empty: there was no warm-up."""
        return {}

    def features(self, table: FeatureTable, matched: bool) -> NDArray[np.float32]:
        """Features of a table, with their moments matched to the training fold where asked."""
        return match_moments(table.features, *self.moments) if matched else table.features

    def __call__(self, features: NDArray[np.float32]) -> tuple[NDArray, NDArray]:
        """Components `[n, d]`, and 0 for valence and arousal, which nothing here predicts."""
        embedding = _flat(features, self.moments) @ self.components
        return embedding.astype(np.float32), np.zeros((len(features), 2))


def fit_pca(table: FeatureTable, split: Split, fold: int, width: int) -> FoldPca:
    """Fit the components on the training rows of a fold.

    Args:
        table: features.
        split: its split into people held out.
        fold: number of the fold.
        width: values of an embedding; the last are 0 where there are fewer features.
    """
    features = table.features[fold_rows(table, split, fold)["train"]]
    moments = feature_moments(features)
    _, _, axes = np.linalg.svd(_flat(features, moments), full_matrices=False)
    components = np.zeros((axes.shape[1], width))
    kept = min(len(axes), width)
    components[:, :kept] = axes[:kept].T
    return FoldPca(fold, frozenset(split.folds[fold].test), moments, components)


def _flat(features: NDArray[np.float32], moments: Moments) -> NDArray[np.float64]:
    """Features in deviations from the training mean, `[n, channels * bands]`."""
    mean, std = moments
    standard = (features.astype(np.float64) - mean) / std
    return rearrange(standard, "n channel band -> n (channel band)")


@dataclass(frozen=True, eq=False)
class PlacedBy:
    """The embedding of one and the valence and arousal of another, of the same fold.

    Args:
        embedder: embeds.
        placing: says where on the plane a window lies.
    """

    embedder: Embedder
    placing: Embedder

    @property
    def fold(self) -> int:
        """Number of the fold."""
        return self.embedder.fold

    @property
    def test_units(self) -> frozenset[str]:
        """People whom neither learned from."""
        return self.embedder.test_units & self.placing.test_units

    @property
    def width(self) -> int:
        """Values of an embedding."""
        return self.embedder.width

    @property
    def moments(self) -> Moments:
        """Moments of the features of the training fold."""
        return self.embedder.moments

    @property
    def origin(self) -> dict[str, Any]:
        """Whom the weights of the first were warmed up on."""
        return self.embedder.origin

    def features(self, table: FeatureTable, matched: bool) -> NDArray[np.float32]:
        """Features of a table, with their moments matched to the training fold where asked."""
        return self.embedder.features(table, matched)

    def __call__(self, features: NDArray[np.float32]) -> tuple[NDArray, NDArray]:
        """Embeddings of the first and valence and arousal of the second."""
        return self.embedder(features)[0], self.placing(features)[1]
