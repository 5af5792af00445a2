"""How long a student takes for a face, beside the backbones of its peers at their input sizes.

    python benchmarks/inference.py [--quick] [--rounds N] [--threads N] [--json FILE]

All networks are untrained, as speed does not depend on the weights, have eight classes and go
through the same export. In each round every network is asked in every form, in random order, with
one picture (several calls, one more before them that does not count) and with 32 (one call). So a
machine that slows down slows all of them, and ratios are taken round by round. PyTorch runs
channels-last. Published figures are of trained networks of other people, from the papers and
repositories named: nothing here measures their accuracy.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import onnxruntime
import timm
import torch
from face_loops import median_interval
from figures import Figure, at_least, at_most, plain, table
from inference_forms import DEPLOYED, FORMS, Ask, calls, compiler, forms_of, largest_difference
from inference_networks import QUICK as QUICK_NETWORKS
from inference_networks import Network, giga_macs, millions_of_parameters, networks
from rich.console import Console
from rich.progress import track

from neurogaze.deploy.network import exportable

ONE, MANY = 1, 32
TARGETS = {"ResNet-18": 4.0, "EfficientNet-B0": 1.4}
"""How many times as long a peer takes as ours, with one picture, in the form that is deployed."""

DIFFERENCE_TARGET = 1e-3
MILLI = 1e3


@dataclass(frozen=True)
class Sizes:
    """How much is run.

    Args:
        networks: that are compared, ours first.
        forms: of each.
        rounds: in which each is asked in each form.
        calls: that count in a round, with one picture.
        threads: of PyTorch and of onnxruntime.
    """

    networks: tuple[Network, ...]
    forms: tuple[str, ...] = FORMS
    rounds: int = 20
    calls: int = 10
    threads: int = 1


Case = tuple[str, str, int]
"""Name of a network, form, pictures in a batch."""

Times = dict[Case, list[list[float]]]
"""Milliseconds of the calls of each round."""


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it runs")
    parser.add_argument("--rounds", type=int, metavar="N", help="rounds that count (20)")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="threads (1)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    return parser.parse_args()


def sizes_of(asked: argparse.Namespace) -> Sizes:
    """How much the command line asks for."""
    small = Sizes(QUICK_NETWORKS, ("eager", "ONNX", "int8"), rounds=3, calls=2)
    sizes = replace(small if asked.quick else Sizes(networks()), threads=asked.threads)
    if compiler() is None:
        sizes = replace(sizes, forms=tuple(form for form in sizes.forms if form != "compiled"))
    return replace(sizes, rounds=asked.rounds) if asked.rounds else sizes


def timed(ask: Ask) -> float:
    """Milliseconds of a call."""
    begin = time.perf_counter()
    ask()
    return MILLI * (time.perf_counter() - begin)


def rounds(asked: dict[Case, Ask], sizes: Sizes, console: Console) -> Times:
    """Milliseconds of all calls, in turns; every case is called twice beforehand."""
    for ask in track(list(asked.values()) * 2, "warming up", console=console):
        ask()
    order, cases = np.random.default_rng(0), list(asked)
    taken: Times = {case: [] for case in cases}
    for _ in track(range(sizes.rounds), "rounds", console=console):
        for i in order.permutation(len(cases)):
            ask, alone = asked[cases[i]], cases[i][2] == ONE
            if alone:
                ask()  # threads and caches are still busy with another network
            taken[cases[i]].append([timed(ask) for _ in range(sizes.calls if alone else 1)])
    return taken


def ratios(taken: Times, peer: str, form: str = DEPLOYED, n: int = ONE) -> list[float]:
    """How many times as long a peer takes as ours, round by round."""
    pairs = zip(taken[peer, form, n], taken["ours", form, n], strict=True)
    return [float(np.median(theirs) / np.median(ours)) for theirs, ours in pairs]


def ratio_figures(taken: Times, sizes: Sizes) -> list[Figure]:
    """Ours beside each of the others, as deployed, with one picture; targets bind lower ends."""
    found = []
    for network in sizes.networks[1:]:
        values = ratios(taken, network.name)
        low, high = median_interval(values)
        name = f"{DEPLOYED}, one picture, {network.name} at {network.pixels} : ours"
        target, end = TARGETS.get(network.name), f"{name}, lower end of 95 % interval"
        found += [
            plain(name, values, "x"),
            plain(end, [low], "x") if target is None else at_least(end, [low], target),
            plain(f"{name}, upper end of 95 % interval", [high], "x"),
        ]
    return found


def measured(sizes: Sizes) -> tuple[list[dict[str, object]], list[Figure]]:
    """One row a network, and the ratios."""
    console = Console(stderr=True)
    torch.set_num_threads(sizes.threads)
    asked: dict[Case, Ask] = {}
    differences = []
    for network in track(sizes.networks, "building networks", console=console):
        forms = forms_of(network, sizes.forms, sizes.threads)
        differences.append(largest_difference(forms, network))
        for form, ask in forms.items():
            made = calls(ask, network, (ONE, MANY), form)
            asked |= {(network.name, form, n): call for n, call in made.items()}
    taken = rounds(asked, sizes, console)
    name = f"largest difference of a logit, {DEPLOYED} : eager, of the largest"
    same = at_most(name, [max(differences)], DIFFERENCE_TARGET)
    rows = [row(network, taken, sizes.forms) for network in sizes.networks]
    return rows, [*ratio_figures(taken, sizes), same]


def row(network: Network, taken: Times, forms: Sequence[str]) -> dict[str, object]:
    """All that is known of a network: size, published accuracy, and times."""
    built = exportable(network.build())
    times = [
        {"form": form, "batch": n} | quantiles(taken[network.name, form, n])
        for form in forms
        for n in (ONE, MANY)
    ]
    return {
        "network": network.name,
        "stands_for": network.stands_for,
        "backbone": network.backbone,
        "pixels": network.pixels,
        "channels": network.prep.channels,
        "parameters_millions": millions_of_parameters(built),
        "gmac": giga_macs(built, network.images(1)),
        "ferplus": asdict(network.published),
        "times": times,
    }


def quantiles(milliseconds: list[list[float]]) -> dict[str, float]:
    """Median and 95th per cent of all calls of all rounds."""
    every = np.concatenate(milliseconds)
    middle, late = np.quantile(every, (0.5, 0.95))
    return {"p50_ms": float(middle), "p95_ms": float(late), "n": len(every)}


def markdown(rows: list[dict[str, object]], forms: Sequence[str]) -> str:
    """The rows as one table; times as p50 / p95 in milliseconds."""
    heads = ["network", "stands for", "input", "M parameters", "GMAC"]
    heads += ["FERPlus accuracy, %", "part", "trained from"]
    heads += [f"{form}, batch {n}, ms" for form in forms for n in (ONE, MANY)]
    lines = [heads, ["---"] * len(heads), *(_cells(entry) for entry in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cells(entry: dict) -> list[str]:
    name = f"{entry['network']} ({entry['backbone']})"
    shape = f"{entry['channels']} x {entry['pixels']} x {entry['pixels']}"
    known = entry["ferplus"]
    times = [f"{time['p50_ms']:.2f} / {time['p95_ms']:.2f}" for time in entry["times"]]
    return [
        name, entry["stands_for"], shape, f"{entry['parameters_millions']:.1f}",
        f"{entry['gmac']:.3f}", known["accuracy"], known["part"], known["init"], *times,
    ]  # fmt: skip


def machine() -> str:
    """The processor by its name, and how many of them."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    name = names[0] if names else platform.processor() or platform.machine()
    flags = next((line for line in lines if line.startswith("flags")), "").split()
    wide = [flag for flag in ("avx2", "avx512f", "avx512_vnni", "avx_vnni") if flag in flags]
    return f"{name}, {os.cpu_count()} cores, {' '.join(wide)}"


