"""Overlaps and order of boxes, by hand."""

import numpy as np
import pytest

from neurogaze.deploy.boxes import Box, merged, overlap, scaled, shrunk


def test_overlap_is_a_share_of_the_smaller_box():
    assert overlap(Box(0, 0, 10, 10, 1), Box(5, 0, 10, 10, 1)) == pytest.approx(0.5)
    assert overlap(Box(0, 0, 10, 10, 1), Box(10, 0, 5, 5, 1)) == 0
    assert overlap(Box(0, 0, 10, 10, 1), Box(8, 8, 4, 4, 1)) == pytest.approx(4 / 16)


def test_the_surest_of_overlapping_boxes_stays_and_the_largest_comes_first():
    sure, twin = Box(0, 0, 10, 10, 5.0), Box(2, 0, 12, 12, 4.0)
    inner, far = Box(3, 3, 4, 4, 1.0), Box(40, 0, 20, 20, 0.5)
    expected = [far, sure]
    for order in ([sure, twin, inner, far], [far, inner, twin, sure], [twin, far, sure, inner]):
        assert merged(order, 0.4) == expected


def test_equal_boxes_do_not_depend_on_their_order():
    boxes = [Box(x, y, 5, 5, 1.0) for x in (20, 0, 10) for y in (10, 0)]
    assert merged(boxes, 0.4) == merged(boxes[::-1], 0.4)
    assert [(b.left, b.top) for b in merged(boxes, 0.4)][:3] == [(0, 0), (0, 10), (10, 0)]


def test_boxes_and_eyes_are_scaled_alike():
    box = Box(1, 2, 3, 4, 9.0, ((1.5, 3.0), (3.0, 3.5)), cropped=True)
    assert scaled(box, 2, 10) == Box(2, 20, 6, 40, 9.0, ((3.0, 30.0), (6.0, 35.0)), cropped=True)
    assert scaled(Box(1, 1, 1, 1, 0.0), 2, 2).eyes is None


def test_a_picture_is_shrunk_to_its_longer_side():
    image = np.zeros((100, 1000, 3), dtype=np.uint8)
    assert shrunk(image, 500).shape == (50, 500, 3)
    assert shrunk(image, 1000) is image
    assert shrunk(np.zeros((1, 5000), dtype=np.uint8), 100).shape == (1, 100)
