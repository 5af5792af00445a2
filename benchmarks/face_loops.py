"""The same training twice, with Lightning and without, in turns; and its input path alone.

The callback stops a Lightning training between two batches, lets the bare loop do as many steps on
the same batches, and then the input path. So all sides see the same machine, and no side pays for a
start of the trainer. Both begin from the same weights and random state: that their weights agree at
the end shows that the work was the same.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import numpy as np
import torch
from figures import Figure, at_least, at_most, plain
from pytorch_lightning import Callback, LightningModule, Trainer
from torch import Tensor
from torch.nn.functional import cross_entropy

from neurogaze.faces.augment import augment
from neurogaze.faces.batches import generator_of
from neurogaze.faces.datamodule import FaceDataModule
from neurogaze.faces.preprocessing import to_input, to_unit
from neurogaze.losses.cross_entropy import CrossEntropy
from neurogaze.losses.objective import Objective
from neurogaze.models.averaging import average_decay, update_average
from neurogaze.models.student import Student
from neurogaze.tasks.optimisation import Optimisation, build_optimiser
from neurogaze.tasks.student import StudentTask

LOOP_TARGET, INPUT_TARGET, DIFFERENCE_TARGET = 0.95, 5.0, 1e-4
RESAMPLES = 10_000
GPU_BLOCK = 20
"""Blocks are so many times longer on a GPU, which is faster than that."""

Batch = dict[str, Any]


def student_task() -> StudentTask:
    """ResNet-18 with a small stem, soft cross-entropy, SGD and averaged weights."""
    return StudentTask(
        Student(backbone="resnet18", stem="small_pool", dropout=0.2),
        Objective(CrossEntropy(label_smoothing=0.0, class_weights="none")),
        optimisation=Optimisation("sgd", lr=0.1, weight_decay=5e-4, schedule="onecycle"),
        ema_decay=0.999,
    )


def trainer(**settings: Any) -> Trainer:
    """A trainer that trains in bf16 and leaves nothing behind."""
    return Trainer(
        accelerator="auto",
        devices=1,
        precision="bf16-mixed",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        **settings,
    )


def device() -> torch.device:
    """What Lightning will choose."""
    return torch.device("cuda", 0) if torch.cuda.is_available() else torch.device("cpu")


def batches(data: FaceDataModule) -> Iterator[Batch]:
    """Batches of epoch after epoch, as the loader of the data gives them."""
    for epoch in count():
        loader = data.train_dataloader()
        loader.sampler.set_epoch(epoch)  # type: ignore[attr-defined]
        yield from loader


def ready(data: FaceDataModule, batch: Batch, where: torch.device) -> Batch:
    """A batch on the device, its pictures augmented and normalised."""
    moved = {k: v.to(where) if isinstance(v, Tensor) else v for k, v in batch.items()}
    size, draw = data.preprocessing.size, generator_of(batch["draw"])
    varied = augment(to_unit(moved["image"]), data.augment, size, draw)
    return moved | {"image": to_input(varied, data.preprocessing)}


class Bare:
    """What one would write without Lightning, for the same work as the task.

    Args:
        task: whose weights to begin from.
        data: whose batches to take.
        total: steps in the whole training, for the schedule.
    """

    def __init__(self, task: StudentTask, data: FaceDataModule, total: int) -> None:
        self.where, self.data, self.task = device(), data, task
        self.model = copy.deepcopy(task.student).to(self.where).train()
        self.average = copy.deepcopy(self.model).requires_grad_(False)
        built = build_optimiser(task.optimisation, self.model.parameters(), total)
        self.optimiser, self.schedule = built["optimizer"], built["lr_scheduler"]["scheduler"]
        self.batches, self.step, self.loss = batches(data), 0, torch.zeros((), device=self.where)

    def run(self, n: int) -> None:
        """Take so many steps."""
        for batch in (ready(self.data, next(self.batches), self.where) for _ in range(n)):
            images = batch["image"].contiguous(memory_format=torch.channels_last)
            with torch.autocast(self.where.type, torch.bfloat16):
                logits = self.model(images).logits
                loss = cross_entropy(logits.float(), batch["target"])
            self.optimiser.zero_grad()
            loss.backward()
            self.optimiser.step()
            self.schedule.step()
            self.step += 1
            self.loss += loss.detach()
            update_average(self.average, self.model, average_decay(self.step, self.task.ema_decay))


class Turns(Callback):
    """Between two blocks of a Lightning training, do the same block without it.

    Args:
        data: whose input path is timed besides.
        total: steps in the whole training.
        block: steps between two turns.
    """

    def __init__(self, data: FaceDataModule, total: int, block: int) -> None:
        self.data, self.total, self.block = data, total, block
        self.seconds: dict[str, list[float]] = {"lightning": [], "bare": [], "input": []}
        self.difference = float("nan")

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Let both sides begin from the same weights and random state."""
        assert isinstance(pl_module, StudentTask)
        self.bare = Bare(pl_module, self.data, self.total)
        self.inputs, self.state = batches(self.data), random_state()

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Take the turns of the others where a block is full."""
        if trainer.global_step % self.block:
            return
        if trainer.global_step:
            settle()
            self.seconds["lightning"].append(time.perf_counter() - self.began)
            own = random_state()
            set_random_state(self.state)
            self.seconds["bare"].append(timed(lambda: self.bare.run(self.block)))
            self.state = random_state()
            set_random_state(own)
            self.seconds["input"].append(timed(self._inputs))
            self.difference = largest_difference(pl_module.student, self.bare.model)
        settle()
        self.began = time.perf_counter()

    def _inputs(self) -> None:
        for _ in range(self.block):
            ready(self.data, next(self.inputs), self.bare.where)


def random_state() -> tuple[Tensor, Tensor | None]:
    """State of the global generators."""
    on_gpu = torch.cuda.get_rng_state() if torch.cuda.is_available() else None
    return torch.get_rng_state(), on_gpu


def set_random_state(state: tuple[Tensor, Tensor | None]) -> None:
    """Set it."""
    torch.set_rng_state(state[0])
    if state[1] is not None:
        torch.cuda.set_rng_state(state[1])


def settle() -> None:
    """Wait for what the GPU still has to do."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def timed(work: Callable[[], None]) -> float:
    """Seconds of some work."""
    settle()
    begin = time.perf_counter()
    work()
    settle()
    return time.perf_counter() - begin