def notes_of(sizes: Sizes, asked: argparse.Namespace) -> list[str]:
    """What a reader of the figures must know."""
    versions = f"PyTorch {torch.__version__}, onnxruntime {onnxruntime.__version__}"
    times = f"{sizes.calls} calls a round with one picture and 1 with {MANY}; times are p50 / p95"
    notes = [
        f"{machine()}; {sizes.threads} thread(s); load {os.getloadavg()[0]:.1f} at the end",
        f"{versions}, timm {timm.__version__}; {sizes.rounds} rounds; {times}",
        "published figures: papers of SCN, D3FER, POSTER; VGGFace2 baseline of a public repository",
    ]
    if "compiled" not in sizes.forms:
        reason = "as quick sizes ask" if asked.quick else "no C++ compiler was found"
        notes.append(f"compiled left out: {reason}")
    if asked.quick:
        notes.insert(0, "quick sizes: whether a target is met says nothing")
    return notes


def main() -> None:
    """Measure, print the tables, and write them where asked."""
    asked = arguments()
    sizes = sizes_of(asked)
    rows, figures = measured(sizes)
    notes = notes_of(sizes, asked)
    print("\n".join([markdown(rows, sizes.forms), "", table(figures), "", *notes]))
    if asked.json:
        content = {"networks": rows, "figures": [asdict(f) for f in figures], "notes": notes}
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        asked.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
