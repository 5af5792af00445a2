"""Borders as steps of their own: PyTorch's numbers, where rows are narrow, in float files only."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx.helper import make_graph, make_model, make_node, make_tensor_value_info
from onnx.numpy_helper import from_array
from torch.nn.functional import conv2d, pad, relu

from neurogaze.deploy.network import DeployedNetwork
from neurogaze.deploy.onnx_borders import WIDEST, with_borders
from neurogaze.deploy.onnx_export import OPSET, onnx_graph
from neurogaze.faces.preprocessing import FacePreprocessing
from neurogaze.models.student import Student

CHANNELS = 32
SIDES = {"top": 2, "left": 0, "bottom": 1, "right": 3}
"""Zeros at each side, all different."""


def convolution(kernel, pads, stride=1, group=1, width=None):
    """A model of one convolution with weights drawn, and these weights."""
    draw = torch.Generator().manual_seed(sum(kernel) + stride)
    weights = torch.randn(CHANNELS, CHANNELS // group, *kernel, generator=draw) / CHANNELS
    shape = ["batch", CHANNELS, "height", width or "width"]
    node = make_node(
        "Conv", ["x", "w"], ["c"], kernel_shape=kernel, pads=pads, strides=[stride] * 2, group=group
    )
    graph = make_graph(
        [node, make_node("Relu", ["c"], ["y"])],
        "one",
        [make_tensor_value_info("x", onnx.TensorProto.FLOAT, shape)],
        [make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["b", CHANNELS, "h", "v"])],
        [from_array(weights.numpy(), "w")],
    )
    return make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", OPSET)], ir_version=10
    ), weights


def asked(model, images):
    content = model.SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return session.run(None, {"x": images.numpy()})[0]


def padded_convolutions(model):
    return [
        node
        for node in model.graph.node
        if node.op_type == "Conv" and any(any(a.ints) for a in node.attribute if a.name == "pads")
    ]


def borders(model):
    return [node for node in model.graph.node if node.output[0].endswith("_bordered")]


@pytest.mark.parametrize("width", range(1, 9))
@pytest.mark.parametrize("stride", [1, 2])
def test_rows_of_any_width_give_the_numbers_of_pytorch(width, stride):
    model, weights = convolution([3, 3], [1, 1, 1, 1], stride, width=width)
    images = torch.randn(2, CHANNELS, 5, width, generator=torch.Generator().manual_seed(width))
    bordered = with_borders(model)
    onnx.checker.check_model(bordered, full_check=True)
    assert len(borders(bordered)) == ((width + stride - 1) // stride <= WIDEST)
    found = asked(bordered, images)
    np.testing.assert_array_equal(found, asked(model, images))
    expected = relu(conv2d(images, weights, stride=stride, padding=1))
    torch.testing.assert_close(torch.tensor(found), expected, rtol=0, atol=1e-5)


def test_each_side_gets_its_own_zeros():
    model, weights = convolution([3, 5], list(SIDES.values()), width=6)
    images = torch.randn(2, CHANNELS, 4, 6, generator=torch.Generator().manual_seed(0))
    found = asked(with_borders(model), images)
    around = pad(images, [SIDES[side] for side in ("left", "right", "top", "bottom")])
    expected = relu(conv2d(around, weights))
    torch.testing.assert_close(torch.tensor(found), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("case", ["no padding", "each channel alone", "open width"])
def test_what_gains_nothing_or_is_not_known_stays(case):
    kernel, pads = ([1, 1], [0] * 4) if case == "no padding" else ([3, 3], [1] * 4)
    group = CHANNELS if case == "each channel alone" else 1
    model, _ = convolution(kernel, pads, group=group, width=None if case == "open width" else 4)
    assert with_borders(model) == model


@pytest.mark.parametrize(("stem", "side", "n"), [("small_pool", 44, 8), ("imagenet", 48, 12)])
def test_the_narrow_maps_of_a_student(stem, side, n):
    """Of the four stages of ResNet-18, with four wide kernels each, the last two or three."""
    torch.manual_seed(0)
    student = Student("resnet18", stem=stem).eval()
    model = onnx_graph(DeployedNetwork(student, torch.zeros(0, 1)), FacePreprocessing(side, 1))
    before = model.SerializeToString(deterministic=True)
    bordered = with_borders(model)
    assert model.SerializeToString(deterministic=True) == before
    assert len(borders(bordered)) == n
    assert with_borders(bordered) == bordered
    assert len(padded_convolutions(bordered)) == len(padded_convolutions(model))
    names = [tensor.name for tensor in bordered.graph.initializer]
    assert len(names) == len(set(names))
