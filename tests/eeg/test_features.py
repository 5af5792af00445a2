import math

import numpy as np
import pytest
from scipy import signal

from neurogaze.eeg.features import (
    BANDS,
    FeatureSettings,
    band_filter,
    differential_entropy,
    trial_features,
)
from neurogaze.eeg.preprocessing import Preprocessing, clean
from neurogaze.eeg.recordings import EPOC
from neurogaze.eeg.windows import cut
from neurogaze.errors import InputError
from tests.eeg.toy import make_trial

RATE = 128.0
PLAIN = FeatureSettings(preprocessing=Preprocessing(reference="none", notch=()))


def nats(variance):
    return 0.5 * math.log(2 * math.pi * math.e * variance)


def tone(frequency, amplitude, seconds=40.0):
    t = np.arange(round(seconds * RATE)) / RATE
    return amplitude * np.sin(2 * np.pi * frequency * t)


def test_entropy_of_unit_variance():
    """ln(2 pi e) / 2 = 1.4189 nats, 2.0471 bits."""
    x = np.tile([-1.0, 1.0], 100)
    assert differential_entropy(x) == pytest.approx(1.4189385332)
    assert differential_entropy(x) / math.log(2) == pytest.approx(2.0471, abs=1e-4)


def test_entropy_grows_by_the_log_of_the_scale():
    x = np.random.default_rng(0).normal(size=(3, 500))
    gain = differential_entropy(1e6 * x, floor=0) - differential_entropy(x, floor=0)
    np.testing.assert_allclose(gain, math.log(1e6))
    np.testing.assert_allclose(differential_entropy(x.T, axis=0), differential_entropy(x))


def test_entropy_uses_the_population_variance_and_the_floor():
    assert differential_entropy(np.array([0.0, 1.0])) == pytest.approx(nats(0.25))
    assert differential_entropy(np.zeros(9)) == pytest.approx(nats(1e-18))


@pytest.mark.parametrize(("frequency", "band"), [(6, 0), (10, 1), (20, 2), (37, 3)])
def test_tone_inside_a_band_has_half_its_squared_amplitude(frequency, band):
    a = 2e-5
    x = np.stack([tone(frequency, a), tone(frequency, a / 3)])
    made = trial_features(make_trial(x, channels=("O1", "O2")), PLAIN)
    inner = made.values[2:-2, :, band]
    np.testing.assert_allclose(inner[:, 0], nats(a**2 / 2), atol=2e-3)
    np.testing.assert_allclose(inner[:, 1], nats(a**2 / 18), atol=2e-3)
    others = np.delete(made.values[2:-2, 0], band, axis=1)
    assert (others < nats(a**2 / 2) - 2).all()


def test_windows_equal_a_loop_over_the_filtered_trial():
    x = np.random.default_rng(1).normal(0, 1e-5, (2, 1920))
    made = trial_features(make_trial(x, channels=("O1", "O2")), PLAIN)
    assert made.values.shape == (6, 2, 4)
    assert made.values.dtype == np.float32
    np.testing.assert_array_equal(made.start, [0, 2, 4, 6, 8, 10])
    x32 = x.astype(np.float32).astype(float)
    x32 -= x32.mean(axis=1, keepdims=True)
    for k, (_, low, high) in enumerate(BANDS["faithful"]):
        narrow = band_filter(x32, RATE, low, high)
        for w in range(6):
            window = narrow[:, 256 * w : 256 * w + 512]
            np.testing.assert_allclose(
                made.values[w, :, k], differential_entropy(window), rtol=1e-6
            )


def by_scipy(x, padding, bands=BANDS["faithful"]):
    """Offset, notch, reference and bands by SciPy alone, `[bands, C, samples]`."""
    x = x.astype(np.float32).astype(float)
    x = x - x.mean(axis=1, keepdims=True)
    notch = signal.tf2sos(*signal.iirnotch(50.0, 30, fs=RATE))
    x = signal.sosfiltfilt(notch, x, padlen=padding)
    x = x - x.mean(axis=0)
    designs = [
        signal.butter(4, (low, high), btype="bandpass", fs=RATE, output="sos")
        for _, low, high in bands
    ]
    return np.stack([signal.sosfiltfilt(sos, x, padlen=padding) for sos in designs])


