"""What the page says of a picture is what the student said, and no more."""

import base64
import json
import math
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax

from neurogaze.affect import EMOTIONS, anchors, grid_centers
from neurogaze.deploy.boxes import Box
from neurogaze.deploy.contract import VAReadout
from neurogaze.errors import InputError
from neurogaze.serve.answering import sureness
from neurogaze.serve.settings import ServeSettings
from tests.serve.pretend import desk, png

BRIGHT = (1.0 - 0.5) / 0.25
"""Logit of happiness on white, after the preprocessing."""


def test_a_face_is_answered_in_numbers_that_can_be_sent():
    answer = json.loads(json.dumps(desk().picture(png()), allow_nan=False))
    assert (answer["width"], answer["height"], answer["found"]) == (100, 80, 1)
    (face,) = answer["faces"]
    expected = softmax([0, BRIGHT, 0, 0, 0, 0, 0, 0])
    np.testing.assert_allclose(face["probabilities"], expected, atol=1e-4)
    assert face["label"] == face["title"] == face["leading"] == "happiness"
    assert face["box"] == [10, 10, 60, 60]
    assert face["entropy"] == pytest.approx(-(expected * np.log(expected)).sum(), abs=1e-4)
    assert face["va"] == [0.4, 0.4] == face["nearest"]
    np.testing.assert_allclose(face["anchored"], expected @ anchors(), atol=1e-4)
    assert base64.b64decode(face["crop"]) == b"\xff" * 48 * 48
    assert "Perceived expression: happiness" in face["sentence"]
    assert "feels" in face["sentence"]  # "no measurement of what the person feels"


def test_below_the_threshold_there_is_no_label():
    (face,) = desk(abstain_below=0.9).picture(png())["faces"]
    assert face["label"] is None
    assert face["title"] == "no answer (too unsure)"
    assert "too unsure" in face["sentence"]


def test_valence_and_arousal_are_kept_back_with_their_reason():
    hidden = desk(va=VAReadout(0.05, False, "class means correlate by .2 only"))
    (face,) = hidden.picture(png())["faces"]
    assert face["va"] is None
    assert face["nearest"] is None  # a cell is a place on the plane as well
    assert "valence" not in face["sentence"]
    assert hidden.facts(False)["va"] == "class means correlate by .2 only"
    no_grid = {"va": None, "centers": (), "grid_sha256": "", "prototypes_sha256": ""}
    assert "no prototype grid" in desk(**no_grid).facts(False)["va"]
    assert "not fitted" in desk(va=None).facts(False)["va"]
    assert desk().facts(False)["va"] == ""


def test_no_face_and_too_many_faces_are_counted():
    assert desk(boxes=()).picture(png()) == {"width": 100, "height": 80, "found": 0, "faces": []}
    boxes = [Box(i, 0, 40 - i, 40 - i, 1.0) for i in range(9)]
    answer = desk(boxes=boxes, settings=ServeSettings(faces=4)).picture(png())
    assert answer["found"] == 9
    assert [face["box"][0] for face in answer["faces"]] == [0, 1, 2, 3]


@pytest.mark.parametrize("data", [b"not a picture", png()[:60], b"GIF89a", b"<svg></svg>"])
def test_bytes_that_are_no_picture_are_refused_by_a_name_that_is_no_path(data):
    with pytest.raises(InputError) as error:
        desk().picture(data)
    assert error.value.where == "the picture"


def test_a_picture_beyond_the_limit_of_pixels_is_refused():
    with pytest.raises(InputError, match="100x80"):
        desk(settings=ServeSettings(pixels=7_999)).picture(png())
    assert desk(settings=ServeSettings(pixels=8_000)).picture(png())["found"] == 1


def test_drawn_faces_stamp_everything():
    drawn = desk(generated=True)
    assert drawn.facts(False)["stamp"] == "meaningless on people"
    assert "meaningless on people" in drawn.picture(png())["faces"][0]["sentence"]
    assert desk().facts(False)["stamp"] == ""


def test_facts_name_the_model_and_no_folder_of_this_computer():
    facts = desk(temperature=1.25, calibration={"n": 1}, abstain_below=0.4).facts(True)
    told = dict(facts["facts"])
    assert told["weights SHA-256"] == told["grid SHA-256"] == "0123456789ab"
    assert told["trained on"] == "synthetic_faces"
    assert told["temperature"] == "1.250"
    assert told["no answer below"] == "0.40"
    assert facts["model"] == "student.onnx"
    assert "secret" not in json.dumps(facts)
    assert "depression" in facts["notice"]
    assert [name for name, *_ in facts["anchors"]] == list(EMOTIONS)
    assert dict(desk().facts(True)["facts"])["temperature"] == "1 (not fitted)"


PAGES = Path(__file__).parents[2] / "neurogaze" / "serve" / "pages"


@pytest.mark.parametrize("size", [5, 7])
def test_the_page_draws_the_grid_of_the_model(tmp_path, size):
    """As many cells as the contract has, on their centres, none of them beyond the plane."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js is not installed")
    centers = tuple((round(v, 6), round(a, 6)) for v, a in grid_centers(size).tolist())
    sent = json.loads(json.dumps(desk(centers=centers).facts(False)))["centers"]
    assert len(sent) == size**2
    shutil.copy(PAGES / "faces.js", tmp_path / "faces.mjs")
    code = 'import("./faces.mjs").then((page) => console.log(JSON.stringify(page.cellsOf(GRID))))'
    told = subprocess.run(
        [node, "-e", code.replace("GRID", json.dumps(sent))],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    cells = json.loads(told.stdout)
    corners = np.array([[cell["x"], cell["y"]] for cell in cells])
    sides = np.array([[cell["width"], cell["height"]] for cell in cells])
    np.testing.assert_allclose(sides, 2 / size)
    np.testing.assert_allclose((corners + sides / 2) * [1, -1], grid_centers(size), atol=1e-6)
    assert np.abs(corners).max() <= 1 + 1e-6
    assert np.abs(corners + sides).max() <= 1 + 1e-6


def test_the_nearest_prototype_is_one_of_the_cells_that_are_sent():
    asked = desk()
    assert asked.picture(png())["faces"][0]["nearest"] in asked.facts(False)["centers"]


def test_a_model_without_a_grid_has_no_cells():
    no_grid = {"va": None, "centers": (), "grid_sha256": "", "prototypes_sha256": ""}
    assert desk(**no_grid).facts(False)["centers"] == []


def test_an_explanation_is_a_map_over_the_face():
    face = np.full((48, 48), 128, dtype=np.uint8)
    face[18:30, 18:30] = 255
    found = desk().explanation(face.tobytes(), "happiness")
    heat = np.frombuffer(base64.b64decode(found["heat"]), dtype=np.uint8).reshape(48, 48)
    assert heat.max() == 255
    assert heat[20:28, 20:28].mean() > 5 * heat[:8].mean() + 50
    other = desk().explanation(face.tobytes(), "neutral")
    assert "Nothing" in other["note"]


@pytest.mark.parametrize(("n", "emotion"), [(2303, "happiness"), (2305, "fear"), (2304, "joy")])
def test_what_cannot_be_explained_is_refused(n, emotion):
    with pytest.raises(InputError):
        desk().explanation(b"a" * n, emotion)


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.1, "sure"), (0.3, "fairly sure"), (0.6, "unsure"), (0.9, "close to a guess")],
)
def test_entropy_in_words(share, words):
    assert sureness(share * math.log(8)) == words
