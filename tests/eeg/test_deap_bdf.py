"""DEAP as recorded: triggers, two orders of electrodes, ratings in a table."""

import mne
import numpy as np
import pytest

from neurogaze.eeg.corpora.deap import GENEVA
from neurogaze.eeg.corpora.deap_bdf import DeapBdf
from neurogaze.errors import InputError
from tests.fixtures.deap import write_deap_bdf
from tests.fixtures.eeg import truncate

SHORT = {"subjects": (1,), "n_trials": 1, "clip_seconds": 3.0}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write_deap_bdf(tmp_path_factory.mktemp("deap") / "DEAP", subjects=(1, 23, 32))


def recording(root, name="s01"):
    return root / "data_original" / f"{name}.bdf"


def small(folder, **broken):
    return write_deap_bdf(folder / "DEAP", **(SHORT | broken))


def read_all(root, subject="s01"):
    return list(DeapBdf(root).trials(subject))


def test_release_folder_and_its_parent_will_do(root):
    for place in (root, root / "data_original"):
        corpus = DeapBdf(place)
        assert corpus.subjects() == ("s01", "s23", "s32")
        assert next(corpus.trials("s01")).valence is not None


@pytest.mark.parametrize("subject", ["s01", "s23"])
def test_electrodes_are_picked_by_name_in_both_orders(root, subject):
    """Electrode k of the fixture oscillates at 5 + k Hz."""
    names = mne.io.read_raw_bdf(recording(root, subject), verbose="ERROR").ch_names[:32]
    assert (tuple(names) == GENEVA) == (subject == "s23")
    for trial in read_all(root, subject):
        assert trial.channels == GENEVA
        spectrum = np.abs(np.fft.rfft(trial.eeg - trial.eeg.mean(axis=1, keepdims=True)))
        peaks = spectrum.argmax(axis=1) * trial.sfreq / trial.eeg.shape[1]
        np.testing.assert_allclose(peaks, 5 + np.arange(32), atol=0.2)


@pytest.mark.parametrize("subject", ["s01", "s23", "s32"])
def test_clip_lies_between_its_triggers_whatever_the_high_bits(root, subject):
    raw = mne.io.read_raw_bdf(recording(root, subject), verbose="ERROR")
    for number, trial in enumerate(read_all(root, subject)):
        start = (1 + number * 15 + 5) * 512
        assert trial.eeg.shape == (32, 8 * 512)
        assert trial.baseline.shape == (32, 5 * 512)
        theirs = raw.get_data(picks=list(GENEVA), start=start - 5 * 512, stop=start + 8 * 512)
        both = np.concatenate([trial.baseline, trial.eeg], axis=1)
        offsets = theirs.mean(axis=1, keepdims=True)  # 5 mV, removed in double precision
        assert 4.9e-3 < offsets.min() < offsets.max() < 5.1e-3
        np.testing.assert_allclose(both, theirs - offsets, atol=1e-11)
        assert (both.dtype, trial.sfreq) == (np.float32, 512.0)


def test_a_long_clip_ends_after_a_minute(tmp_path):
    (trial,) = read_all(small(tmp_path, clip_seconds=63.0))
    assert trial.eeg.shape[1] == 60 * 512


def test_recording_that_stops_before_the_last_end(tmp_path):
    (trial,) = read_all(small(tmp_path, last_end=False))
    assert trial.eeg.shape[1] == 3 * 512


def test_videos_and_ratings_follow_the_order_of_presentation(root):
    one, two = read_all(root, "s23")
    assert (one.clip, two.clip) == ("clip03", "clip12")
    assert one.trial == one.event == "s23/clip03"
    line = (root / "metadata_csv" / "participant_ratings.csv").read_text().splitlines()[3]
    raw = tuple(map(float, line.split(",")[4:7]))
    assert line.startswith("23,1,3,")
    assert one.raw_rating == raw
    ours = (one.valence, one.arousal, one.dominance)
    assert ours == tuple((rating - 5) / 4 for rating in raw)


def test_shuffled_table_gives_the_same_trials(root, tmp_path):
    text = (root / "metadata_csv" / "participant_ratings.csv").read_text().splitlines()
    path = tmp_path / "shuffled.csv"
    path.write_text("\n".join([text[0], *reversed(text[1:])]))
    ours = [t.raw_rating for t in DeapBdf(root, ratings=path).trials("s01")]
    assert ours == [t.raw_rating for t in read_all(root)]


