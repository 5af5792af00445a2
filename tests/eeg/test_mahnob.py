"""MAHNOB-HCI as released, and every way a session can be wrong."""

import re
import warnings
from pathlib import Path

import mne
import numpy as np
import pyedflib
import pytest

from neurogaze.eeg.cache import prepare
from neurogaze.eeg.corpora.deap import GENEVA
from neurogaze.eeg.corpora.mahnob import MahnobHci, clip_cut
from neurogaze.eeg.features import FeatureSettings, trial_features
from neurogaze.eeg.recordings import EPOC
from neurogaze.errors import InputError
from neurogaze.pipeline.settings import load_pipeline
from neurogaze.training import load_data
from tests.fixtures.eeg import truncate
from tests.fixtures.mahnob import SIGNALS, write_mahnob, write_session

HALF_LEVEL = 0.5 / 32 * 1e-6  # volts


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write_mahnob(tmp_path_factory.mktemp("mahnob"))


def one(folder, **settings):
    """The trial of a corpus of one session, and its recording."""
    path = write_session(folder, 2, **settings)
    (trial,) = MahnobHci(folder).trials("S1")
    return trial, path


def levels(path, names):
    """What another library reads of a recording: 24-bit levels, `[signals, samples]`."""
    with pyedflib.EdfReader(str(path)) as reader:
        labels = reader.getSignalLabels()
        return np.stack([reader.readSignal(labels.index(n), digital=True) for n in names])


def whole(trial):
    return np.concatenate([trial.baseline, trial.eeg], axis=1)


def assert_samples(trial, path, start, stop):
    """The clip and its rest are the levels of the file, less one constant an electrode."""
    truth = levels(path, GENEVA)[:, :stop] / 32 * 1e-6
    assert (trial.baseline.shape, trial.eeg.shape) == ((32, start), (32, stop - start))
    difference = whole(trial) - truth
    difference -= difference.mean(axis=1, keepdims=True)
    assert np.abs(difference).max() < HALF_LEVEL
    assert trial.eeg.dtype == trial.baseline.dtype == np.float32


def test_the_folder_of_sessions_and_the_one_above_are_the_same_corpus(root, monkeypatch):
    assert MahnobHci(root / "Sessions").identity("S1") == MahnobHci(root).identity("S1")
    monkeypatch.setenv("NEUROGAZE_MAHNOB", str(root))
    assert MahnobHci().subjects() == ("S1", "S2")


def test_trials_are_named_for_person_session_and_clip(root):
    trials = list(MahnobHci(root).trials("S2"))
    assert [t.trial for t in trials] == ["S2/session132", "S2/session134"]
    assert [t.event for t in trials] == [t.trial for t in trials]
    assert [t.clip for t in trials] == ["69", "90"]
    assert {(t.corpus, t.subject, t.sfreq, t.channels) for t in trials} == {
        ("mahnob_hci", "S2", 256.0, GENEVA)
    }


def test_order_is_by_number_not_by_name(tmp_path):
    for number, subject in ((10, 10), (4, 9), (100, 9), (22, 9)):
        write_session(tmp_path, number, subject=subject)
    corpus = MahnobHci(tmp_path)
    assert corpus.subjects() == ("S9", "S10")
    assert [t.trial for t in corpus.trials("S9")] == [f"S9/session{n}" for n in (4, 22, 100)]


@pytest.mark.parametrize("sfreq", [256, 512])
def test_samples_between_the_triggers_are_those_of_the_file(tmp_path, sfreq):
    trial, path = one(tmp_path, sfreq=sfreq)
    assert trial.sfreq == sfreq
    assert_samples(trial, path, 6 * sfreq, 16 * sfreq)


def test_triggers_are_where_mne_finds_them(tmp_path):
    trial, path = one(tmp_path)
    raw = mne.io.read_raw_bdf(path, stim_channel="Status", verbose="ERROR")
    events = mne.find_events(raw, mask=0xFFFF, mask_type="and", verbose="ERROR")
    assert events[:, 2].tolist() == [16, 16]
    assert trial.baseline.shape[1] == events[0, 0]
    assert trial.eeg.shape[1] == events[1, 0] - events[0, 0]


