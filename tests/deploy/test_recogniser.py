"""What is said of faces: hand numbers, alike from every kind of file, refused where unsure."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from scipy.stats import entropy

from neurogaze.affect import CLASS_ANCHORS, EMOTIONS, grid_centers
from neurogaze.artefacts import write_json
from neurogaze.deploy.contract import VAReadout
from neurogaze.deploy.network import Outputs, ask
from neurogaze.deploy.onnx_file import sealed
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
    third = Recogniser(contract, path, "checkpoint", lambda x: ask(program, x))
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


def constant(name, value):
    return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(value, name))


def rows(row):
    """Nodes that give a row of values once a picture, as logits and as embedding."""
    return [
        constant("row", np.asarray(row, np.float32)[None]),
        constant("width", np.array([len(row)])),
        helper.make_node("Shape", ["images"], ["n"], start=0, end=1),
        helper.make_node("Concat", ["n", "width"], ["shape"], axis=0),
        helper.make_node("Expand", ["row", "shape"], ["logits"]),
        helper.make_node("Identity", ["logits"], ["embedding"]),
    ]


def one_row():
    """The same for any number of pictures."""
    both = (constant(name, np.zeros((1, 8), np.float32)) for name in ("logits", "embedding"))
    return list(both)


def plus(shape, *before):
    """Zeros of a shape are summed into the answers, after what makes the shape impossible."""
    last = [*rows(np.zeros(8))]
    last[4] = helper.make_node("Expand", ["row", "shape"], ["plain"])
    total = helper.make_node("ReduceSum", ["filled"], ["total"], keepdims=0)
    added = helper.make_node("Add", ["plain", "total"], ["logits"])
    return [constant("asked", np.array(shape)), *before, total, *last[:5], added, last[5]]


BROKEN = {
    "no numbers": (lambda: rows([np.nan] * 8), "are no numbers"),
    "one infinity": (lambda: rows([0] * 7 + [np.inf]), "are no numbers"),
    "seven logits": (lambda: rows([0] * 7), r"gives logits of float32 \[1, 7\], not .*\[1, 8\]"),
    "nine logits": (lambda: rows([0] * 9), r"gives logits of float32 \[1, 9\]"),
    "one row": (one_row, r"gives logits of float32 \[1, 8\], not float32 \[2, 8\]"),
    "a shape that cannot be": (
        lambda: plus([3, -1, 11], helper.make_node("Reshape", ["images", "asked"], ["filled"])),
        "cannot be run by onnxruntime",
    ),
    "forty terabytes": (
        lambda: plus([10**13], helper.make_node("ConstantOfShape", ["asked"], ["filled"])),
        "cannot be run by onnxruntime",
    ),
}


def built(path, nodes):
    """A file whose seal and contract are right."""
    wanted = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", 1, 44, 44])
    given = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
        for name in ("logits", "embedding")
    ]
    graph = helper.make_graph(nodes, "g", [wanted], given)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    path.write_bytes(sealed(model, plain()).SerializeToString())
    return path


@pytest.mark.parametrize("kind", BROKEN)
def test_a_file_that_cannot_answer_is_refused_when_it_is_opened(kind, tmp_path, capfd):
    """In one line: onnxruntime writes none of its own."""
    nodes, words = BROKEN[kind]
    with pytest.raises(InputError, match=rf"a\.onnx: .*{words}"):
        open_recogniser(built(tmp_path / "a.onnx", nodes()))
    assert capfd.readouterr() == ("", "")


def test_a_file_that_answers_is_opened(tmp_path):
    found = open_recogniser(built(tmp_path / "a.onnx", rows(np.arange(8)))).answers(
        np.zeros((3, 48, 48), np.uint8)
    )
    assert found.label.tolist() == [7, 7, 7]


def spoilt(checkpoint, path, change):
    """A checkpoint after a change of its content."""
    content = torch.load(checkpoint, map_location="cpu", weights_only=True)
    change(content)
    torch.save(content, path)
    return path


def test_a_diverged_checkpoint_is_refused(checkpoint, tmp_path):
    def change(content):
        for name, value in content["state_dict"].items():
            if value.is_floating_point() and name not in ("prototypes", "centers"):
                value.fill_(float("nan"))

    with pytest.raises(InputError, match=r"nan\.ckpt: gives answers that are no numbers"):
        open_recogniser(spoilt(checkpoint, tmp_path / "nan.ckpt", change))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c["neurogaze"]["provenance"].update(grid_sha256="f" * 64), "not fit its seal"),
        (lambda c: c["state_dict"]["prototypes"].neg_(), "holds the prototypes"),
    ],
)
def test_a_checkpoint_with_another_grid_is_refused(checkpoint, tmp_path, change, words):
    with pytest.raises(InputError, match=rf"grid\.ckpt: .*{words}"):
        open_recogniser(spoilt(checkpoint, tmp_path / "grid.ckpt", change))


def test_prototypes_of_another_width_are_refused(checkpoint, tmp_path):
    """In a checkpoint of an earlier version, which has no hash of them."""

    def change(content):
        for name in ("prototypes_sha256", "grid_seal"):
            del content["neurogaze"]["provenance"][name]
        state = content["state_dict"]
        state["prototypes"] = state["prototypes"][:, :-1].clone()

    with pytest.raises(InputError, match=r"grid\.ckpt: cannot be run by torch"):
        open_recogniser(spoilt(checkpoint, tmp_path / "grid.ckpt", change))


def test_answers_that_change_later_are_refused(tmp_path):
    """What held for a blank face need not hold for others, or for the next batch."""

    def run(images):
        width = 3 if len(images) == BATCH else 4
        logits = np.zeros((len(images), 8), np.float32)
        logits[images.max(axis=(1, 2, 3)) > 1] = np.nan
        return Outputs(logits, np.zeros((len(images), width), np.float32), logits[:, :0])

    asked = Recogniser(plain(), tmp_path / "a.onnx", "onnx", run)
    faces = np.zeros((BATCH + 1, 48, 48), np.uint8)
    assert len(asked.answers(faces[:3])) == 3
    with pytest.raises(InputError, match=r"a\.onnx: gives embeddings of several widths"):
        asked.answers(faces)
    faces[1] = 255
    with pytest.raises(InputError, match=r"a\.onnx: .* no numbers"):
        asked.answers(faces[:2])


def test_a_temperature_that_overflows_is_refused(tmp_path):
    """1e30 over 1e-300 is no number, though each of them is."""

    def run(images):
        logits = np.full((len(images), 8), 1e30, np.float32)
        return Outputs(logits, logits, logits[:, :0])

    cold = replace(plain(), temperature=1e-300)
    with pytest.raises(InputError, match="no numbers"), np.errstate(all="ignore"):
        Recogniser(cold, tmp_path / "a.onnx", "onnx", run).answers(np.zeros((1, 48, 48), np.uint8))
