"""What a step with the full objective costs beside a step with cross-entropy alone.

    python benchmarks/distillation_step.py [--quick] [--steps N] [--json FILE]

One ResNet-18 with its standard stem on 48 pixels, bf16 and channels-last on CPU, is trained in a
bare PyTorch loop, a step with either objective in turns, in random order within a pair, on the same
pictures. The full objective is CE, KD from cached teacher logits, Proto-KD and D-Geo after its
ramp. The ratio of the two times is taken pair by pair. The reading of gradient shares, which the
task takes once in many steps, is timed apart. Pictures, logits and prototypes are random numbers:
what is measured does not depend on them.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from face_loops import median_interval
from figures import Figure, at_most, plain, table, write
from rich.console import Console
from rich.progress import track
from torch import Tensor
from torch.nn import functional as F

from neurogaze.affect import EMOTIONS, grid_centers
from neurogaze.losses.cross_entropy import CrossEntropy
from neurogaze.losses.geometry import Geometry
from neurogaze.losses.gradients import gradient_balance
from neurogaze.losses.logit_kd import LogitKD
from neurogaze.losses.objective import Objective
from neurogaze.losses.proto_kd import ProtoKD
from neurogaze.losses.seen import Seen
from neurogaze.models.student import Student
from neurogaze.tasks.optimisation import Optimisation, build_optimiser
from neurogaze.tasks.student import GRADIENTS_EVERY

TARGET = 1.03
CELLS = 5
EPOCHS = 100
READINGS = 10


@dataclass(frozen=True)
class Sizes:
    """How much is run."""

    backbone: str = "resnet18"
    pixels: int = 48
    faces: int = 2048
    batch: int = 128
    steps: int = 200
    warmup: int = 5


QUICK = Sizes(backbone="resnet10t", pixels=32, faces=32, batch=8, steps=4, warmup=1)


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it runs")
    parser.add_argument("--steps", type=int, metavar="N", help="pairs of steps that count")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    return parser.parse_args()


class Loop:
    """A network, its optimiser, and random data to train it on; either objective may take a step.

    Args:
        sizes: of network and data.
        total: steps in the whole training.
    """

    def __init__(self, sizes: Sizes, total: int) -> None:
        torch.manual_seed(0)
        self.sizes, self.draw = sizes, torch.Generator().manual_seed(0)
        self.student = Student(sizes.backbone, stem="imagenet").train()
        self.student.to(memory_format=torch.channels_last)
        built = build_optimiser(Optimisation(lr=2e-4), self.student.parameters(), total)
        self.optimiser = built["optimizer"]
        self.images = torch.randn(sizes.faces, 1, sizes.pixels, sizes.pixels)
        self.labels = torch.arange(sizes.faces) % len(EMOTIONS)
        self.cached = torch.randn(sizes.faces, len(EMOTIONS))
        width = self.student.embed.out_features
        self.prototypes = F.normalize(torch.randn(CELLS**2, width), dim=1)
        self.centers = torch.from_numpy(grid_centers(CELLS)).float()

    def rows(self) -> Tensor:
        """Places of the next batch, int64 `[batch]`."""
        return torch.randperm(self.sizes.faces, generator=self.draw)[: self.sizes.batch]

    def terms(self, objective: Objective, rows: Tensor) -> tuple[Tensor, dict[str, Tensor], Tensor]:
        """Total and terms of a batch, and the embedding."""
        images = self.images[rows].contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            out = self.student(images)
            seen = Seen(
                logits=out.logits,
                embedding=out.embedding,
                label=self.labels[rows],
                target=F.one_hot(self.labels[rows], len(EMOTIONS)).float(),
                teacher_logits=self.cached[rows],
                prototypes=self.prototypes,
                centers=self.centers,
                epoch=EPOCHS - 1.0,
                max_epochs=EPOCHS,
            )
            return *objective(seen), out.embedding

    def step(self, objective: Objective, rows: Tensor) -> None:
        """Take one step."""
        total, _, _ = self.terms(objective, rows)
        self.optimiser.zero_grad()
        total.backward()
        self.optimiser.step()


def timed(work: Callable[[], object]) -> float:
    """Milliseconds of some work."""
    begin = time.perf_counter()
    work()
    return 1e3 * (time.perf_counter() - begin)


def pairs(
    loop: Loop, objectives: dict[str, Objective], steps: int, warmup: int
) -> dict[str, list[float]]:
    """Milliseconds of each objective's steps, the n-th of both on the same batch.

    Args:
        loop: network and data.
        objectives: by name.
        steps: that count.
        warmup: steps before these.
    """
    order, taken = np.random.default_rng(0), {name: [] for name in objectives}
    console = Console(stderr=True)
    for _ in track(range(warmup + steps), "pairs of steps", console=console):
        rows = loop.rows()
        for name in order.permutation(list(objectives)):
            taken[name].append(timed(partial(loop.step, objectives[name], rows)))
    return {name: values[warmup:] for name, values in taken.items()}


def reading(loop: Loop, objective: Objective) -> list[float]:
    """Milliseconds of each reading of the gradient shares."""
    found = []
    for _ in range(READINGS):
        _, terms, embedding = loop.terms(objective, loop.rows())
        found.append(timed(partial(gradient_balance, terms, embedding)))
    return found


def measured(sizes: Sizes) -> tuple[list[Figure], list[str]]:
    """All figures, and notes."""
    loop = Loop(sizes, 2 * (sizes.steps + sizes.warmup))
    full = Objective(CrossEntropy(), LogitKD(), ProtoKD(), Geometry())
    objectives = {"ce": Objective(CrossEntropy()), "full": full}
    taken = pairs(loop, objectives, sizes.steps, sizes.warmup)
    ratios = [ours / plain_ce for ours, plain_ce in zip(taken["full"], taken["ce"], strict=True)]
    low, high = median_interval(ratios)
    shares = reading(loop, full)
    part = [100 * ms / (GRADIENTS_EVERY * float(np.median(taken["ce"]))) for ms in shares]
    figures = [
        plain("step, cross-entropy", taken["ce"], "ms"),
        plain("step, full objective", taken["full"], "ms"),
        plain("step, full : cross-entropy", ratios, "x"),
        plain("step, full : cross-entropy, lower end of 95 % interval", [low], "x"),
        at_most("step, full : cross-entropy, upper end of 95 % interval", [high], TARGET, "x"),
        plain("gradient shares, a reading", shares, "ms"),
        plain("gradient shares, of a step on average", part, "%"),
    ]
    _, active, _ = loop.terms(full, loop.rows())
    machine = (
        f"{platform.machine()}, {torch.get_num_threads()} threads; PyTorch {torch.__version__}"
    )
    what = f"{sizes.backbone} at {sizes.pixels} pixels, batches of {sizes.batch}"
    note = f"{sizes.steps} pairs of steps; {what}; terms of the full objective: {', '.join(active)}"
    return figures, [machine, note]


def main() -> None:
    """Measure, print the table, and write it where asked."""
    asked = arguments()
    sizes = QUICK if asked.quick else Sizes()
    if asked.steps:
        sizes = replace(sizes, steps=asked.steps)
    figures, notes = measured(sizes)
    if asked.quick:
        notes = ["quick sizes: whether a target is met says nothing", *notes]
    print("\n".join([table(figures), *notes]))
    if asked.json:
        write(asked.json, figures, notes)


if __name__ == "__main__":
    main()
