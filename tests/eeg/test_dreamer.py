"""DREAMER as released, and every way a copy of it can be wrong."""

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from neurogaze.eeg.corpora import Dreamer
from neurogaze.eeg.recordings import EPOC
from neurogaze.errors import InputError
from tests.fixtures.eeg import truncate, write_dreamer


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return write_dreamer(
        tmp_path_factory.mktemp("dreamer") / "DREAMER.mat",
        n_clips=5,
        seconds=(6.0, 9.0),
        baseline_seconds=5.0,
    )


def small(folder, **broken):
    settings = {"n_subjects": 1, "seconds": (5.0,), "baseline_seconds": 5.0}
    return write_dreamer(folder / "DREAMER.mat", **(settings | broken))


def test_file_and_folder_name_the_same_corpus(path):
    assert Dreamer(path).identity("S01") == Dreamer(path.parent).identity("S02")


def test_environment_names_the_file(path, monkeypatch):
    monkeypatch.setenv("NEUROGAZE_DREAMER", str(path))
    assert Dreamer().subjects() == ("S01", "S02")


def test_trials_are_named_for_person_and_clip(path):
    trials = list(Dreamer(path).trials("S02"))
    assert [t.trial for t in trials] == [f"S02/clip{n:02d}" for n in range(1, 6)]
    assert [t.event for t in trials] == [t.trial for t in trials]
    assert [t.clip for t in trials] == [f"clip{n:02d}" for n in range(1, 6)]
    assert {(t.corpus, t.subject, t.sfreq, t.channels) for t in trials} == {
        ("dreamer", "S02", 128.0, EPOC)
    }


def test_clips_keep_their_own_lengths(path):
    trials = list(Dreamer(path).trials("S01"))
    assert [t.eeg.shape for t in trials] == [(14, 768), (14, 1152)] * 2 + [(14, 768)]
    assert all(t.baseline.shape == (14, 640) for t in trials)


def test_samples_are_those_of_the_file_in_volts(path):
    person = loadmat(path)["DREAMER"][0, 0]["Data"][0, 1]["EEG"][0, 0]
    trial = list(Dreamer(path).trials("S02"))[1]
    for field, ours in (("stimuli", trial.eeg), ("baseline", trial.baseline)):
        theirs = person[field][0, 0][1, 0]
        np.testing.assert_allclose(ours, theirs.T * 1e-6, rtol=1e-6)
        assert ours.dtype == np.float32
    assert 4.1e-3 < trial.eeg.mean() < 4.3e-3


def test_ratings_below_the_middle_do_not_wrap_around(path):
    content = loadmat(path)["DREAMER"][0, 0]["Data"][0, 0]
    assert content["ScoreValence"][0, 0].dtype == np.uint8
    trials = list(Dreamer(path).trials("S01"))
    assert [t.valence for t in trials] == [-1.0, 1.0, 0.0, -0.5, 0.5]
    assert [t.arousal for t in trials] == [1.0, 0.0, -0.5, 0.5, -1.0]
    assert trials[0].raw_rating == (1.0, 5.0, 3.0)
    assert trials[0].dominance == 0.0


def test_electrodes_are_picked_by_name(tmp_path):
    shuffled = (*EPOC[::-1], "Cz")
    path = small(tmp_path, n_clips=1, electrodes=shuffled)
    theirs = loadmat(path)["DREAMER"][0, 0]["Data"][0, 0]["EEG"][0, 0]["stimuli"][0, 0][0, 0]
    (trial,) = Dreamer(path).trials("S01")
    np.testing.assert_allclose(trial.eeg, theirs[:, 13::-1].T * 1e-6, rtol=1e-6)


def test_one_person_and_one_clip_are_enough(tmp_path):
    assert len(list(Dreamer(small(tmp_path, n_clips=1)).trials("S01"))) == 1


def test_file_is_read_once(path, monkeypatch):
    corpus = Dreamer(path)
    list(corpus.trials("S01"))
    monkeypatch.setattr("scipy.io.loadmat", None)
    assert len(list(corpus.trials("S02"))) == 5


