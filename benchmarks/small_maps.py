"""What convolutions tap by tap save a student's training step on a CPU.

    python benchmarks/small_maps.py [--quick] [--steps N] [--json FILE]

One ResNet-18 with its standard stem takes steps on the same random pictures in turns, in random
order within a round: with the convolutions of its small maps tap by tap, with PyTorch's, and with
PyTorch's in bf16, which pays where a processor has matrix units and costs where it has none.
Batches of 128, channels-last, AdamW. Ratios are taken round by round.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from face_loops import median_interval
from figures import Figure, plain, table, write
from rich.console import Console
from rich.progress import track
from torch.nn import functional as F

from neurogaze.affect import EMOTIONS
from neurogaze.models import small_maps
from neurogaze.models.student import Student
from neurogaze.tasks.optimisation import Optimisation, build_optimiser

BATCH = 128
OURS, LIBRARY, HALF = "tap by tap", "library", "library, bf16"


@dataclass(frozen=True)
class Sizes:
    """How much is run."""

    backbone: str = "resnet18"
    pixels: tuple[int, ...] = (32, 48)
    batch: int = BATCH
    steps: int = 20
    warmup: int = 2


QUICK = Sizes(backbone="resnet10t", pixels=(32,), batch=8, steps=2, warmup=1)


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it runs")
    parser.add_argument("--steps", type=int, metavar="N", help="rounds that count")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    return parser.parse_args()


def ways() -> dict[str, Callable[[], AbstractContextManager[object]]]:
    """How a step may be taken, by name."""
    return {
        OURS: nullcontext,
        LIBRARY: lambda: patch.object(small_maps, "LARGEST_MAP", 0),
        HALF: lambda: torch.autocast("cpu", torch.bfloat16),
    }


def stepper(sizes: Sizes, pixels: int) -> Callable[[], None]:
    """A function that takes one training step."""
    torch.manual_seed(0)
    student = Student(sizes.backbone, stem="imagenet").train()
    settings, total = Optimisation(lr=2e-4), 3 * (sizes.steps + sizes.warmup)
    optimiser = build_optimiser(settings, student.parameters(), total)["optimizer"]
    images = torch.randn(sizes.batch, 1, pixels, pixels)
    images = images.contiguous(memory_format=torch.channels_last)
    labels = torch.arange(sizes.batch) % len(EMOTIONS)

    def step() -> None:
        loss = F.cross_entropy(student(images).logits.float(), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    return step


def rounds(sizes: Sizes, pixels: int) -> dict[str, np.ndarray]:
    """Milliseconds of the steps of each way, the n-th of all of them in one round."""
    step, order = stepper(sizes, pixels), np.random.default_rng(0)
    taken: dict[str, list[float]] = {name: [] for name in ways()}
    turns, console = range(sizes.warmup + sizes.steps), Console(stderr=True)
    for _ in track(turns, f"{pixels} pixels", console=console):
        for name in order.permutation(list(taken)):
            with ways()[name]():
                begin = time.perf_counter()
                step()
                taken[name].append(1e3 * (time.perf_counter() - begin))
    return {name: np.array(values[sizes.warmup :]) for name, values in taken.items()}


def figures_of(sizes: Sizes, pixels: int) -> list[Figure]:
    """Times, and what they are to the first way."""
    taken = rounds(sizes, pixels)
    found = [plain(f"{pixels} px, {name}", times.tolist(), "ms") for name, times in taken.items()]
    for name in (LIBRARY, HALF):
        ratio = taken[name] / taken[OURS]
        low, high = median_interval(ratio)
        value = float(np.median(ratio))
        found.append(Figure(f"{pixels} px, {name} : {OURS}", value, "x", spread=(low, high)))
    return found


def main() -> None:
    """Measure, print the table, and write it where asked."""
    asked = arguments()
    sizes = QUICK if asked.quick else Sizes()
    if asked.steps:
        sizes = replace(sizes, steps=asked.steps)
    figures = [figure for pixels in sizes.pixels for figure in figures_of(sizes, pixels)]
    has_amx = torch.cpu._is_amx_tile_supported()
    notes = [
        f"{platform.machine()}, {torch.get_num_threads()} threads, matrix units: "
        f"{'yes' if has_amx else 'no'}; PyTorch {torch.__version__}; batches of {sizes.batch}",
        "beside a ratio stands the 95 % bootstrap interval of its median",
    ]
    print("\n".join([table(figures), *notes]))
    if asked.json:
        write(asked.json, figures, notes)


if __name__ == "__main__":
    main()
