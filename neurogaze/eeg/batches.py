"""Windows of a table as tensors, and the order in which training sees them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import BatchSampler, DataLoader, Dataset, Sampler, SequentialSampler

from neurogaze.eeg.table import FeatureTable
from neurogaze.eeg.transductive import LEAST_DEVIATION
from neurogaze.errors import InputError

Batch = dict[str, Tensor]


class Windows(Dataset[Batch]):
    """Rows of a table, fetched a whole batch at a time.

    Args:
        table: all windows.
        rows: the rows of `table` that this set numbers from 0.
        classes: class of every window of `table`, `int64 [N]`, where something is classified.
    """

    def __init__(
        self,
        table: FeatureTable,
        rows: NDArray[np.int64],
        classes: NDArray[np.int64] | None = None,
    ) -> None:
        va = np.stack([table.valence[rows], table.arousal[rows]], axis=1)
        self.columns: Batch = {
            "features": torch.from_numpy(table.features[rows]),
            "va": torch.from_numpy(va.astype(np.float32)),
            "dominance": torch.from_numpy(table.dominance[rows].astype(np.float32)),
            "label": torch.from_numpy(table.label[rows]),
            "row": torch.from_numpy(np.asarray(rows, dtype=np.int64)),
        }
        if classes is not None:
            self.columns["target"] = torch.from_numpy(classes[rows])

    def add(self, features: NDArray[np.float32], classes: NDArray[np.int64]) -> None:
        """Append windows that nobody recorded: without rating or label, row -1.

        Args:
            features: `float32 [M, C, K]`, nats.
            classes: `int64 [M]`.
        """
        size = len(features)
        more = {
            "features": torch.from_numpy(features),
            "va": torch.full((size, 2), torch.nan),
            "dominance": torch.full((size,), torch.nan),
            "label": torch.full((size,), -1),
            "row": torch.full((size,), -1),
            "target": torch.from_numpy(classes),
        }
        self.columns = {name: torch.cat([own, more[name]]) for name, own in self.columns.items()}

    def __len__(self) -> int:
        """Number of windows."""
        return len(self.columns["row"])

    def __getitem__(self, index: list[int]) -> Batch:
        """Windows of a batch.

        Returns:
            `features` float32 `[B, C, K]` (nats), `va` float32 `[B, 2]`, `dominance` float32 `[B]`,
            `label` int64 `[B]` (-1 = none), `row` int64 `[B]` (-1 = made up) and, where classes
            are known, `target` int64 `[B]`.
        """
        return {name: column[index] for name, column in self.columns.items()}


def check_size(size: int, where: str) -> None:
    """Refuse a number of windows below 1.

    Args:
        size: most windows of something.
        where: option that gave it.

    Raises:
        InputError: for a size below 1.
    """
    if size < 1:
        raise InputError(where, f"{size} is below 1", "use 1 or more")


def in_order(data: Windows, batch_size: int) -> DataLoader[Batch]:
    """All windows of a set, first to last."""
    batches = BatchSampler(SequentialSampler(data), batch_size, drop_last=False)
    return DataLoader(data, sampler=batches, batch_size=None)


class TrialSampler(Sampler[list[int]]):
    """Batches of training windows with few windows of any one trial in each.

    The windows, trial by trial in random order, are dealt like cards to the batches of an epoch:
    neighbours in that order land in different batches, so no batch holds more of a trial than
    ceil(windows of the trial / batches). All batches of an epoch have the same size up to one. The
    order depends on the seed and the epoch alone.

    Args:
        trials: trial of each window, by name or number, `[N]`.
        batch_size: most windows of a batch.
        windows_per_trial: most windows of one trial in a batch; short of trials, batches shrink.
        seed: of the order.
        windows_per_epoch: most windows of one trial in an epoch, drawn anew each time; None: all.

    Raises:
        InputError: for a size below 1.
    """

    def __init__(
        self,
        trials: NDArray[Any],
        batch_size: int,
        windows_per_trial: int,
        seed: int = 0,
        windows_per_epoch: int | None = None,
    ) -> None:
        sizes = {"batch_size": batch_size, "windows_per_trial": windows_per_trial}
        if windows_per_epoch is not None:
            sizes["windows_per_epoch"] = windows_per_epoch
        for name, size in sizes.items():
            check_size(size, name)
        _, self.code, counts = np.unique(trials, return_inverse=True, return_counts=True)
        self.most = int(counts.max()) if windows_per_epoch is None else windows_per_epoch
        seen = np.minimum(counts, self.most)
        by_size, by_trial = seen.sum() / batch_size, seen.max() / windows_per_trial
        self.n_batches = int(np.ceil(max(by_size, by_trial)))
        self.n_trials, self.seed, self.epoch = len(counts), seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of the next pass; Lightning calls it before each."""
        self.epoch = epoch

    def __len__(self) -> int:
        """Batches in an epoch, the same in every one."""
        return self.n_batches

    def __iter__(self) -> Iterator[list[int]]:
        """Positions of the windows of one batch after another."""
        draw = np.random.default_rng([self.seed, self.epoch])
        place = draw.permutation(self.n_trials)[self.code]
        order = np.lexsort((draw.random(len(self.code)), place))
        begins = np.searchsorted(place[order], np.arange(self.n_trials))
        order = order[np.arange(len(order)) - begins[place[order]] < self.most]
        for batch in draw.permutation(self.n_batches):
            yield order[batch :: self.n_batches].tolist()


def feature_moments(
    features: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and population standard deviation over rows, nats.

    Args:
        features: `[N, C, K]`.

    Returns:
        Two `float32 [C, K]`; deviations are at least `LEAST_DEVIATION`.
    """
    wide = features.astype(np.float64)
    std = np.maximum(wide.std(axis=0), LEAST_DEVIATION)
    return wide.mean(axis=0).astype(np.float32), std.astype(np.float32)
