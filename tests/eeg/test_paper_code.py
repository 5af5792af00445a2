import math
import time
from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import butter, lfilter, sosfilt

from neurogaze.eeg.bands import BANDS
from neurogaze.eeg.cache import prepare
from neurogaze.eeg.features import (
    PAPER_CODE,
    FeatureSettings,
    differential_entropy,
    trial_features,
)
from neurogaze.eeg.paper_code import averaged_second, standardised, window_variances
from neurogaze.eeg.preprocessing import Preprocessing, clean
from neurogaze.eeg.recordings import EPOC
from neurogaze.errors import InputError
from tests.eeg.toy import ToyCorpus, make_trial

EDGES = {"theta": (4, 8), "alpha": (8, 14), "beta": (14, 31), "gamma": (31, 49)}


def entropy_of_window(window):
    """What TorchEEG documents for one window [electrodes, samples] at 128 Hz, in plain loops."""
    entropies = np.empty((len(window), len(EDGES)))
    for c, samples in enumerate(window):
        for k, (low, high) in enumerate(EDGES.values()):
            b, a = butter(5, [low / 64, high / 64], btype="band")
            narrow = lfilter(b, a, samples)
            entropies[c, k] = 0.5 * math.log2(2 * math.pi * math.e * np.var(narrow))
    return entropies


def zscored(window):
    return (window - window.mean()) / window.std()


def recording(seconds, seed=0, offsets=True):
    """Volts; electrodes with offsets of their own, as an EPOC has."""
    draw = np.random.default_rng(seed)
    offset = draw.normal(4.2e-3, 1.5e-4, (14, 1)) if offsets else 0.0
    return (draw.normal(0, 2e-5, (14, round(seconds * 128))) + offset).astype(np.float32)


