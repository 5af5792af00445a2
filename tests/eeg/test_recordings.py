"""A trial that no later step could use is refused when it is made."""

from pathlib import Path

import numpy as np
import pytest

from neurogaze.eeg.recordings import EPOC, Trial
from neurogaze.errors import InputError


def make_trial(eeg, baseline=None, channels=EPOC[:3]):
    return Trial(
        eeg=eeg,
        sfreq=128.0,
        channels=channels,
        corpus="made",
        subject="S01",
        clip="clip01",
        event="S01/clip01",
        trial="S01/clip01",
        source=Path("made.mat"),
        baseline=baseline,
    )


@pytest.fixture
def eeg():
    return np.random.default_rng(0).standard_normal((3, 50)).astype(np.float32)


def test_sound_trial_is_accepted(eeg):
    assert make_trial(eeg, baseline=eeg).valence is None


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_single_unusable_sample_is_found(eeg, value):
    eeg[1, 7] = value
    with pytest.raises(InputError, match=r"made\.mat \(S01/clip01, eeg\).*'F7'.*Remedy"):
        make_trial(eeg)


@pytest.mark.parametrize("part", ["eeg", "baseline"])
def test_a_trial_without_samples_is_refused(eeg, part):
    with pytest.raises(InputError, match=rf"made\.mat \(S01/clip01, {part}\): holds no sample"):
        make_trial(**({"eeg": eeg} | {part: eeg[:, :0]}))


def test_flat_channel_is_named(eeg):
    eeg[2] = 4.2
    with pytest.raises(InputError, match=r"'F3'.* is flat"):
        make_trial(eeg)


def test_baseline_is_checked_as_the_trial_is(eeg):
    rest = eeg.copy()
    rest[0] = 0.0
    with pytest.raises(InputError, match=r"baseline\).*'AF3'.* is flat"):
        make_trial(eeg, baseline=rest)


@pytest.mark.parametrize("shape", [(50,), (2, 50), (3, 5, 10)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(InputError, match="does not fit 3 channels"):
        make_trial(np.ones(shape, dtype=np.float32))


def test_epoc_mirrors_itself():
    # Odd numbers lie on the left and their even successors on the right, in reversed order.
    left, right = EPOC[:7], EPOC[7:][::-1]
    assert [int(n[-1]) + 1 for n in left] == [int(n[-1]) for n in right]
    assert [n[:-1] for n in left] == [n[:-1] for n in right]
