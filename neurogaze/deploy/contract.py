"""What a model file says of itself: how to feed it, how to read it, and how far to believe it.

A contract travels inside every exported file and is made anew for a checkpoint. Whoever reads one
gets all of it, checked, or an error that names what is wrong.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from torch import Tensor

import neurogaze
from neurogaze.affect import EMOTIONS
from neurogaze.artefacts import arrays_hash, canonical
from neurogaze.errors import InputError
from neurogaze.evaluation.calibration_file import (
    StudentCalibration,
    checkpoint_hash,
    read_calibration,
)
from neurogaze.faces.preprocessing import FacePreprocessing
from neurogaze.prototypes.seal import prototypes_hash
from neurogaze.strict_json import parse
from neurogaze.tasks.student import StudentTask
from neurogaze.tasks.student_record import trained_on_drawings

MEANINGLESS = "meaningless on people"
"""Stamp on everything that a student of drawn faces says."""

PRECISIONS = ("float32", "int8")
REMEDY = "export it again: neurogaze export"
MEASURED_WITH = "haar"
"""Detector with whose boxes the defaults of `CropRule` were measured."""
OTHER_BOXES = ("yunet",)
"""Detectors whose boxes get the same rule unmeasured; a picture that is cropped has no box."""
LARGEST_MARGIN = 4.0
LARGEST_DROP = 1.0
CENTER_DIGITS = 6
"""Centres are kept in float32 by a checkpoint; so many digits of them were meant."""
SHA256 = re.compile(r"[0-9a-f]{64}|")


@dataclass(frozen=True)
class CropRule:
    """How a detected box becomes the picture that a student was trained on.

    The defaults are medians over 3,000 training pictures of FER+, in which OpenCV's cascade found
    77 % of the faces: margin 1.021 (95 % interval 1.018 to 1.026), drop 0.000 (0.000 to 0.003);
    `python benchmarks/crop_margin.py`. They are true of the cascade's boxes only. YuNet draws other
    boxes and gets the same rule, for which nobody has measured anything; see `crop_note`.

    Args:
        margin: side of the square crop, over the longer side of the detector's box.
        drop: how far the centre of the crop lies below that of the box, in longer sides.
        level_eyes: turn the picture until the eyes are level, where they are known and tilted by
            more than students are used to.

    Raises:
        InputError: for a crop that holds no face.
    """

    margin: float = 1.02
    drop: float = 0.0
    level_eyes: bool = True

    def __post_init__(self) -> None:
        if not 0 < self.margin <= LARGEST_MARGIN:
            raise InputError("crop.margin", f"is {self.margin}", "give a number such as 1.2")
        if not -LARGEST_DROP <= self.drop <= LARGEST_DROP:
            raise InputError("crop.drop", f"is {self.drop}", "give a number such as 0.05")


def crop_note(detector: str) -> str:
    """What must be said of crops around the boxes of a detector; "" where the rule was made for it.

    Args:
        detector: its name, as in `neurogaze.deploy.detection`.
    """
    if detector not in OTHER_BOXES:
        return ""
    return f"crops around {detector}'s boxes use the margin measured with {MEASURED_WITH}'s"


@dataclass(frozen=True)
class VAReadout:
    """Valence and arousal read from the prototype space (expectation of cell centres).

    Args:
        temperature: of the softmax over cosines, fitted on the dev slice.
        shown: whether the numbers are given to people.
        reason: why they are not; "" where they are.

    Raises:
        InputError: for a temperature that is no positive number, or numbers kept back unexplained.
    """

    temperature: float
    shown: bool
    reason: str

    def __post_init__(self) -> None:
        if not (math.isfinite(self.temperature) and self.temperature > 0):
            raise InputError("va.temperature", f"is {self.temperature}", "give a number above 0")
        if self.shown == bool(self.reason):
            found = f"shown is {self.shown} with the reason {self.reason!r}"
            raise InputError("va", found, "give a reason exactly where it is not shown")


@dataclass(frozen=True)
class Contract:
    """Everything that stands between the weights of a student and a statement about a face.

    Args:
        labels: names of the logits, in their order; always that of `EMOTIONS`.
        preprocessing: how a grey 48x48 picture becomes network input.
        crop: how a detected box becomes such a picture.
        temperature: logits are divided by it.
        abstain_below: largest probability under which no label is given; 0 never abstains.
        va: the read-out of valence and arousal; None where none was fitted.
        centers: (valence, arousal) of the cells of the grid; () without a grid.
        grid_sha256: content hash of the whole grid; "" without one.
        prototypes_sha256: `prototypes_hash` of the prototypes as deployed; "" without a grid.
        weights_sha256: `tensors_hash` of the student as deployed, before any rounding to int8.
        precision: "float32" or "int8".
        generated: trained on drawn faces; everything it says is stamped `MEANINGLESS`.
        provenance: data, pinned inputs and `config_hash` of the training.
        calibration: what the temperature was fitted on; {} where nothing was.
        version: of this package, at export.

    Raises:
        InputError: for another label order, a value out of range, or parts that do not fit.
    """

    labels: tuple[str, ...]
    preprocessing: FacePreprocessing
    crop: CropRule
    temperature: float = 1.0
    abstain_below: float = 0.0
    va: VAReadout | None = None
    centers: tuple[tuple[float, float], ...] = ()
    grid_sha256: str = ""
    prototypes_sha256: str = ""
    weights_sha256: str = ""
    precision: str = "float32"
    generated: bool = False
    provenance: Mapping[str, Any] = field(default_factory=dict)
    calibration: Mapping[str, Any] = field(default_factory=dict)
    version: str = neurogaze.__version__

    def __post_init__(self) -> None:
        _check_numbers(self)
        _check_grid(self)

    @property
    def stamp(self) -> str:
        """What must stand beside every answer; "" where nothing must."""
        return MEANINGLESS if self.generated else ""


def _check_numbers(contract: Contract) -> None:
    if tuple(contract.labels) != EMOTIONS:
        found = f"has the label order {list(contract.labels)}, not {list(EMOTIONS)}"
        raise InputError("labels", found, REMEDY)
    if not (math.isfinite(contract.temperature) and contract.temperature > 0):
        raise InputError("temperature", f"is {contract.temperature}", "give a number above 0")
    if not 0 <= contract.abstain_below <= 1:
        raise InputError("abstain_below", f"is {contract.abstain_below}", "give 0 to 1")
    if contract.precision not in PRECISIONS:
        raise InputError("precision", f"is {contract.precision!r}", f"use one of {PRECISIONS}")


def _check_grid(contract: Contract) -> None:
    for name in ("grid_sha256", "prototypes_sha256", "weights_sha256"):
        if not SHA256.fullmatch(getattr(contract, name)):
            raise InputError(name, f"is {getattr(contract, name)!r}, no SHA-256", REMEDY)
    if not all(len(pair) == 2 and max(map(abs, pair)) <= 1 for pair in contract.centers):
        raise InputError("centers", "are not pairs from -1 to 1", REMEDY)
    parts = {bool(contract.centers), bool(contract.grid_sha256), bool(contract.prototypes_sha256)}
    if len(parts) > 1 or (contract.va is not None and not contract.centers):
        raise InputError("grid", "centres, hashes and read-out do not belong together", REMEDY)


def tensors_hash(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over sorted names, shapes, types and bytes of tensors, whatever file holds them."""
    return arrays_hash({name: value.detach().cpu().numpy() for name, value in tensors.items()})


