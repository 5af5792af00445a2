"""The synthetic corpus holds the affect that was put in, at the strength asked for, and no more."""

import itertools

import numpy as np
import pytest
from scipy.signal import welch

from neurogaze.eeg.corpora import SyntheticEeg
from neurogaze.eeg.corpora.synthetic import clip_affect
from neurogaze.eeg.features import FeatureSettings, trial_features
from neurogaze.eeg.recordings import EPOC
from neurogaze.errors import InputError


def small(**settings):
    return SyntheticEeg(
        **({"n_subjects": 2, "n_clips": 3, "seconds": 6.0, "baseline_seconds": 5.0} | settings)
    )


def first(corpus, number=0):
    return next(corpus.trials(corpus.subjects()[number]))


def band_power(eeg, low, high):
    hertz, power = welch(eeg - eeg.mean(axis=0), 128.0, nperseg=256)
    return np.log(power[:, (hertz >= low) & (hertz < high)].mean(axis=1))


def test_trials_look_like_those_of_dreamer():
    trials = list(small().trials("P0-02"))
    assert [t.event for t in trials] == [f"P0-02/clip{n:02d}" for n in (1, 2, 3)]
    assert [t.clip for t in trials] == ["clip01", "clip02", "clip03"]
    assert {(t.corpus, t.sfreq, t.channels) for t in trials} == {("synthetic_eeg", 128.0, EPOC)}
    assert {(t.eeg.shape, t.baseline.shape) for t in trials} == {((14, 768), (14, 640))}
    assert trials[0].eeg.dtype == np.float32


def test_amplifier_leaves_its_marks():
    microvolts = first(small()).eeg.astype(np.float64) * 1e6
    assert np.abs(microvolts.mean(axis=1) - 4200).max() < 150
    assert 5 < np.median(microvolts.std(axis=1)) < 60
    levels = microvolts / 0.51
    assert np.abs(levels - np.round(levels)).max() < 0.002


def test_mains_hum_stands_out():
    hertz, power = welch(first(small(seconds=30.0)).eeg, 128.0, nperseg=512)
    hum = power[:, np.abs(hertz - 50) < 0.6].max(axis=1)
    beside = power[:, (np.abs(hertz - 50) > 2) & (np.abs(hertz - 50) < 5)].max(axis=1)
    assert np.median(hum / beside) > 5


def test_the_same_recipe_makes_the_same_samples():
    np.testing.assert_array_equal(first(small()).eeg, first(small()).eeg)


def test_samples_depend_on_neither_company_nor_ratings():
    reference = first(small(), 1).eeg
    np.testing.assert_array_equal(first(small(n_subjects=5), 1).eeg, reference)
    np.testing.assert_array_equal(first(small(rated=False), 1).eeg, reference)


def test_people_trials_and_seeds_differ():
    corpus = small()
    samples = [t.eeg for subject in corpus.subjects() for t in corpus.trials(subject)]
    samples.append(first(small(seed=1)).eeg)
    for a, b in itertools.combinations(samples, 2):
        close = np.corrcoef((a - a.mean(1)[:, None]).ravel(), (b - b.mean(1)[:, None]).ravel())
        assert abs(close[0, 1]) < 0.5


def test_seeds_never_share_a_name():
    assert not {*small().subjects()} & {*small(seed=1).subjects()}


def test_unrated_corpus_says_nothing():
    trial = first(small(rated=False))
    assert (trial.valence, trial.arousal, trial.raw_rating) == (None, None, None)


def test_ratings_are_whole_numbers_on_one_to_nine():
    corpus = small(n_subjects=4, n_clips=18, seconds=1.0, baseline_seconds=0.0)
    trials = [t for subject in corpus.subjects() for t in corpus.trials(subject)]
    raw = np.array([t.raw_rating for t in trials])
    assert {*raw.ravel().tolist()} == set(range(1, 10))
    np.testing.assert_array_equal((raw - 5) / 4, [[t.valence, t.arousal] for t in trials])
    assert trials[0].baseline is None


def test_clips_cover_the_plane():
    cells = {tuple(np.floor((va + 1) * 1.5).astype(int)) for va in clip_affect(18)}
    assert len(cells) == 9
    assert np.abs(np.corrcoef(clip_affect(18).T)[0, 1]) < 0.2


def test_without_signal_the_samples_ignore_what_was_felt(monkeypatch):
    plain = first(small(snr=0.0))
    monkeypatch.setattr(SyntheticEeg, "affect", lambda *_: np.array([1.0, -1.0]))
    turned = first(small(snr=0.0))
    assert (turned.valence, turned.arousal) == (1.0, -1.0) != (plain.valence, plain.arousal)
    np.testing.assert_array_equal(turned.eeg, plain.eeg)