@pytest.mark.parametrize(("window", "hop"), [(1.0, 1.0), (4.0, 2.0), (4.0, 117 / 128)])
def test_default_filters_equal_forwards_and_backwards_passes(window, hop):
    """Edge windows where SciPy reflects as far; inner ones where it reflects a second."""
    x = np.random.default_rng(7).normal(0, 1e-5, (14, 5000)) + 4e-3
    made = trial_features(make_trial(x, channels=EPOC), FeatureSettings(window=window, hop=hop))
    length, step = round(window * RATE), round(hop * RATE)
    for padding, edge in ((666, 0.0), (128, 4.0)):
        narrow = by_scipy(x, padding)
        for w, start in enumerate(made.start):
            if edge <= start <= 5000 / RATE - window - edge:
                window_of_bands = narrow[:, :, w * step : w * step + length]
                expected = differential_entropy(window_of_bands).T
                np.testing.assert_allclose(made.values[w], expected, rtol=0, atol=1e-6)


def test_default_bands_after_resampling_equal_those_of_the_cleaned_recording():
    x = np.random.default_rng(8).normal(0, 1e-5, (4, 5120))
    made = trial_features(make_trial(x, sfreq=256.0), FeatureSettings())
    cleaned = clean(x.astype(np.float32), 256.0, Preprocessing())
    for k, (_, low, high) in enumerate(BANDS["faithful"]):
        windows = cut(band_filter(cleaned, RATE, low, high), 512, 256)
        expected = differential_entropy(windows).T
        np.testing.assert_allclose(made.values[:, :, k], expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("frequency", "band"), [(4, 0), (8, 0), (8, 1), (13, 2), (45, 3)])
def test_tone_at_an_edge_has_an_eighth_of_its_squared_amplitude(frequency, band):
    """Half the amplitude after both passes: variance A^2 / 2 |H|^4 with |H|^2 = 1 / 2."""
    a = 3e-5
    x = np.stack([tone(frequency, a), tone(frequency, 2 * a)])
    values = trial_features(make_trial(x, channels=("O1", "O2")), PLAIN).values[2:-2, :, band]
    np.testing.assert_allclose(values[:, 0], nats(a**2 / 8), atol=2e-6)
    np.testing.assert_allclose(values[:, 1], nats(a**2 / 2), atol=2e-6)


def test_mean_entropy_of_white_noise_follows_its_density():
    """sigma^2 times the mean of |H|^4 to Nyquist, less half the relative variance of a window."""
    sigma = 2e-5
    x = np.random.default_rng(9).normal(0, sigma, (2, 60_000))
    settings = FeatureSettings(preprocessing=PLAIN.preprocessing, window=40.0, hop=40.0)
    values = trial_features(make_trial(x, channels=("O1", "O2")), settings).values
    for k, (_, low, high) in enumerate(BANDS["faithful"]):
        sections = signal.butter(4, (low, high), btype="bandpass", fs=RATE, output="sos")
        _, response = signal.sosfreqz(sections, worN=2**15, fs=RATE)
        expected = nats(sigma**2 * np.mean(np.abs(response) ** 4))
        assert values[..., k].mean() == pytest.approx(expected, abs=0.02)


def test_whole_trial_filter_adds_no_transient_to_inner_windows():
    """The same second, alone or within a longer recording of the same signal."""
    x = np.random.default_rng(2).normal(0, 1e-5, (2, 4096))
    whole = trial_features(make_trial(x, channels=("O1", "O2")), PLAIN).values[4]
    middle = make_trial(x[:, 1024 - 512 : 1536 + 512], channels=("O1", "O2"))
    np.testing.assert_allclose(trial_features(middle, PLAIN).values[2], whole, atol=0.02)


