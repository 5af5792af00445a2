"""Batches of faces whose order is a function of seed, epoch and position alone.

The sampler names a batch completely, so no hidden state has to survive a stop: an epoch started
after a resume visits the same pictures, in the same batches, with the same augmentation and the
same drawn labels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from neurogaze.affect import EMOTIONS
from neurogaze.faces.images import FaceTable

Batch = dict[str, Any]
Target = Literal["majority", "votes", "sampled"]
LABEL_STREAM = 2
"""Keeps drawn labels apart from the order under the same seed."""


@dataclass(frozen=True, eq=False)
class BatchPlan:
    """One batch: the rows to take, the seed of its augmentation (None: none), and the epoch."""

    rows: NDArray[np.int64]
    draw: int | None = None
    epoch: int = 0


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
            yield BatchPlan(rows, batch_seed(self.seed, epoch, step), epoch)


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


def sampled_labels(
    votes: NDArray[np.float32], rows: NDArray[np.int64], seed: int, epoch: int
) -> NDArray[np.int64]:
    """One label a row out of its votes, another one each epoch.

    This is the probabilistic label drawing of FER+ (Barsoum, Zhang, Canton Ferrer and Zhang, ICMI
    2016, section 4). The draw of a row depends on seed, epoch and row, not on its batch.

    Args:
        votes: `[N, 8]`, distribution of every row of the table.
        rows: `[B]`, which to draw.
        seed: of the training.
        epoch: of the training.

    Returns:
        `int64 [B]`, index into `EMOTIONS`; never one without a vote.
    """
    chance = np.random.default_rng([seed, epoch, LABEL_STREAM]).random(len(votes))[rows]
    upto = np.cumsum(votes[rows], axis=1, dtype=np.float64)
    return np.asarray((upto > chance[:, None] * upto[:, -1:]).argmax(axis=1), dtype=np.int64)


def known_votes(table: FaceTable, left_out: int | None) -> NDArray[np.float32]:
    """Votes of a table as a training may see them: without an emotion it must not know.

    Args:
        table: without a picture of that emotion.
        left_out: index of the emotion, or None.

    Returns:
        `float32 [N, 8]`, rows sum to 1; the label alone where no other emotion has a vote.
    """
    votes = np.array(table.votes)
    if left_out is None:
        return votes
    votes[:, left_out] = 0.0
    alone = votes.sum(axis=1) == 0
    votes[alone] = np.eye(len(EMOTIONS), dtype=np.float32)[table.labels[alone]]
    return np.asarray(votes / votes.sum(axis=1, keepdims=True), dtype=np.float32)


class FaceBatches(Dataset[Batch]):
    """A table in memory, read one batch at a time.

    Args:
        table: the faces.
        target: "majority", the label alone; "votes", the distribution of the raters; "sampled", a
            label drawn from the votes each epoch (the votes where nothing is trained).
        seed: of the drawn labels.
        left_out: index of an emotion whose votes are not to be seen, or None.
    """

    def __init__(
        self,
        table: FaceTable,
        target: Target = "majority",
        seed: int = 0,
        left_out: int | None = None,
    ) -> None:
        self.target, self.seed = target, seed
        self.votes = known_votes(table, left_out)
        self.images = torch.from_numpy(np.array(table.images))
        self.labels = torch.from_numpy(np.array(table.labels))
        hard = torch.eye(len(EMOTIONS))[self.labels]
        self.targets = hard if target == "majority" else torch.from_numpy(self.votes)

    def to(self, device: torch.device) -> FaceBatches:
        """Keep everything on a device; batches are then gathered there."""
        self.images, self.labels = self.images.to(device), self.labels.to(device)
        self.targets = self.targets.to(device)
        return self

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, plan: BatchPlan) -> Batch:
        """The batch as a dict: `image` uint8 `[B, H, W]`, `label`, `target` `[B, 8]`, `row`.

        A training batch also has `draw`, the seed of its augmentation.
        """
        rows = torch.from_numpy(plan.rows).to(self.images.device)
        batch: Batch = {
            "image": self.images[rows],
            "label": self.labels[rows],
            "target": self.targets[rows] if plan.draw is None else self._target(plan, rows),
            "row": rows,
        }
        return batch if plan.draw is None else batch | {"draw": plan.draw}

    def _target(self, plan: BatchPlan, rows: Tensor) -> Tensor:
        """Targets `[B, 8]` of a training batch."""
        if self.target != "sampled":
            return self.targets[rows]
        drawn = sampled_labels(self.votes, plan.rows, self.seed, plan.epoch)
        return torch.eye(len(EMOTIONS))[torch.from_numpy(drawn)].to(rows.device)


def loader(data: FaceBatches, plan: Sampler[BatchPlan]) -> DataLoader[Batch]:
    """Serve batches from memory, without workers and without touching the global generator."""
    return DataLoader(data, sampler=plan, batch_size=None, generator=torch.Generator())


def generator_of(draw: int | Tensor) -> torch.Generator:
    """The generator of one batch, on the CPU so that every device sees the same numbers."""
    return torch.Generator().manual_seed(int(draw))
