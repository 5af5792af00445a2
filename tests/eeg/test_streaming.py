from dataclasses import replace

import numpy as np
import pytest

from neurogaze.eeg.features import FeatureSettings, trial_features
from neurogaze.eeg.preprocessing import Preprocessing
from neurogaze.eeg.recordings import EPOC
from neurogaze.eeg.streaming import StreamingFeatures
from neurogaze.errors import InputError
from tests.eeg.toy import make_trial

LIVE = FeatureSettings(filtering="streaming")


def recording(seconds=20.0, seed=0):
    draw = np.random.default_rng(seed)
    return draw.normal(4e-3, 1e-4, (14, 1)) + draw.normal(0, 1e-5, (14, round(seconds * 128)))


def test_a_window_does_not_depend_on_what_comes_after_it():
    """Window 3 ends at 10 s; the zero-phase filter sees past it."""
    x = recording()
    changed = x.copy()
    changed[:, 1280:] = recording(seed=1)[:, 1280:] * 30
    first, second = (
        trial_features(make_trial(e, channels=EPOC), LIVE).values for e in (x, changed)
    )
    np.testing.assert_array_equal(first[:4], second[:4])
    assert (np.abs(first - second)[4] > 0.1).any()
    zero_phase = FeatureSettings()
    first, second = (
        trial_features(make_trial(e, channels=EPOC), zero_phase).values for e in (x, changed)
    )
    assert np.abs(first - second)[3].max() > 1e-3


@pytest.mark.parametrize("window_hop", [(4.0, 2.0), (1.0, 1.0), (1.0, 3.0), (4.0, 117 / 128)])
@pytest.mark.parametrize("chunk", [1, 13, 700, 5000])
def test_chunks_of_any_size_give_the_features_of_the_whole(window_hop, chunk):
    settings = replace(LIVE, window=window_hop[0], hop=window_hop[1])
    x = recording(12.0).astype(np.float32)
    whole = StreamingFeatures(14, settings).push(x)
    stream = StreamingFeatures(14, settings)
    parts = [stream.push(x[:, i : i + chunk]) for i in range(0, x.shape[1], chunk)]
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=0, atol=1e-12)
    made = trial_features(make_trial(x, channels=EPOC), settings)
    np.testing.assert_allclose(made.values, whole, atol=1e-6)
    assert len(whole) == len(made.start) > 3


def test_a_window_comes_with_its_last_sample():
    stream, x = StreamingFeatures(14, LIVE), recording()
    assert stream.push(x[:, :511]).shape == (0, 14, 4)
    assert stream.push(x[:, 511:512]).shape == (1, 14, 4)
    assert stream.push(x[:, 512:512]).shape == (0, 14, 4)
    assert stream.push(x[:, 512:1279]).shape == (2, 14, 4)


def test_crop_and_baseline_of_a_recording():
    x, rest = recording(), recording(seed=1)
    cropped = replace(LIVE, preprocessing=Preprocessing(crop_last=8.0))
    whole = trial_features(make_trial(x, channels=EPOC), LIVE).values
    np.testing.assert_array_equal(
        trial_features(make_trial(x, channels=EPOC), cropped).values, whole[6:9]
    )
    base = StreamingFeatures(14, LIVE).push(rest.astype(np.float32)).mean(axis=0)
    both = trial_features(make_trial(x, baseline=rest, channels=EPOC), LIVE).values
    np.testing.assert_allclose(both, whole - base, atol=1e-5)


def test_a_stream_is_not_resampled():
    trial = make_trial(recording(), sfreq=256.0, channels=EPOC)
    with pytest.raises(InputError, match=r"256\.0 Hz, not 128\.0 Hz") as caught:
        trial_features(trial, LIVE)
    assert "sfreq" in caught.value.remedy


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_broken_sample_is_refused_and_forgotten(value):
    """A recursive filter would carry it on for ever."""
    x = recording()
    broken = x[:, 700:900].copy()
    broken[3, 20] = value
    stream = StreamingFeatures(14, LIVE)
    parts = [stream.push(x[:, :700])]
    with pytest.raises(InputError, match="stream: NaN or infinite samples"):
        stream.push(broken)
    parts.append(stream.push(x[:, 700:]))
    whole = StreamingFeatures(14, LIVE).push(x)
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=0, atol=1e-12)


def test_settings_and_shapes_that_do_not_stream_are_refused():
    with pytest.raises(InputError, match="zero_phase"):
        StreamingFeatures(14, FeatureSettings())
    with pytest.raises(InputError, match="13"):
        StreamingFeatures(14, LIVE).push(np.zeros((13, 9)))
