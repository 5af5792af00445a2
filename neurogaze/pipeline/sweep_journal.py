"""The file of a sweep: the journal of an Optuna study, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from neurogaze.errors import InputError

STUDY, NAME = "study.log", "sweep"
OTHER_OUT = "give another --out, or move the file away"
BEGINNING = b'{"op_code":'
"""Of every line of a journal, as Optuna writes it."""


def whole_lines(path: Path) -> Path:
    """Cut off a last line that a crash left unfinished; what comes after it could not be read.

    Raises:
        InputError: for a file that no sweep wrote, or with a damaged line; it stays as it is.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    held = _held(path)
    *lines, rest = held.split(b"\n")
    if not (_is_first(lines[0]) if lines else BEGINNING.startswith(rest[: len(BEGINNING)])):
        raise InputError(path, "is no study of a sweep, so nothing is written to it", OTHER_OUT)
    for number, line in enumerate(lines, 1):
        if _operation(line) is None:
            raise InputError(path, f"is damaged: line {number} is no step of a study", OTHER_OUT)
    with path.open("ab") as stream:
        stream.truncate(len(held) - len(rest))
    return path


def _held(path: Path) -> bytes:
    """What a file holds; nothing where there is none.

    Raises:
        InputError: for what cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise InputError(path, f"cannot be read ({in_one_line(error)})", OTHER_OUT) from None


def _is_first(line: bytes) -> bool:
    """Whether a line begins the study of a sweep; studies of others have another name."""
    found = _operation(line)
    return found is not None and found.get("study_name") == NAME


def _operation(line: bytes) -> dict[str, Any] | None:
    """One line of a journal; None where it is none."""
    try:
        found = json.loads(line)
    except (RecursionError, ValueError):
        return None
    return found if isinstance(found, dict) and "op_code" in found else None


def in_one_line(error: Exception) -> str:
    """An error as tables have it."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
