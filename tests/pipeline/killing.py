"""Kill a pipeline at bad moments, run it again, and compare with an undisturbed run.

Run as a program with a folder and a number of kills a stage; it also injects the `FAULTS`, and
prints what it found as JSON. It is a process of its own so that it can fork children with
everything imported and no thread running.
"""

import json
import multiprocessing
import os
import random
import signal
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch

from neurogaze import artefacts, training
from neurogaze.artefacts import settings_hash
from neurogaze.pipeline import looking_ahead
from neurogaze.quiet import hush
from neurogaze.report import drawing
from tests.pipeline.tiny import contents, run_tiny

FAULTS = (
    ("rename", "meta.json"),
    ("rename", "synthetic_faces-train"),
    ("error", "synthetic_faces-valid"),
    ("write", "P0-01"),
    ("rename", "P0-04"),
    ("error", "features.json"),
    ("write", "metrics.csv"),
    ("rename", "last.ckpt"),
    ("write", "best.ckpt"),
    ("error", "results.jsonl"),
    ("write", "grid.npz"),
    ("write", "last.ckpt"),
    ("rename", "stage.json"),
    ("write", "predictions.parquet"),
    ("rename", "report.html"),
)
"""Where a run dies, in the order of the pipeline: in a write, between write and rename, or by an
error of the disk, at the first file or folder whose name holds the text."""

FOLDER = "{folder}"
AHEAD: dict[tuple[str, ...], Any] = {}
"""What runs build before their first stage, by what it is built from; children inherit it."""

FORK = multiprocessing.get_context("fork")


def remember_settings(folder: Path) -> None:
    """Keep parsed settings for the runs to come, which spend half of their time with parsing.

    All are written by the run that nobody disturbs. Pictures are not painted.
    """
    plan, settings_of, carry_out = training.plan, training.settings_of, training.carry_out
    kept = folder.parent / "parsed"
    kept.mkdir(exist_ok=True)

    def remembered(args: Sequence[str]) -> dict[str, Any]:
        file = kept / settings_hash([arg.replace(str(folder), "") for arg in args])
        if not file.exists():
            file.write_text(json.dumps(settings_of(plan(args))))
        return json.loads(file.read_text())

    training.plan = tuple
    training.settings_of = remembered
    training.carry_out = lambda args, resume: carry_out(plan(args), resume)
    drawing.png = lambda figure: b""


def remember_looking_ahead(folder: Path) -> None:
    """Note what is built before the first stage, and take it from `AHEAD` where it is there."""
    parsed, asked = looking_ahead.parsed, []

    def remembered(key: str, args: Sequence[str]) -> Any:
        asked.append([arg.replace(str(folder), FOLDER) for arg in args])
        artefacts.write_json(folder / "ahead.json", asked)
        built = AHEAD.get(tuple(args))
        return parsed(key, args) if built is None else built

    looking_ahead.parsed = remembered


def build_ahead(undisturbed: Path, folder: Path) -> None:
    """Build in this process what every run of a folder would build again before its first stage."""
    for args in json.loads((undisturbed / "ahead.json").read_text()):
        args = [arg.replace(FOLDER, str(folder)) for arg in args]
        AHEAD[tuple(args)] = looking_ahead.parsed("ahead", args)


def child(folder: Path, fault: tuple[str, str] | None = None) -> None:
    """Run the pipeline, told apart from the parent only by an injected fault."""
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123
    remember_settings(folder)
    remember_looking_ahead(folder)
    if fault:
        inject(*fault)
    pipeline = run_tiny(folder)
    artefacts.write_json(folder / "contents.json", contents(pipeline))
    artefacts.write_json(folder / "modules.json", list(sys.modules))


def import_all(names: Sequence[str]) -> None:
    """Import here what a run imported in the end, so that no other run waits for it."""
    for name in set(names) - set(sys.modules):
        with suppress(ImportError):
            import_module(name)


def inject(kind: str, name: str) -> None:
    """Die at the first atomic write of a file: halfway through it, or before it is renamed."""
    rename = Path.replace

    def replace(self: Path, target: Path) -> Path:
        if name in target.name:
            if kind == "write" and self.is_file():
                self.write_bytes(self.read_bytes()[: self.stat().st_size // 2])
            if kind == "error":
                raise OSError("injected")
            os._exit(9)
        return rename(self, target)

    Path.replace = replace  # type: ignore[method-assign]


def start(folder: Path, fault: tuple[str, str] | None = None) -> multiprocessing.Process:
    """Fork a child."""
    process = FORK.Process(target=child, args=(folder, fault))
    process.start()
    return process


def finished(folder: Path) -> dict[str, str]:
    """Run to the end and return the content of every stage."""
    process = start(folder)
    process.join()
    assert process.exitcode == 0, f"a run that nobody disturbed ended with {process.exitcode}"
    return json.loads((folder / "contents.json").read_text())


def done_at(folder: Path, stages: Iterable[str]) -> dict[str, float]:
    """When each stage was done, in the order in which they were."""
    times = {n: (folder / "run" / n / "stage.json").stat().st_mtime for n in stages}
    return dict(sorted(times.items(), key=lambda item: item[1]))


def stage_seconds(ended: dict[str, float]) -> dict[str, float]:
    """How long each stage took, from the end of the one before it; the first is given two."""
    names, times = list(ended), list(ended.values())
    took = (max(0.2, end - begin) for begin, end in pairwise(times))
    return {names[0]: 2.0, **dict(zip(names[1:], took, strict=True))}


def kill_once(folder: Path, before: str | None, seconds: float, rng: random.Random) -> bool:
    """Kill a run at a random moment after a stage is done; whether it was still running."""
    process = start(folder)
    record = folder / "run" / before / "stage.json" if before else folder
    while process.is_alive() and not record.exists():
        time.sleep(0.01)
    time.sleep(rng.uniform(0, seconds))
    alive = process.is_alive()
    if alive:
        os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    return alive


def main(root: Path, kills: int) -> None:
    """Kill in every stage, then inject faults, and print the differences."""
    torch.set_num_threads(1)
    hush()
    rng = random.Random(0)
    expected = finished(root / "undisturbed")
    import_all(json.loads((root / "undisturbed" / "modules.json").read_text()))
    ended = done_at(root / "undisturbed", expected)
    stages, seconds = list(ended), stage_seconds(ended)
    for name in ("killed", "faulted"):
        (root / name).mkdir()
        build_ahead(root / "undisturbed", root / name)
    hit = {
        name: sum(kill_once(root / "killed", before, seconds[name], rng) for _ in range(kills))
        for before, name in zip([None, *stages], stages, strict=False)
    }
    killed = finished(root / "killed") == expected
    struck = {}
    for fault in FAULTS:
        process = start(root / "faulted", fault)
        process.join()
        struck[" ".join(fault)] = process.exitcode
    faulted = finished(root / "faulted") == expected
    print(json.dumps({"hit": hit, "killed": killed, "struck": struck, "faulted": faulted}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
