"""Crops by hand geometry: what is cut, what is turned, what lies outside."""

import math

import numpy as np
import pytest
from PIL import Image

from neurogaze.deploy.boxes import Box
from neurogaze.deploy.contract import CropRule
from neurogaze.deploy.cropping import (
    Square,
    crop_face,
    crop_faces,
    eye_angle,
    grey,
    sampled,
    square_of,
)
from neurogaze.deploy.detection import Cropped
from neurogaze.errors import InputError
from neurogaze.faces.reading import fitted

PLAIN = CropRule(margin=1.0, drop=0.0, level_eyes=False)


def colour(image):
    return np.repeat(np.asarray(image, dtype=np.uint8)[..., None], 3, axis=2)


def noise(height=48, width=48, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)


def smooth(height, width):
    """Slow waves, which no sampling should change by much."""
    y, x = np.mgrid[:height, :width]
    waves = np.sin(2 * np.pi * x / width * 2) + np.cos(2 * np.pi * y / height * 3)
    return (127.5 + 60 * waves).astype(np.uint8)


def test_forty_eight_pixels_come_back_unchanged():
    image = noise(80, 90)
    found = crop_face(colour(image), Box(20, 10, 48, 48, 1.0), PLAIN)
    np.testing.assert_array_equal(found, image[10:58, 20:68])


def test_luma_is_that_of_itu_r_601():
    pixel = np.array([[[200, 100, 50]]], dtype=np.uint8)
    assert grey(pixel).tolist() == [[round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)]]


def test_margin_is_a_multiple_of_the_longer_side_about_the_centre():
    square = square_of(Box(100, 200, 40, 60, 1.0), CropRule(1.5, 0.0, False))
    assert (square.x, square.y, square.side, square.angle) == (120, 230, 90, 0)


def test_drop_is_in_longer_sides():
    square = square_of(Box(100, 200, 40, 60, 1.0), CropRule(1.0, 0.1, False))
    assert (square.x, square.y) == pytest.approx((120, 236))


def test_a_cropped_box_is_taken_as_it_is():
    eyes = ((10.0, 20.0), (30.0, 30.0))
    rule = CropRule(1.4, 0.1, True)
    image = noise()
    box = Box(0, 0, 48, 48, 1.0, eyes, cropped=True)
    np.testing.assert_array_equal(crop_face(colour(image), box, rule), image)


def test_the_angle_of_the_eyes():
    box = Box(0, 0, 100, 100, 1.0, ((30, 40), (70, 50)))
    assert eye_angle(box) == pytest.approx(math.atan2(10, 40))
    assert eye_angle(Box(0, 0, 100, 100, 1.0)) == 0


@pytest.mark.parametrize("right", [(70, 75), (35, 41), (140, 40)])
def test_incredible_eyes_turn_nothing(right):
    """41 degrees; 5 % of the width apart; wider apart than the box."""
    assert eye_angle(Box(0, 0, 100, 100, 1.0, ((30, 40), right))) == 0


@pytest.mark.parametrize("degrees", [-25, -15, 10, 20])
def test_a_turned_face_comes_back_upright(degrees):
    """The picture is turned by another library, the eyes by hand."""
    image = smooth(240, 240)
    turned = Image.fromarray(image).rotate(degrees, Image.Resampling.BICUBIC)
    angle = -math.radians(degrees)  # Pillow turns counterclockwise, y points down

    def moved(x, y):
        dx, dy = x - 119.5, y - 119.5
        return (
            120 + math.cos(angle) * dx - math.sin(angle) * dy,
            120 + math.sin(angle) * dx + math.cos(angle) * dy,
        )

    eyes = (moved(99.5, 109.5), moved(139.5, 109.5))
    box = Box(70, 70, 100, 100, 1.0, eyes)
    level = crop_face(colour(turned), box, CropRule(1.0, 0.0, True))
    askew = crop_face(colour(turned), box, PLAIN)
    expected = crop_face(colour(image), Box(70, 70, 100, 100, 1.0), PLAIN).astype(int)
    assert np.abs(level - expected).max() <= 4
    assert np.abs(askew - expected).max() > 40


def test_below_follows_a_turned_face():
    """Eyes that fall to the right by 45 degrees would put the chin to the lower left."""
    box = Box(0, 0, 100, 100, 1.0, ((35, 35), (65, 50)))
    square = square_of(box, CropRule(1.0, 0.2, True))
    angle = math.atan2(15, 30)
    assert square.x == pytest.approx(50 - 20 * math.sin(angle))
    assert square.y == pytest.approx(50 + 20 * math.cos(angle))


def test_what_lies_outside_repeats_the_edge():
    image = noise()
    found = crop_face(colour(image), Box(-24, -24, 48, 48, 1.0), PLAIN)
    np.testing.assert_array_equal(found, np.pad(image, 24, mode="edge")[:48, :48])
    lower = crop_face(colour(image), Box(24, 24, 48, 48, 1.0), PLAIN)
    np.testing.assert_array_equal(lower, np.pad(image, 24, mode="edge")[48:, 48:])


