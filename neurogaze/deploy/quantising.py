"""A student in 8-bit integers: a quarter of the size, and faster where the processor helps.

Static quantisation in the QDQ form, with ranges measured on training pictures. Of the methods that
onnxruntime offers, the smallest and largest value (MinMax) is taken: on the FER+ validation split a
ResNet-18 loses no more by it than by percentile or entropy, and its memory does not grow with the
pictures. Weights have a scale a channel and use 7 of the 8 bits, without which processors that lack
integer dot products overflow. What people see, logits, embedding and cosines, stays float32.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from neurogaze.artefacts import written_aside
from neurogaze.deploy.contract import Contract
from neurogaze.deploy.network import OUTPUTS, ask, check_finite, network_of, prepared
from neurogaze.deploy.onnx_export import onnx_graph, without_traces
from neurogaze.deploy.onnx_file import INPUT, asking, read_onnx, sealed, start_session
from neurogaze.deploy.parity import N_IMAGES, Parity, checked, compare, outputs_on
from neurogaze.errors import InputError
from neurogaze.faces.images import FaceTable
from neurogaze.faces.preprocessing import FacePreprocessing
from neurogaze.tasks.student import StudentTask

if TYPE_CHECKING:
    import onnx

N_CALIBRATE = 512
"""Training pictures whose ranges are measured."""

N_HELD = 1000
"""Other pictures on which both precisions are asked, at most."""

AGREEMENT = 0.95
"""Share of them that must get the same label; a ResNet-18 of FER+ reaches .99."""

BATCH = 32


@dataclass(frozen=True, eq=False)
class Pictures:
    """Pictures to quantise with.

    Args:
        calibrate: grey `uint8 [N, 48, 48]` whose ranges are measured.
        held: others, on which both precisions are asked, `uint8 [M, 48, 48]`.
        record: where they are from, JSON values.
    """

    calibrate: NDArray[np.uint8]
    held: NDArray[np.uint8]
    record: dict[str, Any]


@dataclass(frozen=True)
class Int8Check:
    """How far an int8 file is from its student.

    Args:
        parity: of the float32 graph that it was made from, with the student.
        held: pictures on which both precisions were asked.
        same: share of them with the same label.
    """

    parity: Parity
    held: int
    same: float

    def __str__(self) -> str:
        """What an export prints."""
        return f"{self.parity}; int8: same label on {self.same:.2%} of {self.held:,} held pictures"


def dealt(train: FaceTable, dev: FaceTable | None, seed: int) -> Pictures:
    """Draw pictures to quantise with, never from a validation split.

    Args:
        train: training pictures.
        dev: the slice that training held out, which serves as the held pictures; None leaves them
            to the rest of training, of which calibration takes half at most.
        seed: of the draw.

    Raises:
        InputError: for fewer than two pictures.
    """
    if len(train) < 2:
        raise InputError("--calibrate_with", f"has {len(train)} training pictures", "give more")
    order = np.random.default_rng(seed).permutation(len(train))
    most = len(train) if dev is not None and len(dev) else len(train) // 2
    n = min(N_CALIBRATE, most)
    rest = train.images[np.sort(order[n : n + N_HELD])]
    record = {
        "method": "MinMax",
        "n": n,
        "seed": seed,
        "dataset": train.dataset,
        "split": train.split,
        "sha256": train.sha256,
    }
    held = dev.images[:N_HELD] if dev is not None and len(dev) else rest
    return Pictures(train.images[np.sort(order[:n])], held, record)


def export_int8(
    task: StudentTask,
    contract: Contract,
    path: Path,
    pictures: Pictures,
    n: int = N_IMAGES,
    progress: bool = True,
) -> Int8Check:
    """Write a student as ONNX in 8-bit integers.

    Args:
        task: a loaded student.
        contract: of it; the file's says "int8", and in its provenance how it was quantised.
        path: `.onnx` file to write.
        pictures: to measure ranges on, and to check with.
        n: pictures on which the float32 graph and the student are compared first.
        progress: show a bar.

    Raises:
        InputError: where the float32 graph disagrees with the student, or the int8 one gives other
            labels to more than 1 - `AGREEMENT` of the held pictures, or no numbers; nothing is left
            behind.
    """
    network, prep = network_of(task), contract.preprocessing
    model = onnx_graph(network, prep)
    exact = asking(start_session(model.SerializeToString(), path), path)
    parity = checked(path, partial(ask, network), exact, prep, n, progress)
    small = quantised(model, pictures.calibrate, prep, progress)
    coarse = asking(start_session(small.SerializeToString(), path), path)
    expected = outputs_on(exact, pictures.held, prep, "asking in float32", progress)
    found = outputs_on(coarse, pictures.held, prep, "asking in int8", progress)
    check_finite(found, path)
    check = Int8Check(parity, len(pictures.held), compare(expected, found).same)
    if check.same < AGREEMENT:
        remedy = f"calibrate with more pictures, or keep float32 ({AGREEMENT:.0%} are asked for)"
        raise InputError(path, f"in int8 it changes too many labels ({check})", remedy)
    record = pictures.record | {"held": check.held, "same_label": check.same}
    said = {**contract.provenance, "quantised": record}
    contract = replace(contract, precision="int8", provenance=said)
    with written_aside(path) as aside:
        aside.write_bytes(sealed(small, contract).SerializeToString(deterministic=True))
        read_onnx(aside)
    return check


def quantised(
    model: onnx.ModelProto,
    faces: NDArray[np.uint8],
    prep: FacePreprocessing,
    progress: bool = True,
) -> onnx.ModelProto:
    """A graph in 8-bit integers, but for what follows the embedding.

    Args:
        model: float32 graph.
        faces: whose ranges are measured, grey `uint8 [N, 48, 48]`.
        prep: how the graph wants its images.
        progress: show a bar.
    """
    import onnx
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with TemporaryDirectory() as folder:
        given, ready, out = (Path(folder) / f"{name}.onnx" for name in ("given", "ready", "int8"))
        given.write_bytes(model.SerializeToString())  # a model in memory would be changed
        quant_pre_process(str(given), str(ready), skip_symbolic_shape=True)  # torch gave the shapes
        quantize_static(
            str(ready),
            str(out),
            _Batches(faces, prep, progress),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=True,
            calibrate_method=CalibrationMethod.MinMax,
            nodes_to_exclude=head_nodes(onnx.load(str(ready))),
        )
        return without_traces(onnx.load(str(out)))


def head_nodes(model: onnx.ModelProto) -> list[str]:
    """Names of the nodes that make the outputs of a graph or follow one of them.

    They are a ten-thousandth of the work. In 8 bits a logit is cut off at the largest one of the
    calibration, and confidence comes in steps.
    """
    reached, names = set(OUTPUTS), []
    for node in model.graph.node:  # in the order in which they run
        if reached & {*node.input, *node.output}:
            reached |= set(node.output)
            names.append(node.name)
    return names


class _Batches:
    """Prepared pictures one batch at a time, in the form that onnxruntime asks for.

    Args:
        faces: grey `uint8 [N, 48, 48]`.
        prep: how the graph wants them.
        progress: show a bar.
    """

    def __init__(self, faces: NDArray[np.uint8], prep: FacePreprocessing, progress: bool) -> None:
        self._batches = self._prepared(faces, prep, progress)

    @staticmethod
    def _prepared(
        faces: NDArray[np.uint8], prep: FacePreprocessing, progress: bool
    ) -> Iterator[dict[str, NDArray[np.float32]]]:
        starts = range(0, len(faces), BATCH)
        for i in track(starts, "measuring ranges", disable=not progress, transient=True):
            yield {INPUT: prepared(faces[i : i + BATCH], prep)}

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """The next batch, or None after the last."""
        return next(self._batches, None)
