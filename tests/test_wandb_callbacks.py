"""Weights & Biases, the real package, offline: what a run directory holds, without an account."""

import json
import socket
import struct

import numpy as np
import pytest
import yaml
from PIL import Image
from pytorch_lightning import Trainer

from neurogaze import training
from neurogaze.wandb_callbacks import WandbRecord, wandb_logger, wandb_mode
from tests.pipeline.tiny import EXPERIMENTS, STUDENT

BLOCK, HEADER, FULL, FIRST, LAST = 32768, 7, 1, 2, 4


def records(content):
    """Records of a `.wandb` file: a LevelDB log of protobuf messages after seven bytes of name."""
    from wandb.proto.wandb_internal_pb2 import Record

    assert content[:4] == b":W&B"
    at, part = HEADER, b""
    while at + HEADER <= len(content):
        if BLOCK - at % BLOCK < HEADER:
            at += BLOCK - at % BLOCK
            continue
        _, length, kind = struct.unpack("<IHB", content[at : at + HEADER])
        body = content[at + HEADER : at + HEADER + length]
        part = body if kind in (FULL, FIRST) else part + body
        at += HEADER + length
        if kind in (FULL, LAST):
            record = Record()
            record.ParseFromString(part)
            yield record


def values(items):
    return {"/".join(item.nested_key) or item.key: json.loads(item.value_json) for item in items}


@pytest.fixture(scope="module")
def server():
    """Stands where W&B's server is looked for; nobody is to call."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.0)
        yield listening


@pytest.fixture(scope="module")
def run(tmp_path_factory, server):
    """Directory of the W&B run and folder of the fit, of a person without an account."""
    root = tmp_path_factory.mktemp("wandb")
    args = ["--config", EXPERIMENTS / "student.yaml"]
    args += ["--config", EXPERIMENTS / "ablations" / "ce.yaml"]
    args += ["--config", EXPERIMENTS / "wandb.yaml"]
    args += ["--data", EXPERIMENTS / "data" / "synthetic_faces.yaml", *STUDENT]
    args += [f"--out={root / 'fit'}", f"--data.store={root / 'store'}", "--seed_everything=3"]
    with pytest.MonkeyPatch.context() as patch:
        for name in ("WANDB_API_KEY", "WANDB_MODE", "WANDB_SWEEP_ID", "WANDB_DIR"):
            patch.delenv(name, raising=False)
        patch.setenv("HOME", str(root))
        patch.setenv("WANDB_SILENT", "true")
        patch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{server.getsockname()[1]}")
        patch.chdir(root)
        training.fit([str(a) for a in args])
    (found,) = (root / "runs" / "wandb").glob("offline-run-*")
    return found, root / "fit"


def test_nobody_was_called(run, server):
    with pytest.raises(BlockingIOError):
        server.accept()


def test_the_run_holds_the_whole_configuration(run):
    folder, fit = run
    saved = yaml.safe_load((fit / "config.yaml").read_text())
    assert yaml.safe_load((folder / "files" / "neurogaze.yaml").read_text()) == saved
    (path,) = folder.glob("*.wandb")
    told = {}
    for record in records(path.read_bytes()):
        told |= values(record.config.update) | values(record.run.config.update)
    assert told["seed_everything"] == 3
    assert told["trainer"]["max_epochs"] == 2
    assert told["model"] == saved["model"]
    assert told["data"] == saved["data"]


def test_the_run_holds_the_curves(run):
    folder, fit = run
    assert (folder / "files" / "metrics.csv").read_text() == (fit / "metrics.csv").read_text()
    (path,) = folder.glob("*.wandb")
    rows = [values(r.history.item) for r in records(path.read_bytes()) if r.history.item]
    logged = [row["val/macro_f1_8way"] for row in rows if "val/macro_f1_8way" in row]
    best = [row["val/macro_f1_8way_best"] for row in rows if "val/macro_f1_8way_best" in row]
    assert len(logged) == 2
    assert best == np.maximum.accumulate(logged).tolist()
    assert sum("train/loss" in row for row in rows) == 2


def test_the_run_holds_one_confusion_picture(run):
    (path,) = (run[0] / "files" / "media" / "images").rglob("*confusion*.png")
    with Image.open(path) as picture:
        assert picture.width > 1.5 * picture.height > 300
        assert len(np.unique(np.asarray(picture.convert("L")))) > 20


def test_the_run_says_that_it_ended_well(run):
    (path,) = run[0].glob("*.wandb")
    ends = [r.exit.exit_code for r in records(path.read_bytes()) if r.HasField("exit")]
    assert ends == [0]


def test_the_picture_is_that_of_the_last_validation():
    """Counts are kept before the task resets them, and those of a sanity check are not."""

    class Matrix:
        counts = np.eye(8, dtype=int)

        def compute(self):
            import torch

            return torch.from_numpy(self.counts)

    task = type("Task", (), {"confusion": Matrix()})()
    trainer, record = type("T", (), {"sanity_checking": True})(), WandbRecord()
    record.on_validation_epoch_end(trainer, task)
    assert record.counts is None
    trainer.sanity_checking = False
    for scale in (1, 5):
        task.confusion.counts = scale * np.eye(8, dtype=int)
        record.on_validation_epoch_end(trainer, task)
    assert record.counts.trace() == 40


def test_without_the_logger_nothing_happens(tmp_path):
    trainer = Trainer(logger=False, default_root_dir=tmp_path, enable_checkpointing=False)
    record = WandbRecord()
    record.counts = np.eye(8, dtype=int)
    record.on_fit_end(trainer, None)
    record.teardown(trainer, None, "fit")
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("mode", "sweep", "expected"),
    [("", "", "offline"), ("", "abc", "online"), ("online", "", "online"),
     ("disabled", "abc", "disabled")],
)  # fmt: skip
def test_offline_unless_told_otherwise(monkeypatch, mode, sweep, expected):
    monkeypatch.setenv("WANDB_MODE", mode)
    monkeypatch.setenv("WANDB_SWEEP_ID", sweep)
    assert wandb_mode() == expected


def test_the_environment_names_project_and_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("WANDB_PROJECT", "elsewhere")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    logger = wandb_logger("mine", "runs")
    assert (logger.name, logger.save_dir) == ("elsewhere", str(tmp_path))


@pytest.mark.parametrize(
    ("sweep", "expected"), [("", "runs/fit"), ("s1", "runs/sweeps/s1/r7")], ids=["fit", "agent"]
)
def test_runs_of_a_sweep_have_folders_of_their_own(monkeypatch, sweep, expected):
    """W&B's agent names the sweep and the run in the environment of the command."""
    monkeypatch.setenv("WANDB_SWEEP_ID", sweep)
    monkeypatch.setenv("WANDB_RUN_ID", "r7")
    args = ["--config", EXPERIMENTS / "student.yaml"]
    args += ["--data", EXPERIMENTS / "data" / "synthetic_faces.yaml"]
    cli = training.build_cli([str(a) for a in args], run=False)
    assert cli.config["out"] == expected
