"""What an ONNX model may be made of: tensors of its own and standard operators.

onnxruntime follows the path of a tensor that is kept elsewhere, wherever in the model it stands.
Tensors hide in initialisers, sparse ones, attributes of nodes, and the graphs inside attributes; so
every message of the file is looked at, whatever holds it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from neurogaze.errors import InputError

if TYPE_CHECKING:
    import onnx
    from google.protobuf.message import Message

DOMAINS = ("", "ai.onnx")
"""Of operators: two names of the standard, which is all that exports consist of, int8 ones too."""

REMEDY = "export it again: neurogaze export"


def check_parts(path: Path, model: onnx.ModelProto) -> None:
    """Refuse tensors in other files, functions, and operators beyond the standard.

    Args:
        path: the file, for errors.
        model: of it.

    Raises:
        InputError: naming file and part.
    """
    import onnx

    for part in messages(model):
        if isinstance(part, onnx.TensorProto):
            if part.external_data or part.data_location == onnx.TensorProto.EXTERNAL:
                raise InputError(path, f"keeps tensors in other files ({part.name!r})", REMEDY)
        elif isinstance(part, onnx.NodeProto) and part.domain not in DOMAINS:
            found = f"uses the operator {part.op_type!r} of {part.domain!r}"
            raise InputError(path, found, REMEDY)
        elif isinstance(part, onnx.FunctionProto):
            raise InputError(path, f"defines the function {part.name!r}", REMEDY)


def messages(message: Message) -> Iterator[Message]:
    """A message and every message inside it, however deep."""
    from google.protobuf.message import Message

    waiting = [message]
    while waiting:
        current = waiting.pop()
        yield current
        for _, value in current.ListFields():
            if isinstance(value, Message):
                waiting.append(value)
            elif not isinstance(value, str | bytes | int | float):
                waiting += [entry for entry in value if isinstance(entry, Message)]
