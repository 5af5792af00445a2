"""Recordings of one's own: what the table says is what comes out, and every way it can be wrong."""

import mne
import numpy as np
import pytest

from neurogaze.eeg.cache import prepare
from neurogaze.eeg.corpora import custom, opened
from neurogaze.eeg.corpora.custom import Custom
from neurogaze.eeg.features import FeatureSettings
from neurogaze.eeg.recordings import EPOC
from neurogaze.errors import InputError
from tests.fixtures.custom import NAMES, edit, write_custom, write_fif, write_table
from tests.fixtures.eeg import truncate, write_dasps_edf
from tests.fixtures.mahnob import write_session

SORTED = ("AF3", "AF4", "F7", "F8", "O1", "O2", "T7", "T8")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write_custom(tmp_path_factory.mktemp("custom"))


def small(folder, **settings):
    return write_custom(folder, **({"n_subjects": 1, "seconds": 5.0} | settings))


def read(root, **settings):
    corpus = Custom(root, **settings)
    return [trial for subject in corpus.subjects() for trial in corpus.trials(subject)]


def stored(root, file, channels):
    """Samples as MNE reads them, by the names of the file."""
    raw = mne.io.read_raw(root / file, verbose="ERROR")
    return raw.get_data(picks=channels)


def test_one_row_is_one_trial(root):
    trials = read(root)
    assert [t.trial for t in trials] == [f"p{p}/trial0{k}" for p in (1, 2, 3) for k in (1, 2)]
    assert [t.event for t in trials] == [f"p{p}/film{k}" for p in (1, 2, 3) for k in (1, 2)]
    assert {t.clip for t in trials} == {"film1", "film2"}
    assert [t.label for t in trials] == [0, 1] * 3
    assert {(t.corpus, t.sfreq, t.eeg.shape, t.baseline.shape) for t in trials} == {
        ("custom", 128.0, (8, 1024), (8, 640))
    }


def test_environment_names_the_folder(root, monkeypatch):
    monkeypatch.setenv("NEUROGAZE_CUSTOM", str(root))
    assert Custom().subjects() == ("p1", "p2", "p3")


def test_the_corpus_can_have_a_name(root, tmp_path):
    corpus = Custom(root, corpus_name="pilot")
    assert {t.corpus for t in corpus.trials("p1")} == {"pilot"}
    table = prepare(corpus, FeatureSettings(), tmp_path, progress=False)
    assert table.corpus == "pilot"
    assert table.features.shape == (6 * 3, 8, 4)
    assert table.label.tolist() == [0, 0, 0, 1, 1, 1] * 3


@pytest.mark.parametrize(("suffix", "step"), [(".fif", 1e-9), (".edf", 1e-7)])
def test_samples_are_those_of_the_file_less_a_constant(tmp_path, suffix, step):
    root = small(tmp_path, suffix=suffix, offset=3e-3)
    names = ["af3", "AF4", "F7", "F8", "O1", "O2", "T3", "T4"]
    theirs = stored(root, f"eeg/p1_eeg{suffix}", names)
    second = read(root)[1]
    assert second.channels == SORTED
    for ours, start, stop in ((second.eeg, 15.0, 20.0), (second.baseline, 10.0, 15.0)):
        truth = theirs[:, round(start * 128) : round(stop * 128)]
        assert truth.mean() == pytest.approx(3e-3, rel=0.01)
        truth = truth - truth.mean(axis=1, keepdims=True)
        np.testing.assert_allclose(ours, truth, atol=step)
        assert ours.dtype == np.float32


def test_samples_that_16_bits_cannot_hold_are_restored(tmp_path):
    """MNE reads an excursion of 600 microvolts as a jump to the other end of the range."""
    seen = write_dasps_edf(tmp_path, n_subjects=1, excursion=600.0)["S01"]
    columns = ("file", "subject", "clip", "valence", "arousal", "start", "stop")
    write_table(tmp_path, [("Raw data .edf/S01.edf", "A", "x", 1, 1, 10, 25)], columns)
    corpus = Custom(tmp_path, channels=EPOC)
    (trial,) = corpus.trials("A")
    truth = seen[:, 10 * 128 : 25 * 128]
    truth = truth - truth.mean(axis=1, keepdims=True)
    assert truth[EPOC.index("F7")].max() > 300
    np.testing.assert_allclose(trial.eeg * 1e6, truth, atol=1.1)  # of 1 microvolt a level
    sound = dict(corpus.identity("A"))
    with pytest.MonkeyPatch.context() as patch:  # as older versions did, under another name
        patch.setattr(custom, "periods_of", lambda path: {})
        assert Custom(tmp_path, channels=EPOC).identity("A") != sound
    assert opened.periods_of(tmp_path / "Raw data .edf/S01.edf")["F7"] == pytest.approx(
        65_536e-6 / 95
    )


