"""One picture to one shot: read once, detected once, and whatever goes wrong has a row."""

import numpy as np

from neurogaze.deploy.boxes import Box
from neurogaze.deploy.looking import look, rows_of
from neurogaze.deploy.rows import Place, Reading
from neurogaze.errors import InputError
from tests.deploy.infer_fakes import Everything, recogniser

PICTURE = np.arange(48 * 48 * 3, dtype=np.uint8).reshape(48, 48, 3)
CONTRACT = recogniser().contract


class Found:
    name = "found"

    def __init__(self, boxes):
        self.boxes = boxes

    def detect(self, rgb):
        return self.boxes


def seen(read=lambda: PICTURE, detector=None, keep=False):
    numbered = lambda boxes: [7 + i for i in range(len(boxes))]  # noqa: E731
    return look(Place("a.png"), read, detector or Everything(), CONTRACT.crop, numbered, keep)


def unreadable():
    raise InputError("a.png", "is torn", "replace it")


def test_a_face_keeps_its_box_and_number():
    detector = Everything()
    shot = seen(detector=detector)
    assert detector.asked == 1
    assert shot.faces.shape == (1, 48, 48)
    assert shot.rgb is None
    assert seen(keep=True).rgb is PICTURE
    row = rows_of(shot, [Reading(np.full(8, 0.125), np.zeros(2))], CONTRACT)[0]
    assert (row.face, row.width, row.note) == (7, 48.0, "")


def test_nobody_unreadable_and_a_mad_detector_each_leave_a_row():
    mad = Found([Box(0, 0, 1e9, 1e9, 1.0)])
    nobody, torn, huge = seen(detector=Found([])), seen(read=unreadable), seen(detector=mad)
    assert [row.note for row in rows_of(nobody, [], CONTRACT)] == ["no face"]
    assert [row.note for row in rows_of(torn, [], CONTRACT)] == ["cannot be judged: is torn"]
    assert "1000000000" in rows_of(huge, [], CONTRACT)[0].note
    assert not nobody.trouble
    assert all(shot.rgb is None and not len(shot.faces) for shot in (torn, huge))