def to_json(contract: Contract) -> str:
    """A contract as text: the same contract always gives the same text."""
    return json.dumps(canonical(asdict(contract)), sort_keys=True, allow_nan=False)


def from_json(text: str, where: Path) -> Contract:
    """Read a contract.

    Args:
        text: as `to_json` writes it.
        where: the file that holds it, for errors.

    Raises:
        InputError: naming the file, for text that is no JSON, unknown, missing or repeated keys,
            values of another type or out of range, or another label order.
    """
    try:
        record = parse(text, _distinct)
    except ValueError as error:
        raise InputError(where, f"holds a contract that is no JSON ({error})", REMEDY) from error
    try:
        return _contract(record)
    except InputError as error:
        found = f"holds a contract whose {error.where} {error.found}"
        raise InputError(where, found, REMEDY) from error


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        raise ValueError("a key is repeated")
    return record


def _contract(record: Any) -> Contract:
    """A contract from parsed JSON."""
    values = _typed(Contract, record, "record")
    va = values["va"]
    return Contract(
        **values
        | {
            "labels": tuple(values["labels"]),
            "preprocessing": FacePreprocessing(
                **_typed(FacePreprocessing, values["preprocessing"], "preprocessing")
            ),
            "crop": CropRule(**_typed(CropRule, values["crop"], "crop")),
            "va": None if va is None else VAReadout(**_typed(VAReadout, va, "va")),
            "centers": tuple(_pair(entry) for entry in values["centers"]),
        }
    )