@pytest.mark.parametrize("bits", [0, 0x980000, 0x58FF00])
def test_bits_of_the_amplifier_are_no_triggers(tmp_path, bits):
    trial, path = one(tmp_path, high_bits=bits)
    status = levels(path, ["Status"])[0]
    assert (status < 0).any() == (bits >= 0x800000)
    assert status[0] != status[1]  # the bit of a new epoch, in the first sample only
    assert (trial.baseline.shape[1], trial.eeg.shape[1]) == (6 * 256, 10 * 256)


def test_electrodes_are_picked_by_name(tmp_path):
    order = np.random.default_rng(1).permutation(SIGNALS).tolist()
    trial, path = one(tmp_path / "shuffled", order=order)
    assert_samples(trial, path, 1536, 4096)
    plain, _ = one(tmp_path / "plain")
    np.testing.assert_array_equal(trial.eeg, plain.eeg)


def test_other_signals_are_not_electrodes_although_mne_says_so(tmp_path):
    _, path = one(tmp_path)
    raw = mne.io.read_raw_bdf(path, stim_channel="Status", verbose="ERROR")
    assert raw.get_channel_types().count("eeg") == 46


def test_a_raised_trigger_marks_the_clip(tmp_path):
    trial, path = one(tmp_path, triggers="level")
    assert_samples(trial, path, 1536, 4096)


@pytest.mark.parametrize("triggers", ["none", "one"])
def test_without_triggers_30_s_are_cut_off_each_end(tmp_path, triggers):
    path = write_session(tmp_path, 2, triggers=triggers, seconds=8, rest=31)
    corpus = MahnobHci(tmp_path)
    with pytest.warns(UserWarning, match=r"_emotion\.bdf: has no pair of triggers; 30 s"):
        (trial,) = corpus.trials("S1")
    assert_samples(trial, path, 30 * 256, 40 * 256)
    assert corpus.trimmed == ("S1/session2",)
    assert corpus.skipped == ()


def test_without_the_signal_of_triggers_too(tmp_path):
    write_session(tmp_path, 2, order=SIGNALS[:-1], seconds=8, rest=31)
    with pytest.warns(UserWarning, match="has no pair of triggers"):
        (trial,) = MahnobHci(tmp_path).trials("S1")
    assert trial.eeg.shape == (32, 10 * 256)


def test_recording_too_short_to_trim(tmp_path):
    with pytest.raises(InputError, match=r"_emotion\.bdf: 1 triggers in 22\.0 s enclose no clip"):
        one(tmp_path, triggers="one")


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ({30: 16, 90: 16}, (30, 90, "triggers")),
        ({30: 16, 50: 3, 90: 16}, (30, 90, "triggers")),
        ({30: 16, 31: 16, 32: 16, 90: 16}, (30, 90, "triggers")),
        ({0: 16, 30: 16, 90: 16}, (30, 90, "triggers")),
        (dict.fromkeys(range(30, 91), 16), (30, 90, "level")),
        ({40: 16, 60: 16}, (300, 400, "margin")),  # 2 s apart
        ({}, (300, 400, "margin")),
    ],
)
def test_cut_by_hand(codes, expected):
    status = np.zeros(700, dtype=np.int64)
    status[list(codes)] = list(codes.values())
    cut = clip_cut(status, 10.0)
    assert (cut.start, cut.stop, cut.found_by) == expected


def test_no_cut_by_hand():
    assert clip_cut(np.zeros(639, dtype=np.int64), 10.0) is None
    assert clip_cut(np.zeros(640, dtype=np.int64), 10.0).stop == 340
    assert clip_cut(np.full(100, 16), 10.0) is None
    assert clip_cut(np.zeros(0, dtype=np.int64), 10.0) is None


def test_offsets_stay_out_of_the_features(tmp_path):
    made = []
    for name, offset in (("none", 0.0), ("large", 200_000.0)):  # microvolts
        trial, path = one(tmp_path / name, offset=offset)
        made.append(trial_features(trial, FeatureSettings()).values)
    assert np.abs(levels(path, GENEVA) / 32).mean(axis=1).max() > 100_000
    np.testing.assert_allclose(made[1], made[0], atol=3e-3)  # other rounding to 24 bits


