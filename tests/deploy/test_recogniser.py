"""What is said of faces: hand numbers, alike from every kind of file, refused where unsure."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import entropy

from neurogaze.affect import CLASS_ANCHORS, EMOTIONS, grid_centers
from neurogaze.artefacts import write_json
from neurogaze.deploy.contract import VAReadout
from neurogaze.deploy.network import Outputs, ask
from neurogaze.deploy.recogniser import BATCH, Recogniser, answers_of, open_recogniser
from neurogaze.errors import InputError
from neurogaze.faces.preprocessing import to_input
from tests.deploy.test_contract import fitted, full, plain

READOUT = VAReadout(temperature=0.1, shown=True, reason="")


def said(contract, logits=None, cosines=None):
    logits = np.array([[0, 2, 0, 0, 0, 0, 0, 0], [1, 1, 1, 1, 1, 1, 1, 1]], np.float32)
    cosines = np.zeros((2, 9), np.float32)
    cosines[0, 5] = 0.5
    return answers_of(Outputs(logits, np.ones((2, 4), np.float32), cosines), contract)


def test_the_temperature_divides():
    """exp(2 / 2) against seven times exp(0)."""
    found = said(full(temperature=2.0))
    happiness = np.e / (np.e + 7)
    np.testing.assert_allclose(found.probabilities[0, 1], happiness)
    np.testing.assert_allclose(found.probabilities[0, 0], (1 - happiness) / 7)
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1)
    np.testing.assert_allclose(found.confidence, [happiness, 1 / 8])
    assert found.probabilities.dtype == np.float64
    assert len(found) == 2


def test_entropy_is_in_nats():
    found = said(full())
    np.testing.assert_allclose(found.entropy, [entropy(p) for p in found.probabilities])
    assert found.entropy[1] == pytest.approx(np.log(8))


@pytest.mark.parametrize(("below", "expected"), [(0, [0, 0]), (0.125, [0, 0]), (0.126, [0, 1])])
def test_it_abstains_below_the_threshold(below, expected):
    found = said(full(temperature=1.0, abstain_below=below))
    assert found.abstained.tolist() == [bool(value) for value in expected]
    assert found.label[0] == EMOTIONS.index("happiness")


def test_anchored_values_are_those_of_the_words():
    logits = np.full((1, 8), -1000, np.float32)
    logits[0, [1, 6]] = 0  # half happiness, half fear
    none = np.zeros((1, 0), np.float32)
    found = answers_of(Outputs(logits, none, none), plain())
    happiness, fear = np.array(CLASS_ANCHORS["happiness"]), np.array(CLASS_ANCHORS["fear"])
    np.testing.assert_allclose(found.anchored, [(happiness + fear) / 2])


def test_the_prototype_space_is_read_as_an_expectation_of_centres():
    found = said(full(va=READOUT))
    weight = np.exp(5.0)  # cosine .5 over temperature .1, against eight cells at 0
    expected = (weight * grid_centers(3)[5] + grid_centers(3).sum(0) - grid_centers(3)[5]) / (
        weight + 8
    )
    np.testing.assert_allclose(found.va[0], expected, atol=1e-12)
    np.testing.assert_allclose(found.va[1], [0, 0], atol=1e-12)  # no direction: the middle
    assert found.nearest[0] == 5


@pytest.mark.parametrize("readout", [None, VAReadout(0.1, shown=False, reason="r = .2")])
def test_a_read_out_that_is_not_shown_is_no_number(readout):
    assert np.isnan(said(full(va=readout)).va).all()


def test_without_a_grid_no_cell_is_nearest():
    none = np.zeros((2, 0), np.float32)
    found = answers_of(Outputs(np.zeros((2, 8), np.float32), none, none), plain())
    assert found.nearest.tolist() == [-1, -1]
    assert np.isnan(found.va).all()


def test_every_kind_of_file_says_the_same(
    student, contract, checkpoint, onnx_student, program_export, drawn
):
    """Checkpoint, ONNX and program, on the same faces, in batches and not."""
    faces = (
        drawn.images[: BATCH + 3] if len(drawn) > BATCH + 3 else np.tile(drawn.images, (2, 1, 1))
    )
    opened = [open_recogniser(path) for path in (checkpoint, onnx_student)]
    assert [found.kind for found in opened] == ["checkpoint", "onnx"]
    assert opened[0].contract == opened[1].contract == contract
    path = program_export[0]
    program = torch.export.load(path).module()
    third = Recogniser(contract, path, "program", lambda x: ask(program, x))
    with torch.no_grad():
        expected = student(to_input(torch.tensor(faces), contract.preprocessing))
    for recogniser in (*opened, third):
        found = recogniser.answers(faces)
        assert len(found) == len(faces) > BATCH
        np.testing.assert_allclose(found.logits, expected.logits, atol=1e-4)
        np.testing.assert_allclose(found.embedding, expected.embedding, atol=1e-4)
        np.testing.assert_allclose(found.cosines, opened[0].answers(faces).cosines, atol=1e-4)
        np.testing.assert_array_equal(found.label, expected.logits.argmax(dim=1))


@pytest.mark.parametrize("kind", ["checkpoint", "onnx"])
def test_no_face_is_an_empty_answer(kind, checkpoint, onnx_student):
    opened = open_recogniser(checkpoint if kind == "checkpoint" else onnx_student)
    found = opened.answers(np.zeros((0, 48, 48), np.uint8))
    assert found.logits.shape == found.probabilities.shape == (0, 8)
    assert found.cosines.shape == (0, 25)
    assert found.va.shape == found.anchored.shape == (0, 2)
    parts = (found.label, found.confidence, found.entropy, found.abstained, found.nearest)
    assert {len(part) for part in parts} == {0}


@pytest.mark.parametrize(
    "faces",
    [
        np.zeros((1, 44, 44), np.uint8),
        np.zeros((48, 48), np.uint8),
        np.zeros((1, 48, 48, 3), np.uint8),
        np.zeros((1, 48, 48), np.float32),
    ],
)
def test_pictures_of_another_kind_are_refused(onnx_student, faces):
    with pytest.raises(InputError, match=r"faces: are .* give grey uint8 \[N, 48, 48\]"):
        open_recogniser(onnx_student).answers(faces)


def test_a_calibration_changes_what_a_checkpoint_says(checkpoint, drawn, tmp_path):
    path = tmp_path / "temperature.json"
    write_json(path, fitted(checkpoint, temperature=4.0, abstain_below=0.99))
    plainly = open_recogniser(checkpoint).answers(drawn.images[:4])
    found = open_recogniser(checkpoint, path).answers(drawn.images[:4])
    assert (found.entropy > plainly.entropy).all()
    assert found.abstained.all()
    assert np.isfinite(found.va).all()
    np.testing.assert_array_equal(found.label, plainly.label)
    write_json(path, replace(fitted(checkpoint), checkpoint="0" * 64))
    with pytest.raises(InputError, match="other weights"):
        open_recogniser(checkpoint, path)


def test_an_onnx_file_carries_its_own(onnx_student, tmp_path):
    with pytest.raises(InputError, match="give it to `neurogaze export`"):
        open_recogniser(onnx_student, tmp_path / "temperature.json")


class Harmful:
    """Writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_nothing_in_a_file_is_run(tmp_path):
    sign = tmp_path / "sign"
    for name in ("a.ckpt", "b.ckpt"):
        path = tmp_path / name
        if name == "a.ckpt":
            torch.save({"state_dict": Harmful(sign)}, path)
        else:
            path.write_bytes(pickle.dumps(Harmful(sign)))
        with pytest.raises(InputError, match="no readable student checkpoint"):
            open_recogniser(path)
    assert not sign.exists()


@pytest.mark.parametrize(
    ("name", "words"),
    [("a.pt2", "can run code"), ("a.pth", "suffix '.pth'"), ("missing.onnx", "no such file")],
)
def test_other_files_are_refused(tmp_path, name, words):
    (tmp_path / "a.pt2").touch()
    (tmp_path / "a.pth").touch()
    with pytest.raises(InputError, match=words):
        open_recogniser(tmp_path / name)


def test_threads_are_those_of_the_session(onnx_student, drawn):
    one, all_ = open_recogniser(onnx_student, threads=1), open_recogniser(onnx_student)
    found = one.answers(drawn.images[:3]).logits
    np.testing.assert_allclose(found, all_.answers(drawn.images[:3]).logits, atol=1e-5)
