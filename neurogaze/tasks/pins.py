"""Pinned inputs of a student: files that must have the content their hash says."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from neurogaze.affect import EMOTIONS
from neurogaze.artefacts import arrays_hash
from neurogaze.errors import InputError

UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    TypeError,
    KeyError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What NumPy raises for a file that is absent, no archive, cut short, or holds Python objects."""


@dataclass(frozen=True)
class GridPin:
    """A prototype grid, by path and by the SHA-256 of its content.

    Args:
        path: the `.npz` file.
        sha256: hash printed by `neurogaze consolidate`; any other content is refused.
    """

    path: str
    sha256: str


@dataclass(frozen=True)
class LogitsPin:
    """Stored logits of a frozen face classifier, by path and content hash.

    Args:
        path: `.npz` with `ids [n]` (text) and `logits [n, 8]` of the un-augmented images.
        sha256: hash over both arrays; any other content is refused.
    """

    path: str
    sha256: str


def _read(path: Path) -> dict[str, np.ndarray]:
    """The two arrays of a file of stored logits, without unpickling anything."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in ("ids", "logits")}
    except UNREADABLE as error:
        raise InputError(
            path, f"cannot be read as stored logits ({error})", "make them again"
        ) from error


def load_logits(pin: LogitsPin, ids: np.ndarray) -> Tensor:
    """Read pinned logits in the order of the training images.

    Args:
        pin: file and hash.
        ids: sample ids of the training images, `[n]`.

    Returns:
        `float32 [n, 8]`.

    Raises:
        InputError: when the file is missing or altered, is no table of logits, or lacks an image.
    """
    path = Path(pin.path)
    arrays = _read(path)
    found = arrays_hash(arrays)
    if found != pin.sha256.lower():
        raise InputError(
            path, f"content hash is {found}, not {pin.sha256}", "pin the hash of the file you mean"
        )
    shape = (len(arrays["ids"]), len(EMOTIONS))
    if arrays["logits"].shape != shape:
        raise InputError(path, f"logits {arrays['logits'].shape}, not {shape}", "make them again")
    row = {name: i for i, name in enumerate(arrays["ids"].tolist())}
    missing = [name for name in ids.tolist() if name not in row]
    if missing:
        raise InputError(
            path,
            f"holds no logits for {len(missing)} images, the first {missing[0]!r}",
            "store logits for the whole training set under the same label rule",
        )
    order = np.array([row[name] for name in ids.tolist()])
    return torch.from_numpy(arrays["logits"][order].astype(np.float32))
