import numpy as np
import pytest
from scipy import signal

from neurogaze.eeg.bands import BANDS
from neurogaze.eeg.zero_phase import (
    butterworth_gain,
    filtered,
    notch_gain,
    notch_settling,
    settling,
)

RATE = 128.0
LENGTH = 12_800
FREQUENCIES = np.fft.rfftfreq(LENGTH, 1 / RATE)
EVERY_BAND = sorted({(low, high) for bands in BANDS.values() for _, low, high in bands})


@pytest.mark.parametrize(("low", "high"), EVERY_BAND)
@pytest.mark.parametrize("order", [1, 4, 5])
def test_band_gain_is_the_squared_magnitude_of_the_designed_filter(low, high, order):
    sections = signal.butter(order, (low, high), btype="bandpass", fs=RATE, output="sos")
    _, response = signal.sosfreqz(sections, FREQUENCIES, fs=RATE)
    gain = butterworth_gain(LENGTH, RATE, low, high, order)
    np.testing.assert_allclose(gain, np.abs(response) ** 2, atol=1e-9)
    edges = gain[[round(low * LENGTH / RATE), round(high * LENGTH / RATE)]]
    np.testing.assert_allclose(edges, 0.5, rtol=1e-9)
    assert gain[0] == 0


@pytest.mark.parametrize("frequency", [10.0, 50.0, 60.0])
def test_notch_gain_is_the_squared_magnitude_of_the_designed_notch(frequency):
    b, a = signal.iirnotch(frequency, 30, fs=RATE)
    _, response = signal.freqz(b, a, FREQUENCIES, fs=RATE)
    gain = notch_gain(LENGTH, RATE, frequency)
    np.testing.assert_allclose(gain, np.abs(response) ** 2, atol=1e-9)
    assert gain[round(frequency * LENGTH / RATE)] < 1e-20
    assert gain[0] == 1


@pytest.mark.parametrize(("low", "high"), EVERY_BAND)
def test_a_band_filter_has_forgotten_an_impulse_after_its_settling(low, high):
    reach = settling(RATE, min(low, high - low), order=4)
    impulse = np.zeros(8 * reach + 1)
    impulse[4 * reach] = 1
    sections = signal.butter(4, (low, high), btype="bandpass", fs=RATE, output="sos")
    answer = np.abs(signal.sosfiltfilt(sections, impulse, padlen=0))
    assert answer[5 * reach :].max() < 1e-8 * answer.max()
    assert answer[4 * reach + reach // 4 :].max() > 1e-6 * answer.max()


def test_a_notch_has_forgotten_an_impulse_after_its_settling():
    reach = notch_settling(RATE, 50.0)
    impulse = np.zeros(4 * reach + 1)
    impulse[2 * reach] = 1
    sections = signal.tf2sos(*signal.iirnotch(50.0, 30, fs=RATE))
    answer = np.abs(signal.sosfiltfilt(sections, impulse, padlen=0))
    assert answer[3 * reach :].max() < 1e-9 * answer.max()


@pytest.mark.parametrize("channels", [1, 2, 5])
@pytest.mark.parametrize("samples", [1, 2, 50, 1001])
def test_a_gain_of_one_returns_every_row(channels, samples):
    x = np.random.default_rng(0).normal(size=(channels, samples))
    y = np.full((2, *x.shape), np.nan)

    def gains(length):
        return [np.ones(length // 2 + 1), np.full(length // 2 + 1, 3.0)]

    for rows, index, part in filtered(x, 100, gains):
        y[index, rows] = part
    np.testing.assert_allclose(y, [x, 3 * x], atol=1e-12)
