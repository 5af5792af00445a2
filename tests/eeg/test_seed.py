"""SEED as released, and every way a copy of it can be wrong."""

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from neurogaze.eeg.corpora.mat5 import load_mat
from neurogaze.eeg.corpora.seed import CAP, Seed
from neurogaze.errors import InputError
from neurogaze.models.electrode_transformer import electrode_ids
from tests.fixtures.eeg import truncate
from tests.fixtures.seed import write_seed


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write_seed(tmp_path_factory.mktemp("seed") / "SEED", n_subjects=11)


def session(root, name="1_20131027"):
    return root / "Preprocessed_EEG" / f"{name}.mat"


def small(folder, **broken):
    return write_seed(folder / "SEED", **({"n_subjects": 1, "n_sessions": 1} | broken))


def read_all(root, subject="1"):
    return list(Seed(root).trials(subject))


def test_people_are_in_the_order_of_their_numbers(root):
    for place in (root, root / "Preprocessed_EEG"):
        assert Seed(place).subjects() == tuple(map(str, range(1, 12)))


def test_environment_names_the_folder(root, monkeypatch):
    monkeypatch.setenv("NEUROGAZE_SEED", str(root))
    assert len(Seed().subjects()) == 11


def test_sessions_follow_their_dates_and_clips_their_numbers(root):
    trials = read_all(root, "2")
    assert [t.trial for t in trials] == [f"2/session{s}/clip{c}" for s in (1, 2) for c in (1, 2, 3)]
    assert [t.source.stem for t in trials] == ["2_20131027"] * 3 + ["2_20131106"] * 3
    assert [t.event for t in trials] == [t.trial for t in trials]
    assert [t.clip for t in trials] == ["clip1", "clip2", "clip3"] * 2


def test_ten_comes_after_nine(tmp_path):
    trials = read_all(small(tmp_path, labels=[-1, 0] * 6, seconds=(1.0,)))
    assert [t.clip for t in trials] == [f"clip{n}" for n in range(1, 13)]


def test_labels_are_those_of_the_clips_from_zero(root):
    trials = read_all(root)
    assert [t.label for t in trials] == [2, 1, 0] * 2
    assert {(t.valence, t.arousal, t.dominance) for t in trials} == {(None, None, None)}


def test_samples_are_those_of_the_file_in_volts(root):
    theirs = loadmat(session(root))["ww_eeg2"]
    trial = read_all(root)[1]
    np.testing.assert_allclose(trial.eeg, theirs * 1e-6, rtol=1e-6)
    assert trial.eeg.shape == (62, 1400)
    assert (trial.eeg.dtype, trial.sfreq, trial.channels) == (np.float32, 200.0, CAP)
    assert trial.baseline is None


def test_cap_has_62_electrodes_that_the_network_knows():
    assert len(set(CAP)) == 62
    assert len(set(electrode_ids(CAP).tolist())) == 62


def test_each_file_is_read_once_and_only_when_its_turn_comes(root, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "neurogaze.eeg.corpora.seed.load_mat",
        lambda path: (seen.append(path.name), load_mat(path))[1],
    )
    trials = Seed(root).trials("3")
    next(trials)
    assert seen == ["label.mat", "3_20131027.mat"]
    list(trials)
    assert seen == ["label.mat", "3_20131027.mat", "3_20131106.mat"]


def test_labels_are_those_whose_hash_is_given(tmp_path):
    root = small(tmp_path)
    corpus, before = Seed(root), [t.label for t in Seed(root).trials("1")]
    known = corpus.identity("1")
    list(corpus.trials("1"))
    savemat(root / "Preprocessed_EEG" / "label.mat", {"label": [[1 - x for x in before]]})
    assert [t.label for t in corpus.trials("1")] == [2 - x for x in before]
    assert corpus.identity("1") == Seed(root).identity("1") != known


def test_identity_follows_every_session_and_the_labels(tmp_path):
    root = small(tmp_path, n_sessions=2)
    before = Seed(root).identity("1")
    savemat(root / "Preprocessed_EEG" / "label.mat", {"label": [[0, 0, 1]]})
    after = Seed(root).identity("1")
    assert before != after
    session(root, "1_20131106").write_bytes(b"")
    assert Seed(root).identity("1") != after


def test_nobody_said_where(monkeypatch):
    monkeypatch.delenv("NEUROGAZE_SEED", raising=False)
    with pytest.raises(InputError, match="NEUROGAZE_SEED: is not set"):
        Seed()


def test_empty_folder(tmp_path):
    with pytest.raises(InputError, match=r"holds no recording such as 1_20131027\.mat"):
        Seed(tmp_path)


def test_labels_are_missing(tmp_path):
    root = small(tmp_path)
    (root / "Preprocessed_EEG" / "label.mat").unlink()
    with pytest.raises(InputError, match=r"label\.mat: does not exist"):
        Seed(root)


def test_another_file_of_labels(tmp_path):
    with pytest.raises(InputError, match=r"label\.mat: holds no variable 'label'"):
        read_all(small(tmp_path, drop="label"))


def test_labels_off_the_scale(tmp_path):
    with pytest.raises(InputError, match=r"labels \[1.0, 2.0\] are not of -1, 0, 1"):
        read_all(small(tmp_path, labels=(1, 2)))


def test_missing_clip(tmp_path):
    with pytest.raises(InputError, match=r"has clips \[1, 3\] and label\.mat has 3 labels"):
        read_all(small(tmp_path, drop="_eeg2"))


def test_wrong_shape_of_a_clip(tmp_path):
    with pytest.raises(InputError, match=r"_eeg1 has shape \(61, 1200\), not \(62, samples\)"):
        read_all(small(tmp_path, channels=61))


def test_nan_is_told_with_its_electrode(tmp_path):
    with pytest.raises(InputError, match=r"NaN or infinite samples in \['CB2'\]"):
        read_all(small(tmp_path, nan_channel=61))


def test_unknown_person(root):
    with pytest.raises(InputError, match="subject '99' is not in it"):
        list(Seed(root).trials("99"))


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.95])
@pytest.mark.parametrize("name", ["1_20131106", "label"])
def test_truncated_file(tmp_path, share, name):
    root = small(tmp_path)
    truncate(session(root, name), share)
    with pytest.raises(InputError, match=rf"{name}\.mat"):
        read_all(root)