def test_baseline_is_the_mean_entropy_of_its_windows():
    draw = np.random.default_rng(3)
    x, rest = draw.normal(0, 2e-5, (2, 2560)), draw.normal(0, 1e-5, (2, 1920))
    names = ("O1", "O2")
    alone = trial_features(make_trial(x, channels=names), PLAIN).values
    base = trial_features(make_trial(rest, channels=names), PLAIN).values.mean(axis=0)
    both = make_trial(x, baseline=rest, channels=names)
    np.testing.assert_allclose(trial_features(both, PLAIN).values, alone - base, atol=1e-5)
    off = FeatureSettings(preprocessing=PLAIN.preprocessing, baseline=False)
    np.testing.assert_array_equal(trial_features(both, off).values, alone)
    assert trial_features(both, PLAIN).values.mean() == pytest.approx(math.log(2), abs=0.1)


def test_crop_does_not_shorten_the_baseline():
    draw = np.random.default_rng(3)
    x, rest = draw.normal(0, 1e-5, (2, 2560)), draw.normal(0, 1e-5, (2, 1920))
    cropped = FeatureSettings(
        preprocessing=Preprocessing(reference="none", notch=(), crop_last=8.0)
    )
    both = make_trial(x, baseline=rest, channels=("O1", "O2"))
    made = trial_features(both, cropped)
    base = trial_features(make_trial(rest, channels=("O1", "O2")), PLAIN).values.mean(axis=0)
    alone = trial_features(make_trial(x, channels=("O1", "O2")), cropped)
    assert len(made.values) == 3
    np.testing.assert_allclose(made.values, alone.values - base, atol=1e-5)


def test_floors_are_counted():
    x = np.random.default_rng(0).normal(0, 1e-5, (2, 1024))
    x[1] = 1e-13 * x[1]
    made = trial_features(make_trial(x, channels=("O1", "O2")), PLAIN)
    assert made.floors == 3 * 4
    np.testing.assert_allclose(made.values[:, 1], nats(1e-18), rtol=1e-6)
    assert np.isfinite(made.values).all()


def test_five_bands_begin_with_delta():
    x = np.stack([tone(2, 1e-5), tone(6, 1e-5)])
    five = FeatureSettings(preprocessing=PLAIN.preprocessing, bands="five")
    values = trial_features(make_trial(x, channels=("O1", "O2")), five).values
    np.testing.assert_allclose(values[2:-2, 0, 0], nats(0.5e-10), atol=2e-3)
    np.testing.assert_allclose(values[2:-2, 1, 1], nats(0.5e-10), atol=2e-3)


def test_short_trial_short_baseline_and_slow_rate_are_refused():
    x = np.random.default_rng(0).normal(size=(4, 1000))
    with pytest.raises(InputError, match=r"toy.mat \(t7\).*3.91 s hold no window of 4.0 s"):
        trial_features(make_trial(x[:, :500], trial="t7"), PLAIN)
    with pytest.raises(InputError, match="baseline"):
        trial_features(make_trial(x, baseline=x[:, :500]), PLAIN)
    with pytest.raises(InputError, match=r"90.0 Hz.*45.0 Hz"):
        trial_features(make_trial(x, sfreq=90.0), PLAIN)
    slow = FeatureSettings(preprocessing=Preprocessing(sfreq=80.0))
    with pytest.raises(InputError, match=r"40\.0 Hz"):
        trial_features(make_trial(x), slow)


def test_features_that_are_no_numbers_are_refused():
    """The gain of so low a notch is 0 / 0."""
    x = np.random.default_rng(0).normal(0, 1e-5, size=(4, 1000))
    settings = FeatureSettings(preprocessing=Preprocessing(notch=(1e-300,)))
    with (
        np.errstate(all="ignore"),
        pytest.raises(InputError, match=r"\(t0\): its features are not"),
    ):
        trial_features(make_trial(x), settings)


def test_cropped_windows_are_those_of_the_whole_recording():
    """The band filter, too, sees what lies before the crop."""
    x = np.random.default_rng(5).normal(0, 1e-5, (2, 2560))
    trial = make_trial(x, channels=("O1", "O2"))
    crop = FeatureSettings(preprocessing=Preprocessing(reference="none", notch=(), crop_last=8.0))
    whole = trial_features(trial, PLAIN).values
    np.testing.assert_array_equal(trial_features(trial, crop).values, whole[6:9])