def test_order_of_the_electrodes_does_not_depend_on_the_file(tmp_path):
    root = small(tmp_path, n_subjects=2, n_clips=1)
    signals = stored(root, "eeg/p2_eeg.fif", list(NAMES))
    write_fif(root / "eeg/p2_eeg.fif", [*NAMES[::-1]], signals[::-1], 128.0)
    first, second = read(root)
    assert first.channels == second.channels == SORTED
    f7 = signals[1, 640:1280]
    np.testing.assert_allclose(second.eeg[2], f7 - f7.mean(), atol=1e-9)


def test_named_electrodes_come_in_the_order_asked_for(root):
    trial = read(root, channels=("o2", "T3", "AF3"))[0]
    assert trial.channels == ("O2", "T7", "AF3")
    everything = read(root)[0]
    for name, row in zip(trial.channels, trial.eeg, strict=True):
        np.testing.assert_array_equal(row, everything.eeg[SORTED.index(name)])


@pytest.mark.parametrize(
    ("scale", "expected"),
    [
        ((1.0, 9.0), [-1.0, 1.0, 0.0]),
        ((0.0, 10.0), [-0.8, 0.8, 0.0]),
        ((-11.0, 9.0), [0.2, 1, 0.6]),
    ],
)
def test_scale_of_the_ratings(tmp_path, scale, expected):
    root = edit(small(tmp_path, n_clips=1), 2, valence=1, arousal=9, dominance=5).parent
    (trial,) = read(root, scale=scale)
    assert [trial.valence, trial.arousal, trial.dominance] == pytest.approx(expected)
    assert trial.raw_rating == (1.0, 9.0, 5.0)


def test_empty_cells_are_unrated(tmp_path):
    root = small(tmp_path)
    edit(root, 2, valence="", arousal="", dominance="", label="")
    edit(root, 3, dominance=" ")
    first, second = read(root)
    assert (first.valence, first.arousal, first.dominance, first.label) == (None,) * 4
    assert (first.raw_rating, len(second.raw_rating)) == (None, 2)
    assert (second.valence, second.dominance) == (0.0, None)


def test_required_columns_are_enough(tmp_path):
    small(tmp_path)
    rows = [("eeg/p1_eeg.fif", "Ann", "film", 5, 3)]
    write_table(tmp_path, rows, ("file", "subject", "clip", "valence", "arousal"))
    (trial,) = read(tmp_path)
    assert (trial.event, trial.trial) == ("Ann/film", "Ann/trial01")
    assert (trial.valence, trial.arousal, trial.dominance, trial.label) == (0.0, -0.5, None, None)
    assert trial.eeg.shape == (8, 20 * 128)
    assert trial.baseline is None


def test_column_order_spaces_and_a_mark_of_the_encoding_do_not_matter(tmp_path):
    small(tmp_path)
    rows = [(" Ann ", "4", " eeg/p1_eeg.fif", "Amélie", "6 ")]
    columns = ("subject", " valence", "file", "clip ", "arousal")
    write_table(tmp_path, rows, columns, encoding="utf-8-sig")
    (trial,) = read(tmp_path)
    assert (trial.subject, trial.clip, trial.valence) == ("Ann", "Amélie", -0.25)


ONE_RATING = {"valence": 3, "arousal": 7, "dominance": "", "label": 1}


def test_events_belong_to_one_person(tmp_path):
    root = write_custom(tmp_path, n_subjects=2, seconds=5.0)
    for number in range(2, 6):
        edit(root, number, event="evening", **ONE_RATING)
    assert {t.event for t in read(root)} == {"p1/evening", "p2/evening"}


def test_a_file_of_several_rows_is_opened_once(root, monkeypatch):
    opened, real = [], mne.io.read_raw
    monkeypatch.setattr("mne.io.read_raw", lambda p, **s: opened.append(p.name) or real(p, **s))
    corpus = Custom(root)
    corpus.subjects()
    assert opened == []
    assert len(list(corpus.trials("p2"))) == 2
    assert opened == ["p2_eeg.fif"]


