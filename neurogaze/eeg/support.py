"""Recordings without ratings as Lightning data: whole people to learn from, others to judge on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pytorch_lightning import LightningDataModule
from torch.utils.data import DataLoader

from neurogaze.artefacts import canonical
from neurogaze.eeg.batches import (
    Batch,
    TrialSampler,
    Windows,
    check_size,
    feature_moments,
    in_order,
)
from neurogaze.eeg.cache import prepare
from neurogaze.eeg.features import FeatureSettings
from neurogaze.eeg.recordings import Corpus
from neurogaze.eeg.splits import evaluation_rows
from neurogaze.errors import InputError
from neurogaze.seeds import check_seed

FEATURES, STORE = FeatureSettings(), Path("runs/store")
"""Defaults of `SupportDataModule`."""


def deal_people(
    subjects: Sequence[str], exclude: Sequence[str], stop_fraction: float, seed: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Who is learned from and who is judged on, in the order of `subjects`.

    Args:
        subjects: everybody.
        exclude: who takes no part.
        stop_fraction: share judged on, at least one.
        seed: of the draw.

    Raises:
        InputError: for an excluded name that nobody has, or fewer than two people left.
    """
    unknown = sorted({*exclude} - {*subjects})
    if unknown:
        raise InputError("data.exclude", f"{unknown[:3]} are no subjects", "check the names")
    left = [name for name in subjects if name not in set(exclude)]
    if len(left) < 2:
        raise InputError("data.exclude", f"leaves {len(left)} people", "leave two or more")
    n_stop = min(max(1, round(stop_fraction * len(left))), len(left) - 1)
    chosen = set(np.random.default_rng(seed).permutation(len(left))[:n_stop].tolist())
    train = tuple(name for i, name in enumerate(left) if i not in chosen)
    return train, tuple(name for i, name in enumerate(left) if i in chosen)


class SupportDataModule(LightningDataModule):
    """All windows of a corpus, rated or not; ratings are not asked for.

    After `setup`: `table`, `rows` ("train" and, without overlapping windows, "stop"), `channels`,
    `bands`, `statistics` (over the training rows, nats) and `provenance`.

    Args:
        corpus: recordings.
        features: what is computed from them.
        exclude: people who take no part, such as those whom the teachers to come will be tested on.
        stop_fraction: share of the people who are judged on, at least one.
        batch_size: most windows of a batch.
        windows_per_trial: most windows of a trial in a training batch.
        store: folder of cached features.
        seed: of the draw of people and the order of training windows.

    Raises:
        InputError: for a share outside (0, 1), a batch size below 1, or a seed below 0.
    """

    def __init__(
        self,
        corpus: Corpus,
        features: FeatureSettings = FEATURES,
        exclude: tuple[str, ...] = (),
        stop_fraction: float = 0.2,
        batch_size: int = 256,
        windows_per_trial: int = 16,
        store: Path = STORE,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if not 0 < stop_fraction < 1:
            found = f"{stop_fraction}"
            raise InputError("data.stop_fraction", found, "use a share between 0 and 1")
        check_size(batch_size, "data.batch_size")
        check_seed(seed, "data.seed")
        self.corpus, self.features = corpus, features
        self.exclude, self.stop_fraction = tuple(exclude), stop_fraction
        self.batch_size, self.windows_per_trial = batch_size, windows_per_trial
        self.store, self.seed = Path(store), seed
        self._ready = False

    def prepare_data(self) -> None:
        """Compute what the store lacks, once a machine."""
        prepare(self.corpus, self.features, self.store)

    def setup(self, stage: str | None = None) -> None:
        """Read the features and deal the people.

        Raises:
            InputError: for fewer than two people.
        """
        if self._ready:
            return
        self.table = prepare(self.corpus, self.features, self.store, progress=stage is None)
        subjects = tuple(dict.fromkeys(self.table.subject.tolist()))
        self.sides = deal_people(subjects, self.exclude, self.stop_fraction, self.seed)
        train, stop = (self._rows(side) for side in self.sides)
        self.rows = {"train": train, "stop": evaluation_rows(self.table, stop)}
        self.channels, self.bands = self.table.channels, self.table.bands
        self.statistics = feature_moments(self.table.features[train])
        self.provenance = self._provenance()
        self._ready = True

    def _rows(self, side: tuple[str, ...]) -> NDArray[np.int64]:
        return np.flatnonzero(np.isin(self.table.subject, list(side))).astype(np.int64)

    def _provenance(self) -> dict[str, Any]:
        """What a checkpoint must know of its data, as plain JSON values."""
        train, stop = self.sides
        return {
            "corpus": self.table.corpus,
            "people": self.corpus.people or self.table.corpus,
            "features": canonical(self.features),
            "settings_hash": self.table.settings_hash,
            "table_sha256": self.table.sha256,
            "unit": "subject",
            "train_units": list(train),
            "stop_units": list(stop),
        }

    def train_dataloader(self) -> DataLoader[Batch]:
        """Every training window once an epoch; see `TrialSampler`."""
        rows = self.rows["train"]
        trials = self.table.trial[rows]
        sampler = TrialSampler(trials, self.batch_size, self.windows_per_trial, self.seed)
        return DataLoader(Windows(self.table, rows), sampler=sampler, batch_size=None)

    def val_dataloader(self) -> DataLoader[Batch]:
        """Windows of the people who are judged on, in table order."""
        return in_order(Windows(self.table, self.rows["stop"]), self.batch_size)
