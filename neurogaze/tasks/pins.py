"""Pinned inputs of a student: files that must have the content their hash says."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from neurogaze.affect import EMOTIONS
from neurogaze.artefacts import arrays_hash, file_hash
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

NEEDED, OPTIONAL = ("ids", "logits", "labels", "dataset"), ("groups",)
"""Arrays of stored logits."""


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
        path: `.npz` with `ids [n]` (text) and `logits [n, 8]` of the un-augmented images,
            `labels [8]`, what their columns mean, `dataset` (text without a dimension), the name of
            the corpus that the ids are of, and, unless an earlier version wrote it, `groups [n]`,
            the hashed pixels of the images.
        sha256: hash over the arrays; any other content is refused.
    """

    path: str
    sha256: str


def _read(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a file of stored logits, without unpickling anything."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            known = [name for name in OPTIONAL if name in stored.files]
            return {name: stored[name] for name in (*NEEDED, *known)}
    except UNREADABLE as error:
        raise InputError(
            path, f"cannot be read as stored logits ({error})", "make them again"
        ) from error


def read_logits(pin: LogitsPin) -> dict[str, np.ndarray]:
    """The arrays of pinned logits, whichever images they are of.

    Raises:
        InputError: when the file is missing or altered, is no table of finite logits, has a picture
            twice, or another class order.
    """
    path = Path(pin.path)
    arrays = _read(path)
    found = arrays_hash(arrays)
    if found != pin.sha256.lower():
        raise InputError(
            path, f"content hash is {found}, not {pin.sha256}", "pin the hash of the file you mean"
        )
    ids, logits = arrays["ids"], arrays["logits"]
    if ids.ndim != 1 or ids.dtype.kind != "U":
        found = f"ids are {ids.dtype} {ids.shape}, not a list of text"
        raise InputError(path, found, "make them again")
    shape = (len(ids), len(EMOTIONS))
    if logits.shape != shape or logits.dtype.kind != "f":
        found = f"logits are {logits.dtype} {logits.shape}, not floats {shape}"
        raise InputError(path, found, "make them again")
    if "groups" in arrays and arrays["groups"].shape != ids.shape:
        found = f"hashed pixels are {arrays['groups'].shape}, not {ids.shape}"
        raise InputError(path, found, "make them again")
    if arrays["labels"].tolist() != list(EMOTIONS):
        found = f"has the class order {arrays['labels'].tolist()}, not {list(EMOTIONS)}"
        raise InputError(path, found, "make them again, or reorder the columns by name")
    _refuse_unusable(path, ids, logits)
    return arrays


def _refuse_unusable(path: Path, ids: np.ndarray, logits: np.ndarray) -> None:
    """Refuse logits that no student could learn from, and pictures of which two rows speak."""
    with np.errstate(over="ignore"):  # training takes float32
        broken = ~np.isfinite(logits.astype(np.float32)).all(axis=1)
    if broken.any():
        found = f"logits of {broken.sum()} pictures are not finite, the first {ids[broken][0]!s}"
        raise InputError(path, found, "make them again")
    names, counts = np.unique(ids, return_counts=True)
    if (counts > 1).any():
        repeated = names[counts > 1]
        found = f"holds {len(repeated)} pictures more than once, the first {repeated[0]!s}"
        raise InputError(path, found, "make them again, one row a picture")


def load_logits(
    pin: LogitsPin, ids: np.ndarray, dataset: str, groups: np.ndarray | None = None
) -> Tensor:
    """Read pinned logits in the order of the training images.

    Args:
        pin: file and hash.
        ids: sample ids of the training images, `[n]`.
        dataset: name of their corpus; ids of two corpora may be alike.
        groups: their hashed pixels, `[n]`; where ids are numbers of rows, and a row was taken out,
            the ids of one corpus are alike as well. None asks for none.

    Returns:
        `float32 [n, 8]`.

    Raises:
        InputError: as `read_logits`, or when the file is of another corpus, lacks an image, or is
            of other pixels.
    """
    path, arrays = Path(pin.path), read_logits(pin)
    if arrays["dataset"].shape != () or str(arrays["dataset"]) != dataset:
        found = f"holds logits of {arrays['dataset'].tolist()!r}, the training is on {dataset!r}"
        raise InputError(path, found, "store logits for the corpus that you train on")
    row = {name: i for i, name in enumerate(arrays["ids"].tolist())}
    missing = [name for name in ids.tolist() if name not in row]
    if missing:
        raise InputError(
            path,
            f"holds no logits for {len(missing)} images, the first {missing[0]!r}",
            "store logits for the whole training set under the same label rule",
        )
    order = np.array([row[name] for name in ids.tolist()])
    if groups is not None and "groups" in arrays:
        _refuse_other_pixels(path, ids, arrays["groups"][order] != groups)
    return torch.from_numpy(arrays["logits"][order].astype(np.float32))


def _refuse_other_pixels(path: Path, ids: np.ndarray, other: np.ndarray) -> None:
    """Refuse logits of pictures that have the names of others."""
    if other.any():
        n, first = other.sum(), ids[other][0]
        found = f"holds logits of other pixels for {n:,} images, the first {first!s}"
        raise InputError(path, found, "store logits of the pictures as they are now")


def read_pinned_checkpoint(path: Path, sha256: str, kind: str, task: str) -> dict[str, Any]:
    """Read a checkpoint that must have the hash, and be of the kind, that was asked for.

    Args:
        path: the file.
        sha256: of its bytes.
        kind: what its record must say.
        task: name of the class that writes such checkpoints, for messages.

    Returns:
        The checkpoint; `neurogaze` (its record) and `state_dict` are there.

    Raises:
        InputError: when the file is missing or altered, or holds something else.
    """
    try:
        found = file_hash(path)
    except OSError as error:
        raise InputError(path, f"cannot be read ({error})", "run the warm-up again") from error
    if found != sha256.lower():
        raise InputError(path, f"has hash {found}, not {sha256}", "pin the file you mean")
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        held, _ = content["neurogaze"].get("kind"), content["state_dict"]
    except Exception as error:
        found = f"is no readable checkpoint ({type(error).__name__})"
        raise InputError(path, found, "run the warm-up again") from error
    if held != kind:
        remedy = f"pin a checkpoint of a {task}"
        raise InputError(path, f"holds {held!r}, not a warm-up", remedy)
    return content
