"""Augmentation does what its settings say, no more, and follows its generator alone."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch.nn.functional import interpolate

from neurogaze.errors import InputError
from neurogaze.faces.augment import (
    BLUR_KERNEL,
    BLUR_SIGMA,
    AugmentSettings,
    augment,
    blurred,
    coarse_sides,
    coarsened,
    erased,
    relit,
    warped,
)
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


PINNED = """
0.436466 0.610149 0.340789 0.673783 0.472733 0.330754 0.340374 0.484793
0.519940 0.342525 0.430576 0.598587 0.398886 0.351403 0.658794 0.345519
0.086132 0.591323 0.212057 0.581557 0.373301 0.000000 0.368255 0.676461
0.655951 0.379087 0.492369 0.818971 0.421730 0.861571 0.823547 0.000000
"""
"""Mean and pixel (11, 30) of sixteen pictures, written down before blur and coarseness came."""


def test_the_pictures_of_earlier_versions_are_pinned():
    axis = np.arange(48)
    face = ((axis[:, None] * 7 + axis[None, :] * 13) % 256).astype(np.float32) / 255
    faces = np.stack([np.roll(face, 5 * i, 1) for i in range(16)])[:, None]
    out = run(AugmentSettings(), torch.from_numpy(faces), 44, seed=2024)
    found = torch.cat([out.mean(dim=(1, 2, 3)), out[:, 0, 11, 30]])
    expected = torch.tensor([float(v) for v in PINNED.split()])
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-5)


def test_the_chance_of_earlier_versions_is_unchanged():
    """Thirteen numbers a picture, in this order; a lens that is used draws after them."""
    images, settings = pictures(), AugmentSettings()
    chance = torch.rand(8, 13, generator=generator(3))
    moved = relit(warped(images, settings, 44, chance[:, :5]), settings, chance[:, 5:7])
    expected = erased(moved, settings, chance[:, 7:])
    assert torch.equal(run(settings, images, 44, seed=3), expected)
    never = dataclasses.replace(settings, blur=1e-12, coarse=1e-12)
    assert torch.equal(run(never, images, 44, seed=3), expected)


def test_blur_is_that_of_scipy():
    images, settings = pictures(6), dataclasses.replace(STILL, blur=1.0)
    width = torch.linspace(0, 1, 6)
    soft = blurred(images, settings, torch.stack([torch.zeros(6), width], dim=1))
    for picture, out, share in zip(images[:, 0], soft[:, 0], width.tolist(), strict=True):
        sigma = BLUR_SIGMA[0] + share * (BLUR_SIGMA[1] - BLUR_SIGMA[0])
        reach = (BLUR_KERNEL // 2) / sigma
        expected = gaussian_filter(picture.numpy(), sigma, mode="mirror", truncate=reach)
        np.testing.assert_allclose(out.numpy(), expected, atol=1e-5)


def test_coarse_pictures_are_shrunk_by_area_and_enlarged_bilinearly():
    images, settings = pictures(8, 44), dataclasses.replace(STILL, coarse=1.0)
    step = (torch.arange(8) + 0.5) / 8
    rough = coarsened(images, settings, torch.stack([torch.zeros(8), step], dim=1))
    sides = coarse_sides(images)
    assert (sides[0], sides[-1], len(sides)) == (13, 33, 8)
    for i, side in enumerate(sides):
        small = interpolate(images[i : i + 1], size=(side, side), mode="area")
        expected = interpolate(small, size=(44, 44), mode="bilinear", align_corners=False)
        torch.testing.assert_close(rough[i : i + 1], expected, **CLOSE)


@pytest.mark.parametrize("name", ["blur", "coarse"])
def test_a_lens_touches_as_many_as_asked(name):
    images = pictures(600, 44)
    out = run(dataclasses.replace(STILL, **{name: 0.3}), images, 44)
    plain = run(STILL, images, 44)
    share = (out != plain).any(dim=3).any(dim=2).any(dim=1).float().mean()
    assert math.isclose(float(share), 0.3, abs_tol=0.06)
    assert out.min() >= 0
    assert out.max() <= 1


@pytest.mark.parametrize(
    "bad",
    [{"flip": 1.5}, {"erase": -0.1}, {"degrees": -1}, {"scale": 1.0}, {"blur": 2}, {"coarse": -1}],
)
def test_settings_out_of_range(bad):
    with pytest.raises(InputError, match=next(iter(bad))):
        AugmentSettings(**bad)
