"""A corpus of the size of DREAMER from file to features, and cost as a corpus grows."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from dreamer_mat import clip_lengths
from figures import Figure, at_most, plain

REST = 61.0
MEAN, SHORTEST, LONGEST = 199.0, 65.0, 393.0
WORKERS = 2
COLD_SECONDS, WARM_SECONDS, MEMORY_RATIO, STORE_MB = 60.0, 1.0, 1.1, 25.0
GROWTH = (1, 4, 16)
LINEAR, FLAT = 1.25, 1.1
"""Largest ratio of cost a person, and of memory, at 16 times the people, still called so."""


def child(*arguments: str) -> dict[str, Any]:
    """The answer of one step in a process of its own.

    Raises:
        RuntimeError: with what the process wrote, where it fails.
    """
    script = Path(__file__).with_name("eeg_child.py")
    command = [sys.executable, str(script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def dreamer(folder: Path, n_subjects: int, n_clips: int, mean: float, rounds: int) -> list[Figure]:
    """Cold and warm preparation beside `loadmat`, in turns.

    Args:
        folder: scratch.
        n_subjects: people.
        n_clips: clips of each.
        mean: mean length of a clip, s; the extremes of DREAMER shrink with it.
        rounds: turns.
    """
    scale = mean / MEAN
    seconds = clip_lengths(n_clips, mean, SHORTEST * scale, LONGEST * scale)
    place = str(folder / "DREAMER.mat")
    sizes = child("make", place, json.dumps([n_subjects, seconds, max(2.0, REST * scale)]))
    loads, colds, warms, serials = [], [], [], []
    for turn in range(rounds):
        loads.append(child("loadmat", place))
        for workers, into in ((WORKERS, colds), (1, serials)):
            store = str(folder / f"store{turn}-{workers}")
            into.append(child("prepare", "dreamer", place, store, str(workers)))
        warms.append(child("prepare", "dreamer", place, str(folder / f"store{turn}-2"), "2"))
    same = {run["sha256"] for run in (*colds, *serials, *warms)}

    def ratio(key: str, over: list[dict[str, Any]], under: list[dict[str, Any]]) -> list[float]:
        return [a[key] / b[key] for a, b in zip(over, under, strict=True)]

    def of(key: str, runs: list[dict[str, Any]]) -> list[float]:
        return [float(run[key]) for run in runs]

    return [
        plain("corpus, file", [sizes["bytes"] / 1e6], "MB"),
        plain("corpus, windows of 1 s", of("windows", colds), ""),
        plain("corpus, scipy loadmat alone", of("seconds", loads), "s"),
        at_most("corpus, cold, 2 threads", of("seconds", colds), COLD_SECONDS, "s"),
        plain("corpus, cold, 1 thread : 2 threads", ratio("seconds", serials, colds), "x"),
        at_most("corpus, times the file is opened", of("opened", colds), 1, ""),
        plain("corpus, peak memory of loadmat", of("peak", loads), "MB"),
        at_most("corpus, peak memory : loadmat", ratio("peak", colds, loads), MEMORY_RATIO, "x"),
        at_most("corpus, store", of("megabytes", colds), STORE_MB, "MB"),
        at_most("corpus, warm", of("seconds", warms), WARM_SECONDS, "s"),
        at_most("corpus, different tables of all runs", [len(same)], 1, ""),
    ]


def growth(folder: Path, base: int, rounds: int) -> list[Figure]:
    """Seconds and store a person and peak memory at 1, 4 and 16 times the people.

    Args:
        folder: scratch.
        base: people at 1 x.
        rounds: turns; each makes all sizes anew from the same files.
    """
    source = folder / "dasps"
    runs: dict[int, list[dict[str, Any]]] = {times: [] for times in GROWTH}
    for times in (0, *GROWTH):
        _write_people(source / f"x{times}", max(1, base * times))
    warm_up = str(source / "x0")
    for turn in range(rounds):
        for times in GROWTH:
            place, store = str(source / f"x{times}"), str(folder / f"grown{turn}-{times}")
            asked = ("prepare", "dasps", place, store, str(WORKERS), warm_up)
            runs[times].append(child(*asked))
    figures = []
    each = {
        key: {t: [run[key] / (base * t) for run in runs[t]] for t in GROWTH}
        for key in ("seconds", "megabytes")
    }
    memory = {t: [run["peak"] for run in runs[t]] for t in GROWTH}
    for times in GROWTH:
        people = f"growth, {times:2d} x people"
        figures += [
            plain(f"{people}, time a person", [1e3 * s for s in each["seconds"][times]], "ms"),
            plain(f"{people}, peak memory", memory[times], "MB"),
        ]
    last = GROWTH[-1]

    def grown(values: dict[int, list[float]]) -> list[float]:
        return [b / a for a, b in zip(values[1], values[last], strict=True)]

    return [
        *figures,
        at_most("growth, time a person, 16 x : 1 x", grown(each["seconds"]), LINEAR, "x"),
        at_most("growth, store a person, 16 x : 1 x", grown(each["megabytes"]), LINEAR, "x"),
        at_most("growth, peak memory, 16 x : 1 x", grown(memory), FLAT, "x"),
        plain(
            "growth, of it the table returned, 16 x",
            [r["table_megabytes"] for r in runs[last]],
            "MB",
        ),
    ]


def _write_people(folder: Path, count: int) -> None:
    """Files laid out as the cleaned recordings of DASPS, one a person."""
    rng = np.random.default_rng(0)
    place = folder / "Raw data.mat"
    place.mkdir(parents=True)
    for number in range(1, count + 1):
        ratings = rng.integers(1, 10, (2, 6)).repeat(2, axis=1).astype(np.float64)
        with h5py.File(place / f"S{number:03d}.mat", "w", userblock_size=512) as stream:
            stream["data"] = rng.standard_normal((12, 1920, 14), dtype=np.float32) * 10
            stream["labels"] = ratings
