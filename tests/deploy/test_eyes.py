"""A pair of eyes is one that a face can have."""

import numpy as np
import pytest

from neurogaze.deploy.boxes import Box
from neurogaze.deploy.eyes import EYE_PATCH, eye_patch, plausible_pair, with_eyes

GOOD = (0.3, 0.4, 2.0), (0.7, 0.42, 3.0)


def test_the_left_one_comes_first():
    assert plausible_pair([GOOD[1], GOOD[0]]) == GOOD


@pytest.mark.parametrize(
    "odd",
    [
        [GOOD[0]],
        [GOOD[0], (0.45, 0.4, 9.0)],  # both in the left half
        [GOOD[0], (0.7, 0.6, 9.0)],  # a cheek
        [GOOD[0], (0.95, 0.4, 9.0)],  # an ear
        [(0.45, 0.4, 9.0), (0.55, 0.4, 9.0)],  # closer than any eyes
        [(0.3, 0.25, 9.0), (0.6, 0.5, 9.0)],  # 40 degrees
        [],
    ],
)
def test_no_pair(odd):
    assert plausible_pair(odd) is None


def test_the_surest_pair_is_taken():
    weak = (0.32, 0.45, 1.0)
    assert plausible_pair([weak, *GOOD]) == GOOD


def test_the_patch_is_the_upper_half_of_the_face():
    full = np.zeros((100, 100), dtype=np.uint8)
    full[32:82] = 200  # the rows of 0.12 to 0.62 of a box from 20 to 120
    patch = eye_patch(full, Box(0, 20, 100, 100, 1.0))
    assert patch.shape == (EYE_PATCH // 2, EYE_PATCH)
    assert (patch[1:-1] == 200).all()


class TwoWindows:
    """A cascade that answers the same: windows of 40 pixels at (40, 20) and (120, 30)."""

    def detectMultiScale3(self, image, **settings):
        assert image.shape == (EYE_PATCH // 2, EYE_PATCH)
        found = np.array([[120, 30, 40, 40], [40, 20, 40, 40]])
        return found, np.array([20, 20]), np.array([1.0, 2.0])


def test_eyes_are_told_in_pixels_of_the_picture():
    """Patch 200 x 100 of a box 100 x 100 at (10, 20): half a pixel each, 12 % below its top."""
    box = Box(10, 20, 100, 100, 1.0)
    found = with_eyes(TwoWindows(), np.zeros((200, 200), dtype=np.uint8), box)
    assert found.eyes is not None
    np.testing.assert_allclose(found.eyes, [(40, 52), (80, 57)])
    assert all(type(value) is float for eye in found.eyes for value in eye)
