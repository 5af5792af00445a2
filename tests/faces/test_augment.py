"""Augmentation does what its settings say, no more, and follows its generator alone."""

import dataclasses
import math

import pytest
import torch

from neurogaze.errors import InputError
from neurogaze.faces.augment import AugmentSettings, augment
from neurogaze.faces.preprocessing import centred

STILL = AugmentSettings(flip=0, degrees=0, translate=0, scale=0, brightness=0, contrast=0, erase=0)
CLOSE = {"rtol": 0.0, "atol": 3e-5}


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def pictures(n=8, size=48):
    return torch.rand(n, 1, size, size, generator=generator(99))


def run(settings, images, size=48, seed=0):
    return augment(images, settings, size, generator(seed))


def blob(n, across, down, size=48):
    """A Gaussian spot at a place, in pixels."""
    axis = torch.arange(size, dtype=torch.float32)
    row = torch.exp(-((axis - across) ** 2) / 8.0)
    column = torch.exp(-((axis - down) ** 2) / 8.0)
    return (column[:, None] * row[None, :]).expand(n, 1, size, size)


def centroid(images):
    """Centre of mass of each picture, `[n, 2]`, pixels across and down."""
    axis = torch.arange(images.shape[-1], dtype=torch.float32)
    mass = images.sum(dim=(1, 2, 3))
    across = (images.sum(dim=2)[:, 0] * axis).sum(dim=1) / mass
    down = (images.sum(dim=3)[:, 0] * axis).sum(dim=1) / mass
    return torch.stack([across, down], dim=1)


@pytest.mark.parametrize("size", [48, 44, 45, 20, 96])
def test_all_zero_is_the_centre_crop(size):
    images = pictures()
    torch.testing.assert_close(run(STILL, images, size), centred(images, size), **CLOSE)


def test_disabled_is_exact():
    images = pictures()
    assert torch.equal(run(AugmentSettings(enabled=False), images, 44), centred(images, 44))


def test_flip_alone():
    images = pictures()
    mirrored = run(dataclasses.replace(STILL, flip=1.0), images)
    torch.testing.assert_close(mirrored, images.flip(-1), **CLOSE)
    mixed = run(dataclasses.replace(STILL, flip=0.5), pictures(400))
    flipped = ((mixed - pictures(400).flip(-1)).abs().amax(dim=(1, 2, 3)) < 1e-3).float().mean()
    assert 0.4 < flipped < 0.6


def test_shifts_stay_within_bounds_and_use_them():
    moved = run(dataclasses.replace(STILL, translate=0.1), blob(500, 23.5, 23.5))
    shift = centroid(moved) - 23.5
    assert shift.abs().max() <= 4.8 + 0.05
    assert (shift.amax(dim=0) > 4.3).all()
    assert (shift.amin(dim=0) < -4.3).all()
    assert shift.mean(dim=0).abs().max() < 0.5


def test_turns_keep_the_radius_and_stay_within_bounds():
    turned = run(dataclasses.replace(STILL, degrees=15.0), blob(300, 33.5, 23.5))
    offset = centroid(turned) - 23.5
    assert (offset.norm(dim=1) - 10.0).abs().max() < 0.1
    angle = torch.rad2deg(torch.atan2(offset[:, 1], offset[:, 0]))
    assert angle.abs().max() <= 15.1
    assert angle.max() > 13
    assert angle.min() < -13


def test_sizes_stay_within_bounds():
    scaled = run(dataclasses.replace(STILL, scale=0.1), blob(300, 33.5, 23.5))
    ratio = (centroid(scaled)[:, 0] - 23.5) / 10.0
    assert 0.895 < ratio.min() < 0.92
    assert 1.08 < ratio.max() < 1.105


def test_brightness_and_contrast_bounds():
    levels = torch.full((300, 1, 48, 48), 0.5)
    levels[..., 24:] = 0.6
    bright = run(dataclasses.replace(STILL, brightness=0.2), levels).mean(dim=(1, 2, 3)) - 0.55
    assert 0.18 < bright.max() <= 0.2001
    assert -0.2001 <= bright.min() < -0.18
    varied = run(dataclasses.replace(STILL, contrast=0.2), levels)
    step = (varied[..., 30] - varied[..., 10]).mean(dim=(1, 2)) / 0.1
    assert 0.799 < step.min() < 0.82
    assert 1.18 < step.max() < 1.201
    torch.testing.assert_close(varied.mean(dim=(1, 2, 3)), torch.full((300,), 0.55), **CLOSE)


def test_a_hole_is_one_rectangle_of_one_level():
    holed = run(
        dataclasses.replace(STILL, erase=1.0), torch.full((200, 1, 48, 48), 2.0).clamp(0, 1)
    )
    changed = (holed - 1.0).abs() > 1e-4
    share = changed.float().mean(dim=(1, 2, 3))
    assert share.min() > 0.01
    assert share.max() < 0.22
    for picture, mask in zip(holed[:20, 0], changed[:20, 0], strict=True):
        rows, across = mask.any(dim=1).sum(), mask.any(dim=0).sum()
        assert mask.sum() == rows * across
        assert picture[mask].unique().numel() == 1
    sometimes = run(dataclasses.replace(STILL, erase=0.25), torch.ones(800, 1, 48, 48))
    often = ((sometimes - 1.0).abs() > 1e-4).any(dim=(1, 2, 3)).float().mean()
    assert math.isclose(float(often), 0.25, abs_tol=0.05)


def test_everything_comes_from_the_generator():
    images, settings = pictures(), AugmentSettings()
    first = run(settings, images, 44)
    torch.manual_seed(1234)
    assert torch.equal(first, run(settings, images, 44))
    assert not torch.equal(first, run(settings, images, 44, seed=1))
    state = torch.random.get_rng_state()
    run(settings, images, 44)
    assert torch.equal(state, torch.random.get_rng_state())


def test_pictures_vary_differently_and_stay_in_range():
    images = pictures(1).expand(16, 1, 48, 48)
    out = run(AugmentSettings(), images, 44)
    assert out.shape == (16, 1, 44, 44)
    assert out.dtype == torch.float32
    assert out.min() >= 0.0
    assert out.max() <= 1.0
    assert len({float(picture.sum()) for picture in out}) == 16


@pytest.mark.parametrize("bad", [{"flip": 1.5}, {"erase": -0.1}, {"degrees": -1}, {"scale": 1.0}])
def test_settings_out_of_range(bad):
    with pytest.raises(InputError, match=next(iter(bad))):
        AugmentSettings(**bad)
