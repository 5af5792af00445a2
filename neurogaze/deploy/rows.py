"""The table that people get: one row a face, and one for whatever holds none.

A row says the perceived expression. `valence` and `arousal` are prototype-space: a projection of
the embedding on the grid, and empty where the model does not show them. `anchored_valence` and
`anchored_arousal` are those of the emotion words (`neurogaze.affect.CLASS_ANCHORS`), weighted by
the probabilities. Nothing of it is a measurement of what somebody feels.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr

from neurogaze.affect import EMOTIONS, anchors
from neurogaze.deploy.boxes import Box
from neurogaze.deploy.contract import MEANINGLESS, Contract
from neurogaze.deploy.recogniser import Answers

NO_FACE = "no face"
UNDRAWN = "cannot be drawn"
"""Begins the note on a picture whose annotated twin could not be written."""

CACHED = "cached"
"""Note on a frame that was skipped and repeats the one judged before it."""

PIXEL_DIGITS, SHARE_DIGITS = 2, 6
"""Digits kept of pixels, and of everything else: every format holds the same numbers."""


@dataclass(frozen=True)
class FaceRow:
    """One face, or one picture without any; the fields are the columns, in their order.

    Attributes:
        file: name of the picture or video, relative to the folder that was read.
        frame: number in the video from 0; None for a picture.
        seconds: of the frame, from the start of the video; None for a picture.
        face: number of the face: from 0, the largest first, in a picture; the same for one person
            over the frames of a video. None where there is no face.
        left: edge of the detector's box, pixels from the left edge of the picture.
        top: edge of the box, pixels from the upper edge.
        width: of the box, pixels.
        height: of the box, pixels.
        score: of the detector, in its units.
        label: perceived expression; None where the student abstains.
        p_neutral: probability of it; the others alike, in the order of `EMOTIONS`.
        entropy: of the probabilities, nats.
        valence: prototype-space, from -1 to 1; None where the model shows none.
        arousal: prototype-space, from -1 to 1; None where the model shows none.
        anchored_valence: of the emotion words, weighted by the probabilities.
        anchored_arousal: of the emotion words, weighted by the probabilities.
        abstained: the largest probability is under the model's threshold; None without a face.
        note: what must be known, parts divided by "; ".
    """

    file: str
    frame: int | None = None
    seconds: float | None = None
    face: int | None = None
    left: float | None = None
    top: float | None = None
    width: float | None = None
    height: float | None = None
    score: float | None = None
    label: str | None = None
    p_neutral: float | None = None
    p_happiness: float | None = None
    p_surprise: float | None = None
    p_sadness: float | None = None
    p_anger: float | None = None
    p_disgust: float | None = None
    p_fear: float | None = None
    p_contempt: float | None = None
    entropy: float | None = None
    valence: float | None = None
    arousal: float | None = None
    anchored_valence: float | None = None
    anchored_arousal: float | None = None
    abstained: bool | None = None
    note: str = ""

    @property
    def probabilities(self) -> tuple[float, ...] | None:
        """In the order of `EMOTIONS`; None without a face."""
        if self.face is None:
            return None
        return tuple(getattr(self, name) for name in SHARES)

    @property
    def generated(self) -> bool:
        """Whether the student behind it saw drawn faces only."""
        return MEANINGLESS in self.note

    @property
    def undrawn(self) -> bool:
        """Whether the annotated picture was asked for and could not be written."""
        return UNDRAWN in self.note


COLUMNS = tuple(field.name for field in fields(FaceRow))
"""Of every table, in order."""

SHARES = tuple(f"p_{name}" for name in EMOTIONS)
"""Columns of the probabilities."""

KINDS = {field.name: str(field.type).removesuffix(" | None") for field in fields(FaceRow)}
"""Type of every column: "str", "int", "float" or "bool"."""

OPTIONAL = frozenset(field.name for field in fields(FaceRow) if "None" in str(field.type))
"""Columns that may hold nothing."""


@dataclass(frozen=True)
class Place:
    """Where faces were looked for.

    Args:
        file: name of the picture or video.
        frame: number in the video from 0; None for a picture.
        seconds: of the frame; None for a picture.
    """

    file: str
    frame: int | None = None
    seconds: float | None = None


@dataclass(frozen=True, eq=False)
class Reading:
    """What a student says of one face, as far as it goes into a row.

    Args:
        probabilities: `float64 [8]`.
        va: prototype-space valence and arousal, `float64 [2]`; NaN where none is shown.
    """

    probabilities: NDArray[np.float64]
    va: NDArray[np.float64]


def readings(answers: Answers) -> list[Reading]:
    """The answers, one by one."""
    return [Reading(*pair) for pair in zip(answers.probabilities, answers.va, strict=True)]


def face_row(
    place: Place,
    face: int,
    box: Box,
    reading: Reading,
    contract: Contract,
    notes: Iterable[str] = (),
) -> FaceRow:
    """The row of one face; the label is None where its probability is under the threshold."""
    shares = np.asarray(reading.probabilities, dtype=np.float64)
    abstained = bool(shares.max() < contract.abstain_below)
    words = shares @ anchors()
    sides = ("left", "top", "width", "height")
    numbers: dict[str, Any] = {side: _number(getattr(box, side), PIXEL_DIGITS) for side in sides}
    numbers |= zip(SHARES, map(_number, shares), strict=True)
    return FaceRow(
        place.file,
        place.frame,
        _number(place.seconds),
        face,
        score=_number(box.score),
        label=None if abstained else EMOTIONS[int(shares.argmax())],
        entropy=_number(entr(shares).sum()),
        valence=_number(reading.va[0]),
        arousal=_number(reading.va[1]),
        anchored_valence=_number(words[0]),
        anchored_arousal=_number(words[1]),
        abstained=abstained,
        note=_noted(notes, contract),
        **numbers,
    )


def empty_row(place: Place, contract: Contract, notes: Sequence[str] = (NO_FACE,)) -> FaceRow:
    """The row of a picture or frame that holds no face, or could not be read."""
    note = _noted(notes, contract)
    return FaceRow(place.file, place.frame, _number(place.seconds), note=note)


def _noted(notes: Iterable[str], contract: Contract) -> str:
    return "; ".join(part for part in (*notes, contract.stamp) if part)


def _number(value: float | None, digits: int = SHARE_DIGITS) -> float | None:
    """A plain number with so many digits, never minus zero; None for what is none."""
    if value is None or not math.isfinite(value):
        return None
    return round(float(value), digits) + 0.0


def undrawn(row: FaceRow, trouble: str) -> FaceRow:
    """The row with a note on why its annotated picture is missing.

    >>> undrawn(FaceRow("a.png", note="no face"), "disk full").note
    'no face; cannot be drawn: disk full'
    """
    said = f"{UNDRAWN}: {trouble}"
    return replace(row, note=f"{row.note}; {said}" if row.note else said)


def as_values(row: FaceRow) -> list[Any]:
    """The row as plain values, in the order of `COLUMNS`."""
    return [getattr(row, name) for name in COLUMNS]


def of_record(record: Mapping[str, Any]) -> FaceRow:
    """A row from plain values by column; whole numbers may stand for numbers.

    Raises:
        KeyError: for a missing column.
    """
    values = {name: record[name] for name in COLUMNS}
    for name, kind in KINDS.items():
        if kind == "float" and values[name] is not None:
            values[name] = float(values[name])
    return FaceRow(**values)
