"""From a picture to a shot, and from the student's answers to rows: the same for file and video."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from neurogaze.deploy.batching import Shot
from neurogaze.deploy.boxes import Box
from neurogaze.deploy.contract import Contract, CropRule
from neurogaze.deploy.cropping import crop_faces
from neurogaze.deploy.detection import Detector
from neurogaze.deploy.rows import (
    CACHED,
    NO_FACE,
    FaceRow,
    Place,
    Reading,
    empty_row,
    face_row,
)
from neurogaze.errors import InputError


def look(
    place: Place,
    read: Callable[[], NDArray[np.uint8]],
    detector: Detector,
    rule: CropRule,
    numbered: Callable[[Sequence[Box]], Sequence[int]],
    keep: bool,
) -> Shot:
    """Read a picture, find its faces once, and cut them out.

    Args:
        place: what it is called.
        read: gives the picture, `uint8 [H, W, 3]`; its `InputError` becomes the shot's trouble.
        detector: finds the faces.
        rule: cuts them out.
        numbered: gives every box its number.
        keep: hold on to the picture, which will be drawn on.
    """
    try:
        rgb = read()
        boxes = detector.detect(rgb)
        faces = crop_faces(rgb, boxes, rule)
    except InputError as error:
        return Shot(place, trouble=f"cannot be judged: {error.found}")
    return Shot(place, boxes, numbered(boxes), faces, rgb if keep else None)


def rows_of(shot: Shot, said: Sequence[Reading], contract: Contract) -> list[FaceRow]:
    """The rows of a shot: one a face, or one that says why there is none.

    Args:
        shot: the picture.
        said: of its faces, one a box.
        contract: of the student.
    """
    notes = (CACHED,) if shot.repeated else ()
    if shot.trouble:
        return [empty_row(shot.place, contract, (shot.trouble, *notes))]
    if not shot.boxes:
        return [empty_row(shot.place, contract, (NO_FACE, *notes))]
    return [
        face_row(shot.place, number, box, reading, contract, notes)
        for number, box, reading in zip(shot.numbers, shot.boxes, said, strict=True)
    ]
