"""The contract: the same text both ways, and nothing that is not understood."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from neurogaze.affect import EMOTIONS, grid_centers
from neurogaze.artefacts import write_json
from neurogaze.deploy.contract import (
    MEANINGLESS,
    Contract,
    CropRule,
    VAReadout,
    contract_of,
    crop_note,
    from_json,
    tensors_hash,
    to_json,
)
from neurogaze.errors import InputError
from neurogaze.evaluation.calibration_file import (
    PLAIN_VIEW,
    StudentCalibration,
    checkpoint_hash,
)
from neurogaze.faces.preprocessing import FacePreprocessing

FILE = Path("student.onnx")
HASH = "ab" * 32


def full(**changes) -> Contract:
    values = {
        "labels": EMOTIONS,
        "preprocessing": FacePreprocessing(size=48, channels=3, mean=0.4, std=0.2),
        "crop": CropRule(margin=1.25, drop=0.05, level_eyes=False),
        "temperature": 1.75,
        "abstain_below": 0.4,
        "va": VAReadout(0.05, shown=False, reason="class means correlate by .31"),
        "centers": tuple(map(tuple, grid_centers(3).tolist())),
        "grid_sha256": HASH,
        "prototypes_sha256": HASH,
        "weights_sha256": HASH,
        "precision": "int8",
        "generated": True,
        "provenance": {"train": {"n": 3, "counts": [1, 2]}},
        "calibration": {"n": 7},
    }
    return Contract(**values | changes)


def plain() -> Contract:
    return Contract(EMOTIONS, FacePreprocessing(), CropRule())


@pytest.mark.parametrize("contract", [full(), plain()], ids=["full", "plain"])
def test_there_and_back(contract):
    text = to_json(contract)
    assert from_json(text, FILE) == contract
    assert to_json(from_json(text, FILE)) == text


def test_only_drawn_faces_are_stamped():
    assert full().stamp == MEANINGLESS
    assert plain().stamp == ""


def edited(**changes) -> str:
    return json.dumps(asdict(full()) | changes)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ('{"labels": [], "labels": []}', "repeated"),
        ("[]", "no object"),
        (to_json(full()).replace("1.75", "NaN"), "NaN is no number"),
        (to_json(full()).replace("1.75", "1e999"), "number too large"),
        (to_json(full()).replace("1.75", "1" * 400), "a whole number of 400 digits"),
        (
            edited(centers=[["HERE", 0.0]]).replace('"HERE"', "1" * 400),
            "a whole number of 400 digits",
        ),
        (edited(surplus=1), "unknown ['surplus']"),
        (json.dumps({k: v for k, v in asdict(full()).items() if k != "va"}), "lacks the keys ['va"),
        (edited(labels=[EMOTIONS[1], EMOTIONS[0], *EMOTIONS[2:]]), "label order"),
        (edited(labels=list(EMOTIONS[:7])), "label order"),
        (edited(temperature=0), "temperature is 0"),
        (edited(temperature=True), "temperature is True"),
        (edited(temperature="1"), "temperature is '1'"),
        (edited(abstain_below=1.1), "abstain_below is 1.1"),
        (edited(precision="float16"), "precision is 'float16'"),
        (edited(generated=0), "generated is 0"),
        (edited(weights_sha256="ab"), "no SHA-256"),
        (edited(centers=[[0.0, 2.0]]), "pairs from -1 to 1"),
        (edited(centers=[[0.0]]), "no pair"),
        (edited(centers=[[True, 0.0]]), "no pair"),
        (edited(centers=[]), "do not belong together"),
        (edited(grid_sha256=""), "do not belong together"),
        (edited(crop={"margin": 0.0, "drop": 0.0, "level_eyes": True}), "crop.margin is 0.0"),
        (edited(crop={"margin": 1.0, "drop": 0.0}), "level_eyes"),
        (edited(crop={"margin": 1.0, "drop": 1.5, "level_eyes": True}), "crop.drop"),
        (edited(preprocessing=asdict(FacePreprocessing()) | {"size": 4.5}), "size is 4.5"),
        (edited(preprocessing=asdict(FacePreprocessing()) | {"std": 0.0}), "std is 0.0"),
        (edited(va={"temperature": -1.0, "shown": True, "reason": ""}), "va.temperature"),
        (edited(va={"temperature": 1.0, "shown": False, "reason": ""}), "give a reason|reason ''"),
    ],
)
def test_what_is_not_understood_is_refused(text, words):
    with pytest.raises(InputError, match=r"student\.onnx: ") as error:
        from_json(text, FILE)
    assert any(word in str(error.value) for word in words.split("|"))


def test_it_tells_what_the_student_is(student, contract):
    deployed = {k: v.numpy() for k, v in student.averaged.state_dict().items()}
    assert contract.labels == EMOTIONS
    assert contract.preprocessing == FacePreprocessing(44, 1, 0.5, 0.25)
    assert contract.generated  # the tiny student saw drawn faces only
    assert contract.grid_sha256 == student.provenance["grid_sha256"]
    np.testing.assert_allclose(contract.centers, grid_centers(5), atol=1e-9)
    assert contract.provenance["dataset"] == "synthetic_faces"
    assert contract.provenance["config_hash"] == student.config_hash != ""
    assert (contract.temperature, contract.abstain_below, contract.va) == (1.0, 0.0, None)
    assert len(deployed) > 0
    assert contract.weights_sha256 == tensors_hash(student.averaged.state_dict())
    assert contract.weights_sha256 != tensors_hash(student.student.state_dict())


def test_a_hash_of_tensors_sees_names_shapes_types_and_values():
    one = {"a": torch.tensor([1.0, 2.0]), "b": torch.tensor(3)}
    others = [
        {"a": torch.tensor([1.0, 2.5]), "b": torch.tensor(3)},
        {"a": torch.tensor([[1.0, 2.0]]), "b": torch.tensor(3)},
        {"a": torch.tensor([1.0, 2.0]), "b": torch.tensor(3, dtype=torch.int32)},
        {"c": torch.tensor([1.0, 2.0]), "b": torch.tensor(3)},
    ]
    assert tensors_hash(one) == tensors_hash(dict(reversed(one.items())))
    assert len({tensors_hash(tensors) for tensors in (one, *others)}) == 5


def fitted(path, **changes) -> StudentCalibration:
    values = {
        "temperature": 1.5,
        "objective": "nll",
        "before": 1.0,
        "after": 0.9,
        "n": 40,
        "dataset": "synthetic_faces",
        "label_rule": "majority",
        "held_out": {"fold": 0},
        "dev_sha256": HASH,
        "checkpoint": checkpoint_hash(path),
        "view": dict(PLAIN_VIEW) | {"temperature": 1.0},
        "abstain_below": 0.35,
        "va": {"temperature": 0.1, "shown": True, "reason": "", "class_means": {}},
    }
    return StudentCalibration(**values | changes)


def test_a_calibration_enters_it(student, checkpoint, tmp_path):
    write_json(tmp_path / "temperature.json", fitted(checkpoint))
    found = contract_of(student, tmp_path / "temperature.json", checkpoint)
    assert (found.temperature, found.abstain_below) == (1.5, 0.35)
    assert found.va == VAReadout(0.1, shown=True, reason="")
    assert found.calibration["n"] == 40
    assert found == replace(
        contract_of(student),
        temperature=1.5,
        abstain_below=0.35,
        va=found.va,
        calibration=found.calibration,
    )
    assert from_json(to_json(found), FILE) == found


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"checkpoint": HASH}, "other weights"),
        ({"view": dict(PLAIN_VIEW) | {"flip": True}}, "another view"),
    ],
)
def test_another_calibration_is_refused(student, checkpoint, tmp_path, changes, words):
    path = tmp_path / "temperature.json"
    write_json(path, fitted(checkpoint, **changes))
    with pytest.raises(InputError, match=words):
        contract_of(student, path, checkpoint)


def test_a_calibration_comes_with_its_checkpoint(student, checkpoint, tmp_path):
    write_json(tmp_path / "temperature.json", fitted(checkpoint))
    with pytest.raises(InputError, match="name the checkpoint too"):
        contract_of(student, tmp_path / "temperature.json")


@pytest.mark.parametrize(
    ("detector", "said"), [("haar", False), ("cropped", False), ("yunet", True)]
)
def test_a_margin_is_of_the_boxes_it_was_measured_with(detector, said):
    note = crop_note(detector)
    assert bool(note) is said
    assert ("yunet" in note and "measured with haar" in note) is said