def test_rows_of_a_person_may_lie_apart_and_come_file_by_file(tmp_path):
    root = write_custom(tmp_path, n_subjects=3, n_clips=1, seconds=5.0)
    columns = ("file", "subject", "clip", "valence", "arousal", "start", "stop")
    rows = [
        ("eeg/p1_eeg.fif", "A", "x", 1, 1, 0, 5),
        ("eeg/p2_eeg.fif", "B", "x", 1, 1, 0, 5),
        ("eeg/p3_eeg.fif", "A", "y", 1, 1, 0, 5),
        ("eeg/p1_eeg.fif", "A", "z", 1, 1, 5, 10),
    ]
    write_table(root, rows, columns)
    assert [(t.subject, t.clip, t.trial) for t in read(root)] == [
        ("A", "x", "A/trial01"), ("A", "z", "A/trial03"), ("A", "y", "A/trial02"),
        ("B", "x", "B/trial01"),
    ]  # fmt: skip


def test_identity_follows_files_rows_and_reading(tmp_path):
    root = write_custom(tmp_path, n_subjects=2, n_clips=1, seconds=5.0)
    first = Custom(root).identity("p1")
    assert Custom(root).identity("p1") == first
    assert Custom(root).identity("p2") != first
    assert Custom(root, scale=(0.0, 10.0)).identity("p1") != first
    assert Custom(root, channels=("O1", "O2")).identity("p1") != first
    edit(root, 3, valence=6)
    assert Custom(root).identity("p1") == first
    edit(root, 2, valence=6)
    changed = Custom(root).identity("p1")
    assert changed != first
    signals = stored(root, "eeg/p1_eeg.fif", list(NAMES))
    write_fif(root / "eeg/p1_eeg.fif", NAMES, 2 * signals, 128.0)
    assert Custom(root).identity("p1") != changed


def test_identity_follows_the_samples_beside_a_header(tmp_path):
    columns = ("file", "subject", "clip", "valence", "arousal")
    write_table(tmp_path, [("a.vhdr", "A", "x", 1, 1)], columns)
    (tmp_path / "a.vhdr").write_text("[Common Infos]\nDataFile=other.eeg\nMarkerFile=a.vmrk\n")
    known = []
    for name in ("other.eeg", "a.vmrk", "a-1.fif", "ab.eeg"):
        known.append(Custom(tmp_path).identity("A"))
        (tmp_path / name).write_bytes(b"1")
    known.append(Custom(tmp_path).identity("A"))
    assert len({k["sha256"] for k in known[:4]}) == 4
    assert known[4] == known[3]


def test_a_header_in_the_format_of_brain_vision(tmp_path):
    signals = (1e3 * np.random.default_rng(0).standard_normal((2, 1280))).astype("<i2")
    (tmp_path / "a.eeg").write_bytes(signals.T.tobytes())
    (tmp_path / "a.vmrk").write_text("Brain Vision Data Exchange Marker File, Version 1.0\n")
    (tmp_path / "a.vhdr").write_text(
        "Brain Vision Data Exchange Header File Version 1.0\n[Common Infos]\nDataFile=a.eeg\n"
        "MarkerFile=a.vmrk\nDataFormat=BINARY\nDataOrientation=MULTIPLEXED\nNumberOfChannels=2\n"
        "SamplingInterval=5000\n[Binary Infos]\nBinaryFormat=INT_16\n[Channel Infos]\n"
        "Ch1=Fp1,,0.1,µV\nCh2=Fp2,,0.1,µV\n",
        encoding="utf-8",
    )
    columns = ("file", "subject", "clip", "valence", "arousal")
    write_table(tmp_path, [("a.vhdr", "A", "x", 1, 1)], columns)
    (trial,) = read(tmp_path)
    assert (trial.sfreq, trial.channels) == (200.0, ("Fp1", "Fp2"))
    truth = signals * 1e-7
    np.testing.assert_allclose(trial.eeg, truth - truth.mean(axis=1, keepdims=True), atol=1e-9)


@pytest.mark.parametrize("file", ["../p1.fif", "eeg/../../x.fif", "/tmp/x.fif", "C:\\x.fif",
                                  "..\\x.fif", "\\\\host\\share\\x.fif"])  # fmt: skip
