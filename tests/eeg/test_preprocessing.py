import numpy as np
import pytest
from scipy import signal

from neurogaze.eeg.preprocessing import Preprocessing, clean, clean_but_notch
from neurogaze.errors import InputError

PLAIN = Preprocessing(reference="none", notch=())


def tone(frequency, sfreq=128.0, seconds=20.0, phase=0.0):
    return np.sin(2 * np.pi * frequency * np.arange(round(seconds * sfreq)) / sfreq + phase)


def amplitude(x, frequency, sfreq=128.0, edge=4.0):
    """Least-squares amplitude of one tone over whole seconds away from the edges."""
    t = np.arange(len(x)) / sfreq
    inner = (t >= edge) & (t < round(t[-1]) - edge)
    basis = np.stack([np.sin(2 * np.pi * frequency * t), np.cos(2 * np.pi * frequency * t)], 1)
    return float(np.hypot(*np.linalg.lstsq(basis[inner], x[inner], rcond=None)[0]))


def test_constant_offset_goes_and_the_rest_stays():
    x = tone(10)[None]
    np.testing.assert_allclose(clean(x + 4e-3, 128.0, PLAIN), x - x.mean(), atol=1e-12)


def test_notch_removes_mains_and_spares_the_bands():
    x = (tone(50) + tone(10) + tone(40))[None]
    y = clean(x, 128.0, Preprocessing(reference="none", notch=(50.0,)))[0]
    assert amplitude(y, 50) < 1e-3
    assert amplitude(y, 10) == pytest.approx(1, abs=1e-3)
    assert amplitude(y, 40) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("frequency", [64.0, 100.0])
def test_notch_at_or_above_nyquist_is_left_out(frequency):
    x = tone(10)[None]
    y = clean(x, 128.0, Preprocessing(reference="none", notch=(frequency,)))
    np.testing.assert_array_equal(y, clean(x, 128.0, PLAIN))


def test_notch_is_applied_at_the_rate_of_the_recording():
    """100 Hz lies above the Nyquist of the result, yet aliases nowhere."""
    x = (tone(100, 256.0) + tone(10, 256.0))[None]
    y = clean(x, 256.0, Preprocessing(reference="none", notch=(100.0,)))[0]
    assert amplitude(y, 28) < 1e-3
    assert amplitude(y, 10) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("sfreq", [256.0, 250.0, 100.0])
def test_resampling_keeps_a_tone_in_place(sfreq):
    y = clean(tone(10, sfreq, phase=0.3)[None], sfreq, PLAIN)[0]
    assert len(y) == 20 * 128
    inner = slice(256, -256)
    np.testing.assert_allclose(y[inner], tone(10, phase=0.3)[inner], atol=3e-3)


def test_rates_without_an_exact_ratio_are_refused():
    with pytest.raises(InputError, match=r"127\.98712") as caught:
        clean(tone(10)[None], 127.98712345, PLAIN)
    assert "rate" in caught.value.remedy


def test_average_reference_is_what_all_channels_share():
    x = np.stack([tone(10), tone(20)]) + tone(7)
    y = clean(x, 128.0, Preprocessing(notch=()))
    np.testing.assert_allclose(y.sum(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(y[0] - y[1], tone(10) - tone(20), atol=1e-2)


def test_average_over_one_channel_is_refused():
    with pytest.raises(InputError, match="single channel"):
        clean(tone(10)[None], 128.0, Preprocessing(notch=()))


def test_input_is_left_alone_and_result_is_float64():
    x = tone(10)[None].astype(np.float32) + np.float32(1)
    before = x.copy()
    assert clean(x, 128.0, Preprocessing(reference="none")).dtype == np.float64
    np.testing.assert_array_equal(x, before)


def test_a_kept_offset_stays():
    x = np.random.default_rng(0).normal(size=(2, 500)) + 4.0
    keep = Preprocessing(reference="none", notch=(), offset="keep")
    np.testing.assert_array_equal(clean(x, 128.0, keep), x)


@pytest.mark.parametrize("frequency", [50.0, 60.0])
def test_notch_is_scipys_forwards_and_backwards(frequency):
    x = np.random.default_rng(0).normal(size=(5, 3000)) + 3.0
    notch = signal.tf2sos(*signal.iirnotch(frequency, 30, fs=128))
    reach = 700
    expected = signal.sosfiltfilt(notch, x - x.mean(axis=1, keepdims=True), padlen=reach)
    y = clean(x, 128.0, Preprocessing(reference="none", notch=(frequency,)))
    np.testing.assert_allclose(y[:, 5:-5], expected[:, 5:-5], atol=1e-6)
    np.testing.assert_allclose(y[:, reach:-reach], expected[:, reach:-reach], atol=1e-9)


def test_what_is_left_of_cleaning_is_the_notches_of_an_unchanged_rate():
    x = np.random.default_rng(0).normal(size=(3, 3000))
    settings = Preprocessing(notch=(30.0, 50.0, 90.0))
    rest, left = clean_but_notch(x, 128.0, settings)
    assert left == (30.0, 50.0)
    np.testing.assert_array_equal(rest, clean(x, 128.0, Preprocessing(notch=())))
    rest, left = clean_but_notch(x, 256.0, settings)
    assert left == ()
    np.testing.assert_array_equal(rest, clean(x, 256.0, settings))


@pytest.mark.parametrize(
    "bad",
    [
        {"reference": "mastoid"},
        {"sfreq": 0.0},
        {"sfreq": np.inf},
        {"sfreq": 1e300},
        {"crop_last": 1e307},
        {"crop_last": np.inf},
        {"notch": (50.0, np.inf)},
        {"crop_last": -1.0},
        {"notch": (0.0,)},
        {"offset": "median"},
    ],
)
def test_settings_out_of_range_are_refused(bad):
    with pytest.raises(InputError):
        Preprocessing(**bad)
