"""What a student's checkpoint says beside its weights, and must say before it is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from torch import Tensor

import neurogaze
from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError
from neurogaze.faces.witnessed import no_keys

RECORD = "neurogaze"
"""Key of a checkpoint for its record, JSON values."""
WARMED_ON = "neurogaze_warmed_on"
"""Key of a checkpoint for hashes of the pictures that a warm-up saw."""
KIND = "student"


class StudentRecord(NamedTuple):
    """What travels with the weights of a student.

    Attributes:
        epochs: done and planned.
        config_hash: of the configuration of the training; "" where there was none.
        provenance: data and pinned inputs as really used, JSON values.
        warmed_on: hashes of what a warm-up saw, `uint8 [M, 16]`.
    """

    epochs: tuple[int, int]
    config_hash: str
    provenance: dict[str, Any]
    warmed_on: Tensor


def record_entries(record: StudentRecord) -> dict[str, Any]:
    """Entries of a checkpoint that say what `record` says, with version and class order."""
    said = {
        "kind": KIND,
        "version": neurogaze.__version__,
        "labels": list(EMOTIONS),
        "epochs": list(record.epochs),
        "config_hash": record.config_hash,
        "provenance": record.provenance,
    }
    return {RECORD: said, WARMED_ON: record.warmed_on}


def read_record(checkpoint: Mapping[str, Any]) -> StudentRecord:
    """What a checkpoint says of itself.

    Raises:
        InputError: for weights of another kind or class order, or where it is not said how images
            were prepared.
    """
    said = checkpoint.get(RECORD, {})
    if said.get("kind") != KIND:
        raise InputError(
            "checkpoint", f"holds {said.get('kind')!r}, not a student", "pass a student"
        )
    if said.get("labels") != list(EMOTIONS):
        found = f"has the class order {said.get('labels')}, not {list(EMOTIONS)}"
        remedy = "train it again with this version, or reorder its classifier"
        raise InputError("checkpoint", found, remedy)
    if "preprocessing" not in said.get("provenance", {}):
        raise InputError("checkpoint", "does not say how images were prepared", "train it again")
    return StudentRecord(
        epochs=(int(said["epochs"][0]), int(said["epochs"][1])),
        config_hash=said.get("config_hash", ""),
        provenance=said["provenance"],
        warmed_on=checkpoint.get(WARMED_ON, no_keys()),
    )
