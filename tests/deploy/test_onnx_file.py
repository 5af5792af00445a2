"""A sealed file: whatever was changed in it is found, and the reason said."""

import json

import onnx
import pytest
import torch
from onnx import numpy_helper

from neurogaze.affect import EMOTIONS
from neurogaze.deploy.onnx_file import (
    CONTRACT,
    PROTOTYPES,
    SEAL,
    read_onnx,
    seal,
    sealed,
    start_session,
)
from neurogaze.errors import InputError


@pytest.fixture
def model(onnx_student):
    return onnx.load(str(onnx_student))


def metadata(model):
    return {entry.key: entry for entry in model.metadata_props}


def edit(model, **changes):
    """Other words in the contract, the seal as it was."""
    entry = metadata(model)[CONTRACT]
    entry.value = json.dumps(json.loads(entry.value) | changes, sort_keys=True)


def reseal(model):
    """What somebody would do who knows how the hash is made."""
    known = metadata(model)
    known[SEAL].value = seal(model, known[CONTRACT].value)


def tensor(model, name):
    return next(entry for entry in model.graph.initializer if entry.name == name)


def refused(model, tmp_path, *words):
    path = tmp_path / "changed.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(InputError, match=r"changed\.onnx: ") as error:
        read_onnx(path)
    for word in words:
        assert word in str(error.value)


def test_a_file_is_what_it_says(onnx_student, contract):
    found = read_onnx(onnx_student)
    assert found.contract == contract
    assert found.content == onnx_student.read_bytes()


def test_sealing_again_gives_the_same_bytes(model, contract, onnx_student):
    again = sealed(model, contract)
    assert again.SerializeToString(deterministic=True) == onnx_student.read_bytes()


@pytest.mark.parametrize(
    "changes", [{"temperature": 2.0}, {"generated": False}, {"grid_sha256": "0" * 64}]
)
def test_tampered_metadata(model, tmp_path, changes):
    edit(model, **changes)
    refused(model, tmp_path, "changed after its export")


def test_tampered_weights(model, tmp_path):
    bias = tensor(model, "student.classify.bias")
    values = numpy_helper.to_array(bias).copy()
    values[1] += 1
    bias.CopyFrom(numpy_helper.from_array(values, bias.name))
    refused(model, tmp_path, "changed after its export")


def test_prototypes_of_a_type_that_is_none(model, tmp_path):
    tensor(model, PROTOTYPES).data_type = 99
    reseal(model)
    refused(model, tmp_path, "holds prototypes that cannot be read")


def test_a_tampered_node(model, tmp_path):
    next(node for node in model.graph.node if node.op_type == "Relu").op_type = "Sigmoid"
    refused(model, tmp_path, "changed after its export")


def test_another_label_order(model, tmp_path):
    edit(model, labels=[EMOTIONS[1], EMOTIONS[0], *EMOTIONS[2:]])
    reseal(model)
    refused(model, tmp_path, "label order", "['happiness', 'neutral'")


@pytest.mark.parametrize("where", ["contract", "graph"])
def test_another_grid(model, tmp_path, where):
    """Prototypes that are not those of the contract, though the seal fits."""
    if where == "contract":
        edit(model, prototypes_sha256="0" * 64)
    else:
        rows = tensor(model, "prototypes")
        values = numpy_helper.to_array(rows)[::-1].copy()
        rows.CopyFrom(numpy_helper.from_array(values, "prototypes"))
    reseal(model)
    refused(model, tmp_path, "holds the prototypes")


def test_a_grid_that_the_graph_lacks(model, tmp_path):
    edit(model, prototypes_sha256="", grid_sha256="", centers=[])
    reseal(model)
    refused(model, tmp_path, "holds the prototypes", "not no grid")


def test_pictures_of_another_size(model, tmp_path):
    edit(model, preprocessing={"size": 48, "channels": 1, "mean": 0.5, "std": 0.25})
    reseal(model)
    refused(model, tmp_path, "takes [('images', (1, 44, 44))]", "(1, 48, 48)")


def test_other_outputs(model, tmp_path):
    del model.graph.output[1]
    reseal(model)
    refused(model, tmp_path, "returns ['logits', 'cosines']")


@pytest.mark.parametrize("key", [CONTRACT, SEAL])
def test_no_contract(model, tmp_path, key):
    model.metadata_props.remove(metadata(model)[key])
    refused(model, tmp_path, "carries no contract")


def test_tensors_in_other_files(model, tmp_path):
    weights = tensor(model, "student.classify.bias")
    weights.data_location = onnx.TensorProto.EXTERNAL
    weights.external_data.add(key="location", value="/etc/passwd")
    reseal(model)
    refused(model, tmp_path, "other files")


@pytest.mark.parametrize("content", [b"", b"name,label\n", b"\xff" * 1000])
def test_what_is_no_model(tmp_path, content):
    path = tmp_path / "a.onnx"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.onnx: (is no ONNX model|carries no contract)"):
        read_onnx(path)


def test_a_truncated_file(onnx_student, tmp_path):
    path = tmp_path / "a.onnx"
    path.write_bytes(onnx_student.read_bytes()[:-1000])
    with pytest.raises(InputError, match=r"a\.onnx: is no ONNX model"):
        read_onnx(path)


def test_a_graph_that_cannot_run(model, contract, tmp_path):
    next(node for node in model.graph.node if node.op_type == "Relu").op_type = "NoSuchThing"
    path = tmp_path / "a.onnx"
    path.write_bytes(sealed(model, contract).SerializeToString())
    with pytest.raises(InputError, match=r"a\.onnx: cannot be run by onnxruntime"):
        start_session(read_onnx(path).content, path)


def test_prototypes_are_the_grid_of_the_student(model, student):
    held = torch.tensor(numpy_helper.to_array(tensor(model, "prototypes")))
    assert torch.equal(held, student.prototypes)


def test_prototypes_that_cannot_be_read(model, tmp_path):
    tensor(model, "prototypes").raw_data = b"abc"
    reseal(model)
    refused(model, tmp_path, "prototypes that cannot be read")


def test_a_path_in_a_branch_is_refused_though_the_seal_fits(model, tmp_path):
    """Where onnxruntime would follow it."""
    held = tensor(model, "student.classify.bias")
    weights = onnx.TensorProto(name="x", data_type=held.data_type, dims=held.dims)
    weights.data_location = onnx.TensorProto.EXTERNAL
    weights.external_data.add(key="location", value="/etc/passwd")
    out = onnx.helper.make_tensor_value_info("y", held.data_type, held.dims)
    same = onnx.helper.make_node("Identity", ["x"], ["y"])
    inner = onnx.helper.make_graph([same], "inner", [], [out], [weights])
    branch = onnx.helper.make_node("If", ["c"], ["z"], then_branch=inner, else_branch=inner)
    model.graph.node.append(branch)
    reseal(model)
    refused(model, tmp_path, "keeps tensors in other files ('x')")
