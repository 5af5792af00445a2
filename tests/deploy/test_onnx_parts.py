"""Paths and foreign operators are found wherever in a model they hide."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from neurogaze.deploy.onnx_parts import check_parts, messages
from neurogaze.errors import InputError

ROW = [1, 8]


def elsewhere() -> TensorProto:
    """A tensor whose values stand in another file."""
    tensor = TensorProto(name="k", data_type=TensorProto.FLOAT, dims=ROW)
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="secret.bin")
    return tensor


def graph(nodes, initializer=(), sparse=()):
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, ROW)
    return helper.make_graph(nodes, "g", [], [out], initializer, sparse_initializer=sparse)


def same(source="k"):
    return helper.make_node("Identity", [source], ["y"])


def branches(inner):
    """The inner graph as both branches of an `If`."""
    yes = numpy_helper.from_array(np.array(True), "yes")
    both = helper.make_node("If", ["yes"], ["y"], then_branch=inner, else_branch=inner)
    return graph([both], [yes])


def sparse(values):
    places = numpy_helper.from_array(np.arange(8), "places")
    return helper.make_sparse_tensor(values, places, ROW)


PLACES = {
    "initializer": lambda: graph([same()], [elsewhere()]),
    "sparse initializer": lambda: graph([same()], sparse=[sparse(elsewhere())]),
    "attribute": lambda: graph([helper.make_node("Constant", [], ["y"], value=elsewhere())]),
    "branch": lambda: branches(graph([same()], [elsewhere()])),
    "attribute in two branches": lambda: branches(
        branches(graph([helper.make_node("Constant", [], ["y"], value=elsewhere())]))
    ),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_tensor_in_another_file_is_found_anywhere(place, tmp_path):
    with pytest.raises(InputError, match=r"a\.onnx: keeps tensors in other files \('k'\)"):
        check_parts(tmp_path / "a.onnx", helper.make_model(PLACES[place]()))


def test_a_path_without_its_mark_is_found_too(tmp_path):
    tensor = elsewhere()
    tensor.ClearField("data_location")
    with pytest.raises(InputError, match="other files"):
        check_parts(tmp_path / "a.onnx", helper.make_model(graph([same()], [tensor])))


def test_foreign_operators_and_functions_are_refused(tmp_path):
    foreign = helper.make_node("Gelu", ["k"], ["y"], domain="com.microsoft")
    held = numpy_helper.from_array(np.zeros(ROW, np.float32), "k")
    with pytest.raises(InputError, match=r"operator 'Gelu' of 'com\.microsoft'"):
        check_parts(tmp_path / "a.onnx", helper.make_model(branches(graph([foreign], [held]))))
    opsets = [helper.make_opsetid("", 20)]
    own = helper.make_function("mine", "f", ["k"], ["y"], [same()], opsets)
    model = helper.make_model(graph([same()], [held]), functions=[own])
    with pytest.raises(InputError, match="defines the function 'f'"):
        check_parts(tmp_path / "a.onnx", model)


def test_a_plain_model_passes(onnx_student):
    model = onnx.load(str(onnx_student))
    check_parts(onnx_student, model)
    kinds = [type(part).__name__ for part in messages(model)]
    assert kinds.count("NodeProto") == len(model.graph.node) > 10
    assert kinds.count("TensorProto") >= len(model.graph.initializer) > 10
