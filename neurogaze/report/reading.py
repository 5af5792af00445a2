"""Arrays and records from the files of a run; nothing in them is ever executed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurogaze.errors import InputError
from neurogaze.strict_json import parse

REMEDY = "repeat the stage that writes it"


def read_arrays(
    path: Path, names: tuple[str, ...], optional: tuple[str, ...] = ()
) -> dict[str, NDArray]:
    """Arrays of an `.npz` by name, without unpickling anything.

    Args:
        path: the file.
        names: arrays it must hold.
        optional: arrays it may hold.

    Raises:
        InputError: for a file that cannot be read, or lacks an array.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            missing = [name for name in names if name not in stored.files]
            if missing:
                raise InputError(path, f"arrays missing: {', '.join(missing)}", REMEDY)
            wanted = [*names, *(name for name in optional if name in stored.files)]
            return {name: stored[name] for name in wanted}
    except InputError:
        raise
    except Exception as error:  # zipfile, zlib, struct and NumPy all raise their own
        raise InputError(path, f"cannot be read ({type(error).__name__})", REMEDY) from error


def texts(array: NDArray) -> tuple[str, ...]:
    """Names as a tuple."""
    return tuple(map(str, array.tolist()))


def read_record(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        InputError: for anything else.
    """
    try:
        record = parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(path, f"cannot be read ({error})", REMEDY) from error
    if not isinstance(record, dict):
        raise InputError(path, f"holds a {type(record).__name__}, not an object", REMEDY)
    return record
