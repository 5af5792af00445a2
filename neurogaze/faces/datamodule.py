"""Faces for Lightning: stored tables in memory, augmented on the device."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pytorch_lightning import LightningDataModule
from torch.utils.data import DataLoader

from neurogaze.affect import EMOTIONS
from neurogaze.artefacts import canonical
from neurogaze.errors import InputError
from neurogaze.faces.augment import AugmentSettings, augment
from neurogaze.faces.batches import (
    Batch,
    FaceBatches,
    OrderedBatches,
    ShuffledBatches,
    generator_of,
    loader,
)
from neurogaze.faces.images import FaceCorpus, FaceTable
from neurogaze.faces.preprocessing import FacePreprocessing, to_input, to_unit
from neurogaze.faces.store import prepare

TARGETS = ("majority", "votes")


class FaceDataModule(LightningDataModule):
    """Training and validation faces of one corpus.

    After `setup("fit")`, `train` and `valid` are tables; after `setup("validate")` or
    `setup("test")`, `valid` is. A batch is a dict of `image` (uint8 `[B, H, W]` from the loader;
    `float32 [B, channels, size, size]` once on the device), `label` int64 `[B]`, `target` float32
    `[B, 8]` and `row` int64 `[B]`. Order and augmentation of training depend on the seed, the
    epoch and the position of the batch, and on nothing else.

    Args:
        corpus: where the faces come from.
        preprocessing: how a picture becomes network input.
        augment: how training pictures are varied.
        batch_size: training pictures a step.
        eval_batch_size: pictures a step where no gradient is taken.
        target: "majority", one-hot labels, or "votes", the distribution of the raters.
        store: folder of decoded pictures.
        seed: of order and augmentation.
    """

    train: FaceTable
    valid: FaceTable

    def __init__(
        self,
        corpus: FaceCorpus,
        preprocessing: FacePreprocessing = FacePreprocessing(),
        augment: AugmentSettings = AugmentSettings(),
        batch_size: int = 128,
        eval_batch_size: int = 512,
        target: Literal["majority", "votes"] = "majority",
        store: Path = Path("runs/store"),
        seed: int = 0,
    ) -> None:
        super().__init__()
        if target not in TARGETS:
            raise InputError("--data.target", f"is {target!r}", f"use one of {TARGETS}")
        if min(batch_size, eval_batch_size) < 1:
            found = f"{batch_size} and {eval_batch_size}"
            raise InputError("--data.batch_size, --data.eval_batch_size", found, "use 1 or more")
        self.corpus, self.preprocessing, self.augment = corpus, preprocessing, augment
        self.batch_size, self.eval_batch_size = batch_size, eval_batch_size
        self.target, self.store, self.seed = target, Path(store), seed
        self.provenance: dict[str, Any] = {}
        self._data: dict[str, FaceBatches] = {}

    @property
    def class_counts(self) -> NDArray[np.int64]:
        """Training pictures of each emotion, `int64 [8]`."""
        return self.train.class_counts

    def prepare_data(self) -> None:
        """Decode what the store lacks, once a machine."""
        for split in ("train", "valid"):
            prepare(self.corpus, split, self.store)

    def setup(self, stage: str) -> None:
        """Read the tables that a stage needs, decoding them first if nobody has.

        Args:
            stage: "fit", "validate", "test" or "predict".

        Raises:
            InputError: when the corpus cannot be read, or training lacks an emotion or a batch.
        """
        for split in ("train", "valid") if stage == "fit" else ("valid",):
            if split in self._data:
                continue
            table = prepare(self.corpus, split, self.store)
            if split == "train":
                self._check_train(table)
            setattr(self, split, table)
            self._data[split] = FaceBatches(table, soft=self.target == "votes")
        self.provenance = self._provenance()

    def _check_train(self, table: FaceTable) -> None:
        where = f"{table.dataset} (train)"
        empty = [name for name, n in zip(EMOTIONS, table.class_counts, strict=True) if n == 0]
        if empty:
            raise InputError(where, f"has no picture of {', '.join(empty)}", "supply some")
        if len(table) < self.batch_size:
            found = f"{len(table)} pictures do not fill one batch of {self.batch_size}"
            raise InputError(where, found, "lower --data.batch_size")

    def _provenance(self) -> dict[str, Any]:
        """What was really used, as JSON values."""
        tables = {split: getattr(self, split) for split in self._data}
        rule = next(iter(tables.values())).rule
        settings = {
            "batch_size": self.batch_size,
            "eval_batch_size": self.eval_batch_size,
            "target": self.target,
            "seed": self.seed,
        }
        return {
            "dataset": self.corpus.name,
            "rule": rule,
            "labels": list(EMOTIONS),
            "preprocessing": canonical(self.preprocessing),
            "augment": canonical(self.augment),
            "settings": settings,
        } | {split: self._record(table) for split, table in tables.items()}

    def _record(self, table: FaceTable) -> dict[str, Any]:
        return {
            "split": table.split,
            "n": len(table),
            "skipped": len(table.skipped),
            "sha256": table.sha256,
            "identity": canonical(self.corpus.identity(table.split)),
        }

    def train_dataloader(self) -> DataLoader[Batch]:
        """Shuffled full batches, in the order of the epoch."""
        return loader(
            self._data["train"], ShuffledBatches(len(self.train), self.batch_size, self.seed)
        )

    def val_dataloader(self) -> DataLoader[Batch]:
        """Validation pictures in table order."""
        return loader(self._data["valid"], OrderedBatches(len(self.valid), self.eval_batch_size))

    def test_dataloader(self) -> DataLoader[Batch]:
        """Validation pictures again: the official split is the test of a finished network."""
        return self.val_dataloader()

    def calibration_loader(self, n: int | None = None) -> Iterable[Batch]:
        """Training pictures as evaluation sees them, for statistics of the activations.

        Args:
            n: how many, from the top of the table; None for all.

        Returns:
            Batches whose `image` is network input already, on the CPU.
        """
        n = len(self.train) if n is None else min(n, len(self.train))
        plan = OrderedBatches(n, self.eval_batch_size)
        return _Prepared(loader(self._data["train"], plan), self.preprocessing)

    def on_after_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        """Turn pictures into network input, on the device they now lie on.

        Args:
            batch: from one of the loaders.
            dataloader_idx: not used.

        Returns:
            The batch with `image` as `float32 [B, channels, size, size]`: augmented while the
            trainer trains, else the middle of the picture.
        """
        draw = batch.get("draw")
        ready = {name: value for name, value in batch.items() if name != "draw"}
        if draw is None or self.trainer is None or not self.trainer.training:
            return ready | {"image": to_input(batch["image"], self.preprocessing)}
        varied = augment(
            to_unit(batch["image"]), self.augment, self.preprocessing.size, generator_of(draw)
        )
        return ready | {"image": to_input(varied, self.preprocessing)}


class _Prepared:
    """Batches of a loader, each turned into network input as it is asked for."""

    def __init__(self, batches: DataLoader[Batch], preprocessing: FacePreprocessing) -> None:
        self._batches, self._preprocessing = batches, preprocessing

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[Batch]:
        for batch in self._batches:
            yield batch | {"image": to_input(batch["image"], self._preprocessing)}
