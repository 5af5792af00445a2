"""Annotated files are whole or not there, each under a name of its own."""

import cv2
import numpy as np
import pytest
from PIL import Image

from neurogaze import artefacts
from neurogaze.deploy import annotating, drawings, strokes
from neurogaze.deploy.batching import Shot
from neurogaze.deploy.rows import Place
from neurogaze.errors import InputError
from tests.deploy.infer_fakes import recogniser, rows

GREY = np.full((300, 400, 3), 128, dtype=np.uint8)


def test_drawings_have_the_cells_of_the_model(tmp_path):
    assert strokes.cells_of(recogniser().contract) == 5
    seven = np.asarray(annotating.annotate(GREY, rows(), 7))
    assert (seven != annotating.annotate(GREY, rows(), 5)).any()
    with drawings.annotator(tmp_path / "out", cells=7) as pen:
        pen.draw(GREY, rows())
    assert (np.asarray(Image.open(tmp_path / "out" / "a.png")) == seven).all()


def test_pictures_keep_their_names(tmp_path):
    with drawings.annotator(tmp_path / "out") as pen:
        for name in ("a.png", "sub/b.jpg", "c.webp"):
            pen.draw(GREY, rows(Place(name)))
    found = sorted(p.relative_to(tmp_path / "out").as_posix() for p in tmp_path.rglob("*.*"))
    assert found == ["a.png", "c.webp.png", "sub/b.jpg"]
    drawn = np.asarray(Image.open(tmp_path / "out" / "a.png"))
    assert (drawn == annotating.annotate(GREY, rows())).all()


def test_what_cannot_be_written_is_said_and_stops_no_other(tmp_path):
    """JPEG ends at 65,535 pixels; names end at 255 bytes on the disks that people have."""
    tall = np.zeros((65_500, 20, 3), dtype=np.uint8)
    with drawings.annotator(tmp_path / "out") as pen:
        assert pen.draw(tall, rows(Place("tall.jpg")))
        assert "too long" in pen.draw(GREY, rows(Place("n" * 240 + ".png")))
        assert pen.draw(GREY, rows(Place("b.png"))) == ""
        shot = Shot(Place("tall.jpg"), rgb=tall)
        noted, trouble = drawings.drawn_rows(shot, rows(Place("tall.jpg")), pen)
    assert noted[0].note == trouble
    assert trouble.startswith("cannot be drawn: ")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b.png"]


def test_a_video_has_every_frame_at_its_rate(tmp_path):
    path = tmp_path / "out.mp4"
    with drawings.annotator(path, 12.5) as pen:
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


def test_a_folder_is_looked_through_once_however_many_drawings(tmp_path, monkeypatch):
    """What killed runs left of drawings goes; a table that is being written beside them stays."""
    looked, real = [], drawings.sweep
    monkeypatch.setattr(drawings, "sweep", lambda f, n: looked.append(n) or real(f, n))
    monkeypatch.setattr(artefacts, "sweep", lambda f, n: looked.append(n) or real(f, n))
    with (
        artefacts.written_aside(tmp_path / "f.csv") as table,
        artefacts.written_aside(tmp_path / "b.png") as left,
    ):
        table.write_text("rows")
        left.write_text("half")
        stale = tmp_path / left.name.replace("b.png", "c.png")
        stale.write_text("half")
        looked.clear()
        with drawings.annotator(tmp_path) as pen:
            for i in range(5):
                assert pen.draw(GREY, rows(Place(f"{i}.png"))) == ""
        assert len(looked) == len(drawings.KEPT)
        assert not stale.exists()
        left.write_text("half")  # for its own block, which moves it
    assert (tmp_path / "f.csv").read_text() == "rows"


def test_nothing_is_left_of_a_video_that_failed(tmp_path):
    def draw():
        with drawings.annotator(tmp_path / "o.mp4", 10) as pen:
            pen.draw(GREY, rows())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        draw()
    assert list(tmp_path.iterdir()) == []


def test_where_drawings_cannot_go(tmp_path):
    with (
        pytest.raises(InputError, match="pictures are read"),
        drawings.annotator(tmp_path / "o.mp4"),
    ):
        pass
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="is a file"), drawings.annotator(tmp_path / "file"):
        pass
    below = tmp_path / "file" / "sub"
    with pytest.raises(InputError, match="cannot be made"), drawings.annotator(below):
        pass
    with drawings.annotator(None) as pen:
        pen.draw(GREY, rows())
