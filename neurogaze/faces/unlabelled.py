"""Faces without labels for Lightning: pictures of several corpora, two views of each."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_lightning import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from neurogaze.artefacts import arrays_hash, canonical
from neurogaze.errors import InputError
from neurogaze.faces.augment import AugmentSettings, augment
from neurogaze.faces.batches import Batch, BatchPlan, ShuffledBatches, generator_of
from neurogaze.faces.corpora.places import MissingError
from neurogaze.faces.folds import FaceFold, fold_numbers
from neurogaze.faces.images import FaceCorpus, FaceTable
from neurogaze.faces.preprocessing import FacePreprocessing, to_input, to_unit
from neurogaze.faces.store import prepare
from neurogaze.faces.witnessed import seen_keys, seen_rows
from neurogaze.seeds import check_seed

WIDE = AugmentSettings(
    degrees=20.0, translate=0.15, scale=0.3, brightness=0.3, contrast=0.5, erase=0.5
)
"""Wider than in training with labels: what two views share is all that is learned."""


@dataclass(frozen=True)
class FaceSource:
    """Pictures of one split of a corpus.

    Args:
        corpus: where they come from; its labels are not used.
        split: name of the split.
        held_out: only the pictures that a `FaceDataModule` with this value holds out.
        optional: do without it, with a warning, where the corpus does not find the files of this
            split. Files that are found and cannot be used are an error all the same, and so is a
            split that the corpus does not have: pictures that judge would be learned from.
    """

    corpus: FaceCorpus
    split: str = "train"
    held_out: FaceFold | None = None
    optional: bool = False

    def missing(self) -> str:
        """Why there is nothing to read; "" where there is, or where there must be.

        Raises:
            InputError: where there is something, and it is damaged.
        """
        if not self.optional:
            return ""
        try:
            self.corpus.identity(self.split)
        except MissingError as error:
            return str(error)
        return ""

    def table(self, store: Path) -> FaceTable:
        """Read it, from the store or into it.

        Raises:
            InputError: when it cannot be read.
        """
        table = prepare(self.corpus, self.split, store)
        if self.held_out is None:
            return table
        numbers = fold_numbers(table, self.held_out.n_folds, self.held_out.seed)
        return table.take(numbers == self.held_out.fold)


def learned_from(
    sources: Sequence[FaceTable], leave_out: Sequence[FaceTable]
) -> list[NDArray[np.int64]]:
    """Rows of each table to learn from: every picture once, and none that is left out.

    A picture is left out with its twins, and with everything of the same person or recording.

    Args:
        sources: tables; a picture that occurs twice is taken where it comes first.
        leave_out: pictures that will judge.

    Returns:
        `int64 [n]` a table, in table order.
    """
    barred = seen_keys(leave_out)
    taken = np.array([], dtype=np.str_)
    rows: list[NDArray[np.int64]] = []
    for table in sources:
        _, first = np.unique(table.groups, return_index=True)
        known = np.isin(table.units, table.units[seen_rows(barred, table)])
        fresh = ~known & ~np.isin(table.groups, taken)
        rows.append(np.sort(first[fresh[first]]).astype(np.int64))
        taken = np.concatenate([taken, table.groups[rows[-1]]])
    return rows


class UnlabelledFaces(LightningDataModule):
    """Two views of every picture of some corpora, without labels.

    A batch is a dict of `row` int64 `[B]`, `draw`, and `image` uint8 `[B, H, W]` from the loader;
    on the device, of `first` and `second`, `float32 [B, channels, size, size]`, augmented
    independently. After `setup`: `tables` (those learned from), `images`, `seen` (hashes of what
    is learned from, as in `faces.witnessed`) and `provenance`.

    Args:
        sources: what to learn from; pictures that occur twice are taken once.
        leave_out: pictures that the students to come will be judged on. They, their twins, and
            all that shows the same people take no part. An empty list leaves nothing out.
        preprocessing: how a picture becomes network input; that of the students to come.
        augment: how far the two views may differ.
        batch_size: pictures a step.
        store: folder of decoded pictures.
        seed: of order and augmentation.

    Raises:
        InputError: for no source, a batch of fewer than two, or a seed below 0.
    """

    tables: list[FaceTable]
    images: Tensor
    seen: Tensor

    def __init__(
        self,
        sources: list[FaceSource],
        leave_out: list[FaceSource],
        preprocessing: FacePreprocessing = FacePreprocessing(),
        augment: AugmentSettings = WIDE,
        batch_size: int = 128,
        store: Path = Path("runs/store"),
        seed: int = 0,
    ) -> None:
        super().__init__()
        if not sources:
            raise InputError("--data.sources", "names nothing", "name a corpus and a split")
        if batch_size < 2:
            raise InputError("--data.batch_size", f"{batch_size}", "use 2 or more")
        check_seed(seed, "--data.seed")
        self.sources, self.leave_out = list(sources), list(leave_out)
        self.preprocessing, self.augment = preprocessing, augment
        self.batch_size, self.store, self.seed = batch_size, Path(store), seed
        self.provenance: dict[str, Any] = {}

    def prepare_data(self) -> None:
        """Decode what the store lacks, once a machine."""
        for source in (*self.sources, *self.leave_out):
            if not source.missing():
                prepare(source.corpus, source.split, self.store)

    def setup(self, stage: str) -> None:
        """Read all pictures into memory, each once.

        Args:
            stage: "fit"; there is no other.

        Raises:
            InputError: when a corpus cannot be read, sizes differ, or no batch is left.
        """
        if self.provenance:
            return
        sources, leave_out = _found(self.sources), _found(self.leave_out)
        given = [source.table(self.store) for source in sources]
        barred = [source.table(self.store) for source in leave_out]
        rows = learned_from(given, barred)
        self.tables = [table.take(index) for table, index in zip(given, rows, strict=True)]
        self._check(self.tables)
        self.images = torch.from_numpy(np.concatenate([table.images for table in self.tables]))
        self.seen = seen_keys(self.tables)
        absent = [s for s in (*self.sources, *self.leave_out) if s not in (*sources, *leave_out)]
        self.provenance = self._provenance() | {
            "sources": [_record(*s) for s in zip(sources, given, self.tables, strict=True)],
            "leave_out": [_record(*s) for s in zip(leave_out, barred, barred, strict=True)],
            "missing": [{"dataset": s.corpus.name, "split": s.split} for s in absent],
        }

    def _check(self, tables: list[FaceTable]) -> None:
        sizes = sorted({table.images.shape[1:] for table in tables})
        if len(sizes) > 1:
            raise InputError("--data.sources", f"have pictures of {sizes}", "store one size")
        n = sum(map(len, tables))
        if n < self.batch_size:
            found = f"leave {n} pictures, not one batch of {self.batch_size}"
            raise InputError("--data.sources", found, "lower --data.batch_size, or name more")

    def _provenance(self) -> dict[str, Any]:
        """How many pictures were used, and how, as JSON values."""
        return {
            "n": len(self.images),
            "preprocessing": canonical(self.preprocessing),
            "augment": canonical(self.augment),
            "settings": {"batch_size": self.batch_size, "seed": self.seed},
        }

    def train_dataloader(self) -> DataLoader[Batch]:
        """Shuffled full batches, in the order of the epoch."""
        plan = ShuffledBatches(len(self.images), self.batch_size, self.seed)
        return DataLoader(
            _Pictures(self.images), sampler=plan, batch_size=None, generator=torch.Generator()
        )

    def on_after_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        """Turn pictures into two views, on the device they now lie on.

        Args:
            batch: from the loader.
            dataloader_idx: not used.

        Returns:
            `first` and `second`, `float32 [B, channels, size, size]`, and `row`.
        """
        generator, pictures = generator_of(batch["draw"]), to_unit(batch["image"])
        views = [
            augment(pictures, self.augment, self.preprocessing.size, generator) for _ in range(2)
        ]
        first, second = (to_input(view, self.preprocessing) for view in views)
        return {"first": first, "second": second, "row": batch["row"]}


class _Pictures(Dataset[Batch]):
    """Pictures in memory, read one batch at a time."""

    def __init__(self, images: Tensor) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, plan: BatchPlan) -> Batch:
        rows = torch.from_numpy(plan.rows)
        return {"image": self.images[rows], "row": rows, "draw": plan.draw}


def _found(sources: Sequence[FaceSource]) -> list[FaceSource]:
    """Those that are there, with a warning for every other."""
    found = []
    for source in sources:
        reason = source.missing()
        if reason:
            what = f"{source.corpus.name} ({source.split})"
            warnings.warn(f"{what} takes no part: {reason}", stacklevel=3)
        else:
            found.append(source)
    return found


def _record(source: FaceSource, given: FaceTable, used: FaceTable) -> dict[str, Any]:
    return {
        "dataset": given.dataset,
        "split": given.split,
        "rule": given.rule,
        "held_out": canonical(source.held_out),
        "n": len(given),
        "used": len(used),
        "ids_sha256": arrays_hash({"ids": used.ids}),
        "identity": canonical(source.corpus.identity(source.split)),
    }
