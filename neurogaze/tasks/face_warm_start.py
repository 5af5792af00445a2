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
from neurogaze.faces.witnessed import seen_rows
from neurogaze.models.student import Student
from neurogaze.tasks.pins import read_pinned_checkpoint

KIND = "face_pretrained"
PREFIX = "student.backbone."
SEEN = "neurogaze_seen"
"""Key of a checkpoint of a warm-up for hashes of the pictures that it saw."""


@dataclass(frozen=True)
class FaceWarmStart:
    """A checkpoint of a `FacePretrainingTask`, by path and by the SHA-256 of the file.

    Args:
        path: the `.ckpt` file.
        sha256: as `sha256sum` prints it; any other file is refused.
        allow_seen: what may judge although the warm-up has seen pictures of it, without labels:
            corpus and split, such as "ferplus/valid", or "ferplus/dev" for the fold held out of
            training. No other corpus is let through by it. How many pictures of what judges the
            training were seen is in the record of every checkpoint.
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

    Returns:
        What the student's record says of it, and what the warm-up saw.

    Raises:
        InputError: when the file is missing, altered or no warm-up; when its backbone was built
            in another way or saw images prepared in another way; or when it saw pictures (or
            people, or recordings) that will judge and are not named in `allow_seen`.
    """
    _check_names(pin.allow_seen)
    content = read_pinned_checkpoint(Path(pin.path), pin.sha256, KIND, "FacePretrainingTask")
    record = content["neurogaze"]
    own = record["provenance"]
    _same(pin, "a backbone", record["student"], canonical(student.recipe))
    _same(pin, "preprocessing", own["preprocessing"], dict(preprocessing))
    seen = seen_by(content)
    counts = refuse_seen(seen, judged, pin.allow_seen)
    state = content["state_dict"]
    student.backbone.load_state_dict(
        {k.removeprefix(PREFIX): v for k, v in state.items() if k.startswith(PREFIX)}
    )
    allowed = {"allow_seen": list(pin.allow_seen), "seen": counts}
    return Warmed({"sha256": pin.sha256, **allowed, "provenance": own}, seen)


def seen_by(checkpoint: Mapping[str, Any]) -> Tensor:
    """Hashes of what a warm-up saw, `uint8 [M, 16]`; an older one kept them in its record."""
    seen: Tensor = checkpoint[SEEN] if SEEN in checkpoint else checkpoint["neurogaze"]["seen"]
    return seen


def _check_names(allowed: Sequence[str]) -> None:
    """Refuse the name of a split alone, which would mean that of any corpus."""
    for name in allowed:
        if "/" not in name:
            remedy = 'name corpus and split, such as "ferplus/valid"'
            raise InputError("model.init_from.allow_seen", f"names {name!r}", remedy)


def _same(pin: FaceWarmStart, what: str, theirs: Any, ours: Any) -> None:
    if theirs != ours:
        found = f"holds {what} {theirs}, the student has {ours}"
        raise InputError(pin.path, found, "warm up the student that you mean to train")


def refuse_seen(
    keys: Tensor, judged: Mapping[str, FaceTable], allowed: Sequence[str] | None = ()
) -> dict[str, int]:
    """Refuse to judge by pictures that a warm-up has seen.

    Args:
        keys: hashes of what it saw.
        judged: tables that judge, by split ("dev" for a fold held out of training).
        allowed: corpora and splits where that is accepted, as "corpus/split"; None where nothing
            can be.

    Returns:
        How many pictures of each it saw, by "corpus/split".

    Raises:
        InputError: naming some of the pictures.
    """
    counts = {}
    for split, table in judged.items():
        rows, name = seen_rows(keys, table), f"{table.dataset}/{split}"
        counts[name] = int(rows.sum())
        if counts[name] and name not in (allowed or ()):
            found = (
                f"saw {counts[name]} of {len(table)} pictures of {table.dataset} ({split}), or "
                f"others of the same people: {table.ids[rows][:3].tolist()}"
            )
            remedy = "name them in `leave_out` of the warm-up's data"
            if allowed is not None:
                remedy += f", or {name!r} in `allow_seen`"
            raise InputError("model.init_from", found, remedy)
    return counts
