"""DASPS as released, every way a copy can be wrong, and the release itself where it is at hand."""

import os
from collections import Counter

import h5py
import numpy as np
import pytest

from neurogaze.eeg.corpora import Dasps, DaspsRaw
from neurogaze.eeg.recordings import EPOC
from neurogaze.errors import InputError
from tests.fixtures.eeg import truncate, write_dasps, write_dasps_edf

SHORT = (12, 640, 14)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write_dasps(tmp_path_factory.mktemp("dasps") / "DASPS_Database")


def first(root):
    return root / "Raw data.mat" / "S01.mat"


def read_all(root):
    return list(Dasps(root).trials("S01"))


def test_release_folder_its_parent_and_the_files_folder_will_do(root):
    for place in (root, root.parent, first(root).parent):
        assert Dasps(place).subjects() == ("S01", "S02", "S03")


def test_environment_names_the_folder(root, monkeypatch):
    monkeypatch.setenv("NEUROGAZE_DASPS", str(root))
    assert Dasps().subjects() == ("S01", "S02", "S03")


def test_twelve_trials_in_six_events(root):
    trials = read_all(root)
    assert [t.trial for t in trials][4:6] == ["S01/situation3/recitation", "S01/situation3/recall"]
    assert Counter(t.event for t in trials) == {f"S01/situation{n}": 2 for n in range(1, 7)}
    assert {t.clip for t in trials} == {f"situation{n}" for n in range(1, 7)}
    assert len({t.trial for t in trials}) == 12
    assert {(t.corpus, t.sfreq, t.channels) for t in trials} == {("dasps", 128.0, EPOC)}


def test_first_row_of_labels_is_valence_on_one_to_nine(root):
    trials = read_all(root)
    assert [t.valence for t in trials[::2]] == [-1.0, 0.0, -0.5, 0.5, -0.75, -0.25]
    assert [t.valence for t in trials[1::2]] == [t.valence for t in trials[::2]]
    assert [t.arousal for t in trials[::2]] == [1.0, 0.0, 0.5, -0.5, 0.75, 0.25]
    assert trials[0].raw_rating == (1.0, 9.0)
    assert trials[0].dominance is None


def test_samples_are_those_of_the_file_in_volts(root):
    with h5py.File(first(root)) as stream:
        theirs = stream["data"][7]
    trial = read_all(root)[7]
    np.testing.assert_allclose(trial.eeg, theirs.T * 1e-6, rtol=1e-6)
    assert trial.eeg.shape == (14, 1920)
    assert trial.eeg.dtype == np.float32


def test_file_has_the_preamble_of_matlab(root):
    with h5py.File(first(root)) as stream:
        assert stream.userblock_size == 512


def test_identity_differs_between_people(root):
    corpus = Dasps(root)
    assert corpus.identity("S01") != corpus.identity("S02")
    assert corpus.identity("S01")["file"] == "S01.mat"


def test_clutter_of_the_file_system_is_no_person(tmp_path):
    root = write_dasps(tmp_path / "db", n_subjects=1, shape=SHORT)
    for name in ("._S01.mat", "Summary.mat", "S01 copy.mat"):
        (first(root).parent / name).write_bytes(b"")
    assert Dasps(root).subjects() == ("S01",)


@pytest.mark.parametrize("corpus", [Dasps, DaspsRaw])
def test_nobody_said_where(corpus, monkeypatch):
    monkeypatch.delenv("NEUROGAZE_DASPS", raising=False)
    with pytest.raises(InputError, match="NEUROGAZE_DASPS: is not set"):
        corpus()


@pytest.mark.parametrize("corpus", [Dasps, DaspsRaw])
def test_empty_folder(corpus, tmp_path):
    with pytest.raises(InputError, match=r"holds no Raw data.*S01.*Remedy"):
        corpus(tmp_path)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_truncated_file(tmp_path, share):
    root = write_dasps(tmp_path / "db", n_subjects=1, shape=SHORT)
    truncate(first(root), share)
    with pytest.raises(InputError, match=r"S01\.mat: cannot be read.*Remedy: copy or unpack"):
        read_all(root)


@pytest.mark.parametrize("name", ["data", "labels"])
def test_missing_dataset_is_named(tmp_path, name):
    root = write_dasps(tmp_path / "db", n_subjects=1, shape=SHORT, drop=name)
    with pytest.raises(InputError, match=rf"S01\.mat: dataset '{name}' is missing"):
        read_all(root)


@pytest.mark.parametrize("shape", [(11, 640, 14), (12, 640, 13), (12, 14, 640), (12, 0, 14)])
def test_wrong_shape_of_data(tmp_path, shape):
    root = write_dasps(tmp_path / "db", n_subjects=1, shape=shape)
    with pytest.raises(InputError, match=r"data has shape \(1"):
        read_all(root)


