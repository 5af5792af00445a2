"""What a student's held-out slice said of its confidence, as one file beside its checkpoint.

Whoever makes the file (`neurogaze calibrate`) and whoever obeys it (evaluation, export, inference)
reads it here, so that no two of them understand it differently.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import torch

from neurogaze.affect import EMOTIONS
from neurogaze.artefacts import arrays_hash, settings_hash
from neurogaze.errors import InputError
from neurogaze.strict_json import parse

FILE = "temperature.json"
"""Its name, beside the checkpoint."""

REMEDY = "fit it again: neurogaze calibrate"
VA_KEYS = ("temperature", "shown", "reason", "class_means")
"""Keys of `StudentCalibration.va` where the student has a grid; there may be more."""

TEXTS = ("dataset", "label_rule", "dev_sha256", "checkpoint")
PLANE = (-1.0, 1.0)
"""Range of valence, and of arousal."""
OBJECTIVES = ("nll", "vote_jsd")

PLAIN_VIEW = {"flip": False, "undo_weights": False, "crops": "centre", "prior": 0.0}
"""How a deployed student looks: once, at the picture as it is."""


@dataclass(frozen=True)
class StudentCalibration:
    """A temperature, an abstain threshold and a read-out, and what they were fitted on.

    Args:
        temperature: logits are divided by it.
        objective: what was made smallest: "nll" of the labels, or "vote_jsd", the divergence from
            the votes.
        before: mean objective without it, nats.
        after: mean objective with it, nats.
        n: pictures of the dev slice.
        dataset: they are of.
        label_rule: of their labels.
        held_out: the fold, as the data module names it.
        dev_sha256: content hash of the slice.
        checkpoint: content hash of the student; see `checkpoint_hash`.
        view: how the student looked, without temperature.
        abstain_below: largest calibrated probability under which no label is given; 0 where nobody
            asked for a threshold.
        abstain: how the threshold was found: wished risk, rule, share answered and error there;
            {} where nobody asked.
        va: the read-out of valence and arousal: `VA_KEYS`; {} without a grid.
    """

    temperature: float
    objective: str
    before: float
    after: float
    n: int
    dataset: str
    label_rule: str
    held_out: dict[str, Any]
    dev_sha256: str
    checkpoint: str
    view: dict[str, Any]
    abstain_below: float = 0.0
    abstain: dict[str, Any] = field(default_factory=dict)
    va: dict[str, Any] = field(default_factory=dict)

    @property
    def plain(self) -> bool:
        """Whether it was fitted for a student that looks once, as a deployed one does."""
        return all(self.view.get(key) == value for key, value in PLAIN_VIEW.items())


def checkpoint_hash(path: Path) -> str:
    """Hash what a checkpoint says, not the bytes that hold it: its weights and its own record.

    Raises:
        InputError: for a file that is no checkpoint.
    """
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
        weights = arrays_hash({k: v.numpy() for k, v in stored["state_dict"].items()})
        return settings_hash({"weights": weights, "record": stored.get("neurogaze")})
    except Exception as error:  # pickle, zipfile, torch and the disk all raise their own
        reason = f"cannot be read ({type(error).__name__})"
        raise InputError(path, reason, "train it again") from error


def read_calibration(path: Path, checkpoint_sha256: str) -> StudentCalibration:
    """Read the calibration of one student.

    Args:
        path: written by `neurogaze calibrate`.
        checkpoint_sha256: `checkpoint_hash` of the student.

    Raises:
        InputError: for a file that cannot be read, holds other keys or values out of range, or was
            fitted for other weights.
    """
    found = _parsed(path)
    if found.checkpoint != checkpoint_sha256:
        raise InputError(path, "was fitted for other weights than these", REMEDY)
    return found


def _parsed(path: Path) -> StudentCalibration:
    """The file as a dataclass, each value in its range."""
    try:
        record = parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(path, f"cannot be read ({error})", REMEDY) from error
    if not isinstance(record, dict):
        raise InputError(path, f"holds a {type(record).__name__}, not an object", REMEDY)
    names = {entry.name for entry in fields(StudentCalibration)}
    if set(record) != names:
        wrong = ", ".join(sorted(set(record) ^ names))
        raise InputError(path, f"holds no calibration (keys missing or unknown: {wrong})", REMEDY)
    _check(path, record)
    return StudentCalibration(**record)


def _check(path: Path, record: Mapping[str, Any]) -> None:
    """Refuse values that no fit could have written."""
    fits = {name: isinstance(record[name], str) for name in TEXTS}
    fits |= {name: isinstance(record[name], dict) for name in ("held_out", "abstain")}
    fits |= {name: _within(record[name], 0.0, math.inf) for name in ("before", "after")}
    fits |= {
        "objective": record["objective"] in OBJECTIVES,
        "temperature": _positive(record["temperature"]),
        "abstain_below": _within(record["abstain_below"], 0.0, 1.0),
        "n": type(record["n"]) is int and record["n"] > 0,
        "view": _is_view(record["view"]),
        "va": _is_readout(record["va"]),
    }
    wrong = [name for name, holds in fits.items() if not holds]
    if wrong:
        said = ", ".join(f"{name} = {record[name]!r}" for name in wrong)
        raise InputError(path, f"holds {said}"[:200], REMEDY)


def _is_view(view: Any) -> bool:
    """Whether it says how a student looked, each part of its type."""
    return isinstance(view, dict) and all(
        _within(view.get(key), -math.inf, math.inf)
        if isinstance(plain, float)
        else type(view.get(key)) is type(plain)
        for key, plain in PLAIN_VIEW.items()
    )


def _is_readout(va: Any) -> bool:
    """Whether it is {}, or a read-out that is either shown or has a reason why not."""
    if not isinstance(va, dict) or (va and set(VA_KEYS) - set(va)):
        return False
    if not va:
        return True
    shown, reason, means = (va[key] for key in VA_KEYS[1:])
    return (
        _positive(va["temperature"])
        and isinstance(shown, bool)
        and isinstance(reason, str)
        and shown == (not reason)
        and isinstance(means, dict)
        and set(means) <= set(EMOTIONS)
        and all(_is_place(place) for place in means.values())
    )


def _is_place(place: Any) -> bool:
    """Whether it is valence and arousal."""
    pair = isinstance(place, list) and len(place) == 2
    return pair and all(_within(value, *PLANE) for value in place)


def _positive(value: Any) -> bool:
    """Whether it is a finite number above 0."""
    return _within(value, 0.0, math.inf) and value > 0


def _within(value: Any, low: float, high: float) -> bool:
    """Whether it is a finite number from `low` to `high`; a truth value is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and low <= value <= high