def test_windows_equal_the_published_definition():
    eeg = recording(12.0)
    made = trial_features(make_trial(eeg, channels=EPOC), PAPER_CODE)
    assert made.values.shape == (1 + (1536 - 512) // 117, 14, 4)
    np.testing.assert_allclose(made.start, np.arange(len(made.values)) * 117 / 128)
    for w, values in enumerate(made.values):
        window = eeg[:, 117 * w : 117 * w + 512].astype(float)
        np.testing.assert_allclose(values, entropy_of_window(zscored(window)), atol=1e-5)


def test_one_second_windows_without_standardising_equal_the_published_definition():
    eeg = recording(5.0, offsets=False) * 1e6
    settings = replace(PAPER_CODE, window=1.0, hop=1.0, zscore="none")
    values = trial_features(make_trial(eeg, channels=EPOC), settings).values
    for w in range(5):
        expected = entropy_of_window(eeg[:, 128 * w : 128 * w + 128].astype(float))
        np.testing.assert_allclose(values[w], expected, atol=1e-5)


@pytest.mark.parametrize("bands", ["faithful", "paper_code"])
@pytest.mark.parametrize("order", [2, 5, 8])
def test_an_order_that_rounding_bears_gives_what_exact_filters_give(bands, order):
    """The transfer function of order 5 and its second-order sections are one filter."""
    settings = FeatureSettings(bands=bands, filtering="window", filter_order=order, baseline=False)
    made = trial_features(make_trial(recording(8.0), channels=EPOC), settings).values[0]
    x = clean(recording(8.0), 128.0, settings.preprocessing)[:, :512]
    for k, (_, low, high) in enumerate(BANDS[bands]):
        sections = butter(order, (low, high), "bandpass", fs=128.0, output="sos")
        exact = differential_entropy(sosfilt(sections, x))
        np.testing.assert_allclose(made[:, k], exact, atol=0.05)


@pytest.mark.parametrize("order", [9, 10, 12, 20])
def test_an_order_that_rounding_does_not_bear_is_refused(tmp_path, order):
    settings = FeatureSettings(filtering="window", filter_order=order)
    told = f"filter_order: {order} is too high for 4-8 Hz at 128 Hz"
    with pytest.raises(InputError, match=told):
        trial_features(make_trial(recording(8.0), channels=EPOC), settings)
    with pytest.raises(InputError, match=told):  # also where features are stored
        prepare(ToyCorpus(n_subjects=1), settings, tmp_path, progress=False)
    other = replace(settings, filtering="streaming")
    assert np.isfinite(
        trial_features(make_trial(recording(8.0), channels=EPOC), other).values
    ).all()


def test_baseline_is_the_entropy_of_its_mean_second():
    eeg, rest = recording(8.0), recording(61.4, seed=1)
    mean = rest[:, : 61 * 128].astype(float).reshape(14, 61, 128).mean(axis=1)
    base = entropy_of_window(zscored(mean))
    alone = trial_features(make_trial(eeg, channels=EPOC), PAPER_CODE).values
    both = trial_features(make_trial(eeg, baseline=rest, channels=EPOC), PAPER_CODE).values
    np.testing.assert_allclose(both, alone - base, atol=1e-5)


def test_a_trial_of_deap_has_62_windows():
    trial = make_trial(recording(60.0), channels=EPOC)
    assert len(trial_features(trial, PAPER_CODE).values) == 62


def test_offsets_between_electrodes_leak_into_the_features():
    """Why this is not the default: what differs between sessions is no emotion."""
    plain = trial_features(make_trial(recording(20.0, offsets=False), channels=EPOC), PAPER_CODE)
    offset = trial_features(make_trial(recording(20.0), channels=EPOC), PAPER_CODE)
    spread = [np.std(made.values.mean(axis=0), axis=0) for made in (plain, offset)]
    assert (spread[1] > spread[0]).all()
    assert spread[1][0] > 5 * spread[0][0]


def test_the_mean_of_sixty_seconds_lies_below_by_half_the_log_of_sixty():
    rest = recording(60.0, seed=2, offsets=False)
    trial = make_trial(recording(8.0), baseline=rest, channels=EPOC)
    nats = FeatureSettings(preprocessing=Preprocessing(reference="none", notch=()), window=1.0)
    means = [
        trial_features(trial, replace(nats, baseline_mode=mode)).values.mean()
        for mode in ("entropy", "average")
    ]
    assert means[1] - means[0] == pytest.approx(0.5 * math.log(60), abs=0.15)


def test_bits_are_nats_over_the_log_of_two():
    trial = make_trial(recording(8.0), baseline=recording(8.0, seed=1), channels=EPOC)
    bits = trial_features(trial, PAPER_CODE).values
    nats = trial_features(trial, replace(PAPER_CODE, unit="nats")).values
    np.testing.assert_allclose(bits * math.log(2), nats, atol=1e-6)


def test_a_standardised_window_has_one_mean_and_one_deviation():
    windows = np.random.default_rng(0).normal(5, 3, (4, 3, 50))
    made = standardised(windows)
    np.testing.assert_allclose(made.mean(axis=(1, 2)), 0, atol=1e-12)
    np.testing.assert_allclose(made.std(axis=(1, 2)), 1)
    assert np.abs(made.mean(axis=2)).max() > 0.01


def test_a_window_that_never_changes_becomes_the_floor():
    assert (standardised(np.full((2, 3, 50), 7.0)) == 0).all()
    eeg = recording(8.0)
    eeg[:, :512] = 0.0
    made = trial_features(make_trial(eeg, channels=EPOC), PAPER_CODE)
    floor = 0.5 * math.log2(2 * math.pi * math.e * 1e-18)
    np.testing.assert_allclose(made.values[0], floor, rtol=1e-6)
    assert made.floors == 14 * 4
    assert np.isfinite(made.values).all()


def test_mean_second_leaves_over_what_fills_none():
    eeg = np.arange(2 * 10, dtype=float).reshape(2, 10)
    np.testing.assert_allclose(averaged_second(eeg, 4.0), [[2, 3, 4, 5], [12, 13, 14, 15]])


def test_baseline_without_a_second_and_band_at_nyquist_are_refused():
    trial = make_trial(recording(8.0), baseline=recording(0.9), channels=EPOC)
    with pytest.raises(InputError, match="no whole second"):
        trial_features(trial, PAPER_CODE)
    with pytest.raises(InputError, match="49"):
        window_variances(np.zeros((1, 2, 98)), 98.0, (("gamma", 31.0, 49.0),), 5)


def test_standardised_windows_need_filters_of_their_own():
    with pytest.raises(InputError, match="zscore"):
        FeatureSettings(zscore="window")


def test_batched_windows_are_many_times_faster_than_one_at_a_time():
    """By a wide margin of the twenty times measured on a quiet machine."""
    eeg = recording(60.0)
    trial = make_trial(eeg, channels=EPOC)
    trial_features(trial, PAPER_CODE)
    started = time.process_time()
    count = len(trial_features(trial, PAPER_CODE).values)
    batched = (time.process_time() - started) / count
    started = time.process_time()
    for w in range(10):
        entropy_of_window(zscored(eeg[:, 117 * w : 117 * w + 512].astype(float)))
    assert batched < (time.process_time() - started) / 10 / 5
