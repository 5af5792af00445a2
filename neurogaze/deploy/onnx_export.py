"""Export a student as one ONNX file that carries its contract, checked against the student.

The graph takes `images`, `float32 [batch, C, S, S]`, prepared as the contract says, and returns
`logits`, `embedding` and, where there is a grid, `cosines` with its prototypes.
"""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from neurogaze.deploy.contract import Contract
from neurogaze.deploy.network import OUTPUTS, DeployedNetwork, ask, exportable, network_of
from neurogaze.deploy.onnx_borders import with_borders
from neurogaze.deploy.onnx_file import INPUT, asking, read_onnx, sealed, start_session
from neurogaze.deploy.parity import N_IMAGES, Parity, Run, kept_if_alike
from neurogaze.faces.preprocessing import FacePreprocessing
from neurogaze.tasks.student import StudentTask

if TYPE_CHECKING:
    import onnx

OPSET = 20
EXAMPLES = 2
"""Pictures in the example: torch takes a batch of one for a constant."""

LARGEST_BATCH = 4096


def export_onnx(
    task: StudentTask,
    contract: Contract,
    path: Path,
    n: int = N_IMAGES,
    progress: bool = True,
) -> Parity:
    """Write a student as ONNX.

    Args:
        task: a loaded student.
        contract: of it.
        path: `.onnx` file to write.
        n: pictures on which file and student are compared.
        progress: show a bar.

    Returns:
        How far the file is from the student.

    Raises:
        InputError: when they disagree; nothing is left behind, and a file that was there stays.
    """
    network, prep = network_of(task), contract.preprocessing
    model = sealed(with_borders(onnx_graph(network, prep)), contract)
    content = model.SerializeToString(deterministic=True)

    def opened(aside: Path) -> Run:
        return asking(start_session(read_onnx(aside).content, path), path)

    return kept_if_alike(path, content, opened, partial(ask, network), prep, n, progress)


def onnx_graph(network: DeployedNetwork, prep: FacePreprocessing) -> onnx.ModelProto:
    """The graph of a network for any number of pictures, without traces of where it was made.

    Args:
        network: in evaluation mode.
        prep: size and channels of its images.
    """
    inner = exportable(network)
    images = torch.zeros(EXAMPLES, prep.channels, prep.size, prep.size)
    batch = torch.export.Dim("batch", min=1, max=LARGEST_BATCH)
    with _quiet(), _pools_as_means(inner):
        program = torch.onnx.export(
            inner,
            (images,),
            dynamo=True,
            opset_version=OPSET,
            input_names=[INPUT],
            output_names=list(OUTPUTS if inner is network else OUTPUTS[:2]),
            dynamic_shapes=({0: batch},),
            external_data=False,
            verbose=False,
        )
    assert program is not None  # no file was named, so the program is returned
    return without_traces(program.model_proto)


def without_traces(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy without notes on nodes and values: they quote source files of this machine."""
    import onnx

    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    del copy.metadata_props[:]
    graph = copy.graph
    for part in (graph, *graph.node, *graph.value_info, *graph.input, *graph.output):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    for tensor in graph.initializer:
        tensor.ClearField("metadata_props")
        tensor.ClearField("doc_string")
    return copy


class _Mean(nn.Module):
    """The mean of each map, as a pool to one pixel gives it."""

    def forward(self, maps: Tensor) -> Tensor:
        """`[B, C, 1, 1]` of `[B, C, H, W]`."""
        return maps.mean((2, 3), keepdim=True)


@contextlib.contextmanager
def _pools_as_means(network: nn.Module) -> Iterator[None]:
    """Swap pools to one pixel while a network is exported.

    The exporter writes such a pool as a gather over strides, a dozen steps that cost time and that
    other runtimes hardly know; a mean it writes as a mean.
    """
    found = [
        (parent, name, child)
        for parent in network.modules()
        for name, child in parent.named_children()
        if isinstance(child, nn.AdaptiveAvgPool2d) and child.output_size in (1, (1, 1))
    ]
    for parent, name, _ in found:
        setattr(parent, name, _Mean())
    try:
        yield
    finally:
        for parent, name, pool in found:
            setattr(parent, name, pool)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's remarks on its own inside from the user."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
