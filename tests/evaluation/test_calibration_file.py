"""One file between those who calibrate and those who obey: read back whole, or refused."""

import json
from dataclasses import asdict, replace

import pytest
import torch

from neurogaze.artefacts import write_json
from neurogaze.errors import InputError
from neurogaze.evaluation.calibration_file import (
    StudentCalibration,
    checkpoint_hash,
    read_calibration,
)

VIEW = {"flip": False, "undo_weights": False, "crops": "centre", "prior": 0.0, "temperature": 1.0}
VA = {"temperature": 0.1, "shown": False, "reason": "why", "class_means": {"fear": [-0.5, 0.5]}}
FOUND = StudentCalibration(
    temperature=1.4,
    objective="nll",
    before=0.9,
    after=0.8,
    n=60,
    dataset="toy",
    label_rule="majority",
    held_out={"n_folds": 2, "fold": 1, "seed": 0},
    dev_sha256="d" * 64,
    checkpoint="c" * 64,
    view=VIEW,
    abstain_below=0.5,
    abstain={"risk": 0.1},
    va=VA,
)


def test_what_was_written_is_read(tmp_path):
    path = tmp_path / "temperature.json"
    for found in (FOUND, replace(FOUND, abstain_below=0.0, abstain={}, va={})):
        write_json(path, found)
        assert read_calibration(path, "c" * 64) == found


def test_that_of_another_checkpoint_is_refused(tmp_path):
    write_json(tmp_path / "t.json", FOUND)
    with pytest.raises(InputError, match=r"t\.json: was fitted for other weights"):
        read_calibration(tmp_path / "t.json", "e" * 64)


@pytest.mark.parametrize("text", ["{}", "[]", "no", "[" * 100_000, '{"temperature": 2}', ""])
def test_a_file_that_is_none_is_named(tmp_path, text):
    path = tmp_path / "t.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"t\.json"):
        read_calibration(path, "c" * 64)
    with pytest.raises(InputError, match="cannot be read"):
        read_calibration(tmp_path / "none.json", "c" * 64)


@pytest.mark.parametrize(
    "changed",
    [
        {"temperature": 0},
        {"temperature": -1.0},
        {"temperature": True},
        {"temperature": "1"},
        {"abstain_below": 1.1},
        {"abstain_below": None},
        {"va": {"temperature": 0.1}},
        {"va": VA | {"temperature": 0}},
        {"va": []},
        {"va": VA | {"shown": 0}},
        {"va": VA | {"shown": "yes"}},
        {"va": VA | {"shown": True}},
        {"va": VA | {"reason": ""}},
        {"va": VA | {"reason": None}},
        {"va": VA | {"class_means": []}},
        {"va": VA | {"class_means": {"joy": [0.0, 0.0]}}},
        {"va": VA | {"class_means": {"fear": [0.0, 2.0]}}},
        {"va": VA | {"class_means": {"fear": [0.0]}}},
        {"abstain": []},
        {"held_out": None},
        {"before": None},
        {"n": 0},
        {"n": 6.0},
        {"n": True},
        {"objective": "f1"},
        {"objective": ["nll"]},
        {"label_rule": None},
        {"dev_sha256": 1},
        {"checkpoint": 1},
        {"view": {}},
        {"view": VIEW | {"flip": 0}},
        {"view": VIEW | {"prior": "0"}},
        {"view": "plain"},
        {"dataset": 3},
        {"more": 1},
    ],
)
def test_values_that_no_fit_could_write_are_refused(tmp_path, changed):
    path = tmp_path / "t.json"
    path.write_text(json.dumps(asdict(FOUND) | changed))
    with pytest.raises(InputError, match=next(iter(changed))):
        read_calibration(path, "c" * 64)


@pytest.mark.parametrize("words", ["NaN", "Infinity", "1e999", "1" * 400])
@pytest.mark.parametrize("name", ["temperature", "after", "abstain_below"])
def test_numbers_without_end_are_refused(tmp_path, name, words):
    path = tmp_path / "t.json"
    path.write_text(json.dumps(asdict(FOUND) | {name: "HERE"}).replace('"HERE"', words))
    said = rf"{words} is no number|400 digits|too large for a float|{name}"
    with pytest.raises(InputError, match=said):
        read_calibration(path, "c" * 64)


@pytest.mark.parametrize(
    ("changed", "plain"),
    [({}, True), ({"flip": True}, False), ({"crops": "ten"}, False), ({"prior": 0.5}, False)],
)
def test_only_one_plain_look_is_what_a_deployed_student_does(changed, plain):
    assert replace(FOUND, view=VIEW | changed).plain is plain


def test_the_hash_is_of_what_a_checkpoint_says(tmp_path):
    stored = {"state_dict": {"w": torch.ones(2)}, "neurogaze": {"kind": "student"}}
    for name, content in {
        "a": stored,
        "b": stored | {"optimizer": 3},
        "c": stored | {"state_dict": {"w": torch.zeros(2)}},
        "d": stored | {"neurogaze": {}},
    }.items():
        torch.save(content, tmp_path / name)
    hashes = [checkpoint_hash(tmp_path / name) for name in "abcd"]
    assert hashes[0] == hashes[1]
    assert len(set(hashes)) == 3
    (tmp_path / "e").write_text("no checkpoint")
    with pytest.raises(InputError, match="cannot be read"):
        checkpoint_hash(tmp_path / "e")
