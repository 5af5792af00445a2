"""Zero borders of narrow maps as a step of their own: the same numbers, sooner.

On the CPU onnxruntime convolves up to six pixels of a row at once, but those beside a padded end
apart from the rest, and the weights are fetched for each. Of a row of 22 pixels that is little, of
a row of three it is all. A map that has its border already is convolved by whole rows. Where
convolutions are matrix products instead, the step costs a little and gains nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import onnx

WIDEST = 6
"""Pixels a row of the maps that are bordered: as many as are convolved at once (AVX-512)."""

MAPS = 4
"""Axes of a batch of maps, `[B, C, H, W]`."""


def with_borders(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy whose narrow maps get their zeros before they are convolved, not while they are.

    The border is a padded convolution too, of single pixels, each channel alone, with weight 1:
    each number times 1, and zeros around. `Pad` would say it better, but onnxruntime undoes it: it
    takes a `Pad` back into the convolution that follows.

    Args:
        model: for images of a known size; how many there are may be open.

    Returns:
        A graph that gives the same numbers bit for bit.
    """
    import onnx
    from onnx.numpy_helper import from_array

    copy, nodes, sizes = onnx.ModelProto(), [], set()
    copy.CopyFrom(model)
    shapes = _shapes(model)
    for node in copy.graph.node:
        if _is_narrow(node, shapes):
            channels = shapes[node.input[0]][1]
            nodes.append(_border_before(node, channels))
            sizes.add(channels)
        nodes.append(node)
    copy.graph.ClearField("node")
    copy.graph.node.extend(nodes)
    ones = [from_array(np.ones((n, 1, 1, 1), np.float32), _ones(n)) for n in sorted(sizes)]
    copy.graph.initializer.extend(ones)
    return copy


def _shapes(model: onnx.ModelProto) -> dict[str, list[int]]:
    """Of all values and weights, by name; 0 where a size is open."""
    from onnx.shape_inference import infer_shapes

    graph = infer_shapes(model).graph
    values = (*graph.input, *graph.value_info, *graph.output)
    shapes = {v.name: [side.dim_value for side in v.type.tensor_type.shape.dim] for v in values}
    return shapes | {tensor.name: list(tensor.dims) for tensor in graph.initializer}


def _is_narrow(node: onnx.NodeProto, shapes: Mapping[str, list[int]]) -> bool:
    """Whether it is a padded convolution of all channels to rows of a known, small width."""
    if node.op_type != "Conv" or not any(_pads(node)):
        return False
    maps, weights, out = (shapes.get(name, []) for name in (*node.input[:2], node.output[0]))
    return len(out) == MAPS and 0 < out[-1] <= WIDEST and maps[1] == weights[1]


def _border_before(node: onnx.NodeProto, channels: int) -> onnx.NodeProto:
    """The step that takes over the padding of a convolution, which is changed to be without."""
    from onnx.helper import make_node

    maps, bordered, pads = node.input[0], f"{node.output[0]}_bordered", _pads(node)
    node.input[0] = bordered
    for attribute in node.attribute:
        if attribute.name == "pads":
            attribute.ints[:] = [0] * len(pads)
    given, one = [maps, _ones(channels)], [1, 1]
    return make_node(
        "Conv", given, [bordered], bordered, kernel_shape=one, pads=pads, group=channels
    )


def _pads(node: onnx.NodeProto) -> list[int]:
    """How many zeros at the ends of each axis; empty where it is left to a rule or not said."""
    return next((list(a.ints) for a in node.attribute if a.name == "pads"), [])


def _ones(channels: int) -> str:
    return f"ones_{channels}"
