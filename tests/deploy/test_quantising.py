"""Integers in place of floats: smaller, checked, and never calibrated on validation pictures."""

from dataclasses import replace

import numpy as np
import onnx
import pytest

from neurogaze.deploy import quantising
from neurogaze.deploy.network import network_of
from neurogaze.deploy.onnx_export import onnx_graph
from neurogaze.deploy.quantising import dealt, export_int8, head_nodes
from neurogaze.deploy.recogniser import open_recogniser
from neurogaze.errors import InputError


@pytest.fixture(scope="module")
def graph(student, contract):
    """In float32, made once for the whole module."""
    return onnx_graph(network_of(student), contract.preprocessing)


@pytest.fixture(scope="module")
def exported(student, contract, graph, drawn, tmp_path_factory):
    path = tmp_path_factory.mktemp("int8") / "student.int8.onnx"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quantising, "onnx_graph", lambda *_: graph)
        patch.setattr(quantising, "AGREEMENT", 0.5)  # two epochs leave it undecided on many
        check = export_int8(student, contract, path, dealt(drawn, None, 0), n=6, progress=False)
    return path, check


def test_the_file_is_small_and_says_what_it_is(exported, contract, onnx_student, drawn):
    path, check = exported
    assert path.stat().st_size < 0.35 * onnx_student.stat().st_size
    found = open_recogniser(path).contract
    record = found.provenance["quantised"]
    assert found.precision == "int8"
    assert record["n"] == 32  # half of 64, the rest is held
    assert (record["split"], record["sha256"]) == ("train", drawn.sha256)
    assert (record["held"], record["same_label"]) == (32, check.same)
    told = {k: v for k, v in found.provenance.items() if k != "quantised"}
    assert replace(found, precision="float32", provenance=told) == contract


def test_it_says_nearly_what_the_student_says(exported, onnx_student, drawn):
    path, check = exported
    exact, coarse = (open_recogniser(p).answers(drawn.images) for p in (onnx_student, path))
    assert np.abs(exact.probabilities - coarse.probabilities).max() < 0.1
    assert np.abs(exact.logits - coarse.logits).max() > 1e-4  # it is another network
    held = np.sort(np.random.default_rng(0).permutation(64)[32:])
    assert check.same == (exact.label == coarse.label)[held].mean()


def test_it_computes_in_integers_until_the_embedding(exported):
    model = onnx.load(str(exported[0]))
    made = {name: node for node in model.graph.node for name in node.output}
    for conv in (node for node in model.graph.node if node.op_type == "Conv"):
        assert made[conv.input[0]].op_type == made[conv.input[1]].op_type == "DequantizeLinear"
    assert made["logits"].op_type == made["embedding"].op_type == "Gemm"
    head = set(head_nodes(model))
    assert {made["logits"].name, made["embedding"].name, made["cosines"].name} <= head
    assert not any(node.op_type == "Conv" for node in model.graph.node if node.name in head)


def test_borders_are_for_floats_alone(exported, onnx_student):
    """In integers a border would be a step more, with a range of its own."""
    names = [
        [node.output[0] for node in onnx.load(str(p)).graph.node]
        for p in (onnx_student, exported[0])
    ]
    with_borders, without = ([n for n in of if n.endswith("_bordered")] for of in names)
    assert with_borders
    assert not without


def test_too_many_other_labels_leave_nothing(
    student, contract, graph, drawn, tmp_path, monkeypatch
):
    def rounded(model, *_):
        """A graph that has learned something else."""
        other = onnx.ModelProto()
        other.CopyFrom(model)
        bias = next(t for t in other.graph.initializer if t.name == "student.classify.bias")
        values = np.array([0, 0, 0, 0, 0, 0, 0, 100], np.float32)
        bias.CopyFrom(onnx.numpy_helper.from_array(values, bias.name))
        return other

    monkeypatch.setattr(quantising, "onnx_graph", lambda *_: graph)
    monkeypatch.setattr(quantising, "quantised", rounded)
    path = tmp_path / "a.onnx"
    with pytest.raises(InputError, match=r"a\.onnx: in int8 it changes too many labels"):
        export_int8(student, contract, path, dealt(drawn, None, 0), n=6, progress=False)
    assert not [*tmp_path.iterdir()]


def test_pictures_are_drawn_from_training_and_never_used_twice(drawn):
    alone = dealt(drawn, None, seed=1)
    seen = {image.tobytes() for image in drawn.images}
    one, two = ({image.tobytes() for image in part} for part in (alone.calibrate, alone.held))
    assert one | two == seen
    assert not one & two
    assert dealt(drawn, None, seed=2).calibrate.tobytes() != alone.calibrate.tobytes()
    train, dev = drawn.take(np.arange(64) < 40), drawn.take(np.arange(64) >= 40)
    beside = dealt(train, dev, seed=1)
    assert (len(beside.calibrate), beside.record["n"]) == (40, 40)
    np.testing.assert_array_equal(beside.held, dev.images)


def test_one_picture_is_too_few(drawn):
    with pytest.raises(InputError, match="1 training pictures"):
        dealt(drawn.take(np.arange(64) < 1), None, seed=0)