def test_rate_of_the_file_hardly_matters_to_the_features(tmp_path):
    slow, _ = one(tmp_path / "256", sfreq=256)
    fast, _ = one(tmp_path / "512", sfreq=512)
    assert (slow.eeg.shape[1], fast.eeg.shape[1]) == (2560, 5120)
    a, b = (trial_features(t, FeatureSettings(baseline=False)).values for t in (slow, fast))
    assert a.shape == b.shape == (4, 32, 4)
    np.testing.assert_allclose(a[1:3], b[1:3], atol=2e-3)
    np.testing.assert_allclose(a, b, atol=0.1)  # the ends lie at other instants


def test_ratings_are_mapped_from_one_to_nine(root):
    trials = list(MahnobHci(root).trials("S1"))
    assert [t.raw_rating for t in trials] == [(1.0, 9.0, 5.0), (8.0, 3.0, 2.0)]
    assert [(t.valence, t.arousal, t.dominance) for t in trials] == [
        (-1.0, 1.0, 0.0),
        (0.75, -0.5, -0.75),
    ]


def test_dominance_may_be_missing(tmp_path):
    trial, _ = one(tmp_path, felt=(3, 7))
    assert (trial.valence, trial.arousal, trial.dominance) == (-0.5, 0.5, None)
    assert trial.raw_rating == (3.0, 7.0)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """Two rated sessions among all kinds that are not."""
    root = tmp_path_factory.mktemp("mixed")
    write_session(root, 2)
    write_session(root, 4)
    write_session(root, 1, stimulus=False, felt=(), triggers="none")
    write_session(root, 6, felt=())
    write_session(root, 8, felt=(None, 4))
    write_session(root, 10, bdf=False)
    write_session(root, 12, bdf=False)
    write_session(root, 14, xml=False)
    sessions = root / "Sessions"
    (sessions / "2 copy").mkdir()
    (sessions / ".DS_Store").write_bytes(b"")
    (sessions / "2" / "._Part_1_S_Trial1_emotion.bdf").write_bytes(b"")
    return root


def test_sessions_that_cannot_be_used_are_counted(mixed):
    corpus = MahnobHci(mixed)
    with pytest.warns(UserWarning, match="6 of 8 session folders are left out") as caught:
        assert corpus.subjects() == ("S1",)
    assert len(caught) == 1
    text = str(caught[0].message)
    for reason in ("2 with no felt ratings", "2 with no .bdf file", "1 with no session.xml",
                   "1 with no stimulus was shown"):  # fmt: skip
        assert reason in text
    assert corpus.skipped == (
        "1: no stimulus was shown (isStim 0)", "6: no felt ratings", "8: no felt ratings",
        "10: no .bdf file", "12: no .bdf file", "14: no session.xml",
    )  # fmt: skip
    assert [t.trial for t in corpus.trials("S1")] == ["S1/session2", "S1/session4"]


def test_warning_comes_once(mixed):
    corpus = MahnobHci(mixed)
    with pytest.warns(UserWarning, match="left out"):
        corpus.subjects()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        corpus.subjects()
        list(corpus.trials("S1"))


@pytest.mark.filterwarnings("ignore:.*left out")
def test_unrated_sessions_can_support(mixed):
    corpus = MahnobHci(mixed, unrated=True)
    trials = list(corpus.trials("S1"))
    rated = {t.trial: t.valence is not None for t in trials}
    assert rated == {"S1/session2": True, "S1/session4": True, "S1/session6": False,
                     "S1/session8": False}  # fmt: skip
    assert {t.raw_rating for t in trials if t.valence is None} == {None}
    assert "1: no clip can be found in the recording" in corpus.skipped
    assert MahnobHci(mixed).identity("S1") != corpus.identity("S1")


def test_a_complete_corpus_warns_of_nothing(root):
    corpus = MahnobHci(root)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for subject in corpus.subjects():
            list(corpus.trials(subject))
    assert (corpus.skipped, corpus.trimmed) == ((), ())


def test_no_recording_is_opened_to_name_the_people(root, monkeypatch):
    monkeypatch.setattr("mne.io.read_raw_bdf", None)
    assert MahnobHci(root).subjects() == ("S1", "S2")


