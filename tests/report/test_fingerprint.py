"""A fingerprint holds every hash that decides a number, and no place of any machine."""

import json

import pytest
import torch

import neurogaze
from neurogaze.artefacts import settings_hash, write_json
from neurogaze.errors import InputError
from neurogaze.report.fingerprint import (
    HERE,
    checkpoint_records,
    fingerprint,
    losses,
    without_places,
)
from neurogaze.report.inputs import discover

SETTINGS = {
    "seed_everything": 3,
    "model": {
        "init_args": {
            "grid": {"sha256": "9" * 64},
            "loss": {
                "class_path": "neurogaze.losses.objective.Objective",
                "init_args": {
                    "ce": {
                        "class_path": "neurogaze.losses.cross_entropy.CrossEntropy",
                        "init_args": {"weight": 1.0, "label_smoothing": 0.055},
                    },
                    "kd": None,
                    "proto": {"init_args": {"weight": 0.12, "table": "/tmp/somebody/x.npz"}},
                    "geo": {"class_path": "a.Geometry", "init_args": {"weight": 0.0}},
                },
            },
        }
    },
}
SAID = {
    "kind": "student",
    "version": "0.1.0",
    "epochs": [2, 2],
    "config_hash": "c" * 64,
    "provenance": {
        "dataset": "toy",
        "train": {"sha256": "1" * 64, "identity": {"root": "/somewhere/faces"}},
        "valid": {"sha256": "2" * 64},
        "split_sha256": "3" * 64,
    },
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    (folder / "ce-seed3").mkdir()
    stored = {"state_dict": {"w": torch.zeros(3)}, "neurogaze": SAID}
    torch.save(stored, folder / "ce-seed3" / "last.ckpt")
    outputs = {"last.ckpt": "4" * 64, "metrics.csv": "5" * 64}
    record = {"name": "ce-seed3", "fingerprint": "6" * 64, "inputs": {"faces": "7" * 64}}
    record |= {"outputs": outputs, "settings": SETTINGS}
    write_json(folder / "ce-seed3" / "stage.json", record)
    faces = {"name": "faces", "settings": {"dataset": "toy", "content": "8" * 64}}
    write_json(folder / "faces" / "stage.json", faces)
    return folder


@pytest.fixture(scope="module")
def made(run):
    inputs = discover(run)
    return fingerprint(inputs, checkpoint_records(run, inputs.stages))


def test_hashes_of_settings_data_split_grid_and_weights(made):
    stage = made["stages"]["ce-seed3"]
    assert stage["settings_sha256"] == settings_hash(SETTINGS)
    assert (stage["fingerprint"], stage["inputs"]) == ("6" * 64, {"faces": "7" * 64})
    assert made["data"] == {
        "faces": "8" * 64,
        "ce-seed3, train": "1" * 64,
        "ce-seed3, valid": "2" * 64,
    }
    assert made["splits"] == ["3" * 64]
    assert made["grids"] == {"ce-seed3": "9" * 64}
    assert made["weights"] == {"ce-seed3/last.ckpt": "4" * 64}
    assert made["checkpoints"]["ce-seed3/last.ckpt"] == {
        key: SAID[key] for key in ("kind", "version", "epochs", "config_hash")
    }


def test_a_stage_with_two_checkpoints_is_told_both(tmp_path):
    """Its best epoch may be what made the grid, or was judged."""
    outputs = {}
    for name, epochs in (("best.ckpt", [7, 30]), ("last.ckpt", [30, 30])):
        stored = {"state_dict": {}, "neurogaze": SAID | {"epochs": epochs}}
        torch.save(stored, tmp_path / name)
        outputs[name] = "4" * 64
    stages = {HERE: {"outputs": outputs}}
    told = checkpoint_records(tmp_path, stages)
    assert [said["epochs"] for said in told.values()] == [[7, 30], [30, 30]]


def test_versions_are_those_that_run(made):
    assert set(made["versions"]) == {"python", "neurogaze", "torch", "numpy"}
    assert made["versions"]["neurogaze"] == neurogaze.__version__
    assert torch.__version__.startswith(made["versions"]["torch"].partition("+")[0])


def test_every_loss_has_its_switch_and_weight(made):
    found = made["losses"]["ce-seed3"]
    assert found["ce"] == {
        "on": True,
        "kind": "CrossEntropy",
        "weight": 1.0,
        "label_smoothing": 0.055,
    }
    assert found["kd"] == {"on": False}
    assert (found["geo"]["on"], found["geo"]["weight"]) == (False, 0.0)
    assert (found["proto"]["on"], found["proto"]["weight"]) == (True, 0.12)
    assert losses({}) == {}


def test_no_place_of_the_machine_is_named(made, run):
    text = json.dumps(made)
    assert run.as_posix() not in text
    assert "/tmp/somebody" not in text
    assert "/somewhere" not in text
    assert made["losses"]["ce-seed3"]["proto"]["table"] == "x.npz"
    assert without_places({"a": ["~/x", "runs/demo", 3]}) == {"a": ["~", "runs/demo", 3]}


def test_a_checkpoint_that_was_removed_is_passed_over_and_a_broken_one_named(run, tmp_path):
    stages = {"a": {"outputs": {"last.ckpt": "0"}}}
    assert checkpoint_records(tmp_path, stages) == {}
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "last.ckpt").write_text("nonsense")
    with pytest.raises(InputError, match=r"last\.ckpt"):
        checkpoint_records(tmp_path, stages)
