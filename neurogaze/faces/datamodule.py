"""Faces for Lightning: stored tables in memory, augmented on the device."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pytorch_lightning import LightningDataModule
from torch.utils.data import DataLoader

from neurogaze.affect import EMOTIONS, canonical_emotion
from neurogaze.artefacts import canonical
from neurogaze.errors import InputError
from neurogaze.faces.augment import AugmentSettings, augment
from neurogaze.faces.batches import (
    Batch,
    FaceBatches,
    OrderedBatches,
    ShuffledBatches,
    Target,
    generator_of,
    loader,
)
from neurogaze.faces.dealing import ONE_RANK, deal
from neurogaze.faces.folds import FaceFold, fold_numbers
from neurogaze.faces.images import FaceCorpus, FaceTable
from neurogaze.faces.mixing import UNMIXED, MixSettings, draw_mix, mixed_images
from neurogaze.faces.preprocessing import FacePreprocessing, to_input, to_unit
from neurogaze.faces.store import prepare
from neurogaze.seeds import check_seed

TARGETS = ("majority", "votes", "sampled")


class FaceDataModule(LightningDataModule):
    """Training and validation faces of one corpus.

    After `setup("fit")`, `train` and `valid` are tables; after `setup("validate")` or
    `setup("test")`, `valid` is. With `held_out`, `dev` is the fold that training never sees, and
    validation is on `dev`: nothing is selected on the official split, which is the test.

    A batch is a dict of `image` (uint8 `[B, H, W]` from the loader; `float32 [B, channels, size,
    size]` once on the device), `label` int64 `[B]`, `target` float32 `[B, 8]` and `row` int64
    `[B]`. Where pictures are mixed, a training batch also has `partner` int64 `[B]`, the place of
    the other picture in the batch, and `lam` float32 `[B]`, the share of the own one; label and
    target are those of the own picture. Order, augmentation, mixing and drawn labels depend on the
    seed, the epoch and the position of the batch, and on nothing else.

    Where several processes train together, each takes its share of every batch: `batch_size` is
    that of all, in the order of one process, but each augments and mixes its share by its own
    draws. Validation and test are dealt out likewise, unpadded: every row is judged once.

    Args:
        corpus: where the faces come from.
        preprocessing: how a picture becomes network input.
        augment: how training pictures are varied.
        batch_size: training pictures a step, of all processes together.
        eval_batch_size: likewise, where no gradient is taken.
        target: "majority", one-hot labels; "votes", the distribution of the raters; or "sampled",
            a label drawn from the votes each epoch.
        store: folder of decoded pictures.
        seed: of order, augmentation, mixing and drawn labels.
        mixing: how training pictures are blended.
        held_out: the part of the training pictures to validate on, or None.
        without: an emotion left out of `train` and `dev`, votes included, to judge how a network
            takes what it does not know; or None.
        on_device: keep the training pictures on the accelerator.

    Raises:
        InputError: for settings out of range.
    """

    train: FaceTable
    dev: FaceTable
    valid: FaceTable

    def __init__(
        self,
        corpus: FaceCorpus,
        preprocessing: FacePreprocessing = FacePreprocessing(),
        augment: AugmentSettings = AugmentSettings(),
        batch_size: int = 128,
        eval_batch_size: int = 512,
        target: Target = "majority",
        store: Path = Path("runs/store"),
        seed: int = 0,
        mixing: MixSettings = UNMIXED,
        held_out: FaceFold | None = None,
        without: str | None = None,
        on_device: bool = False,
    ) -> None:
        super().__init__()
        if target not in TARGETS:
            raise InputError("--data.target", f"is {target!r}", f"use one of {TARGETS}")
        if min(batch_size, eval_batch_size) < 1:
            found = f"{batch_size} and {eval_batch_size}"
            raise InputError("--data.batch_size, --data.eval_batch_size", found, "use 1 or more")
        check_seed(seed, "--data.seed")
        self.corpus, self.preprocessing, self.augment = corpus, preprocessing, augment
        self.batch_size, self.eval_batch_size = batch_size, eval_batch_size
        self.target, self.store, self.seed = target, Path(store), seed
        self.mixing, self.held_out, self.on_device = mixing, held_out, on_device
        self.without = None if without is None else canonical_emotion(without)
        self.provenance: dict[str, Any] = {}
        self._data: dict[str, FaceBatches] = {}

    @property
    def class_counts(self) -> NDArray[np.int64]:
        """Training pictures of each emotion, `int64 [8]`."""
        return self.train.class_counts

    @property
    def target_shares(self) -> NDArray[np.float64]:
        """Mean of the training targets as used, `float64 [8]`: the prior that a network learns.

        Of drawn labels it is what they are drawn from. Blending pictures does not change it.
        """
        targets = self._data["train"].targets.cpu().numpy()
        return np.asarray(targets.mean(axis=0, dtype=np.float64))

    @property
    def left_out(self) -> int | None:
        """Index of the emotion that is not trained, or None."""
        return None if self.without is None else EMOTIONS.index(self.without)

    @property
    def judged(self) -> dict[str, FaceTable]:
        """The tables that a training is judged on, by name, after `setup("fit")`."""
        dev = {} if self.held_out is None else {"dev": self.dev}
        return dev | {"valid": self.valid}

    def prepare_data(self) -> None:
        """Decode what the store lacks, once a machine."""
        for split in self.corpus.splits:
            prepare(self.corpus, split, self.store)

    def setup(self, stage: str) -> None:
        """Read the tables that a stage needs, decoding them first if nobody has.

        Args:
            stage: "fit", "validate", "test" or "predict".

        Raises:
            InputError: when the corpus cannot be read; when training lacks an emotion that is not
                left out on purpose, or a batch; when the fold lacks an emotion that is trained.
        """
        if stage == "fit" or (stage == "validate" and self.held_out is not None):
            self._setup_train()
        if "valid" not in self._data:
            self.valid = self._kept("valid", prepare(self.corpus, "valid", self.store))
        self.provenance = self._provenance()

    def _setup_train(self) -> None:
        """Deal the training pictures into `train` and `dev`."""
        if "train" in self._data:
            return
        table = prepare(self.corpus, "train", self.store)
        held = np.zeros(len(table), dtype=bool)
        if self.held_out is not None:
            part = self.held_out
            held = fold_numbers(table, part.n_folds, part.seed) == part.fold
        trained = table.labels != self.left_out if self.without else np.ones(len(table), dtype=bool)
        train = table.take(trained & ~held) if self.held_out or self.without else table
        self._check_train(train)
        if self.held_out is not None:
            dev = table.take(trained & held)
            self._check_classes(dev, "the fold held out", "lower --data.held_out.n_folds")
            self.dev = self._kept("dev", dev)
        self.train = self._kept("train", train)

    def _kept(self, name: str, table: FaceTable) -> FaceTable:
        """Make a table ready to serve batches."""
        left_out = None if name == "valid" else self.left_out
        self._data[name] = FaceBatches(table, self.target, self.seed, left_out)
        return table

    def _check_train(self, table: FaceTable) -> None:
        self._check_classes(table, "train", "supply some")
        if len(table) < self.batch_size:
            found = f"{len(table)} pictures do not fill one batch of {self.batch_size}"
            raise InputError(f"{table.dataset} (train)", found, "lower --data.batch_size")

    def _check_classes(self, table: FaceTable, part: str, remedy: str) -> None:
        """Refuse an emotion without a picture, unless it is left out on purpose."""
        counts = zip(EMOTIONS, table.class_counts, strict=True)
        empty = [name for name, n in counts if n == 0 and name != self.without]
        if empty:
            where = f"{table.dataset} ({part})"
            raise InputError(where, f"has no picture of {', '.join(empty)}", remedy)

    def _provenance(self) -> dict[str, Any]:
        """What was really used, as JSON values."""
        tables = {part: getattr(self, part) for part in self._data}
        rule = next(iter(tables.values())).rule
        names = ("batch_size", "eval_batch_size", "target", "seed", "without", "on_device")
        records = {part: self._record(table) for part, table in tables.items()}
        if "train" in records:
            records["train"]["target_shares"] = self.target_shares.tolist()
        return {
            "dataset": self.corpus.name,
            "rule": rule,
            "labels": list(EMOTIONS),
            "preprocessing": canonical(self.preprocessing),
            "augment": canonical(self.augment),
            "mixing": canonical(self.mixing),
            "held_out": canonical(self.held_out),
            "settings": {name: getattr(self, name) for name in names},
        } | records

    def _record(self, table: FaceTable) -> dict[str, Any]:
        return {
            "split": table.split,
            "n": len(table),
            "class_counts": table.class_counts.tolist(),
            "skipped": len(table.skipped),
            "sha256": table.sha256,
            "identity": canonical(self.corpus.identity(table.split)),
        }

    def train_dataloader(self) -> DataLoader[Batch]:
        """Shuffled full batches, in the order of the epoch."""
        pictures = self._data["train"]
        if self.on_device and self.trainer is not None:
            pictures.to(self.trainer.strategy.root_device)
        plans = ShuffledBatches(len(self.train), self.batch_size, self.seed)
        return loader(pictures, deal(pictures, plans, *self._rank))

    @property
    def _rank(self) -> tuple[int, int]:
        """Number of this process, and of all that train together."""
        if self.trainer is None:
            return ONE_RANK
        return self.trainer.global_rank, self.trainer.world_size

    def val_dataloader(self) -> DataLoader[Batch]:
        """Validation pictures in table order: those of `dev` where a fold is held out."""
        return self._ordered("valid" if self.held_out is None else "dev")

    def test_dataloader(self) -> DataLoader[Batch]:
        """The official validation split: the test of a finished network."""
        return self._ordered("valid")

    def _ordered(self, part: str) -> DataLoader[Batch]:
        pictures = self._data[part]
        plans = OrderedBatches(len(pictures), self.eval_batch_size)
        return loader(pictures, deal(pictures, plans, *self._rank))

    def calibration_loader(self, n: int | None = None) -> Iterable[Batch]:
        """Training pictures as evaluation sees them, for statistics of the activations.

        Args:
            n: how many, from the top of the table; None for all.

        Returns:
            Batches whose `image` is network input already, where the pictures are kept.
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
            The batch with `image` as `float32 [B, channels, size, size]`: augmented and mixed while
            the trainer trains, else the middle of the picture.
        """
        draw = batch.get("draw")
        ready = {name: value for name, value in batch.items() if name != "draw"}
        if draw is None or self.trainer is None or not self.trainer.training:
            return ready | {"image": to_input(batch["image"], self.preprocessing)}
        size = self.preprocessing.size
        varied = augment(to_unit(batch["image"]), self.augment, size, generator_of(draw))
        mix = draw_mix(len(varied), size, self.mixing, int(draw))
        if mix is not None:
            varied = mixed_images(varied, mix)
            ready |= {n: getattr(mix, n).to(varied.device) for n in ("partner", "lam")}
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