def test_each_recording_is_opened_once(root, monkeypatch):
    opened, read = [], mne.io.read_raw_bdf
    monkeypatch.setattr("mne.io.read_raw_bdf", lambda p, **s: opened.append(p) or read(p, **s))
    list(MahnobHci(root).trials("S1"))
    assert [p.parent.name for p in opened] == ["2", "4"]


def test_each_file_is_hashed_once(root, monkeypatch):
    corpus = MahnobHci(root)
    known = corpus.identity("S1")
    assert (known["files"], known["bytes"] > 1_600_000) == (4, True)
    monkeypatch.setattr("neurogaze.eeg.corpora.sources.file_hash", None)
    assert corpus.identity("S1") == known


@pytest.mark.parametrize("suffix", [".bdf", ".xml"])
def test_identity_follows_recordings_and_descriptions(tmp_path, suffix):
    write_session(tmp_path, 2)
    before = MahnobHci(tmp_path).identity("S1")
    assert MahnobHci(tmp_path).identity("S1") == before
    path = next((tmp_path / "Sessions" / "2").glob(f"*{suffix}"))
    path.write_bytes(path.read_bytes() + b" ")
    assert MahnobHci(tmp_path).identity("S1") != before


def test_identity_is_of_the_person_alone(root, tmp_path):
    before = MahnobHci(root).identity("S1")
    write_mahnob(tmp_path, n_subjects=3)
    assert MahnobHci(tmp_path).identity("S1") == before
    assert MahnobHci(root).identity("S2") != before


def test_features_of_the_whole_corpus(root, tmp_path):
    table = prepare(MahnobHci(root), FeatureSettings(), tmp_path, progress=False)
    assert table.features.shape == (2 * (4 + 5), 32, 4)
    assert table.floors == 0
    assert table.rated.all()
    assert sorted(set(table.dominance.tolist())) == [-0.75, 0.0, 0.5]


def test_electrodes_are_picked_before_the_reference(tmp_path):
    """Features are those of a recording that holds no other electrode."""
    write_session(tmp_path / "all", 2)
    write_session(tmp_path / "few", 2, order=[*EPOC[::-1], "Status"])
    trials = [next(MahnobHci(tmp_path / n, channels=EPOC).trials("S1")) for n in ("all", "few")]
    assert {trial.channels for trial in trials} == {EPOC}
    picked, few = (trial_features(trial, FeatureSettings()).values for trial in trials)
    np.testing.assert_array_equal(picked, few)
    (everything,) = MahnobHci(tmp_path / "all").trials("S1")
    late = trial_features(everything, FeatureSettings()).values
    late = late[:, [GENEVA.index(name) for name in EPOC]]
    assert np.abs(picked - late).max() > 0.1  # nats: what picking after the reference costs


def test_identity_names_electrodes_that_were_picked(root):
    plain = MahnobHci(root).identity("S1")
    assert set(plain) == {"files", "bytes", "sha256"}
    assert MahnobHci(root, channels=GENEVA).identity("S1") == plain
    picked = MahnobHci(root, channels=EPOC).identity("S1")
    assert {**plain, "channels": " ".join(EPOC)} == picked
    assert MahnobHci(root, channels=EPOC[::-1]).identity("S1") != picked


def test_electrodes_by_other_names(root):
    assert MahnobHci(root, channels=("t3", "af3")).channels == ("T7", "AF3")
    with pytest.raises(InputError, match="electrode 'Cx': is not in the 10-05 system"):
        MahnobHci(root, channels=("Cx",))
    with pytest.raises(InputError, match=r"electrodes \['Fp1'\] are named twice"):
        MahnobHci(root, channels=("Fp1", "Cz", "FP1"))
    with pytest.raises(InputError, match=r"channels: \(\) names no electrodes"):
        MahnobHci(root, channels=())


def test_support_of_the_published_pipeline_has_the_electrodes_of_its_teacher(root, monkeypatch):
    monkeypatch.setenv("NEUROGAZE_MAHNOB", str(root))
    experiments = Path(__file__).parents[2] / "experiments"
    (support,) = load_pipeline(experiments / "pipelines" / "dreamer_mahnob_ferplus.yaml").support
    assert load_data(["--data", support]).corpus.channels == EPOC