@pytest.mark.parametrize("times", [2, 3, 7, 20])
def test_shrinking_is_the_mean_over_the_area(times):
    """Each pixel is a block of noise: its mean is known, its samples are not."""
    blocks = noise(48 * times, 48 * times).astype(float)
    mean = blocks.reshape(48, times, 48, times).mean(axis=(1, 3))
    box = Box(0, 0, 48 * times, 48 * times, 1.0)
    found = crop_face(colour(blocks), box, PLAIN).astype(float)
    one_sample = blocks[times // 2 :: times, times // 2 :: times]
    error = np.sqrt(np.mean((found - mean) ** 2))
    assert error < 0.25 * np.sqrt(np.mean((one_sample - mean) ** 2))
    assert np.corrcoef(found.ravel(), mean.ravel())[0, 1] > 0.9


@pytest.mark.parametrize(("height", "width"), [(24, 24), (64, 64), (100, 117), (225, 224)])
def test_a_picture_that_is_a_face_is_read_as_corpora_are(height, width):
    """Bicubic, as students saw such pictures; a detected face of the same box is not."""
    image = noise(height, width)
    box = Cropped().detect(colour(image))[0]
    found = crop_face(colour(image), box, CropRule())
    np.testing.assert_array_equal(found, fitted(image))
    detected = Box(box.left, box.top, box.width, box.height, 1.0)
    assert np.abs(crop_face(colour(image), detected, PLAIN).astype(int) - found).mean() > 2


def test_shrinking_agrees_with_the_corpora():
    """Training pictures larger than 48 pixels are reduced by `fitted`, bicubic."""
    image = smooth(300, 300)
    found = crop_face(colour(image), Box(40, 30, 200, 200, 1.0), PLAIN).astype(int)
    assert np.abs(found - fitted(image, (40, 30, 200, 200))).max() <= 2


def test_enlarging_is_bilinear():
    image = noise(30, 30)
    found = sampled(colour(image), Square(15, 15, 24), 48).astype(int)
    expected = Image.fromarray(image).resize((48, 48), Image.Resampling.BILINEAR, (3, 3, 27, 27))
    # Pillow does not look beyond its box, so its rim differs
    assert np.abs(found - np.asarray(expected))[1:-1, 1:-1].max() <= 1


def test_large_and_fine_squares_agree():
    """The same scene at 1x and 12x, where blocks are averaged first."""
    small, large = smooth(100, 100), smooth(1200, 1200)
    one = sampled(colour(small), Square(50, 50, 60, 0.2)).astype(int)
    other = sampled(colour(large), Square(600, 600, 720, 0.2)).astype(int)
    assert np.abs(one - other).max() <= 12
    assert np.abs(one - other).mean() <= 4


def test_several_boxes_in_one_call():
    rgb = colour(noise(200, 200))
    boxes = [Box(0, 0, 48, 48, 1.0), Box(90, 80, 70, 60, 1.0)]
    found = crop_faces(rgb, boxes, PLAIN)
    np.testing.assert_array_equal(found, [crop_face(rgb, box, PLAIN) for box in boxes])
    empty = crop_faces(rgb, [], PLAIN)
    assert empty.shape == (0, 48, 48)
    assert empty.dtype == np.uint8


def test_a_picture_of_one_pixel():
    assert (crop_face(np.full((1, 1, 3), 9, np.uint8), Box(0, 0, 1, 1, 1.0), PLAIN) == 9).all()


@pytest.mark.parametrize(
    "box",
    [(0, 0, 0, 5), (0, 0, math.nan, 5), (48, 0, 5, 5), (-5, 0, 5, 5), (0, 0, 1e9, 5)],
)
def test_a_box_that_holds_no_face(box):
    with pytest.raises(InputError, match="face box"):
        crop_face(colour(noise()), Box(*box, score=1.0), PLAIN)


def test_a_small_tilt_is_left_as_students_saw_it():
    image = smooth(240, 240)
    eyes = {tilt: ((99.5, 109.5), (139.5, 109.5 + 40 * math.tan(tilt))) for tilt in (0.1, 0.2)}
    squares = {
        tilt: square_of(Box(70, 70, 100, 100, 1.0, eyes[tilt]), CropRule(1.0, 0.0, True))
        for tilt in eyes
    }
    assert squares[0.1].angle == 0
    assert squares[0.2].angle == pytest.approx(0.2)
    rule = CropRule(1.0, 0.0, True)
    tilted, plain = Box(70, 70, 100, 100, 1.0, eyes[0.1]), Box(70, 70, 100, 100, 1.0)
    np.testing.assert_array_equal(
        crop_face(colour(image), tilted, rule), crop_face(colour(image), plain, rule)
    )