def test_shape_that_would_fill_the_memory(tmp_path):
    root = write_dasps(tmp_path / "db", n_subjects=1, shape=SHORT)
    with h5py.File(first(root), "a") as stream:
        del stream["data"]
        stream.create_dataset("data", (12, 10**9, 14), dtype="f4", chunks=(1, 64, 14))
    with pytest.raises(InputError, match=r"data has shape \(12, 1000000000, 14\)"):
        read_all(root)


def test_wrong_shape_of_labels(tmp_path):
    root = write_dasps(tmp_path / "db", n_subjects=1, shape=SHORT, ratings=(1.0, 2.0))
    with pytest.raises(InputError, match=r"labels has shape \(2, 4\), not \(2, 12\)"):
        read_all(root)


@pytest.mark.parametrize("rating", [0.0, 10.0, np.nan])
def test_rating_off_the_scale(tmp_path, rating):
    root = write_dasps(tmp_path / "db", n_subjects=1, shape=SHORT, ratings=(rating, 2, 3, 4, 5, 6))
    with pytest.raises(InputError, match=r"ratings \[.*\] are not in 1\.\.9"):
        read_all(root)


def test_nan_and_flat_channels(tmp_path):
    root = write_dasps(tmp_path / "a", n_subjects=1, shape=SHORT, nan_channel=4)
    with pytest.raises(InputError, match=r"S01\.mat.*NaN or infinite samples in \['T7'\]"):
        read_all(root)
    root = write_dasps(tmp_path / "b", n_subjects=1, shape=SHORT, flat_channel=6)
    with pytest.raises(InputError, match=r"\['O1'\] is flat"):
        read_all(root)


def test_unknown_person(root):
    with pytest.raises(InputError, match="subject 'S09' is not in it"):
        list(Dasps(root).trials("S09"))


def test_raw_recording_is_one_unrated_trial(tmp_path):
    seen = write_dasps_edf(tmp_path / "db", n_subjects=2, seconds=6)
    corpus = DaspsRaw(tmp_path / "db")
    assert corpus.name == "dasps_edf"
    assert corpus.subjects() == ("S01", "S02")
    (trial,) = corpus.trials("S02")
    assert (trial.trial, trial.clip) == ("S02/recording", "recording")
    assert (trial.valence, trial.arousal, trial.raw_rating) == (None, None, None)
    assert trial.eeg.shape == (14, 6 * 128)
    centred = trial.eeg - trial.eeg.mean(axis=1, keepdims=True)
    truth = (seen["S02"] - seen["S02"].mean(axis=1, keepdims=True)) * 1e-6
    np.testing.assert_allclose(centred, truth, atol=1.1e-6)  # steps of 1 microvolt, rounded twice


def test_raw_failures_name_file_and_value(tmp_path):
    write_dasps_edf(tmp_path / "a", n_subjects=1, seconds=2, drop="F8")
    with pytest.raises(InputError, match=r"S01\.edf: signals \['F8'\] are missing"):
        list(DaspsRaw(tmp_path / "a").trials("S01"))
    write_dasps_edf(tmp_path / "b", n_subjects=1, seconds=2, rate=256)
    with pytest.raises(InputError, match=r"256\.0.* Hz, not 128"):
        list(DaspsRaw(tmp_path / "b").trials("S01"))
    write_dasps_edf(tmp_path / "c", n_subjects=1, seconds=2, flat_channel=2)
    with pytest.raises(InputError, match=r"\['F3'\] is flat"):
        list(DaspsRaw(tmp_path / "c").trials("S01"))


at_hand = pytest.mark.skipif(
    not os.environ.get("NEUROGAZE_DASPS"), reason="NEUROGAZE_DASPS is not set"
)


@at_hand
def test_release_counts():
    corpus = Dasps()
    trials = [t for subject in corpus.subjects() for t in corpus.trials(subject)]
    assert (len(trials), len(corpus.subjects())) == (276, 23)
    ratings = Counter(t.raw_rating[0] for t in trials)
    assert (ratings[1.0], ratings[5.0], ratings[7.0]) == (106, 78, 4)
    assert sum(t.valence > 0 for t in trials) == 4
    by_event = {t.event: set() for t in trials}
    for t in trials:
        by_event[t.event].add(t.raw_rating)
    assert len(by_event) == 138
    assert all(len(said) == 1 for said in by_event.values())


@at_hand
def test_release_signals_are_of_the_size_of_eeg():
    eeg = next(Dasps().trials("S07")).eeg
    assert 1e-6 < np.median(eeg.std(axis=1)) < 2e-5


@at_hand
def test_release_raw_recordings_have_no_jumps_left():
    corpus = DaspsRaw()
    assert corpus.subjects() == Dasps().subjects()
    (trial,) = corpus.trials("S01")
    assert trial.eeg.shape == (14, 42112)
    # As written, F7, FC5 and AF4 of S01 jump by 690 microvolts at every blink.
    assert np.abs(np.diff(trial.eeg, axis=1)).max() < 3e-4
