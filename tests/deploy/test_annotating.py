"""Boxes, words and stamp are where they should be, and files are whole or not there."""

import numpy as np
import pytest
from PIL import Image, ImageColor

from neurogaze.deploy import annotating, strokes
from neurogaze.deploy.boxes import Box
from neurogaze.deploy.rows import Place, Reading, empty_row, face_row
from tests.deploy.infer_fakes import recogniser, rows

GREY = np.full((300, 400, 3), 128, dtype=np.uint8)


def colour(name):
    return ImageColor.getrgb(name)


def test_the_box_is_drawn_at_its_edges_in_the_colour_of_the_label():
    drawn = annotating.annotate(GREY, rows(label=2))
    ink = colour(strokes.COLOURS["surprise"])
    for y, x in ((150, 150), (150, 230), (190, 190), (100, 225)):
        assert tuple(drawn[y, x]) == ink
    assert tuple(drawn[150, 190]) == (128, 128, 128)  # the face itself is left alone
    assert tuple(drawn[50, 50]) == (128, 128, 128)


def test_the_stamp_is_below_every_picture():
    plain, drawn = (annotating.annotate(GREY, rows(generated=g)) for g in (False, True))
    assert plain.shape == drawn.shape
    assert plain.shape[0] > 300
    assert tuple(plain[302, 1]) == colour(strokes.INK)
    assert tuple(drawn[302, 1]) == colour(strokes.ALARM)
    empty = [empty_row(Place("a.png"), recogniser(generated=True).contract)]
    assert tuple(annotating.annotate(GREY, empty)[302, 1]) == colour(strokes.ALARM)


def test_the_dot_lies_at_its_valence_and_arousal():
    from PIL import ImageDraw

    plane = Image.new("RGB", (101, 101))
    strokes.draw_plane(ImageDraw.Draw(plane), rows(va=(0.8, -0.6))[0], 0, 0, 100)
    ink = colour(strokes.COLOURS["happiness"])
    found = np.argwhere((np.asarray(plane) == ink).all(axis=2)).mean(axis=0)
    assert found == pytest.approx([80, 90], abs=1)  # arousal upwards, valence to the right
    hidden = Image.new("RGB", (101, 101))
    strokes.draw_plane(ImageDraw.Draw(hidden), rows(va=(np.nan, np.nan))[0], 0, 0, 100)
    assert not (np.asarray(hidden) == ink).all(axis=2).any()


@pytest.mark.parametrize(("cells", "inner"), [(5, 4), (7, 6), (0, 1)])
def test_the_plane_has_the_cells_of_the_grid(cells, inner):
    """Lines between cells, evenly; without a grid the two axes alone."""
    from PIL import ImageDraw

    plane = Image.new("RGB", (141, 141))
    hidden = rows(va=(np.nan, np.nan))[0]
    strokes.draw_plane(ImageDraw.Draw(plane), hidden, 0, 0, 140, cells)
    pixels = np.asarray(plane)
    for line in (pixels[3], pixels[:, 3]):  # where nothing else is drawn
        found = np.flatnonzero((line == colour(strokes.LINES)).all(axis=1))
        expected = 140 * np.arange(1, inner + 1) / (inner + 1)
        np.testing.assert_allclose(found, expected, atol=1)


@pytest.mark.parametrize("shape", [(48, 48), (1, 1), (1, 300), (500, 30)])
def test_any_size_of_picture_and_any_box(shape):
    rgb = np.zeros((*shape, 3), dtype=np.uint8)
    sizes = set()
    for box in (Box(0, 0, 1, 1, 1), Box(-5, -5, 500, 500, 1), Box(shape[1] + 9, 0, 5, 5, 1)):
        sizes.add(annotating.annotate(rgb, rows(box=box)).shape)
    assert len(sizes) == 1
    found = sizes.pop()
    assert min(found[:2]) >= annotating.SMALLEST or max(found[:2]) > annotating.LARGEST / 2
    assert max(found[:2]) <= annotating.LARGEST + 2 * annotating.LARGEST_TEXT


def test_the_tag_says_when_the_student_is_unsure():
    assert annotating.tag_of(rows()[0]) == "happiness 0.86"
    assert annotating.tag_of(rows(Place("a.mp4", 3, 0.1))[0]) == "#0 happiness 0.86"
    unsure = face_row(
        Place("a.png"), 0, Box(0, 0, 9, 9, 1), Reading(np.full(8, 0.125), np.zeros(2)),
        recogniser(abstain_below=0.5).contract,
    )  # fmt: skip
    assert annotating.tag_of(unsure) == "unsure (neutral 0.12)"