def largest_difference(first: torch.nn.Module, second: torch.nn.Module) -> float:
    """Largest absolute difference between parameters."""
    pairs = zip(first.parameters(), second.parameters(), strict=True)
    return max(float((a.detach() - b.detach()).abs().max()) for a, b in pairs)


def median_interval(values: list[float]) -> tuple[float, float]:
    """95 % bootstrap interval of a median (Efron 1979)."""
    draws = np.random.default_rng(0).choice(values, (RESAMPLES, len(values)))
    low, high = np.quantile(np.median(draws, axis=1), (0.025, 0.975))
    return float(low), float(high)


def compare(data: FaceDataModule, rounds: int, block: int) -> list[Figure]:
    """Figures of the loop and of the input path; the first round warms up.

    Args:
        data: set up for a fit.
        rounds: blocks of each side that count.
        block: steps in a block.
    """
    block *= GPU_BLOCK if torch.cuda.is_available() else 1
    total = (rounds + 1) * block + 1
    turns = Turns(data, total, block)
    torch.manual_seed(0)
    many = {"max_steps": total, "max_epochs": total}
    trainer(**many, limit_val_batches=0, callbacks=[turns]).fit(student_task(), data)
    images = block * data.batch_size
    rates = {name: [images / s for s in found[1:]] for name, found in turns.seconds.items()}
    pairs = zip(rates["lightning"], rates["bare"], strict=True)
    ratios = [ours / theirs for ours, theirs in pairs]
    low, high = median_interval(ratios)
    paths = [a / b for a, b in zip(rates["input"], rates["bare"], strict=True)]
    return [
        plain("loop, bare PyTorch", rates["bare"], "images/s"),
        plain("loop, Lightning task", rates["lightning"], "images/s"),
        at_least("loop, Lightning : bare", ratios, LOOP_TARGET),
        plain("loop, Lightning : bare, lower end of 95 % interval", [low], "x"),
        plain("loop, Lightning : bare, upper end of 95 % interval", [high], "x"),
        at_most("loop, largest difference of weights", [turns.difference], DIFFERENCE_TARGET),
        plain("input, batch to normalised", rates["input"], "images/s"),
        at_least("input, path : ResNet-18 training", paths, INPUT_TARGET),
    ]
