"""Many small trainings at once: one fold of one arm a job, in processes of their own.

A teacher of 14 electrodes is too small to use two cores well, so folds are trained side by side,
each on its share of the cores.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.callbacks import EarlyStopping

from neurogaze import training
from neurogaze.callbacks import EpochSeed
from neurogaze.eeg.cache import prepare
from neurogaze.eeg.datamodule import EEGDataModule
from neurogaze.evaluation.chance import Scheme, permuted_table
from neurogaze.pipeline.processes import worker_pool
from neurogaze.tasks.classifier import ClassifierTask
from neurogaze.tasks.teacher import TeacherTask

J = TypeVar("J")
R = TypeVar("R")


@dataclass(frozen=True)
class FoldJob:
    """One training.

    Args:
        args: command line after `neurogaze fit`, data included.
        fold: fold to hold out.
        permutation: seed of an exchange of ratings before the training; None: the true ratings.
        scheme: how ratings are exchanged.
        threads: of this training.
    """

    args: tuple[str, ...]
    fold: int
    permutation: int | None = None
    scheme: Scheme = "within_subject"
    threads: int = 1


@dataclass(frozen=True, eq=False)
class FoldGuess:
    """What a trained network says of the windows it held out.

    Args:
        rows: `int64 [n]`, rows of the table.
        guess: `float64 [n, 2]` valence and arousal of a teacher, or `[n, classes]` probabilities.
        epochs: epochs trained.
        split: hash of the split it was trained under.
        features: hash of the feature settings it was trained on.
    """

    rows: NDArray[np.int64]
    guess: NDArray[np.float64]
    epochs: int
    split: str
    features: str


class BestWeights(Callback):
    """Keep the weights of the best epoch in memory and put them back at the end.

    Args:
        monitor: metric of the inner people that stop the training; higher is better.
    """

    def __init__(self, monitor: str) -> None:
        self.monitor, self.best = monitor, -np.inf
        self.weights: dict[str, torch.Tensor] = {}

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Copy the weights when the metric is the best so far."""
        if trainer.sanity_checking:
            return
        value = float(trainer.callback_metrics[self.monitor])
        if value > self.best or not self.weights:
            self.best = value
            self.weights = {k: v.detach().clone() for k, v in pl_module.state_dict().items()}

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Put the best weights back."""
        pl_module.load_state_dict(self.weights)


def fit_fold(job: FoldJob) -> FoldGuess:
    """Train one fold in this process, with the best epoch on inner people, and predict.

    Nothing is written; a checkpoint of every epoch would cost more than such a training.
    """
    task, data, trainer = trained_fold(job, keep=False)
    return _guess(task, data, trainer.current_epoch)


def trained_fold(job: FoldJob, keep: bool = True) -> tuple[Any, Any, Any]:
    """Train one fold in this process; return the task at its best epoch, the data and the trainer.

    Args:
        job: what to train.
        keep: whether a checkpoint of the task can be opened again.
    """
    torch.set_num_threads(job.threads)
    cli = training.build_cli([*job.args, f"--data.fold={job.fold}"], run=False, keep=keep)
    data: Any = cli.datamodule
    if job.permutation is not None:
        table = prepare(data.corpus, data.features, data.store, progress=False)
        data.use(permuted_table(table, job.scheme, job.permutation))
    data.setup("fit")
    trainer: Any = cli.trainer
    monitor = cli.config["checkpoint"]["monitor"]
    kept = [c for c in trainer.callbacks if isinstance(c, EarlyStopping | EpochSeed)]
    trainer.callbacks = kept + ([BestWeights(monitor)] if monitor else [])
    with training.interrupts_told():
        trainer.fit(cli.model, datamodule=data)
    return cli.model, data, trainer


def _guess(task: LightningModule, data: EEGDataModule, epochs: int) -> FoldGuess:
    """Predictions for the held-out windows."""
    rows = data.rows["test"]
    features = torch.from_numpy(data.table.features[rows])
    task.eval()
    with torch.inference_mode():
        if isinstance(task, ClassifierTask):
            guess = task.probabilities(features)
        elif isinstance(task, TeacherTask):
            guess = task.teacher(features).va
        else:
            raise TypeError(f"{type(task).__name__} makes no predictions for EEG")
    made_from = (data.split_plan.sha256, data.table.settings_hash)
    return FoldGuess(rows, guess.double().numpy(), epochs, *made_from)


@contextmanager
def fold_pool(workers: int | None = None) -> Iterator[FoldPool]:
    """Processes that train folds, as many as there are cores unless told otherwise.

    A block that is interrupted ends what runs.
    """
    size = workers or os.cpu_count() or 1
    if size == 1:
        yield FoldPool(None, torch.get_num_threads())
        return
    threads = max(1, (os.cpu_count() or 1) // size)
    with worker_pool(size, threads) as pool:
        yield FoldPool(pool, threads)


@dataclass(frozen=True)
class FoldPool:
    """Runs jobs in order, in processes or, without a pool, here.

    Args:
        pool: the processes.
        threads: of each.
    """

    pool: ProcessPoolExecutor | None
    threads: int

    def run(self, jobs: Sequence[FoldJob]) -> Iterator[FoldGuess]:
        """Results in the order of the jobs, each as soon as it and those before it are done."""
        return self.map(fit_fold, jobs)

    def map(self, function: Callable[[J], R], jobs: Sequence[J]) -> Iterator[R]:
        """The same for any function of a module that takes one job."""
        return self.pool.map(function, jobs) if self.pool else map(function, jobs)
