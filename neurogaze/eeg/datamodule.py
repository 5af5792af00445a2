"""Cached features as Lightning data: folds, training statistics and batches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from einops import rearrange
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
from neurogaze.eeg.folds import PARTS
from neurogaze.eeg.recordings import Corpus
from neurogaze.eeg.smote import smote
from neurogaze.eeg.splits import Split, SplitSettings, evaluation_rows, fold_rows, make_split
from neurogaze.eeg.table import FeatureTable
from neurogaze.eeg.targets import ClassTarget, classes, threshold
from neurogaze.errors import InputError
from neurogaze.seeds import check_seed

FEATURES, SPLIT, STORE = FeatureSettings(), SplitSettings(), Path("runs/store")
"""Defaults of `EEGDataModule`."""

DROP_STREAM, SMOTE_STREAM = 1, 2
"""Draws that do not depend on each other."""

__all__ = ["EEGDataModule", "TrialSampler", "Windows"]


class EEGDataModule(LightningDataModule):
    """One fold of a corpus: training, stopping and test windows.

    After `setup`: `table`, `split_plan`, `rows` ("train", "stop", "test"; the last two without
    overlapping windows), `channels`, `bands`, `statistics` (mean and standard deviation
    `float32 [C, K]` over the training rows, nats) and `provenance`; with a `target` also `cut` and
    `classes` (of every window of the table, -1 = unknown, which are in no part).

    Args:
        corpus: recordings with ratings or classes.
        features: what is computed from them.
        split: how people or rating events are held out.
        fold: which fold is tested.
        batch_size: most windows of a batch.
        windows_per_trial: most windows of a trial in a training batch.
        batch_schedule: pairs (epoch, size): training batches have another size from that epoch on;
            the trainer must reload its loaders every epoch.
        target: classes to tell apart; None leaves ratings as they are.
        smote: fill rare classes of the training windows up; see `neurogaze.eeg.smote`.
        drop_windows: share of all windows left out at random, in every fold the same.
        windows_per_epoch: most windows of a trial that an epoch sees, other ones each time, so that
            long trials count no more than short ones; None: all.
        split_file: a split written earlier (`split.json` of a run) in place of one drawn; altered
            files are refused.
        store: folder of cached features.
        seed: of the order of training windows, of SMOTE and of what is dropped.

    Raises:
        InputError: for SMOTE without classes, a share outside [0, 1), a batch size below 1,
            epochs of batch sizes that are below 0 or named twice, or a seed below 0.
    """

    def __init__(
        self,
        corpus: Corpus,
        features: FeatureSettings = FEATURES,
        split: SplitSettings = SPLIT,
        fold: int = 0,
        batch_size: int = 256,
        windows_per_trial: int = 2,
        batch_schedule: tuple[tuple[int, int], ...] = (),
        target: ClassTarget | None = None,
        smote: bool = False,
        drop_windows: float = 0.0,
        windows_per_epoch: int | None = None,
        split_file: Path | None = None,
        store: Path = STORE,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if smote and target is None:
            raise InputError("data.smote", "fills classes up, but target is null", "name a target")
        if not 0 <= drop_windows < 1:
            raise InputError("data.drop_windows", f"{drop_windows}", "use a share below 1")
        check_size(batch_size, "data.batch_size")
        for epoch, size in batch_schedule:
            check_size(size, f"data.batch_schedule from epoch {epoch}")
        begins = [epoch for epoch, _ in batch_schedule]
        if min(begins, default=0) < 0 or len(set(begins)) < len(begins):
            found = f"begins at epochs {begins}"
            raise InputError("data.batch_schedule", found, "count from 0, and name each once")
        check_seed(seed, "data.seed")
        self.corpus, self.features, self.split, self.fold = corpus, features, split, fold
        self.batch_size, self.windows_per_trial = batch_size, windows_per_trial
        self.batch_schedule = tuple(batch_schedule)
        self.target, self.smote, self.drop_windows = target, smote, drop_windows
        self.windows_per_epoch, self.split_file = windows_per_epoch, split_file
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
        if not self._ready:
            self.use(prepare(self.corpus, self.features, self.store, progress=stage is None))

    def use(self, table: FeatureTable) -> None:
        """Take these features and ratings in place of what the store holds.

        Args:
            table: of the same corpus, such as one whose ratings were exchanged.

        Raises:
            InputError: as `setup`.
        """
        self.table = table
        self.split_plan = self._plan()
        rows = self._kept(fold_rows(self.table, self.split_plan, self.fold))
        held_out = {part: evaluation_rows(self.table, rows[part]) for part in ("stop", "test")}
        self.rows = {"train": rows["train"], **held_out}
        self.channels, self.bands = self.table.channels, self.table.bands
        self.statistics = feature_moments(self.table.features[rows["train"]])
        self.provenance = self._provenance()
        self._train: tuple[Windows, NDArray[np.int64]] | None = None
        self._ready = True

    def _plan(self) -> Split:
        """The split of the file that was named, or one drawn."""
        if self.split_file is None:
            return make_split(self.table, self.split)
        plan = Split.load(self.split_file)
        if plan.leaky and not self.split.allow_leaky:
            found = f"is a {plan.protocol} split, which tests what it trained on"
            raise InputError(
                self.split_file, found, "set split.allow_leaky to have it all the same"
            )
        return plan

    def _kept(self, rows: dict[str, NDArray[np.int64]]) -> dict[str, NDArray[np.int64]]:
        """Rows that are not dropped and whose class, or rating where there is no target, is known.

        Raises:
            InputError: where none is left.
        """
        kept = np.ones(self.table.n_rows, dtype=bool)
        if self.drop_windows:
            draw = np.random.default_rng([self.seed, DROP_STREAM])
            gone = round(self.drop_windows * self.table.n_rows)
            kept[draw.permutation(self.table.n_rows)[:gone]] = False
        rows = {part: chosen[kept[chosen]] for part, chosen in rows.items()}
        self.cut, self.classes = 0.0, None
        wanted, known = "ratings of valence and arousal", self.table.rated
        if self.target is not None:
            self.cut = threshold(self.table, rows["train"], self.target)
            self.classes = classes(self.table, self.target, self.cut)
            wanted, known = self.target.name, self.classes >= 0
        rows = {part: chosen[known[chosen]] for part, chosen in rows.items()}
        for part, chosen in rows.items():
            if not len(chosen):
                found = f"fold {self.fold} has no {part} window with {wanted}"
                raise InputError(f"corpus {self.table.corpus}", found, "use another target")
        return rows

    def _provenance(self) -> dict[str, Any]:
        """What a checkpoint must know of its data, as plain JSON values."""
        fold = self.split_plan.folds[self.fold]
        record = {
            "corpus": self.table.corpus,
            "people": self.corpus.people or self.table.corpus,
            "features": canonical(self.features),
            "settings_hash": self.table.settings_hash,
            "table_sha256": self.table.sha256,
            "split_sha256": self.split_plan.sha256,
            "protocol": self.split_plan.protocol,
            "leaky": self.split_plan.leaky,
            "unit": self.split_plan.unit,
            "fold": self.fold,
            "train_units": list(fold.train),
            "stop_units": list(fold.stop),
            "test_units": list(fold.test),
        }
        clips = {f"{part}_clips": list(getattr(fold, f"{part}_clips")) for part in PARTS}
        return record | (clips if fold.clips else {}) | self._classing()

    def _classing(self) -> dict[str, Any]:
        """What is classified, and how often each class occurs in training before SMOTE."""
        if self.target is None or self.classes is None:
            return {}
        counts = np.bincount(self.classes[self.rows["train"]], minlength=self.target.n_classes)
        return {
            "target": canonical(self.target),
            "cut": self.cut,
            "class_counts": counts.tolist(),
            "smote": self.smote,
            "drop_windows": self.drop_windows,
        }

    def _training(self) -> tuple[Windows, NDArray[np.int64]]:
        """Training windows, filled up where asked, and the number of the trial of each."""
        if self._train is None:
            rows = self.rows["train"]
            data = Windows(self.table, rows, self.classes)
            _, trials = np.unique(self.table.trial[rows], return_inverse=True)
            if self.smote and self.classes is not None:
                vectors = rearrange(self.table.features[rows], "n c k -> n (c k)")
                draw = np.random.default_rng([self.seed, self.fold, SMOTE_STREAM])
                made, of = smote(vectors, self.classes[rows], draw)
                data.add(rearrange(made, "n (c k) -> n c k", c=len(self.channels)), of)
                trials = np.concatenate([trials, trials.max() + 1 + np.arange(len(of))])
            self._train = data, trials
        return self._train

    def _batch_size_now(self) -> int:
        """Batch size of the epoch that begins."""
        if not self.batch_schedule:
            return self.batch_size
        trainer: Any = self.trainer
        if trainer is not None and trainer.reload_dataloaders_every_n_epochs != 1:
            raise InputError(
                "data.batch_schedule",
                "would be overlooked by a trainer that keeps its loaders",
                "set trainer.reload_dataloaders_every_n_epochs to 1",
            )
        epoch = 0 if trainer is None else trainer.current_epoch
        begun = [(start, size) for start, size in self.batch_schedule if start <= epoch]
        return max(begun)[1] if begun else self.batch_size

    def train_dataloader(self) -> DataLoader[Batch]:
        """Every training window once an epoch; see `TrialSampler`."""
        data, trials = self._training()
        sampler = TrialSampler(
            trials,
            self._batch_size_now(),
            self.windows_per_trial,
            self.seed,
            self.windows_per_epoch,
        )
        return DataLoader(data, sampler=sampler, batch_size=None)

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
        return in_order(Windows(self.table, self.rows[part], self.classes), self.batch_size)
