"""What a student's checkpoint says beside its weights, and must say before it is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from torch import Tensor

import neurogaze
from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError
from neurogaze.faces.witnessed import no_keys
from neurogaze.prototypes.grid import PrototypeGrid
from neurogaze.prototypes.seal import grid_seal, prototypes_hash

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


def grid_entries(grid: PrototypeGrid) -> dict[str, Any]:
    """What the provenance of a student says of its grid.

    Args:
        grid: as it was opened for the training.

    Returns:
        Content hash and provenance of the grid, the hash of its prototypes, and the seal that binds
        them and the centres together.
    """
    return {
        "grid_sha256": grid.sha256,
        "grid": grid.provenance,
        "prototypes_sha256": prototypes_hash(grid.prototypes),
        "grid_seal": grid_seal(grid.sha256, grid.prototypes, grid.centers, grid.provenance),
    }


def trained_on_drawings(provenance: Mapping[str, Any]) -> bool:
    """Whether a student's training pictures were generated, as their corpus says of itself.

    Of folds some earlier records say so of each official split alone.
    """
    identity = cast("dict[str, Any]", provenance.get("train", {}).get("identity", {}))
    return any(bool(identity.get(key)) for key in ("generated", "train_generated"))


def trained_seed(provenance: Mapping[str, Any], default: int) -> int:
    """Seed of the training of a student.

    Args:
        provenance: of the student.
        default: where its record does not say.
    """
    return int(provenance.get("settings", {}).get("seed", default))


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
        InputError: for weights of another kind or class order, where it is not said how images
            were prepared, or where prototypes, centres and record of the grid do not fit together.
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
    _check_grid(said["provenance"], checkpoint)
    return StudentRecord(
        epochs=(int(said["epochs"][0]), int(said["epochs"][1])),
        config_hash=said.get("config_hash", ""),
        provenance=said["provenance"],
        warmed_on=checkpoint.get(WARMED_ON, no_keys()),
    )


def _check_grid(provenance: Mapping[str, Any], checkpoint: Mapping[str, Any]) -> None:
    """Compare prototypes and record of the grid with their hashes.

    Records of earlier versions have neither hash, and nothing to compare.
    """
    said, sealed = provenance.get("prototypes_sha256"), provenance.get("grid_seal")
    if said is None and sealed is None:
        return
    prototypes, centers = (
        checkpoint["state_dict"][name].detach().cpu().numpy() for name in ("prototypes", "centers")
    )
    held, remedy = prototypes_hash(prototypes), "take the checkpoint as it was written"
    if held != said:
        found = f"holds the prototypes {held or 'of none'}, not {said}"
        raise InputError("checkpoint", found, remedy)
    known = provenance.get("grid_sha256", "")
    if grid_seal(known, prototypes, centers, provenance.get("grid", {})) != sealed:
        found = f"has a grid that does not fit its seal: hash ({known}), centres or history changed"
        raise InputError("checkpoint", found, remedy)