def test_flat_electrode_is_named(tmp_path):
    with pytest.raises(InputError, match=r"S1/session2.*\['PO3'\] is flat"):
        one(tmp_path, flat="PO3")


def test_missing_electrode_is_named(tmp_path):
    order = [name for name in SIGNALS if name not in ("Cz", "O2")]
    with pytest.raises(InputError, match=r"_emotion\.bdf: electrodes \['Cz', 'O2'\] are missing"):
        one(tmp_path, order=order)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.01, 0.5, 0.9999])
def test_truncated_recording(tmp_path, share):
    truncate(write_session(tmp_path, 2), share)
    with pytest.raises(InputError, match=r"_emotion\.bdf: (cannot be read|ends early)"):
        list(MahnobHci(tmp_path).trials("S1"))


def test_recording_of_nonsense(tmp_path):
    path = write_session(tmp_path, 2)
    path.write_bytes(b"\x00" * 20_000)
    with pytest.raises(InputError, match=r"_emotion\.bdf: cannot be read"):
        list(MahnobHci(tmp_path).trials("S1"))


@pytest.mark.parametrize("felt", [(0, 5), (5, 10), (5, 5, -1), ("nan", 5), ("high", 5)])
def test_rating_off_the_scale(tmp_path, felt):
    write_session(tmp_path, 2, felt=felt)
    value = re.escape(str(next(v for v in felt if v != 5)))
    with pytest.raises(InputError, match=rf"session\.xml: felt\w+ is '{value}', not a number"):
        MahnobHci(tmp_path).subjects()


BOMB = (
    '<!DOCTYPE session [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    '<session feltVlnc="5" feltArsl="5" mediaFile="&b;"><subject id="1"/></session>'
)
OUTSIDE = (
    '<!DOCTYPE session SYSTEM "file:///etc/hostname">'
    '<session feltVlnc="5" feltArsl="5" mediaFile="1.avi"><subject id="1"/></session>'
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cannot be read"),
        ("<session", "cannot be read"),
        (BOMB, "declares the document type 'session'"),
        (OUTSIDE, "declares the document type 'session'"),
        ("<session/>", "the id of <subject> is ''"),
        ('<session><subject id="x"/></session>', "the id of <subject> is 'x'"),
        ('<session sessionId="4"><subject id="1"/></session>', "sessionId is '4' in folder '2'"),
        (
            '<session feltVlnc="5" feltArsl="5"><subject id="1"/></session>',
            "attribute 'mediaFile' is missing",
        ),
    ],
)
def test_descriptions_that_cannot_be_used(tmp_path, text, message):
    path = write_session(tmp_path, 2).with_name("session.xml")
    path.write_text(text)
    with pytest.raises(InputError, match=rf"session\.xml: .*{message}"):
        MahnobHci(tmp_path).subjects()


def test_media_file_of_windows(tmp_path):
    trial, _ = one(tmp_path, media="C:\\stimuli\\111.avi")
    assert trial.clip == "111"


def test_two_recordings_of_one_session(tmp_path):
    path = write_session(tmp_path, 2)
    path.with_name("other.bdf").write_bytes(b"")
    with pytest.raises(InputError, match="holds more than one recording"):
        MahnobHci(tmp_path).subjects()


def test_nobody_said_where(tmp_path, monkeypatch):
    monkeypatch.delenv("NEUROGAZE_MAHNOB", raising=False)
    with pytest.raises(InputError, match="NEUROGAZE_MAHNOB: is not set"):
        MahnobHci()
    with pytest.raises(InputError, match="holds no session that can be used; 0 of 0"):
        MahnobHci(tmp_path).subjects()
    write_session(tmp_path, 2, felt=())
    with pytest.raises(InputError, match="1 of 1 session folders are left out: 1 with no felt"):
        MahnobHci(tmp_path).subjects()


def test_unknown_person(root):
    with pytest.raises(InputError, match="subject 'S3' is not in it"):
        list(MahnobHci(root).trials("S3"))
