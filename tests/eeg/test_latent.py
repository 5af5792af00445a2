"""Recordings of a made-up world carry its structure at the strength asked for, and no more."""

import numpy as np
import pytest
from scipy.signal import welch

from neurogaze.affect import cell_index
from neurogaze.eeg.corpora import LatentEeg
from neurogaze.eeg.corpora.latent import LATENT_GAIN, PLANE_GAIN
from neurogaze.eeg.corpora.people import RHYTHMS, modulation
from neurogaze.eeg.recordings import EPOC
from neurogaze.errors import InputError
from neurogaze.latent_world import SIZE, WIDTH, LatentWorld


def small(**settings):
    return LatentEeg(**({"n_subjects": 2, "n_clips": 3, "seconds": 6.0} | settings))


def first(corpus):
    return next(corpus.trials(corpus.subjects()[0]))


def test_trials():
    trials = list(small().trials("L0-02"))
    assert [t.event for t in trials] == [f"L0-02/clip{n:02d}" for n in (1, 2, 3)]
    assert {(t.corpus, t.sfreq, t.channels) for t in trials} == {
        ("synthetic_latent_eeg", 128.0, EPOC)
    }
    assert trials[0].eeg.shape == (14, 768)
    assert trials[0].eeg.dtype == np.float32
    assert trials[0].baseline is None
    for trial in trials:
        assert trial.raw_rating == (5 + 4 * trial.valence, 5 + 4 * trial.arousal)


def test_the_same_recipe_makes_the_same_samples():
    np.testing.assert_array_equal(first(small()).eeg, first(small()).eeg)
    np.testing.assert_array_equal(first(small(n_subjects=5)).eeg, first(small()).eeg)
    assert not {*small().subjects()} & {*small(seed=1).subjects()}


def test_without_signal_samples_do_not_know_the_world(monkeypatch):
    silent, loud = small(snr=0.0), small(snr=2.0)
    before = first(silent).eeg, first(loud).eeg
    monkeypatch.setattr(LatentWorld, "shared", lambda self: np.zeros((SIZE**2, WIDTH)))
    np.testing.assert_array_equal(first(silent).eeg, before[0])
    assert np.abs(first(loud).eeg - before[1]).max() > 1e-6


def latent_part(corpus, rating):
    return corpus.power(rating) - PLANE_GAIN * modulation(rating)


def test_power_follows_the_cell_and_the_plane():
    corpus = small(seed=4)
    one, other = np.array([0.05, 0.0]), np.array([-0.05, 0.0])  # one cell
    assert cell_index(np.stack([one, other]), SIZE).tolist() == [40, 40]
    np.testing.assert_allclose(latent_part(corpus, one), latent_part(corpus, other))
    centres = np.array([[v, a] for a in (-0.8, 0.0, 0.8) for v in (-0.8, 0.0, 0.8)])
    latent = np.stack([latent_part(corpus, c) for c in centres])
    places = corpus.world.shared()[cell_index(centres, SIZE)]
    assert latent.shape == (9, len(RHYTHMS))
    np.testing.assert_allclose(latent @ latent.T, LATENT_GAIN**2 * places @ places.T, atol=1e-9)


def test_ratings_lie_on_the_scale_and_reach_many_cells():
    corpus = LatentEeg()
    ratings = np.array([corpus.rating(n, clip) for n in range(3) for clip in range(32)])
    np.testing.assert_array_equal(ratings * 4, np.round(ratings * 4))
    assert np.abs(ratings).max() <= 1
    assert len(set(cell_index(ratings).tolist())) >= 20


def test_signal_to_noise_moves_band_power():
    def alpha(snr):
        hertz, power = welch(first(small(snr=snr, seconds=20.0)).eeg, 128.0, nperseg=256)
        return np.log(power[:, (hertz >= 8) & (hertz < 13)].mean(axis=1))

    assert np.abs(alpha(4.0) - alpha(0.0)).max() > np.abs(alpha(1.0) - alpha(0.0)).max() > 0


def test_identity_says_what_changes_the_samples():
    def identity(**settings):
        corpus = small(**settings)
        return corpus.identity(corpus.subjects()[0])

    assert identity() == identity(n_subjects=7)
    for changed in ({"snr": 0.5}, {"seed": 2}, {"seconds": 7.0}, {"n_clips": 4}):
        assert identity(**changed) != identity()


def test_the_shortest_recording_has_samples_of_every_rhythm():
    assert first(small(seconds=0.25)).eeg.shape == (14, 32)


@pytest.mark.parametrize(
    "bad",
    [
        {"snr": -1.0},
        {"n_clips": 0},
        {"seconds": 0.0},
        {"seconds": 0.003},
        {"seconds": np.inf},
        {"seconds": np.nan},
        {"seed": -1},
    ],
)
def test_settings_out_of_range(bad):
    with pytest.raises(InputError):
        small(**bad)