def test_files_outside_the_root_are_refused(tmp_path, file):
    edit(small(tmp_path), 3, file=file)
    with pytest.raises(InputError, match=r"ratings\.csv, row 3, column 'file': is '.*inside"):
        Custom(tmp_path).subjects()


BAD_CELLS = [
    ({"valence": "high"}, "'valence': is 'high'.*from 1 to 9"),
    ({"arousal": 0.5}, "'arousal': is '0.5'.*from 1 to 9"),
    ({"dominance": "nan"}, "'dominance': is 'nan'.*leave it empty"),
    ({"subject": ""}, "'subject': is empty.*fill it in"),
    ({"clip": " "}, "'clip': is empty"),
    ({"file": ""}, "'file': is empty"),
    ({"label": -1}, "'label': is '-1'"),
    ({"label": 1.5}, "'label': is '1.5'.*whole number"),
    ({"start": -1}, "'start': is '-1'.*seconds"),
    ({"stop": "inf"}, "'stop': is 'inf'"),
    ({"start": 1e308, "stop": ""}, r"'start': is '1e\+308'"),
    ({"stop": 1e308}, r"'stop': is '1e\+308'"),
    ({"baseline_stop": 1e308}, r"'baseline_stop': is '1e\+308'"),
    ({"stop": 15}, "'stop': is '15'.*after the start, 15"),
    ({"baseline_stop": ""}, "'baseline_stop': is empty.*both ends"),
    ({"baseline_start": 15}, "'baseline_stop': is '15.0'.*after the start"),
]


@pytest.mark.parametrize(("cells", "message"), BAD_CELLS, ids=[str(c) for c, _ in BAD_CELLS])
def test_bad_cells_are_named(tmp_path, cells, message):
    edit(small(tmp_path), 3, **cells)
    with pytest.raises(InputError, match=rf"ratings\.csv, row 3, column {message}"):
        Custom(tmp_path).subjects()


REST_BEYOND = {"start": 10, "stop": 12, "baseline_start": 15, "baseline_stop": 99}


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"start": 20}, r"'start': 20 s, where .*p1_eeg\.fif lasts 20 s"),
        ({"stop": 20.5}, "'stop': 20.5 s, where"),
        ({"stop": 15.001}, "'stop': 15 s, where"),
        (REST_BEYOND, "'baseline_stop': 99 s, where"),
        ({"file": "eeg/p9.fif"}, r"'file': .*p9\.fif does not exist"),
    ],
)
def test_cells_that_do_not_fit_the_recording(tmp_path, cells, message):
    edit(small(tmp_path), 3, **({"stop": ""} | cells))
    with pytest.raises(InputError, match=rf"ratings\.csv, row 3, column {message}"):
        read(tmp_path)


REQUIRED = ("file", "subject", "clip", "valence", "arousal")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (REQUIRED[1:], r"row 1 has no column \['file'\]"),
        ((*REQUIRED, "dominence"), r"row 1: column 'dominence' is unknown.*'dominance'"),
        ((*REQUIRED, "clip"), "row 1: column 'clip' is there twice"),
        ((";".join(REQUIRED),), r"row 1 has no column .*separated by commas"),
    ],
)
def test_bad_columns_are_named(tmp_path, columns, message):
    write_table(tmp_path, [], columns)
    with pytest.raises(InputError, match=rf"ratings\.csv.*{message}"):
        Custom(tmp_path).subjects()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "row 1 has no column"),
        (b"file,subject,clip,valence,arousal\n", "has no row below its header"),
        (b"file,subject,clip,valence,arousal\na.fif,A,x,1\n", "row 2: has more or fewer cells"),
        (b"file,subject,clip,valence,arousal\na.fif,A,x,1,1,\n", "row 2: has more or fewer cells"),
        (b"file,subject,clip,valence,arousal\na.fif,\xff,x,1,1\n", "cannot be read.*UTF-8"),
    ],
)
def test_broken_tables(tmp_path, content, message):
    (tmp_path / "ratings.csv").write_bytes(content)
    with pytest.raises(InputError, match=rf"ratings\.csv.*{message}"):
        Custom(tmp_path).subjects()


def test_rows_are_counted_as_a_spreadsheet_does(tmp_path):
    text = "file,subject,clip,valence,arousal\n\na.fif,A,x,1,1\n\nb.fif,A,y,1,ten\n"
    (tmp_path / "ratings.csv").write_text(text)
    with pytest.raises(InputError, match="row 5, column 'arousal': is 'ten'"):
        Custom(tmp_path).subjects()


