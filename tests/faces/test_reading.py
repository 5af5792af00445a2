"""A face is cut out without distortion; a box that is none is an error of its picture alone."""

import math
from pathlib import Path

import numpy as np
import pytest

from neurogaze.errors import InputError
from neurogaze.faces.reading import LARGEST_BOX, fitted, read_pictures

PICTURE = np.arange(60 * 80, dtype=np.int64).reshape(60, 80).astype(np.uint8)
EXTREME = (math.inf, 1e7, 1e300, 1.7e308)
BOXES = [
    *[(0.0, 0.0, side, 10.0) for side in EXTREME],
    *[(0.0, 0.0, 10.0, side) for side in EXTREME],
    *[(place, 0.0, 10.0, 10.0) for place in (*EXTREME, -math.inf, -1e300, math.nan)],
    (-1e300, 0.0, 1e300, 10.0),
    (-5e6, -5e6, 1e7, 1e7),
    (0.0, math.nan, 10.0, 10.0),
    (0.0, 0.0, math.nan, 10.0),
    (0.0, 0.0, 0.0, 10.0),
]


@pytest.mark.parametrize("box", BOXES)
def test_a_box_that_is_none_is_refused(box):
    with pytest.raises(InputError, match="in a picture of 80x60"):
        fitted(PICTURE, box)


def test_a_box_may_be_as_large_as_the_constant_says():
    side = LARGEST_BOX * 80
    assert fitted(PICTURE, (-100.0, 10.0, side, 10.0)).shape == (48, 48)
    with pytest.raises(InputError):
        fitted(PICTURE, (-100.0, 10.0, side + 1, 10.0))


def test_a_box_of_the_stored_size_is_the_pixels_themselves():
    np.testing.assert_array_equal(fitted(PICTURE, (10.0, 5.0, 48.0, 48.0)), PICTURE[5:53, 10:58])


def test_one_bad_box_is_counted_or_refused():
    boxes = [None, (0.0, 0.0, 1e300, 1e300), None]

    def face(i):
        return fitted(PICTURE, boxes[i])

    with pytest.warns(UserWarning, match="1 pictures could not be read"):
        read = read_pictures("abc", face, Path("here"), strict=False, progress=False)
    assert read.kept.tolist() == [0, 2]
    assert read.skipped[0].startswith("b: ")
    with pytest.raises(InputError, match="face box"):
        read_pictures("abc", face, Path("here"), strict=True, progress=False)
