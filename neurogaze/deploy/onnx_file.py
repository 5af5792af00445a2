"""An ONNX file with a contract: sealed when it is written, checked when it is read.

The seal is a hash over the contract and the graph. It finds what was damaged, edited or mixed up;
it is no signature, so take model files from people you trust.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neurogaze.deploy.contract import Contract, from_json, to_json
from neurogaze.deploy.network import OUTPUTS, Outputs, as_outputs
from neurogaze.deploy.onnx_parts import REMEDY, check_parts
from neurogaze.errors import InputError
from neurogaze.prototypes.seal import prototypes_hash

if TYPE_CHECKING:
    import onnx
    from onnxruntime import InferenceSession

CONTRACT, SEAL = "neurogaze", "neurogaze_sha256"
"""Keys of the metadata: the contract as JSON, and the hash over it and the graph."""

INPUT = "images"
"""Name of the input."""

PROTOTYPES = "prototypes"
"""Name of the tensor that holds them."""


@dataclass(frozen=True, eq=False)
class OnnxFile:
    """A checked file.

    Args:
        contract: what it says of itself.
        content: its bytes, the very ones that were checked.
    """

    contract: Contract
    content: bytes


def bare(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of a model without its metadata, which is what a seal covers beside the contract."""
    import onnx

    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    del copy.metadata_props[:]
    return copy


def seal(model: onnx.ModelProto, text: str) -> str:
    """Hash over a contract and the graph: deterministic bytes, without metadata."""
    digest = hashlib.sha256(text.encode())
    digest.update(b"\0")
    digest.update(bare(model).SerializeToString(deterministic=True))
    return digest.hexdigest()


def sealed(model: onnx.ModelProto, contract: Contract) -> onnx.ModelProto:
    """A copy of a model that carries a contract and its seal, and no other metadata."""
    text, copy = to_json(contract), bare(model)
    for key, value in ((CONTRACT, text), (SEAL, seal(model, text))):
        copy.metadata_props.add(key=key, value=value)
    return copy


def read_onnx(path: Path) -> OnnxFile:
    """Read a model, and refuse it unless graph, contract and prototypes belong together.

    Raises:
        InputError: for a file that cannot be read or is no ONNX, keeps tensors in other files, has
            operators beyond the standard or no contract, was changed after its export, or whose
            prototypes are not those of its contract.
    """
    import onnx
    from google.protobuf.message import DecodeError

    try:
        content = path.read_bytes()
        model = onnx.load_model_from_string(content)
    except (DecodeError, ValueError) as error:
        raise InputError(path, "is no ONNX model", REMEDY) from error
    except OSError as error:
        raise InputError(path, f"cannot be read ({type(error).__name__})", REMEDY) from error
    check_parts(path, model)
    known = {entry.key: entry.value for entry in model.metadata_props}
    if CONTRACT not in known or SEAL not in known:
        raise InputError(path, "carries no contract of a student", REMEDY)
    contract = from_json(known[CONTRACT], path)
    if known[SEAL] != seal(model, known[CONTRACT]):
        found = "was changed after its export: graph or contract do not fit their hash"
        raise InputError(path, found, REMEDY)
    _check_prototypes(path, model, contract)
    _check_shapes(path, model, contract)
    return OnnxFile(contract, content)


def _check_prototypes(path: Path, model: onnx.ModelProto, contract: Contract) -> None:
    from onnx import numpy_helper

    found = {tensor.name: tensor for tensor in model.graph.initializer}.get(PROTOTYPES)
    try:
        held = "" if found is None else prototypes_hash(numpy_helper.to_array(found))
    except (KeyError, TypeError, ValueError) as error:  # data of a type that is none
        raise InputError(path, "holds prototypes that cannot be read", REMEDY) from error
    if held != contract.prototypes_sha256:
        said = contract.prototypes_sha256 or "no grid"
        raise InputError(path, f"holds the prototypes {held or 'of none'}, not {said}", REMEDY)


def _check_shapes(path: Path, model: onnx.ModelProto, contract: Contract) -> None:
    """Refuse a graph that takes other pictures than its contract says, or returns other things."""
    prep = contract.preprocessing
    wanted = [(INPUT, (prep.channels, prep.size, prep.size))]
    held = [
        (entry.name, tuple(d.dim_value for d in entry.type.tensor_type.shape.dim)[1:])
        for entry in model.graph.input
    ]
    if held != wanted:
        raise InputError(path, f"takes {held} a picture, not {wanted}", REMEDY)
    names = [entry.name for entry in model.graph.output]
    expected = list(OUTPUTS if contract.centers else OUTPUTS[:2])
    if names != expected:
        raise InputError(path, f"returns {names}, not {expected}", REMEDY)


def asking(session: InferenceSession, path: Path) -> Callable[[NDArray[np.float32]], Outputs]:
    """A session as a function of prepared images, `float32 [N, C, S, S]`.

    Args:
        session: that was started.
        path: its file, which the function names in an `InputError` when the graph cannot be run.
    """

    def run(images: NDArray[np.float32]) -> Outputs:
        try:
            return as_outputs(session.run(None, {INPUT: images}))
        except Exception as error:  # onnxruntime has no common class of its errors
            raise _cannot_run(path, error) from error

    return run


def start_session(content: bytes, path: Path, threads: int = 0) -> InferenceSession:
    """Start onnxruntime on the CPU with the bytes of a file.

    Args:
        content: of the file.
        path: its name, for errors.
        threads: 0 lets onnxruntime choose.

    Raises:
        InputError: for a graph that onnxruntime cannot run.
    """
    import onnxruntime

    options: Any = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4  # errors are raised, and told in one line
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has no common class of its errors
        raise _cannot_run(path, error) from error


def _cannot_run(path: Path, error: Exception) -> InputError:
    return InputError(path, f"cannot be run by onnxruntime ({type(error).__name__})", REMEDY)