def test_a_line_break_in_a_cell_is_no_row(tmp_path):
    text = 'file,subject,clip,valence,arousal\na.fif,A,"x\ny",1,1\nb.fif,A,y,1,ten\n'
    (tmp_path / "ratings.csv").write_text(text)
    with pytest.raises(InputError, match="row 3, column 'arousal': is 'ten'"):
        Custom(tmp_path).subjects()


def test_a_trial_is_there_once(tmp_path):
    root = small(tmp_path)
    lines = (root / "ratings.csv").read_text().splitlines()
    (root / "ratings.csv").write_text("\n".join([*lines, lines[1]]))
    with pytest.raises(InputError, match=r"rows 2 and 4: both are the same trial of 'eeg/p1_eeg"):
        Custom(root).subjects()


@pytest.mark.parametrize("times", [{"start": "", "stop": ""}, {"baseline_stop": 15.1}])
def test_rest_is_not_cut_from_its_own_trial(tmp_path, times):
    root = edit(small(tmp_path), 3, **times).parent
    with pytest.raises(InputError, match=r"row 3: the baseline lies in the trial itself"):
        Custom(root).subjects()


def test_samples_belong_to_one_person_and_one_event(tmp_path):
    root = write_custom(tmp_path, n_subjects=2, seconds=5.0)
    edit(root, 3, start=5, stop="", baseline_start=0, baseline_stop=5)
    with pytest.raises(InputError, match=r"rows 2 and 3: columns 'start' and 'stop'.*same part"):
        Custom(root).subjects()
    for number in (2, 3):
        edit(root, number, clip="film1", **ONE_RATING)  # one event, never separated
    assert Custom(root).subjects() == ("p1", "p2")
    edit(root, 4, file="eeg/p1_eeg.fif")
    with pytest.raises(InputError, match=r"rows 2 and 4: file 'eeg/p1_eeg.fif' belongs to 'p1'"):
        Custom(root).subjects()


@pytest.mark.parametrize("row", [2, 3])
def test_rest_is_not_cut_from_the_trial_of_another_event(tmp_path, row):
    """Trials last from 5 to 10 s and from 15 to 20 s, each after a rest of 5 s."""
    root = small(tmp_path)
    times = {2: (14.9, 19.9), 3: (9.9, 14.9)}[row]  # 0.1 s are enough
    edit(root, row, baseline_start=times[0], baseline_stop=times[1])
    with pytest.raises(InputError, match=r"rows 2 and 3: the baseline of one.*'eeg/p1_eeg.fif'"):
        Custom(root).subjects()


def test_two_events_may_share_a_rest(tmp_path):
    first, second = read(edit(small(tmp_path), 3, baseline_start=0, baseline_stop=5).parent)
    np.testing.assert_array_equal(first.baseline, second.baseline)
    assert first.event != second.event


@pytest.mark.parametrize(
    "change", [{"valence": 9}, {"arousal": 1}, {"dominance": 5}, {"label": 0}, {"valence": ""}]
)
def test_a_clip_rated_twice_needs_two_events(tmp_path, change):
    root = small(tmp_path)
    for number in (2, 3):
        edit(root, number, clip="film1", **ONE_RATING)
    assert {trial.event for trial in read(root)} == {"p1/film1"}
    edit(root, 3, **change)
    told = rf"rows 2 and 3: columns \['{next(iter(change))}'\].*'p1/film1'.*column 'event'"
    with pytest.raises(InputError, match=told):
        Custom(root).subjects()
    edit(root, 3, event="film1 again")
    assert [trial.event for trial in read(root)] == ["p1/film1", "p1/film1 again"]


def test_a_clip_seen_twice_may_be_rated_once(tmp_path):
    root = edit(small(tmp_path), 3, clip="film1").parent
    edit(root, 2, valence="", arousal="", dominance="", label="")
    assert [(t.event, t.valence) for t in read(root)] == [("p1/film1", None), ("p1/film1", 0.0)]


def test_a_baseline_is_for_all_trials_or_for_none(tmp_path):
    edit(small(tmp_path), 3, baseline_start="", baseline_stop="")
    with pytest.raises(InputError, match=r"rows 2 and 3: columns 'baseline_start'.*or none"):
        Custom(tmp_path).subjects()
    edit(tmp_path, 2, baseline_start="", baseline_stop="")
    assert {t.baseline for t in read(tmp_path)} == {None}