def test_identity_follows_the_content(tmp_path):
    first = Dreamer(small(tmp_path)).identity("S01")
    assert Dreamer(small(tmp_path, seed=1)).identity("S01") != first


def test_nobody_said_where(monkeypatch):
    monkeypatch.delenv("NEUROGAZE_DREAMER", raising=False)
    with pytest.raises(InputError, match="NEUROGAZE_DREAMER: is not set"):
        Dreamer()


def test_folder_without_the_file(tmp_path):
    with pytest.raises(InputError, match=r"DREAMER\.mat: does not exist.*Zenodo"):
        Dreamer(tmp_path)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.95])
def test_truncated_file(tmp_path, share):
    path = truncate(small(tmp_path), share)
    with pytest.raises(InputError, match=r"DREAMER\.mat"):
        list(Dreamer(path).trials("S01"))


def test_another_matlab_file(tmp_path):
    savemat(tmp_path / "DREAMER.mat", {"other": np.ones(3)})
    with pytest.raises(InputError, match="no variable 'DREAMER'"):
        Dreamer(tmp_path).subjects()


@pytest.mark.parametrize(
    "field", ["Data", "EEG_SamplingRate", "EEG_Electrodes", "EEG", "stimuli", "baseline",
              "ScoreValence", "ScoreArousal", "ScoreDominance"],
)  # fmt: skip
def test_missing_field_is_named(tmp_path, field):
    path = small(tmp_path, drop=field)
    with pytest.raises(InputError, match=f"field '{field}' is missing"):
        list(Dreamer(path).trials("S01"))


def test_nobody_is_in_it(tmp_path):
    with pytest.raises(InputError, match="field 'Data' holds nobody"):
        Dreamer(small(tmp_path, n_subjects=0)).subjects()


def test_misshapen_clip_is_named(tmp_path):
    path = small(tmp_path)
    content = loadmat(path)["DREAMER"]
    stimuli = content[0, 0]["Data"][0, 0]["EEG"][0, 0]["stimuli"][0, 0]
    stimuli[1, 0] = stimuli[1, 0][:, :7]
    savemat(path, {"DREAMER": content})
    trials = Dreamer(path).trials("S01")
    assert next(trials).clip == "clip01"
    with pytest.raises(InputError, match=r"S01/clip02 has shape \(640, 7\)"):
        next(trials)


@pytest.mark.parametrize("part", ["stimuli", "baseline"])
@pytest.mark.parametrize("width", [13, 16])
def test_columns_are_as_many_as_names(tmp_path, part, width):
    """Two columns more, and nobody knows which of them the names are of."""
    path = small(tmp_path)
    content = loadmat(path)["DREAMER"]
    cells = content[0, 0]["Data"][0, 0]["EEG"][0, 0][part][0, 0]
    cells[0, 0] = np.resize(cells[0, 0], (640, width))
    savemat(path, {"DREAMER": content})
    with pytest.raises(InputError, match=rf"S01/clip01 has shape \(640, {width}\), not .*14\]"):
        next(Dreamer(path).trials("S01"))


def test_missing_electrode_is_named(tmp_path):
    path = small(tmp_path, electrodes=EPOC[:13])
    with pytest.raises(InputError, match=r"electrodes \['AF4'\] are missing"):
        list(Dreamer(path).trials("S01"))


@pytest.mark.parametrize("rating", [0, 6, 255])
def test_rating_off_the_scale(tmp_path, rating):
    path = small(tmp_path, ratings=(3, rating))
    with pytest.raises(InputError, match=rf"S01 has ratings \[{rating}\.0.*not in 1\.\.5"):
        list(Dreamer(path).trials("S01"))


def test_nan_and_flat_channels(tmp_path):
    with pytest.raises(InputError, match=r"NaN or infinite samples in \['T7'\]"):
        list(Dreamer(small(tmp_path, nan_channel=4)).trials("S01"))
    with pytest.raises(InputError, match=r"\['O1'\] is flat"):
        list(Dreamer(small(tmp_path, flat_channel=6)).trials("S01"))


def test_unknown_person(path):
    with pytest.raises(InputError, match="subject 'S03' is not in it"):
        list(Dreamer(path).trials("S03"))
