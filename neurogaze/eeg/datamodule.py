"""Cached features as Lightning data: folds, training statistics and batches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pytorch_lightning import LightningDataModule
from torch.utils.data import BatchSampler, DataLoader, SequentialSampler

from neurogaze.artefacts import canonical
from neurogaze.eeg.batches import Batch, TrialSampler, Windows
from neurogaze.eeg.cache import prepare
from neurogaze.eeg.features import FeatureSettings
from neurogaze.eeg.recordings import Corpus
from neurogaze.eeg.splits import SplitSettings, evaluation_rows, fold_rows, make_split

FEATURES, SPLIT, STORE = FeatureSettings(), SplitSettings(), Path("runs/store")
"""Defaults of `EEGDataModule`."""

LEAST_DEVIATION = 1e-6
"""Nats; a feature that varies less over the training rows is not scaled up beyond this."""

__all__ = ["EEGDataModule", "TrialSampler", "Windows"]


class EEGDataModule(LightningDataModule):
    """One fold of a corpus: training, stopping and test windows.

    After `setup`: `table`, `split_plan`, `rows` ("train", "stop", "test"; the last two without
    overlapping windows), `channels`, `bands`, `statistics` (mean and standard deviation
    `float32 [C, K]` over the training rows, nats) and `provenance`.

    Args:
        corpus: recordings with ratings.
        features: what is computed from them.
        split: how people or rating events are held out.
        fold: which fold is tested.
        batch_size: most windows of a batch.
        windows_per_trial: most windows of a trial in a training batch.
        store: folder of cached features.
        seed: of the order of training windows.
    """

    def __init__(
        self,
        corpus: Corpus,
        features: FeatureSettings = FEATURES,
        split: SplitSettings = SPLIT,
        fold: int = 0,
        batch_size: int = 256,
        windows_per_trial: int = 2,
        store: Path = STORE,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.corpus, self.features, self.split, self.fold = corpus, features, split, fold
        self.batch_size, self.windows_per_trial = batch_size, windows_per_trial
        self.store, self.seed = Path(store), seed
        self._ready = False

    def prepare_data(self) -> None:
        """Compute what the store lacks, once a machine."""
        prepare(self.corpus, self.features, self.store)

    def setup(self, stage: str | None = None) -> None:
        """Read the features, draw the split, take the rows and statistics of the fold.

        Raises:
            InputError: for a corpus without ratings, or a fold the split does not have.
        """
        if self._ready:
            return
        self.table = prepare(self.corpus, self.features, self.store, progress=stage is None)
        self.split_plan = make_split(self.table, self.split)
        rows = fold_rows(self.table, self.split_plan, self.fold)
        held_out = {part: evaluation_rows(self.table, rows[part]) for part in ("stop", "test")}
        self.rows = {"train": rows["train"], **held_out}
        self.channels, self.bands = self.table.channels, self.table.bands
        self.statistics = _statistics(self.table.features[rows["train"]])
        self.provenance = self._provenance()
        self._ready = True

    def _provenance(self) -> dict[str, Any]:
        """What a checkpoint must know of its data, as plain JSON values."""
        fold = self.split_plan.folds[self.fold]
        return {
            "corpus": self.table.corpus,
            "features": canonical(self.features),
            "settings_hash": self.table.settings_hash,
            "table_sha256": self.table.sha256,
            "split_sha256": self.split_plan.sha256,
            "protocol": self.split_plan.protocol,
            "unit": self.split_plan.unit,
            "fold": self.fold,
            "train_units": list(fold.train),
            "stop_units": list(fold.stop),
            "test_units": list(fold.test),
        }

    def train_dataloader(self) -> DataLoader[Batch]:
        """Every training window once an epoch; see `TrialSampler`."""
        rows = self.rows["train"]
        trials = self.table.trial[rows]
        sampler = TrialSampler(trials, self.batch_size, self.windows_per_trial, self.seed)
        return DataLoader(Windows(self.table, rows), sampler=sampler, batch_size=None)

    def val_dataloader(self) -> DataLoader[Batch]:
        """Windows of the units that stop the training, in table order."""
        return self._in_order("stop")

    def test_dataloader(self) -> DataLoader[Batch]:
        """Windows of the held-out units, in table order."""
        return self._in_order("test")

    def predict_dataloader(self) -> DataLoader[Batch]:
        """As `test_dataloader`."""
        return self._in_order("test")

    def _in_order(self, part: str) -> DataLoader[Batch]:
        data = Windows(self.table, self.rows[part])
        batches = BatchSampler(SequentialSampler(data), self.batch_size, drop_last=False)
        return DataLoader(data, sampler=batches, batch_size=None)


def _statistics(features: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and population standard deviation over rows, nats."""
    wide = features.astype(np.float64)
    std = np.maximum(wide.std(axis=0), LEAST_DEVIATION)
    return wide.mean(axis=0).astype(np.float32), std.astype(np.float32)
