import numpy as np
import pytest
from scipy import signal

from neurogaze.eeg.bands import BANDS
from neurogaze.eeg.causal import CausalBands
from neurogaze.eeg.preprocessing import Preprocessing
from neurogaze.errors import InputError

FAITHFUL = BANDS["faithful"]
PLAIN = Preprocessing(reference="none", notch=())


def test_bands_are_one_forward_pass_after_notch_offset_and_reference():
    x = np.random.default_rng(0).normal(3, 1, (4, 1000))
    made = CausalBands(4, Preprocessing(), FAITHFUL, 4).push(x)
    clean = signal.lfilter(*signal.iirnotch(50.0, 30, fs=128), x - x[:, :1])
    clean = clean - clean.mean(axis=0)
    assert made.shape == (4, 4, 1000)
    for narrow, (_, low, high) in zip(made, FAITHFUL, strict=True):
        sections = signal.butter(4, (low, high), btype="bandpass", fs=128, output="sos")
        np.testing.assert_allclose(narrow, signal.sosfilt(sections, clean), atol=1e-9)


def test_a_constant_offset_excites_nothing_unless_kept():
    x = np.random.default_rng(0).normal(size=(2, 500))
    plain, offset = (CausalBands(2, PLAIN, FAITHFUL, 4).push(x + c) for c in (0.0, 1000.0))
    np.testing.assert_allclose(plain, offset, atol=1e-9)
    keep = Preprocessing(reference="none", notch=(), offset="keep")
    assert np.abs(CausalBands(2, keep, FAITHFUL, 4).push(x + 1000.0)).max() > 10


def test_the_middle_of_theta_is_delayed_by_a_fifth_of_a_second():
    t = np.arange(4000) / 128
    envelope = np.exp(-(((t - 15) / 2) ** 2))
    theta = CausalBands(1, PLAIN, FAITHFUL, 4).push((envelope * np.sin(2 * np.pi * 5.66 * t))[None])
    power = np.abs(signal.hilbert(theta[0, 0])) ** 2
    assert (power * t).sum() / power.sum() - 15 == pytest.approx(0.208, abs=0.02)


def test_bands_at_nyquist_and_a_lone_average_are_refused():
    with pytest.raises(InputError, match="45"):
        CausalBands(2, Preprocessing(sfreq=90.0), FAITHFUL, 4)
    with pytest.raises(InputError, match="single channel"):
        CausalBands(1, Preprocessing(), FAITHFUL, 4).push(np.ones((1, 9)))