def test_without_ratings_no_two_people_share_a_clip(tmp_path):
    root = small(tmp_path, subjects=(1, 2), rated=False)
    corpus = DeapBdf(root)
    trials = [t for s in corpus.subjects() for t in corpus.trials(s)]
    assert {(t.valence, t.arousal, t.dominance, t.raw_rating) for t in trials} == {(None,) * 4}
    assert len({t.clip for t in trials}) == len(trials)


def test_identity_follows_recording_and_ratings(root, tmp_path):
    first = DeapBdf(small(tmp_path)).identity("s01")
    path = tmp_path / "DEAP" / "metadata_csv" / "participant_ratings.csv"
    path.write_text(path.read_text().replace("5.0,3", "6.0,3"))
    assert DeapBdf(tmp_path / "DEAP").identity("s01") != first
    assert DeapBdf(root).identity("s01") != DeapBdf(root).identity("s23")


def test_ratings_are_those_whose_hash_is_given(tmp_path):
    root = small(tmp_path)
    corpus, path = DeapBdf(root), root / "metadata_csv" / "participant_ratings.csv"
    known = corpus.identity("s01")
    (before,) = corpus.trials("s01")
    path.write_text(path.read_text().replace("1695918,2.5", "1695918,7.25"))
    (after,) = corpus.trials("s01")
    assert (before.raw_rating[0], after.raw_rating[0]) == (2.5, 7.25)
    assert corpus.identity("s01") == DeapBdf(root).identity("s01") != known


def test_status_without_a_name(tmp_path):
    assert len(read_all(small(tmp_path, subjects=(32,), status=""), "s32")) == 1


def test_status_under_another_name(tmp_path):
    with pytest.raises(InputError, match=r"s01\.bdf: signals Status are missing from"):
        read_all(small(tmp_path, status="Marks"))


@pytest.mark.parametrize("name", ["Fp1", "O2"])
def test_missing_electrode_is_named(tmp_path, name):
    with pytest.raises(InputError, match=rf"signals \['{name}'\] are missing"):
        read_all(small(tmp_path, drop=name))


def test_no_clip_was_started(tmp_path):
    with pytest.raises(InputError, match="Status holds no trigger 4"):
        read_all(small(tmp_path, triggers=(3, 9, 5)))


def test_ratings_of_other_clips(tmp_path):
    root = small(tmp_path)
    path = root / "metadata_csv" / "participant_ratings.csv"
    path.write_text(path.read_text() + "1,2,9,0,5.0,5.0,5.0,5.0,3\n")
    with pytest.raises(InputError, match="has 1 clips and 2 ratings"):
        read_all(root)


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("Valence", "Pleasure", r"columns \['Valence'\] are missing"),
        ("1695918,2.5", "1695918,x", "cannot be read"),
        ("1,1,7,", "1,1,7.9,", r"Experiment_id is 7\.9, no whole number"),
        ("1,1,7,", "1,1.5,7,", r"Trial is 1\.5, no whole number"),
        ("1,1,7,", "1.2,1,7,", r"Participant_id is 1\.2, no whole number"),
        ("1,1,7,", "1,1,nan,", "Experiment_id is nan, no whole number"),
        ("1695918,2.5", "1695918,0.5", r"ratings \[0\.5\] are not in 1\.\.9"),
    ],
)
def test_unusable_table(tmp_path, old, new, match):
    root = small(tmp_path)
    path = root / "metadata_csv" / "participant_ratings.csv"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(InputError, match=rf"participant_ratings\.csv: .*{match}"):
        read_all(root)


def test_named_ratings_must_be_there(root, tmp_path):
    with pytest.raises(InputError, match=r"gone\.csv: does not exist"):
        DeapBdf(root, ratings=tmp_path / "gone.csv")


def test_nobody_said_where(monkeypatch):
    monkeypatch.delenv("NEUROGAZE_DEAP", raising=False)
    with pytest.raises(InputError, match="NEUROGAZE_DEAP: is not set"):
        DeapBdf()


@pytest.mark.parametrize("share", [0.0, 0.0001, 0.5, 0.999])
def test_truncated_file(tmp_path, share):
    root = small(tmp_path)
    truncate(recording(root), share)
    with pytest.raises(InputError, match=r"s01\.bdf"):
        read_all(root)
