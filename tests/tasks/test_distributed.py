"""Two processes that train and judge together do what one does."""

import csv
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from neurogaze.faces.corpora.synthetic import SyntheticFaces
from neurogaze.models.student import Student
from tests.tasks.two_processes import BACKBONES, N_TRAIN, N_VALID, fitted, prepare, steps, validated

ROOT = Path(__file__).parents[2]
PATIENCE = 400
"""Seconds after which the two processes are taken to wait for each other."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(folder: Path, rank: int, port: int) -> subprocess.Popen:
    env = {"LOCAL_RANK": rank, "NODE_RANK": 0, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    env = os.environ | {key: str(value) for key, value in env.items()} | {"PYTHONPATH": str(ROOT)}
    with (folder / f"{rank}.log").open("w") as log:
        words = [sys.executable, "-m", "tests.tasks.two_processes", str(folder)]
        return subprocess.Popen(words, cwd=ROOT, env=env, stdout=log, stderr=log)


def wait(folder: Path, started: list[subprocess.Popen]) -> None:
    """Until both are done; one that fails leaves the other waiting, which is then stopped."""
    end = time.monotonic() + PATIENCE
    while any(process.poll() is None for process in started):
        if any(process.poll() for process in started) or time.monotonic() > end:
            break
        time.sleep(0.1)
    for process in started:
        process.kill()
        process.wait()
    logs = [(folder / f"{rank}.log").read_text()[-3000:] for rank in range(len(started))]
    assert [process.returncode for process in started] == [0, 0], "\n".join(logs)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """Folder of both trainings, what one process found, and what each of two found."""
    folder = tmp_path_factory.mktemp("distributed")
    prepare(folder)
    port = free_port()
    started = [start(folder, rank, port) for rank in (0, 1)]
    try:
        one = {"fits": {name: fitted(folder, name, 1) for name in BACKBONES}}
    finally:
        wait(folder, started)
    one["scores"] = {name: validated(folder, name, 1) for name in BACKBONES}
    two = [json.loads((folder / f"{rank}.json").read_text()) for rank in (0, 1)]
    return folder, one, two


def weights(folder: Path, name: str, processes: int) -> dict[str, torch.Tensor]:
    path = folder / name / str(processes) / "last.ckpt"
    return torch.load(path, weights_only=True)["state_dict"]


@pytest.mark.parametrize("name", BACKBONES)
def test_twenty_steps_give_the_weights_of_one_process(shared, name):
    folder, _, _ = shared
    one, two = weights(folder, name, 1), weights(folder, name, 2)
    assert set(one) == set(two)
    for key, value in one.items():
        torch.testing.assert_close(two[key], value, rtol=0, atol=1e-5, msg=lambda m, k=key: k + m)


def test_twenty_steps_move_the_weights(shared):
    """Else the test above says nothing."""
    folder, _, _ = shared
    torch.manual_seed(0)
    state = weights(folder, "group_norm", 1)
    start = Student(BACKBONES["group_norm"], embedding_dim=8, stem="imagenet").state_dict()
    moved = [(state[f"student.{k}"] - v).abs().max().item() for k, v in start.items()]
    assert max(moved) > 1e-2, "a thousand times the tolerance"


def curves(folder: Path, name: str, processes: int) -> list[dict[str, float]]:
    with (folder / name / str(processes) / "metrics.csv").open() as stream:
        return [{k: float(v) for k, v in row.items()} for row in csv.DictReader(stream)]


@pytest.mark.parametrize("name", BACKBONES)
def test_curves_are_those_of_the_whole_batch(shared, name):
    """Terms, total and scores; what is said of gradients is of each share by itself."""
    folder, _, _ = shared
    one, two = curves(folder, name, 1), curves(folder, name, 2)
    assert len(one) == len(two) == 2
    terms = [f"train/{term}" for term in ("ce", "kd", "proto", "geo", "loss")]
    for row, other in zip(one, two, strict=True):
        for key in ("epoch", "step", "val/accuracy", "val/macro_f1_8way"):
            assert other[key] == row[key]
        assert [other[key] for key in terms] == pytest.approx([row[key] for key in terms], abs=1e-5)
        assert min(row[key] for key in terms) > 1e-3, "every term is at work"


@pytest.mark.parametrize("name", BACKBONES)
def test_an_odd_set_is_judged_once(shared, name):
    _, one, two = shared
    assert set(one["scores"][name]) == {"val/accuracy", "val/macro_f1_8way"}
    assert [found["scores"][name] for found in two] == [one["scores"][name]] * 2
    counts = SyntheticFaces(N_TRAIN, N_VALID).load("valid").class_counts
    always_one = 2 * counts / (N_VALID + counts) / 8
    reached = one["scores"][name]["val/macro_f1_8way"]
    assert np.abs(always_one - reached).min() > 1e-3, "else a row judged twice might not show"


@pytest.mark.parametrize("name", BACKBONES)
def test_both_keep_the_running_means_of_the_whole(shared, name):
    _, one, two = shared
    first, second = (found["fits"][name] for found in two)
    assert first == second
    assert first["known"] == one["fits"][name]["known"] == [True] * 8
    np.testing.assert_allclose(first["means"], one["fits"][name]["means"], rtol=0, atol=1e-5)


def test_losses_and_gradients_average_to_those_of_the_whole_batch(shared):
    """In float64, over two steps: the second sees the running means of the first."""
    _, _, two = shared
    whole = steps(0, 1)
    for key in ("losses", "gradients"):
        parts = [np.array(found["steps"][key]) for found in two]
        np.testing.assert_allclose(sum(parts) / 2, whole[key], rtol=1e-6, atol=1e-9)
        assert not np.allclose(parts[0], parts[1], rtol=1e-3)
    for found in two:
        np.testing.assert_allclose(found["steps"]["means"], whole["means"], rtol=1e-6, atol=1e-9)


def test_the_first_process_alone_writes(shared):
    folder, _, (first, second) = shared
    files = {"config.yaml", "metrics.csv", "best.ckpt", "last.ckpt", "spread.ckpt"}
    assert set(first["written"]) == files
    assert second["written"] == []
    made = {path.name for path in (folder / "group_norm" / "2").iterdir()}
    assert made == files
