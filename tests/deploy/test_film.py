"""A film has every picture at its time, however unevenly they come."""

import resource

import cv2
import numpy as np
import pytest

from neurogaze.deploy import film
from neurogaze.errors import InputError


def lasts(path):
    capture = cv2.VideoCapture(str(path))
    return capture.get(cv2.CAP_PROP_FRAME_COUNT) / capture.get(cv2.CAP_PROP_FPS)


@pytest.mark.parametrize(
    ("seconds", "length"),
    [
        ([0.25 * i for i in range(41)], 10.0),  # a camera that says 30 and gives 4
        ([i / 60 for i in range(601)], 10.0),  # twice as many as fit
        ([0, 0.03, 0.03, 0.1, 2.0, 2.0, 3.0], 3.0),  # a rate that varies, and stamps twice
        ([7.0, 7.5, 8.0], 1.0),  # it begins late
        ([0.0, 1e6, 1e6 + 1], film.LONGEST_STILL + 1),  # a stamp far ahead
    ],
)
def test_a_film_lasts_as_long_as_what_it_was_drawn_from(tmp_path, seconds, length):
    small = np.zeros((48, 48, 3), dtype=np.uint8)
    with film.film(tmp_path / "o.mp4", 30.0) as made:
        for at in seconds:
            made.add(small, at)
    assert lasts(tmp_path / "o.mp4") == pytest.approx(length, abs=1.01 / 30)


def test_a_picture_of_a_film_stays_until_the_next(tmp_path):
    """Grey levels by time: two on one place, of which the later stays, then a long one."""
    with film.film(tmp_path / "o.mp4", 10.0) as made:
        for at, level in ((0.0, 0), (0.1, 60), (0.11, 120), (0.5, 240)):
            made.add(np.full((48, 48, 3), level, dtype=np.uint8), at)
    capture = cv2.VideoCapture(str(tmp_path / "o.mp4"))
    levels = [capture.read()[1].mean() for _ in range(6)]
    assert levels == pytest.approx([0, 120, 120, 120, 120, 240], abs=12)


def noisy_film(path):
    noise = np.random.default_rng(0)
    with film.film(path, 10.0) as made:
        for i in range(60):
            made.add(noise.integers(0, 256, (240, 320, 3), dtype=np.uint8), i / 10)


def test_a_film_for_which_there_is_no_room_leaves_the_earlier_one(tmp_path):
    """Of a full disk OpenCV says nothing, and what it leaves cannot be played."""
    path = tmp_path / "o.mp4"
    with film.film(path, 10.0) as made:
        made.add(np.zeros((48, 48, 3), dtype=np.uint8), 0.0)
    earlier = path.read_bytes()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, before[1]))
    try:
        with pytest.raises(InputError, match=r"o\.mp4: would hold \d+ of 60 frames.*make room"):
            noisy_film(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_bytes() == earlier
    assert list(tmp_path.iterdir()) == [path]


def test_a_film_without_a_frame_is_refused(tmp_path):
    with (
        pytest.raises(InputError, match=r"o\.mp4.*single frame"),
        film.film(tmp_path / "o.mp4", 10),
    ):
        pass
    assert list(tmp_path.iterdir()) == []
