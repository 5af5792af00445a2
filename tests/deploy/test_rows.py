"""A row says what the student said, no more digits than it has, and what must not be lost."""

import dataclasses
import math

import numpy as np
import pytest
from scipy.special import softmax

from neurogaze.affect import EMOTIONS
from neurogaze.deploy import rows
from neurogaze.deploy.boxes import Box
from neurogaze.deploy.contract import MEANINGLESS
from tests.deploy.infer_fakes import recogniser

BOX = Box(10.123456, 20.0, 30.0, 41.0, 0.98765432)
PLACE = rows.Place("a.png")


def reading(shares, va=(0.25, -0.5)):
    return rows.Reading(np.array(shares, dtype=np.float64), np.array(va, dtype=np.float64))


def test_columns_in_the_order_that_was_promised():
    assert rows.COLUMNS[:9] == (
        *("file", "frame", "seconds", "face", "left", "top", "width", "height", "score"),
    )
    assert rows.COLUMNS[9:18] == ("label", *(f"p_{name}" for name in EMOTIONS))
    assert rows.COLUMNS[18:] == (
        *("entropy", "valence", "arousal", "anchored_valence", "anchored_arousal"),
        *("abstained", "note"),
    )


def test_numbers_of_a_row_by_hand():
    half = [0.5, 0.5, 0, 0, 0, 0, 0, 0]
    row = rows.face_row(PLACE, 3, BOX, reading(half), recogniser().contract)
    assert row.entropy == pytest.approx(math.log(2), abs=1e-6)
    assert (row.anchored_valence, row.anchored_arousal) == (0.405, 0.255)  # half of happiness
    assert (row.valence, row.arousal) == (0.25, -0.5)
    assert (row.left, row.top, row.width, row.height) == (10.12, 20.0, 30.0, 41.0)
    assert row.score == 0.987654
    assert (row.face, row.frame, row.seconds, row.note) == (3, None, None, "")
    assert (row.label, row.abstained) == ("neutral", False)
    assert row.probabilities == tuple(half)


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.9])
def test_rows_say_what_the_answers_say(threshold):
    student = recogniser(abstain_below=threshold)
    faces = np.random.default_rng(0).integers(0, 256, (20, 48, 48), dtype=np.uint8)
    answers = student.answers(faces)
    for i, one in enumerate(rows.readings(answers)):
        row = rows.face_row(PLACE, i, BOX, one, student.contract)
        assert row.abstained == answers.abstained[i]
        assert row.label == (None if row.abstained else EMOTIONS[answers.label[i]])
        assert row.entropy == pytest.approx(answers.entropy[i], abs=1e-6)
        assert (row.valence, row.arousal) == pytest.approx(answers.va[i], abs=1e-6)
        assert row.probabilities == pytest.approx(softmax(answers.logits[i]), abs=1e-6)


def test_valence_that_is_not_shown_is_empty():
    student = recogniser(shown=False)
    answers = student.answers(np.zeros((1, 48, 48), dtype=np.uint8))
    row = rows.face_row(PLACE, 0, BOX, rows.readings(answers)[0], student.contract)
    assert row.valence is None
    assert row.arousal is None
    assert row.anchored_valence is not None


def test_every_row_of_a_student_of_drawings_is_stamped():
    contract = recogniser(generated=True).contract
    uniform = reading([0.125] * 8)
    face = rows.face_row(PLACE, 0, BOX, uniform, contract, (rows.CACHED,))
    assert face.note == f"cached; {MEANINGLESS}"
    assert rows.empty_row(PLACE, contract).note == f"no face; {MEANINGLESS}"
    assert face.generated
    assert not rows.empty_row(PLACE, recogniser().contract).generated


def test_a_picture_without_a_face_holds_nothing_but_its_name():
    row = rows.empty_row(rows.Place("clip.mp4", 4, 0.16), recogniser().contract)
    filled = {name for name in rows.COLUMNS if getattr(row, name) is not None}
    assert filled == {"file", "frame", "seconds", "note"}
    assert row.probabilities is None


def test_there_and_back_again():
    row = rows.face_row(PLACE, 0, BOX, reading([0.125] * 8), recogniser().contract)
    record = dict(zip(rows.COLUMNS, rows.as_values(row), strict=True))
    assert rows.of_record(record | {"left": 10}) == dataclasses.replace(row, left=10.0)
    with pytest.raises(KeyError):
        rows.of_record({"file": "a"})
