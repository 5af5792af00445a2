"""Boxes, words and stamp are where they should be, and files are whole or not there."""

import cv2
import numpy as np
import pytest
from PIL import Image, ImageColor

from neurogaze.deploy import annotating, strokes
from neurogaze.deploy.batching import Shot
from neurogaze.deploy.boxes import Box
from neurogaze.deploy.rows import Place, Reading, empty_row, face_row
from neurogaze.errors import InputError
from tests.deploy.infer_fakes import recogniser

GREY = np.full((300, 400, 3), 128, dtype=np.uint8)


def rows(place=None, label=1, generated=False, va=(0.8, 0.8), box=None):
    student = recogniser(generated=generated)
    shares = np.full(8, 0.02)
    shares[label] = 0.86
    box = box or Box(150, 100, 80, 90, 1.0)
    reading = Reading(shares, np.array(va))
    return [face_row(place or Place("a.png"), 0, box, reading, student.contract)]


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


def test_drawings_have_the_cells_of_the_model(tmp_path):
    assert strokes.cells_of(recogniser().contract) == 5
    seven = np.asarray(annotating.annotate(GREY, rows(), 7))
    assert (seven != annotating.annotate(GREY, rows(), 5)).any()
    with annotating.annotator(tmp_path / "out", cells=7) as pen:
        pen.draw(GREY, rows())
    assert (np.asarray(Image.open(tmp_path / "out" / "a.png")) == seven).all()


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


def test_pictures_keep_their_names(tmp_path):
    with annotating.annotator(tmp_path / "out") as pen:
        for name in ("a.png", "sub/b.jpg", "c.webp"):
            pen.draw(GREY, rows(Place(name)))
    found = sorted(p.relative_to(tmp_path / "out").as_posix() for p in tmp_path.rglob("*.*"))
    assert found == ["a.png", "c.webp.png", "sub/b.jpg"]
    drawn = np.asarray(Image.open(tmp_path / "out" / "a.png"))
    assert (drawn == annotating.annotate(GREY, rows())).all()


def test_what_cannot_be_written_is_said_and_stops_no_other(tmp_path):
    """JPEG ends at 65,535 pixels; names end at 255 bytes on the disks that people have."""
    tall = np.zeros((65_500, 20, 3), dtype=np.uint8)
    with annotating.annotator(tmp_path / "out") as pen:
        assert pen.draw(tall, rows(Place("tall.jpg")))
        assert "too long" in pen.draw(GREY, rows(Place("n" * 240 + ".png")))
        assert pen.draw(GREY, rows(Place("b.png"))) == ""
        shot = Shot(Place("tall.jpg"), rgb=tall)
        noted, trouble = annotating.drawn_rows(shot, rows(Place("tall.jpg")), pen)
    assert noted[0].note == trouble
    assert trouble.startswith("cannot be drawn: ")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b.png"]


def test_a_video_has_every_frame_at_its_rate(tmp_path):
    path = tmp_path / "out.mp4"
    with annotating.annotator(path, 12.5) as pen:
        for t in range(7):
            pen.draw(GREY, rows(Place("a.avi", t, t / 12.5)))
            assert not path.exists()
    capture = cv2.VideoCapture(str(path))
    assert capture.get(cv2.CAP_PROP_FPS) == 12.5
    read = 0
    while capture.read()[0]:
        read += 1
    assert read == 7
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_is_left_of_a_video_that_failed(tmp_path):
    def draw():
        with annotating.annotator(tmp_path / "o.mp4", 10) as pen:
            pen.draw(GREY, rows())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        draw()
    assert list(tmp_path.iterdir()) == []


def test_where_drawings_cannot_go(tmp_path):
    with (
        pytest.raises(InputError, match="pictures are read"),
        annotating.annotator(tmp_path / "o.mp4"),
    ):
        pass
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="is a file"), annotating.annotator(tmp_path / "file"):
        pass
    below = tmp_path / "file" / "sub"
    with pytest.raises(InputError, match="cannot be made"), annotating.annotator(below):
        pass
    with annotating.annotator(None) as pen:
        pen.draw(GREY, rows())
