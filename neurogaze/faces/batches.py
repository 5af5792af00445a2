"""Batches of faces whose order is a function of seed, epoch and position alone.

The sampler names a batch completely, so no hidden state has to survive a stop: an epoch started
after a resume visits the same pictures, in the same batches, with the same augmentation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from neurogaze.affect import EMOTIONS
from neurogaze.faces.images import FaceTable

Batch = dict[str, Any]


@dataclass(frozen=True, eq=False)
class BatchPlan:
    """One batch: the rows to take, and the seed of its augmentation (None: none)."""

    rows: NDArray[np.int64]
    draw: int | None = None


def batch_seed(seed: int, epoch: int, step: int) -> int:
    """Seed of the augmentation of one batch, 63 bits."""
    state = np.random.SeedSequence([seed, epoch, step]).generate_state(1, dtype=np.uint64)
    return int(state[0] >> np.uint64(1))


class ShuffledBatches(Sampler[BatchPlan]):
    """Full batches in a random order fixed by `(seed, epoch)`; what is left over is dropped.

    Lightning calls `set_epoch` before every epoch, also after a resume.

    Args:
        n_rows: rows to visit.
        batch_size: rows in a batch.
        seed: another seed is another order.
    """

    def __init__(self, n_rows: int, batch_size: int, seed: int) -> None:
        self.n_rows, self.batch_size, self.seed = n_rows, batch_size, seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch that the next iteration visits."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.n_rows // self.batch_size

    def __iter__(self) -> Iterator[BatchPlan]:
        epoch = self.epoch
        order = np.random.default_rng([self.seed, epoch]).permutation(self.n_rows)
        for step in range(len(self)):
            rows = order[step * self.batch_size : (step + 1) * self.batch_size]
            yield BatchPlan(rows, batch_seed(self.seed, epoch, step))


class OrderedBatches(Sampler[BatchPlan]):
    """All rows in table order; the last batch may be small.

    Args:
        n_rows: rows to visit.
        batch_size: rows in a batch.
    """

    def __init__(self, n_rows: int, batch_size: int) -> None:
        self.n_rows, self.batch_size = n_rows, batch_size

    def __len__(self) -> int:
        return -(-self.n_rows // self.batch_size)

    def __iter__(self) -> Iterator[BatchPlan]:
        for start in range(0, self.n_rows, self.batch_size):
            yield BatchPlan(np.arange(start, min(start + self.batch_size, self.n_rows)))


class FaceBatches(Dataset[Batch]):
    """A table in memory, read one batch at a time.

    Args:
        table: the faces.
        soft: take the vote distribution as target, instead of the label alone.
    """

    def __init__(self, table: FaceTable, soft: bool = False) -> None:
        self.images = torch.from_numpy(np.array(table.images))
        self.labels = torch.from_numpy(np.array(table.labels))
        hard = torch.eye(len(EMOTIONS))[self.labels]
        self.targets = torch.from_numpy(np.array(table.votes)) if soft else hard

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, plan: BatchPlan) -> Batch:
        """The batch as a dict: `image` uint8 `[B, H, W]`, `label`, `target` `[B, 8]`, `row`.

        A training batch also has `draw`, the seed of its augmentation.
        """
        rows = torch.from_numpy(plan.rows)
        batch: Batch = {
            "image": self.images[rows],
            "label": self.labels[rows],
            "target": self.targets[rows],
            "row": rows,
        }
        return batch if plan.draw is None else batch | {"draw": plan.draw}


def loader(data: FaceBatches, plan: Sampler[BatchPlan]) -> DataLoader[Batch]:
    """Serve batches from memory, without workers and without touching the global generator."""
    return DataLoader(data, sampler=plan, batch_size=None, generator=torch.Generator())


def generator_of(draw: int | Tensor) -> torch.Generator:
    """The generator of one batch, on the CPU so that every device sees the same numbers."""
    return torch.Generator().manual_seed(int(draw))