def test_electrodes_that_cannot_be_used(tmp_path):
    root = small(tmp_path, n_clips=1)
    path, noise = root / "eeg/p1_eeg.fif", 1e-5 * np.random.default_rng(0).normal(size=(3, 1280))
    with pytest.raises(InputError, match=r"p1_eeg\.fif: electrodes \['Cz'\] are missing from"):
        read(root, channels=("Cz", "O1"))
    with pytest.raises(InputError, match="electrode 'Cx': is not in the 10-05 system"):
        Custom(root, channels=("Cx",))
    write_fif(path, ("T3", "t7", "O1"), noise, 128.0)
    with pytest.raises(InputError, match="signals 'T3' and 't7' are one electrode"):
        read(root)
    write_fif(path, ("x", "y", "VEOG"), noise, 128.0)
    with pytest.raises(InputError, match=r"none of its signals \['x', 'y', 'VEOG'\]"):
        read(root)
    write_fif(path, ("T7", "Cz", "O1"), noise, 128.0, bads=["Cz"])
    with pytest.raises(InputError, match=r"\['Cz'\] are marked bad.*channels"):
        read(root)
    assert read(root, channels=("T7", "O1"))[0].channels == ("T7", "O1")


def test_signals_that_cannot_be_used(tmp_path):
    root = small(tmp_path, n_clips=1)
    path, noise = root / "eeg/p1_eeg.fif", 1e-5 * np.random.default_rng(0).normal(size=(3, 1280))
    write_fif(path, ("T7", "Cz", "O1"), 1e6 * noise, 128.0)
    with pytest.raises(InputError, match=r"standard deviation .* is 10.* V.*not in microvolts"):
        read(root)
    broken = noise.copy()
    broken[1, 900] = np.nan
    write_fif(path, ("T7", "Cz", "O1"), broken, 128.0)
    with pytest.raises(InputError, match=r"NaN or infinite samples in \['Cz'\]"):
        read(root)
    noise[2] = 1e-3
    write_fif(path, ("T7", "Cz", "O1"), noise, 128.0)
    with pytest.raises(InputError, match=r"\['O1'\] is flat"):
        read(root)


@pytest.mark.parametrize("suffix", [".fif", ".edf"])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_truncated_file(tmp_path, suffix, share):
    root = small(tmp_path, suffix=suffix)
    truncate(root / f"eeg/p1_eeg{suffix}", share)
    with pytest.raises(InputError, match=rf"p1_eeg\{suffix}"):
        read(root)


def test_a_bdf_is_read_and_its_end_is_missed(tmp_path):
    path = write_session(tmp_path, 2)
    columns = ("file", "subject", "clip", "valence", "arousal")
    write_table(tmp_path, [(path.relative_to(tmp_path).as_posix(), "A", "x", 1, 1)], columns)
    (trial,) = read(tmp_path)
    assert trial.eeg.shape == (32, 22 * 256)
    truncate(path, 0.9)
    with pytest.raises(InputError, match="ends early"):
        read(tmp_path)


def test_a_format_that_mne_does_not_know(tmp_path):
    write_table(tmp_path, [("a.doc", "A", "x", 1, 1)], REQUIRED)
    (tmp_path / "a.doc").write_bytes(b"text")
    with pytest.raises(InputError, match=r"a\.doc: cannot be read"):
        read(tmp_path)


def test_settings_without_meaning(tmp_path, monkeypatch):
    monkeypatch.delenv("NEUROGAZE_CUSTOM", raising=False)
    with pytest.raises(InputError, match="NEUROGAZE_CUSTOM: is not set"):
        Custom()
    with pytest.raises(InputError, match=r"ratings\.csv: does not exist"):
        Custom(tmp_path)
    root = small(tmp_path)
    for scale in ((9.0, 1.0), (1.0, 1.0), (1.0, np.inf)):
        with pytest.raises(InputError, match=r"scale: .*has no extent"):
            Custom(root, scale=scale)
    with pytest.raises(InputError, match=r"channels: .*names no electrodes"):
        Custom(root, channels=())
    with pytest.raises(InputError, match=r"channels: electrodes \['T7'\] are named twice"):
        Custom(root, channels=("T3", "F7", "t7"))
    with pytest.raises(InputError, match="subject 'p7' is not in it"):
        list(Custom(root).trials("p7"))