_JSON_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "bool": (bool,),
    "int": (int,),
    "float": (int, float),
    "Mapping[str, Any]": (dict,),
    "FacePreprocessing": (dict,),
    "CropRule": (dict,),
    "VAReadout | None": (dict, type(None)),
    "tuple[str, ...]": (list,),
    "tuple[tuple[float, float], ...]": (list,),
}
"""What JSON holds for a field of a type."""


def _typed(kind: type, record: Any, where: str) -> dict[str, Any]:
    """The fields of a dataclass as JSON holds them: all there, none more, each of its type."""
    if not isinstance(record, dict):
        raise InputError(where, f"is no object but {type(record).__name__}", REMEDY)
    types = {entry.name: str(entry.type) for entry in fields(kind)}
    if set(record) != set(types):
        missing, unknown = sorted(set(types) - set(record)), sorted(set(record) - set(types))
        raise InputError(where, f"lacks the keys {missing} and has unknown {unknown}", REMEDY)
    for name, value in record.items():
        truth = isinstance(value, bool) and types[name] != "bool"
        if truth or not isinstance(value, _JSON_TYPES[types[name]]):
            raise InputError(name, f"is {value!r}, no {types[name]}", REMEDY)
    return record


def _pair(entry: Any) -> tuple[float, float]:
    numbers = isinstance(entry, list) and len(entry) == 2
    if not numbers or not all(type(value) in (int, float) for value in entry):
        raise InputError("centers", f"hold {entry!r}, no pair of numbers", REMEDY)
    return float(entry[0]), float(entry[1])


def contract_of(
    task: StudentTask, calibration: Path | None = None, checkpoint: Path | None = None
) -> Contract:
    """The contract of a loaded student.

    Args:
        task: the student.
        calibration: what `neurogaze calibrate` wrote for it; None divides by nothing, never
            abstains and shows no valence and arousal.
        checkpoint: file of the student, which the calibration must be of.

    Raises:
        InputError: for a calibration of another checkpoint or another way of looking, or one
            without its checkpoint.
    """
    fitted = None if calibration is None else _calibration(calibration, checkpoint)
    provenance, centers = task.provenance, task.centers.tolist()
    va = fitted.va if fitted else {}
    return Contract(
        labels=EMOTIONS,
        preprocessing=FacePreprocessing(**provenance["preprocessing"]),
        crop=CropRule(),
        temperature=fitted.temperature if fitted else 1.0,
        abstain_below=fitted.abstain_below if fitted else 0.0,
        va=VAReadout(float(va["temperature"]), va["shown"], va["reason"]) if va else None,
        centers=tuple((round(v, CENTER_DIGITS), round(a, CENTER_DIGITS)) for v, a in centers),
        grid_sha256=provenance.get("grid_sha256", "") if centers else "",
        prototypes_sha256=prototypes_hash(task.prototypes.cpu().numpy()),
        weights_sha256=tensors_hash(task.deployed.state_dict()),
        generated=trained_on_drawings(provenance),
        provenance=canonical({**provenance, "config_hash": task.config_hash}),
        calibration=canonical(fitted) if fitted else {},
    )


def _calibration(path: Path, checkpoint: Path | None) -> StudentCalibration:
    if checkpoint is None:
        raise InputError(path, "cannot be compared with a checkpoint", "name the checkpoint too")
    fitted = read_calibration(path, checkpoint_hash(checkpoint))
    if not fitted.plain:
        remedy = "fit one without --flip, --crops, --prior and --undo_weights"
        raise InputError(path, f"was fitted for another view ({dict(fitted.view)})", remedy)
    return fitted
