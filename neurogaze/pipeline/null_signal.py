"""A classifier under a split, beside what it reaches when ratings are exchanged between events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from neurogaze.eeg.splits import Split, fold_rows
from neurogaze.eeg.table import FeatureTable
from neurogaze.eeg.targets import ClassTarget, classes
from neurogaze.evaluation.chance import band_of
from neurogaze.evaluation.permutations import Scheme, permuted_events
from neurogaze.pipeline.recognisers import Features, Index, Recogniser

Verdict = Literal["above", "inside", "below"]


@dataclass(frozen=True)
class ChanceBand:
    """The 99 % band of what chance reaches.

    Args:
        low: lower end.
        high: upper end.
        source: what was refitted on exchanged ratings.
    """

    low: float
    high: float
    source: str

    def verdict(self, value: float) -> Verdict:
        """Where a score lies."""
        if value > self.high:
            return "above"
        return "below" if value < self.low else "inside"


@dataclass(frozen=True)
class Score:
    """One classifier under one split.

    Args:
        table: which of the demonstrations, "a" or "b".
        split: the folds.
        classifier: its name.
        accuracy: share of all windows, each tested once, whose class is right.
        bands: of chance, by the scheme that exchanged the ratings.
        n: windows.
    """

    table: str
    split: Split
    classifier: str
    accuracy: float
    bands: Mapping[Scheme, ChanceBand]
    n: int

    def verdict(self, scheme: Scheme) -> Verdict:
        """Where the score lies against the band of one scheme."""
        return self.bands[scheme].verdict(self.accuracy)


def labellings(
    table: FeatureTable, target: ClassTarget, scheme: Scheme, permutations: int, seed: int
) -> Index:
    """Classes of all windows as rated, then after permutations of the rating events.

    Args:
        table: windows that all have a class.
        target: what is told apart; the cut must not depend on the training fold.
        scheme: see `neurogaze.evaluation.chance.simulated_chance`.
        permutations: their number.
        seed: of the permutations.

    Returns:
        `int64 [N, 1 + permutations]`.
    """
    _, first, event = np.unique(table.event, return_index=True, return_inverse=True)
    own, draw = classes(table, target)[first], np.random.default_rng(seed)
    columns = [own]
    for _ in range(permutations):
        columns.append(own[permuted_events(table.subject[first], table.clip[first], scheme, draw)])
    return np.stack(columns, axis=1)[event]


def accuracies(
    table: FeatureTable, split: Split, features: Features, recogniser: Recogniser, labels: Index
) -> NDArray[np.float64]:
    """Accuracy over the test windows of all folds under each labelling, `[P]`.

    Args:
        table: what the split was drawn from.
        split: folds.
        features: what the recogniser sees of each window of the table, `[N, ...]`.
        recogniser: see `neurogaze.pipeline.recognisers`.
        labels: `int64 [N, P]`.
    """
    right, n = np.zeros(labels.shape[1]), 0
    for fold in range(split.n_folds):
        rows = fold_rows(table, split, fold)
        guess = recogniser(features, labels, rows["train"], rows["test"])
        right += (guess == labels[rows["test"]]).sum(axis=0)
        n += len(rows["test"])
    return right / n


def quantile_band(chance: NDArray[np.float64], source: str) -> ChanceBand:
    """The band between the outer quantiles of many refits."""
    return ChanceBand(*band_of(chance), source)


def spanning(bands: Sequence[ChanceBand], source: str) -> ChanceBand:
    """The band from the lowest to the highest end of several."""
    return ChanceBand(min(b.low for b in bands), max(b.high for b in bands), source)
