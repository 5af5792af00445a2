"""Batches dealt out to the processes of a distributed training, none padded and none repeated.

Together the processes visit what one process would, in its batches and its order. Shares of a
training batch are equal, as the averaging of gradients asks; those of the last batch of a
validation need not be: no step of it waits for another process, and the counts are added at the
end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from torch.utils.data import Sampler
from torch.utils.data.distributed import DistributedSampler

from neurogaze.errors import InputError
from neurogaze.faces.batches import (
    BatchPlan,
    FaceBatches,
    OrderedBatches,
    ShuffledBatches,
    batch_seed,
)

Plans = ShuffledBatches | OrderedBatches
ONE_RANK = (0, 1)
"""Number of this process, and of all of them, where nothing is distributed."""


def share(plan: BatchPlan, rank: int, ranks: int) -> BatchPlan:
    """What one process takes of a batch: consecutive rows, as many as the others or one more.

    Each process has its own seed for the augmentation, so that no two vary their pictures alike.

    >>> [share(BatchPlan(np.arange(5)), rank, 2).rows.tolist() for rank in (0, 1)]
    [[0, 1, 2], [3, 4]]
    """
    draw = None if plan.draw is None else batch_seed(plan.draw, rank, ranks)
    return replace(plan, rows=np.array_split(plan.rows, ranks)[rank], draw=draw)


class DealtBatches(DistributedSampler[BatchPlan]):
    """The batches of a sampler as one of several processes takes them, each batch dealt out.

    Being a `DistributedSampler` keeps Lightning from putting one of its own around it, which
    repeats rows until all shares are equal.

    Args:
        data: what is visited.
        plans: batches as one process would take them.
        rank: number of this process.
        ranks: of all processes.

    Raises:
        InputError: when a process would get no row at all, or unequal shares of a training batch.
    """

    def __init__(self, data: FaceBatches, plans: Plans, rank: int, ranks: int) -> None:
        super().__init__(data, num_replicas=ranks, rank=rank)
        if isinstance(plans, ShuffledBatches) and plans.batch_size % ranks:
            found = f"{plans.batch_size} is no multiple of {ranks} processes"
            raise InputError("--data.batch_size", found, "give every process an equal share")
        if min(plans.batch_size, plans.n_rows) < ranks:
            found = f"batches of {plans.batch_size} and {plans.n_rows} pictures"
            remedy = f"use fewer than {ranks} processes, or raise --data.eval_batch_size"
            raise InputError("--data", f"{found} leave a process without any", remedy)
        self.plans = plans

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch that the next iteration visits."""
        if isinstance(self.plans, ShuffledBatches):
            self.plans.set_epoch(epoch)

    def __len__(self) -> int:
        """Batches in which this process has a row; a short last one may have none for it."""
        whole, rest = divmod(self.plans.n_rows, self.plans.batch_size)
        return whole + (len(self.plans) > whole and self.rank < rest)

    def __iter__(self) -> Iterator[BatchPlan]:
        shares = (share(plan, self.rank, self.num_replicas) for plan in self.plans)
        return (own for own in shares if len(own.rows))


def deal(data: FaceBatches, plans: Plans, rank: int, ranks: int) -> Sampler[BatchPlan]:
    """The sampler of one process: the given one where there is no other process.

    Args:
        data: what is visited.
        plans: batches as one process would take them.
        rank: number of this process.
        ranks: of all processes.
    """
    return plans if (rank, ranks) == ONE_RANK else DealtBatches(data, plans, rank, ranks)
