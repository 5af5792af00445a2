"""Arrays out of a pickle, without running what the pickle says.

A pickle is a program. Ours may call four names, and those reach stand-ins that only note what they
were given (Python library reference, `pickle`, "Restricting Globals"); the arrays are then built
here from checked shapes, types and bytes. No code of NumPy sees a value that was not checked.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
import re
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from neurogaze.eeg.corpora.sources import readable
from neurogaze.errors import InputError

REFUSED = "supply the file as released; nothing else is unpickled"
MAX_BYTES = 2**30
"""Ten times the largest file of DEAP."""
MAX_STEPS = 1000
"""Steps of a pickle of a few arrays are a few dozen."""
NUMBER = re.compile(r"[fiu][1248]")
ORDERS = ("<", ">", "=", "|")
STEPS = frozenset({
    "PROTO", "FRAME", "STOP", "MARK", "GLOBAL", "STACK_GLOBAL", "REDUCE", "BUILD",
    "NONE", "NEWTRUE", "NEWFALSE", "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1",
    "FLOAT", "BINFLOAT", "STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES",
    "BINBYTES8", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "EMPTY_TUPLE", "TUPLE", "TUPLE1",
    "TUPLE2", "TUPLE3", "EMPTY_DICT", "DICT", "SETITEM", "SETITEMS", "PUT", "BINPUT",
    "LONG_BINPUT", "MEMOIZE", "GET", "BINGET", "LONG_BINGET",
})  # fmt: skip
"""What a pickled dictionary of arrays is made of, in any protocol up to 4."""


class _Noted:
    """Stands for an object of the pickle: what it was called with, and its state."""

    def __init__(self, *called: Any) -> None:
        self.called = called
        self.state: tuple[Any, ...] = ()

    def __setstate__(self, state: Any) -> None:
        self.state = state if isinstance(state, tuple) else ()


class _Array(_Noted):
    """Stands for an array, and for the function that makes an empty one.

    Its state is (version, shape, type, column order, bytes).
    """


class _Type(_Noted):
    """Stands for a NumPy type; called with its code, and the byte order is in its state."""


class _Bytes(_Noted):
    """Stands for bytes as protocol 2 of Python 3 writes them: called with text and encoding."""


class _Notary(pickle.Unpickler):
    """An unpickler that knows no name but those a pickled array needs."""

    names: ClassVar[dict[tuple[str, str], Any]] = {
        ("numpy.core.multiarray", "_reconstruct"): _Array,
        ("numpy._core.multiarray", "_reconstruct"): _Array,
        ("numpy", "ndarray"): _Array,
        ("numpy", "dtype"): _Type,
        ("_codecs", "encode"): _Bytes,
    }

    def find_class(self, module: str, name: str) -> Any:
        """The stand-in for a name.

        Raises:
            ValueError: for any other name.
        """
        if (module, name) not in self.names:
            raise ValueError(f"it asks for {module}.{name}")
        return self.names[module, name]


def pickled_arrays(path: Path) -> dict[str, np.ndarray]:
    """The numeric arrays of a file that holds one pickled dictionary of them.

    Files of Python 2 (protocols 0 to 2) and of Python 3 up to protocol 4 will do.

    Args:
        path: the file.

    Returns:
        Read-only arrays by key.

    Raises:
        InputError: if the file is damaged, is larger than a gibibyte, asks for anything but
            arrays, or holds arrays of objects; none of it is carried out.
    """
    with readable(path, REFUSED):
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise InputError(path, f"has {size} bytes, more than {MAX_BYTES}", REFUSED)
        stream = io.BytesIO(path.read_bytes())
        _check_steps(stream)
        stream.seek(0)
        content = _Notary(stream, encoding="latin1").load()
        if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
            raise InputError(path, "is no dictionary of arrays", REFUSED)
        return {key: _array(noted) for key, noted in content.items()}


def _check_steps(stream: io.BytesIO) -> None:
    """Walk through the pickle without carrying it out.

    Raises:
        ValueError: for a step that no array needs, too many steps, or a note under a number so
            high that the table of notes would fill the memory.
    """
    for count, (step, argument, _) in enumerate(pickletools.genops(stream)):
        if step.name not in STEPS:
            raise ValueError(f"step {step.name} is none of a pickled array")
        note = argument if "PUT" in step.name and isinstance(argument, int) else 0
        if max(count, note) >= MAX_STEPS:
            raise ValueError(f"more than {MAX_STEPS} steps or notes")


def _array(noted: Any) -> np.ndarray:
    """The array described by a stand-in.

    Raises:
        ValueError: if the description is none of a numeric array, or its bytes do not fit.
    """
    if not isinstance(noted, _Array) or len(noted.state) != 5:
        raise ValueError("a value is no array")
    _, shape, kind, by_columns, content = noted.state
    if not isinstance(shape, tuple) or not all(type(n) is int and n >= 0 for n in shape):
        raise ValueError(f"shape {shape!r}")
    dtype = _number(kind)
    raw = _raw(content)
    if len(raw) != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"the bytes do not fit shape {shape} of {dtype}")
    return np.frombuffer(raw, dtype).reshape(shape, order="F" if by_columns else "C")


def _raw(content: Any) -> bytes:
    """The bytes of an array in any of the ways they are written.

    Raises:
        ValueError: for anything else.
    """
    if isinstance(content, _Bytes) and content.called[1:] == ("latin1",):
        content = content.called[0]
    if isinstance(content, str):
        return content.encode("latin1")
    if not isinstance(content, bytes):
        raise ValueError("an array without bytes")
    return content


def _number(kind: Any) -> np.dtype:
    """The type of numbers described by a stand-in.

    Raises:
        ValueError: for objects, structures and whatever else is no number.
    """
    code = kind.called[0] if isinstance(kind, _Type) and kind.called else None
    if not isinstance(code, str) or not NUMBER.fullmatch(code) or code[-2:] in ("f1", "f2"):
        raise ValueError(f"arrays of type {code!r}, not of numbers")
    order = kind.state[1] if len(kind.state) > 1 else "="
    if order not in ORDERS:
        raise ValueError(f"byte order {order!r}")
    return np.dtype(order + code)
