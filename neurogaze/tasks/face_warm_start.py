"""Weights that a student starts from: a pinned checkpoint of a warm-up without labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from neurogaze.artefacts import canonical
from neurogaze.errors import InputError
from neurogaze.faces.images import FaceTable
from neurogaze.faces.seen import seen_rows
from neurogaze.models.student import Student
from neurogaze.tasks.pins import read_pinned_checkpoint

KIND = "face_pretrained"
PREFIX = "student.backbone."


@dataclass(frozen=True)
class FaceWarmStart:
    """A checkpoint of a `FacePretrainingTask`, by path and by the SHA-256 of the file.

    Args:
        path: the `.ckpt` file.
        sha256: as `sha256sum` prints it; any other file is refused.
        allow_seen: splits ("dev", "valid") that may judge although the warm-up has seen pictures
            of theirs, without labels. How many is recorded in every checkpoint.
    """

    path: str
    sha256: str
    allow_seen: tuple[str, ...] = ()


class Warmed(NamedTuple):
    """What a student started from.

    Attributes:
        record: for its provenance, JSON values.
        seen: hashes of what the warm-up saw, `uint8 [M, 16]`.
    """

    record: dict[str, Any]
    seen: Tensor


def start_from(
    pin: FaceWarmStart,
    student: Student,
    preprocessing: Mapping[str, Any],
    judged: Mapping[str, FaceTable],
) -> Warmed:
    """Copy the backbone of a warm-up into a student; embedding and classifier stay its own.

    Args:
        pin: the checkpoint.
        student: changed in place.
        preprocessing: of the student's images, as in its provenance.
        judged: pictures that will judge the student, by split.

    Raises:
        InputError: when the file is missing, altered or no warm-up; when its backbone was built
            in another way or saw images prepared in another way; or when it saw pictures (or
            people, or recordings) that will judge.
    """
    content = read_pinned_checkpoint(Path(pin.path), pin.sha256, KIND, "FacePretrainingTask")
    record = content["neurogaze"]
    own = record["provenance"]
    _same(pin, "a backbone", record["student"], canonical(student.recipe))
    _same(pin, "preprocessing", own["preprocessing"], dict(preprocessing))
    counts = refuse_seen(record["seen"], judged, pin.allow_seen)
    state = content["state_dict"]
    student.backbone.load_state_dict(
        {k.removeprefix(PREFIX): v for k, v in state.items() if k.startswith(PREFIX)}
    )
    allowed = {"allow_seen": list(pin.allow_seen), "seen": counts}
    return Warmed({"sha256": pin.sha256, **allowed, "provenance": own}, record["seen"])


def _same(pin: FaceWarmStart, what: str, theirs: Any, ours: Any) -> None:
    if theirs != ours:
        found = f"holds {what} {theirs}, the student has {ours}"
        raise InputError(pin.path, found, "warm up the student that you mean to train")


def refuse_seen(
    keys: Tensor, judged: Mapping[str, FaceTable], allowed: Sequence[str] = ()
) -> dict[str, int]:
    """Refuse to judge by pictures that a warm-up has seen.

    Args:
        keys: hashes of what it saw.
        judged: tables that judge, by split.
        allowed: splits where that is accepted.

    Returns:
        How many pictures of each split it saw.

    Raises:
        InputError: naming some of the pictures.
    """
    counts = {}
    for split, table in judged.items():
        rows = seen_rows(keys, table)
        counts[split] = int(rows.sum())
        if counts[split] and split not in allowed:
            found = (
                f"saw {counts[split]} of {len(table)} pictures of {table.dataset} ({split}), or "
                f"others of the same people: {table.ids[rows][:3].tolist()}"
            )
            remedy = "name them in `leave_out` of the warm-up's data, or in `allow_seen`"
            raise InputError("model.init_from", found, remedy)
    return counts