def test_signal_strength_changes_the_clip_and_nothing_else():
    weak, strong = first(small(snr=0.0)), first(small(snr=1.0))
    np.testing.assert_array_equal(weak.baseline, strong.baseline)
    assert (weak.valence, weak.arousal) == (strong.valence, strong.arousal)
    change = np.abs(strong.eeg - weak.eeg).max()
    assert 1e-6 < change < 1e-4


def test_frontal_alpha_follows_valence_and_fast_rhythms_follow_arousal():
    corpus = small(n_subjects=3, n_clips=18, seconds=15.0, baseline_seconds=15.0, snr=3.0)
    rows = []
    for subject in corpus.subjects():
        for t in corpus.trials(subject):
            alpha = band_power(t.eeg, 8, 13) - band_power(t.baseline, 8, 13)
            fast = band_power(t.eeg, 30, 45) - band_power(t.baseline, 30, 45)
            asymmetry = alpha[EPOC.index("F4")] - alpha[EPOC.index("F3")]
            temporal = fast[EPOC.index("T7")] + fast[EPOC.index("T8")]
            rows.append((t.valence, t.arousal, asymmetry, temporal))
    table = np.corrcoef(np.array(rows).T)
    assert table[0, 2] > 0.6
    assert abs(table[1, 2]) < 0.4
    assert table[1, 3] > 0.6


@pytest.mark.parametrize(
    ("name", "value"),
    [("seed", 1), ("snr", 0.5), ("seconds", 7.0), ("n_clips", 4), ("rated", False),
     ("baseline_seconds", 6.0)],
)  # fmt: skip
def test_identity_follows_the_recipe(name, value):
    def number_two(corpus):
        return corpus.identity(corpus.subjects()[1])

    assert number_two(small(**{name: value})) != number_two(small())


def test_identity_is_of_one_person():
    assert small().identity("P0-01") != small().identity("P0-02")
    assert small(n_subjects=9).identity("P0-01") == small().identity("P0-01")


@pytest.mark.parametrize(
    ("name", "value"),
    [("n_subjects", 0), ("n_clips", 0), ("seconds", 0.0), ("snr", -1.0), ("seconds", np.nan),
     ("baseline_seconds", -1.0), ("seed", -1), ("seconds", 0.003), ("seconds", 0.24),
     ("seconds", np.inf), ("baseline_seconds", 0.003), ("baseline_seconds", np.inf),
     ("baseline_seconds", np.nan)],
)  # fmt: skip
def test_numbers_out_of_range(name, value):
    with pytest.raises(InputError, match=f"SyntheticEeg: .*{name}={value}"):
        small(**{name: value})


@pytest.mark.parametrize("rest", [0.0, 0.25])
def test_the_shortest_recording_has_samples_of_every_rhythm(rest):
    """4 Hz, the width of the narrowest rhythm, are resolved in a quarter of a second."""
    trial = first(small(seconds=0.25, baseline_seconds=rest))
    assert trial.eeg.shape == (14, 32)


def test_unknown_person():
    with pytest.raises(InputError, match="no subject 'P0-07'"):
        next(small().trials("P0-07"))


def held_out_agreement(snr):
    """Concordance of ridge on people it never saw, over trial means: (valence, arousal)."""
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    corpus = SyntheticEeg(snr=snr)
    people = {}
    for subject in corpus.subjects():
        seen = [(t, trial_features(t, FeatureSettings()).values) for t in corpus.trials(subject)]
        people[subject] = [(v.reshape(len(v), -1), (t.valence, t.arousal)) for t, v in seen]
    said, guessed = [], []
    for group in np.array_split(np.array(corpus.subjects()), 6):
        train = [row for s in corpus.subjects() if s not in group for row in people[s]]
        test = [row for s in group for row in people[s]]
        model = make_pipeline(StandardScaler(), RidgeCV(np.logspace(-1, 5, 13)))
        model.fit(
            np.concatenate([x for x, _ in train]), np.repeat([y for _, y in train], 14, axis=0)
        )
        said += [y for _, y in test]
        guessed += [model.predict(x[::2]).mean(axis=0) for x, _ in test]
    x, y = np.array(said), np.array(guessed)
    shared = ((x - x.mean(0)) * (y - y.mean(0))).mean(0)
    return 2 * shared / (x.var(0) + y.var(0) + (x.mean(0) - y.mean(0)) ** 2)


@pytest.mark.slow
def test_strength_is_calibrated_on_people_a_ridge_never_saw():
    valence, arousal = held_out_agreement(1.0)
    assert 0.40 < valence < 0.60
    assert 0.40 < arousal < 0.60


@pytest.mark.slow
def test_without_signal_a_ridge_is_at_chance():
    # 216 trials: the standard error of a chance correlation is 0.07
    assert np.abs(held_out_agreement(0.0)).max() < 0.2
