"""DEAP as preprocessed, and every way a copy of it can be wrong."""

import pickle

import numpy as np
import pytest

from neurogaze.eeg.corpora.deap import GENEVA, Deap
from neurogaze.eeg.features import FeatureSettings, trial_features
from neurogaze.errors import InputError
from tests.fixtures.deap import write_deap
from tests.fixtures.eeg import truncate


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write_deap(tmp_path_factory.mktemp("deap") / "DEAP")


def first(root):
    return root / "data_preprocessed_python" / "s01.dat"


def read_all(root):
    return list(Deap(root).trials("s01"))


def small(folder, **broken):
    return write_deap(folder / "DEAP", **({"n_subjects": 1, "n_trials": 1} | broken))


def test_release_folder_and_its_parent_will_do(root):
    for place in (root, first(root).parent):
        assert Deap(place).subjects() == ("s01", "s02")


def test_environment_names_the_folder(root, monkeypatch):
    monkeypatch.setenv("NEUROGAZE_DEAP", str(root))
    assert Deap().subjects() == ("s01", "s02")


def test_trials_are_named_for_person_and_video(root):
    trials = read_all(root)
    assert [t.trial for t in trials] == ["s01/clip01", "s01/clip02"]
    assert [t.event for t in trials] == [t.trial for t in trials]
    assert {(t.corpus, t.subject, t.sfreq, t.channels) for t in trials} == {
        ("deap", "s01", 128.0, GENEVA)
    }


def test_samples_are_those_of_the_file_in_volts(root):
    with first(root).open("rb") as stream:
        theirs = pickle.load(stream, encoding="latin1")["data"]
    trial = read_all(root)[1]
    np.testing.assert_allclose(trial.baseline, theirs[1, :32, :384] * 1e-6, rtol=1e-6)
    np.testing.assert_allclose(trial.eeg, theirs[1, :32, 384:] * 1e-6, rtol=1e-6)
    assert trial.eeg.dtype == np.float32
    assert trial.eeg.shape == (32, 60 * 128)
    assert trial.baseline.shape == (32, 3 * 128)


def test_ratings_run_from_one_to_nine(root):
    one, two = read_all(root)
    assert (one.valence, one.arousal, one.dominance) == (-1.0, 0.0, 1.0)
    assert (two.valence, two.arousal, two.dominance) == (0.0, 1.0, 0.375)
    assert one.raw_rating == (1.0, 5.0, 9.0)
    assert one.label is None


def test_rest_holds_windows_of_two_seconds_but_not_of_four(root):
    trial = read_all(root)[0]
    with pytest.raises(InputError, match=r"baseline: 3\.00 s hold no window of 4\.0 s"):
        trial_features(trial, FeatureSettings())
    values = trial_features(trial, FeatureSettings(window=2.0, hop=1.0)).values
    assert values.shape == (59, 32, 4)


def test_identity_differs_between_people_and_follows_the_content(root, tmp_path):
    corpus = Deap(root)
    assert corpus.identity("s01") != corpus.identity("s02")
    assert Deap(small(tmp_path, seed=1)).identity("s01") != corpus.identity("s01")


def test_clutter_of_the_file_system_is_no_person(tmp_path):
    root = small(tmp_path)
    for name in ("._s01.dat", "summary.dat", "s01 copy.dat"):
        (first(root).parent / name).write_bytes(b"")
    assert Deap(root).subjects() == ("s01",)


def test_nobody_said_where(monkeypatch):
    monkeypatch.delenv("NEUROGAZE_DEAP", raising=False)
    with pytest.raises(InputError, match="NEUROGAZE_DEAP: is not set"):
        Deap()


def test_empty_folder(tmp_path):
    with pytest.raises(InputError, match=r"holds no data_preprocessed_python/s01\.dat.*Remedy"):
        Deap(tmp_path)


def test_unknown_person(root):
    with pytest.raises(InputError, match=r"subject 's09' is not in it.*\['s01', 's02'\]"):
        list(Deap(root).trials("s09"))


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.99])
def test_truncated_file(tmp_path, share):
    root = small(tmp_path)
    truncate(first(root), share)
    with pytest.raises(InputError, match=r"s01\.dat: cannot be read"):
        read_all(root)


@pytest.mark.parametrize("name", ["data", "labels"])
def test_missing_array_is_named(tmp_path, name):
    with pytest.raises(InputError, match=rf"arrays \['{name}'\] are missing"):
        read_all(small(tmp_path, drop=name))


@pytest.mark.parametrize("shape", [(32, 8064), (40, 7680), (40, 0)])
def test_wrong_shape_of_data(tmp_path, shape):
    with pytest.raises(InputError, match=r"data has shape \(1, .*not \(trials, 40, 8064\)"):
        read_all(small(tmp_path, shape=shape))


def test_wrong_shape_of_labels(tmp_path):
    with pytest.raises(InputError, match=r"labels has shape \(1, 3\), not \(1, 4\)"):
        read_all(small(tmp_path, ratings=(1.0, 2.0, 3.0)))


@pytest.mark.parametrize("rating", [0.0, 9.5, np.nan])
def test_rating_off_the_scale(tmp_path, rating):
    with pytest.raises(InputError, match=r"ratings \[.*\] are not in 1\.\.9"):
        read_all(small(tmp_path, ratings=(rating, 2.0, 3.0, 4.0)))


def test_nan_and_flat_channels(tmp_path):
    with pytest.raises(InputError, match=r"s01\.dat.*NaN or infinite samples in \['F7'\]"):
        read_all(small(tmp_path / "a", nan_channel=3))
    with pytest.raises(InputError, match=r"\['O2'\] is flat"):
        read_all(small(tmp_path / "b", flat_channel=31))


def test_channels_of_the_body_are_left_out(tmp_path):
    (trial,) = read_all(small(tmp_path, nan_channel=36))
    assert np.isfinite(trial.eeg).all()
