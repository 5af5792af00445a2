"""Grey pictures to network input."""

import numpy as np
import pytest
import torch
from PIL import Image

from neurogaze.errors import InputError
from neurogaze.faces.preprocessing import FacePreprocessing, centred, to_input, to_unit


def test_crop_is_the_middle():
    images = torch.arange(48 * 48).remainder(251).to(torch.uint8).reshape(1, 48, 48)
    out = to_input(images, FacePreprocessing(size=44, mean=0.0, std=1.0))
    expected = images[:, 2:46, 2:46].float() / 255
    assert out.shape == (1, 1, 44, 44)
    torch.testing.assert_close(out[:, 0], expected, rtol=0, atol=0)


def test_levels_are_standardised():
    grey = torch.tensor([0, 255], dtype=torch.uint8).reshape(2, 1, 1).expand(2, 48, 48)
    out = to_input(grey, FacePreprocessing(mean=0.5, std=0.25))
    assert out[0].unique().tolist() == [-2.0]
    assert out[1].unique().tolist() == [2.0]


def test_bytes_and_unit_floats_agree():
    images = torch.randint(0, 256, (3, 48, 48), dtype=torch.uint8)
    prep = FacePreprocessing()
    torch.testing.assert_close(to_input(images, prep), to_input(images[:, None] / 255.0, prep))


def test_three_channels_repeat_the_grey_one():
    images = torch.randint(0, 256, (2, 48, 48), dtype=torch.uint8)
    out = to_input(images, FacePreprocessing(size=48, channels=3))
    assert out.shape == (2, 3, 48, 48)
    assert bool((out[:, 0] == out[:, 1]).all())
    assert bool((out[:, 0] == out[:, 2]).all())


def test_enlargement_agrees_with_pillow():
    levels = np.random.default_rng(0).random((48, 48), dtype=np.float32)
    pillow = np.asarray(Image.fromarray(levels).resize((96, 96), Image.Resampling.BILINEAR))
    ours = centred(torch.from_numpy(levels)[None, None], 96)
    np.testing.assert_allclose(ours[0, 0].numpy(), pillow, atol=1e-5)


def test_oblong_pictures_become_square():
    images = torch.zeros(1, 1, 60, 40)
    images[:, :, 10:50] = 1.0
    assert centred(images, 80).shape == (1, 1, 80, 80)
    assert centred(images, 40).min() == 1.0


@pytest.mark.parametrize(
    "images",
    [
        torch.zeros(2, 48, 48),
        torch.zeros(2, 3, 48, 48),
        torch.zeros(2, 1, 48, 48, dtype=torch.uint8),
        torch.zeros(2, 48, 48, dtype=torch.int64),
    ],
)
def test_what_are_no_grey_pictures(images):
    with pytest.raises(InputError, match="face images"):
        to_unit(images)


@pytest.mark.parametrize(
    "bad",
    [
        {"size": 0},
        {"channels": 2},
        {"std": 0.0},
        *({name: float(value)} for name in ("mean", "std") for value in ("nan", "inf", "-inf")),
    ],
)
def test_settings_that_make_no_picture(bad):
    with pytest.raises(InputError, match=next(iter(bad))):
        FacePreprocessing(**bad)
