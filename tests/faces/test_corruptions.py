"""Corruptions do what their published parameters say, and chance follows the picture alone."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import correlate1d
from scipy.stats import norm

from neurogaze.errors import InputError
from neurogaze.faces import corruptions
from neurogaze.faces.corpora.synthetic import SyntheticFaces
from neurogaze.faces.corruptions import CORRUPTIONS, SEVERITIES, corrupt

KINDS = list(CORRUPTIONS)


@pytest.fixture(scope="module")
def faces():
    table = SyntheticFaces(n_train=16, n_valid=48).load("valid")
    return np.array(table.images), table.ids


def psnr(clean, spoiled):
    error = np.mean((clean.astype(float) - spoiled.astype(float)) ** 2)
    return 10 * np.log10(255**2 / error)


@pytest.mark.parametrize("kind", KINDS)
def test_error_grows_with_severity(kind, faces):
    images, ids = faces
    quality = [psnr(images, corrupt(images, ids, kind, severity)) for severity in SEVERITIES]
    assert quality == sorted(quality, reverse=True)
    assert np.diff(quality).max() < -0.2
    assert 5 < quality[-1] < quality[0] < 60


@pytest.mark.parametrize("kind", KINDS)
def test_shape_and_type_are_kept_and_the_source_is_untouched(kind, faces):
    images, ids = faces[0][:4, :, :40], faces[1][:4]
    before = images.copy()
    spoiled = corrupt(images, ids, kind, 3)
    assert spoiled.shape == images.shape
    assert spoiled.dtype == np.uint8
    np.testing.assert_array_equal(images, before)
    assert not np.shares_memory(spoiled, images)


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_meets_the_same_chance_in_any_company(kind, faces):
    images, ids = faces
    whole = corrupt(images, ids, kind, 2, seed=5)
    np.testing.assert_array_equal(whole, corrupt(images, ids, kind, 2, seed=5))
    order = np.random.default_rng(0).permutation(len(ids))[:11]
    np.testing.assert_array_equal(whole[order], corrupt(images[order], ids[order], kind, 2, seed=5))


@pytest.mark.parametrize("kind", ["noise", "occlusion"])
def test_seed_id_and_severity_each_change_the_chance(kind, faces):
    images, ids = faces
    same = np.repeat(images[:1], 2, axis=0)
    first, second = corrupt(same, ["a", "b"], kind, 2)
    assert not np.array_equal(first, second)
    assert not np.array_equal(corrupt(images, ids, kind, 2), corrupt(images, ids, kind, 2, seed=1))
    draws = [corruptions.generator_of(0, kind, s, "a").integers(2**62) for s in SEVERITIES]
    draws += [corruptions.generator_of(0, other, 1, "a").integers(2**62) for other in KINDS]
    assert len(set(draws)) == len(SEVERITIES) + len(KINDS) - 1


@pytest.mark.parametrize(
    ("severity", "share"), list(enumerate((0.04, 0.08, 0.12, 0.15, 0.18), start=1))
)
def test_noise_has_the_published_deviation(severity, share):
    """On mid-grey: a normal clipped at 0 and 255, and 1/12 from rounding to whole levels."""
    grey = np.full((60, 48, 48), 128, np.uint8)
    spoiled = corrupt(grey, [str(i) for i in range(60)], "noise", severity).astype(float)
    clipped = np.clip(norm.ppf((np.arange(400_000) + 0.5) / 400_000, 128, 255 * share), 0, 255)
    assert spoiled.std() == pytest.approx(np.sqrt(clipped.var() + 1 / 12), rel=0.008)
    assert spoiled.mean() == pytest.approx(clipped.mean(), abs=4 * 255 * share / np.sqrt(60 * 2304))
    for lag in (1, 48):
        flat = (spoiled - spoiled.mean()).ravel()
        assert abs(np.mean(flat[lag:] * flat[:-lag]) / flat.var()) < 0.015


def test_blur_is_a_gaussian_kernel_scaled_from_64_pixels(faces):
    sigma = 1.5 * 48 / 64
    offset = np.arange(-8, 9)
    kernel = np.exp(-(offset**2) / (2 * sigma**2))
    kernel /= kernel.sum()
    spoiled = corrupt(faces[0][:3], faces[1][:3], "blur", 5)
    for picture, found in zip(faces[0][:3].astype(float), spoiled, strict=True):
        rows = correlate1d(picture, kernel, axis=0, mode="nearest")
        expected = correlate1d(rows, kernel, axis=1, mode="nearest")
        assert np.abs(expected - found).max() < 1.0


@pytest.mark.parametrize(
    ("severity", "factor"), list(enumerate((0.4, 0.3, 0.2, 0.1, 0.05), start=1))
)
def test_contrast_keeps_the_mean_and_that_share_of_the_spread(severity, factor, faces):
    images = faces[0][:6].astype(float)
    found = corrupt(faces[0][:6], faces[1][:6], "contrast", severity).astype(float)
    np.testing.assert_allclose(found.mean(axis=(1, 2)), images.mean(axis=(1, 2)), atol=0.3)
    deviation = images - images.mean(axis=(1, 2), keepdims=True)
    slope = (deviation * found).sum(axis=(1, 2)) / (deviation**2).sum(axis=(1, 2))
    np.testing.assert_allclose(slope, factor, atol=0.01)


@pytest.mark.parametrize(("severity", "quality"), list(enumerate((65, 58, 50, 40, 25), start=1)))
def test_jpeg_is_that_of_pillow(severity, quality, faces):
    found = corrupt(faces[0][:3], faces[1][:3], "jpeg", severity)
    for picture, own in zip(faces[0][:3], found, strict=True):
        stream = BytesIO()
        Image.fromarray(picture, mode="L").save(stream, format="JPEG", quality=quality)
        np.testing.assert_array_equal(own, np.asarray(Image.open(stream)))


@pytest.mark.parametrize(("severity", "area"), list(enumerate((0.05, 0.1, 0.2, 0.3, 0.4), start=1)))
def test_occlusion_is_one_black_or_grey_rectangle_of_that_area(severity, area):
    white = np.full((300, 48, 48), 255, np.uint8)
    found = corrupt(white, [str(i) for i in range(300)], "occlusion", severity)
    covered = found != 255
    assert np.abs(covered.mean(axis=(1, 2)) - area).max() < 0.012
    levels, aspects = [], []
    for picture, hole in zip(found, covered, strict=True):
        down, across = hole.any(axis=1).sum(), hole.any(axis=0).sum()
        assert hole.sum() == down * across
        levels += np.unique(picture[hole]).tolist()
        aspects.append(down / across)
    assert set(levels) == {0, 128}
    assert len(levels) == 300
    assert 110 < levels.count(0) < 190
    assert 0.4 < min(aspects) < 0.65
    assert 1.6 < max(aspects) < 2.5
    reached = covered.any(axis=0)
    assert all(edge.any() for edge in (reached[0], reached[-1], reached[:, 0], reached[:, -1]))


@pytest.mark.parametrize("severity", [0, 6, 2.5])
def test_there_is_no_other_severity(severity, faces):
    with pytest.raises(InputError, match="severity"):
        corrupt(faces[0], faces[1], "noise", severity)


def test_what_does_not_fit_is_named(faces):
    with pytest.raises(InputError, match=r"'fog'.*noise, blur"):
        corrupt(faces[0], faces[1], "fog", 1)
    with pytest.raises(InputError, match="float64"):
        corrupt(faces[0].astype(float), faces[1], "noise", 1)
    with pytest.raises(InputError, match="2 ids"):
        corrupt(faces[0], ["a", "b"], "noise", 1)
