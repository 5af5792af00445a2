from itertools import pairwise

import numpy as np
import pytest
from scipy import signal

from neurogaze.eeg.bands import BANDS, band_filter, zero_phase_bands
from neurogaze.eeg.zero_phase import settling
from neurogaze.errors import InputError

RATE = 128.0


def tone(frequency, amplitude, seconds=40.0):
    t = np.arange(round(seconds * RATE)) / RATE
    return amplitude * np.sin(2 * np.pi * frequency * t)


def designed(low, high, order=4):
    return signal.butter(order, (low, high), btype="bandpass", fs=RATE, output="sos")


@pytest.mark.parametrize(("low", "high"), [(1, 4), (4, 8), (8, 13), (13, 30), (30, 45)])
@pytest.mark.parametrize("samples", [25_472, 6001])
def test_band_filter_is_forwards_and_backwards_filtering(low, high, samples):
    """To the last sample, on a drifting signal with an offset, where SciPy reflects as far."""
    draw = np.random.default_rng(0)
    x = draw.normal(3, 1, (3, samples)) + 0.05 * np.cumsum(draw.normal(size=(3, samples)), axis=1)
    reach = settling(RATE, min(low, high - low), 4)
    expected = signal.sosfiltfilt(designed(low, high), x, padlen=reach)
    y = band_filter(x, RATE, low, high)
    assert np.abs(y - expected).max() < 1e-7 * expected.std()


def test_band_filter_takes_any_shape_and_leaves_its_input_alone():
    x = np.random.default_rng(0).normal(size=(2, 3, 500)).astype(np.float32)
    before = x.copy()
    y = band_filter(x, RATE, 8, 13)
    assert y.shape == x.shape
    np.testing.assert_allclose(y[1, 2], band_filter(x[1, 2], RATE, 8, 13), atol=1e-12)
    np.testing.assert_array_equal(x, before)


def test_band_filter_has_no_delay():
    x = tone(10, 1.0)
    np.testing.assert_allclose(band_filter(x, RATE, 8, 13)[512:-512], x[512:-512], atol=2e-3)


@pytest.mark.parametrize("frequency", [8, 13])
def test_a_tone_at_an_edge_is_halved(frequency):
    x = tone(frequency, 1.0)
    y = band_filter(x, RATE, 8, 13)
    np.testing.assert_allclose(y[1024:-1024], x[1024:-1024] / 2, atol=1e-9)


def test_white_noise_has_the_power_the_filter_lets_through():
    """Mean of |H|^4 (two passes) over frequencies up to Nyquist, by SciPy's response."""
    x = np.random.default_rng(0).normal(size=200_000)
    for _, low, high in BANDS["faithful"]:
        _, response = signal.sosfreqz(designed(low, high), worN=2**15, fs=RATE)
        expected = np.mean(np.abs(response) ** 4)
        assert band_filter(x, RATE, low, high).var() == pytest.approx(expected, rel=0.02)
        assert expected == pytest.approx((high - low) / 64, rel=0.12)


def test_band_filter_refuses_a_band_at_nyquist():
    with pytest.raises(InputError, match="64"):
        band_filter(np.ones(999), RATE, 30, 64)


def test_bands_are_adjacent():
    for bands in BANDS.values():
        for (_, _, high), (_, low, _) in pairwise(bands):
            assert high == low


def test_bands_and_notches_in_one_pass_equal_filters_in_turn():
    x = np.random.default_rng(1).normal(size=(5, 6000))
    notch = signal.tf2sos(*signal.iirnotch(40.0, 30, fs=RATE))
    mains = signal.tf2sos(*signal.iirnotch(50.0, 30, fs=RATE))
    clean = signal.sosfiltfilt(mains, signal.sosfiltfilt(notch, x, padlen=999), padlen=999)
    seen = np.zeros((4, 5), dtype=int)
    for rows, k, y in zero_phase_bands(x, RATE, BANDS["faithful"], 4, notches=(40.0, 50.0)):
        _, low, high = BANDS["faithful"][k]
        expected = signal.sosfiltfilt(designed(low, high), clean[rows], padlen=999)
        np.testing.assert_allclose(y[:, 900:-900], expected[:, 900:-900], atol=1e-9)
        seen[k, rows] += 1
    assert (seen == 1).all()
