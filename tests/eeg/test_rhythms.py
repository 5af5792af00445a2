"""Generated time courses have the spectrum and the size that were asked for."""

import numpy as np
import pytest
from scipy.signal import find_peaks, welch

from neurogaze.eeg.corpora.rhythms import blink_train, coloured, slow


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_band_noise_has_unit_variance_inside_its_band(rng):
    waves = coloured(rng, [(8.0, 13.0, 0.0), (30.0, 45.0, 0.0)], 128 * 400, 128.0)
    np.testing.assert_allclose(waves.var(axis=1), 1.0, rtol=0.1)
    hertz, power = welch(waves, 128.0, nperseg=1024)
    for row, (low, high) in zip(power, ((8, 13), (30, 45)), strict=True):
        inside = (hertz > low - 0.5) & (hertz < high + 0.5)
        assert row[~inside].sum() < 0.01 * row.sum()


def test_background_falls_as_asked(rng):
    (noise,) = coloured(rng, [(0.3, 64.0, 1.5)], 128 * 2000, 128.0)
    hertz, power = welch(noise, 128.0, nperseg=2048)
    inside = (hertz > 2) & (hertz < 50)
    slope, _ = np.polyfit(np.log(hertz[inside]), np.log(power[inside]), 1)
    assert slope == pytest.approx(-1.5, abs=0.05)


def test_number_of_draws_does_not_depend_on_the_bands():
    first, second = np.random.default_rng(1), np.random.default_rng(1)
    coloured(first, [(8.0, 13.0, 0.0)], 1000, 128.0)
    coloured(second, [(1.0, 60.0, 2.0)], 1000, 128.0)
    assert first.uniform() == second.uniform()


def test_wandering_is_slow_and_of_unit_size(rng):
    waves = slow(rng, 20, 128 * 300, 0.1, 128.0)
    assert waves.shape == (20, 128 * 300)
    assert waves.var() == pytest.approx(0.85, abs=0.2)  # 1 at the knots, less between them
    hertz, power = welch(waves, 128.0, nperseg=128 * 100)
    assert power[:, hertz > 0.3].sum() < 0.01 * power.sum()


@pytest.mark.parametrize("size", [64, 257, 1280])
def test_wandering_covers_any_length(rng, size):
    assert slow(rng, 3, size, 0.1, 128.0).shape == (3, size)


def test_blinks_come_at_their_rate_and_height(rng):
    trains = np.array([blink_train(rng, 128 * 60, 0.2, 128.0) for _ in range(60)])
    tops = [find_peaks(train, height=0.5)[1]["peak_heights"] for train in trains]
    assert np.mean([len(top) for top in tops]) == pytest.approx(12.0, abs=3.0)
    assert np.concatenate(tops).mean() == pytest.approx(1.0, abs=0.1)


def test_blinks_may_be_absent(rng):
    np.testing.assert_array_equal(blink_train(rng, 500, 0.0, 128.0), 0.0)
