"""What a recording of one's own may be made of: rates, names, parts, marks."""

import gzip
import shutil
import struct
import warnings

import mne
import numpy as np
import pytest
from scipy.io import savemat

from neurogaze.eeg.cache import prepare
from neurogaze.eeg.corpora.custom import Custom
from neurogaze.eeg.features import FeatureSettings
from neurogaze.errors import InputError
from tests.eeg.test_edf import plain_edf
from tests.fixtures.custom import write_edf, write_fif, write_table

NAMES = ("Fz", "Cz", "Pz", "Oz")
COLUMNS = ("file", "subject", "clip", "valence", "arousal")
TIMES = (*COLUMNS, "start", "stop")


def noise(n_signals=4, seconds=20.0, seed=0):
    draw = np.random.default_rng(seed)
    return 1e-5 * draw.standard_normal((n_signals, round(seconds * 128)))


def raw_of(volts, names=NAMES):
    return mne.io.RawArray(volts, mne.create_info(list(names), 128.0, "eeg"), verbose="ERROR")


def table(root, *rows, columns=COLUMNS):
    write_table(root, rows, columns)
    return root


def one(root, file, **settings):
    """The trial of a table of one row."""
    table(root, (file, "p", "c", 5, 5))
    (trial,) = Custom(root, **settings).trials("p")
    return trial


def identity(root):
    return Custom(root).identity("p")


@pytest.mark.filterwarnings("ignore:.*left out")
@pytest.mark.parametrize("rate", [64, 512])
def test_a_signal_of_another_rate_moves_no_sample(tmp_path, rate):
    spans = [("c0", 4, 8), ("c1", 9.5, 13.5), ("c2", 15.75, 19.75)]
    trials = {}
    for name, other in (("same", 128), ("mixed", rate)):
        plain_edf(tmp_path / f"{name}.edf", ("Fz", "Cz", "ECG"), (128, 128, other))
        rows = [(f"{name}.edf", "p", clip, 5, 5, start, stop) for clip, start, stop in spans]
        trials[name] = list(Custom(table(tmp_path, *rows, columns=TIMES)).trials("p"))
    assert {t.sfreq for t in trials["mixed"]} == {128.0}
    for ours, truth in zip(trials["mixed"], trials["same"], strict=True):
        np.testing.assert_array_equal(ours.eeg, truth.eeg)


@pytest.mark.filterwarnings("ignore:.*left out")
def test_features_stored_of_stretched_samples_are_not_used(tmp_path):
    """Their name did not tell that a signal of another rate had been read along."""
    names = []
    for rate in (128, 512):
        plain_edf(tmp_path / "a.edf", ("Fz", "ECG"), (128, rate))
        names.append(identity(table(tmp_path, ("a.edf", "p", "c", 5, 5)))["table"])
    assert names[0] != names[1]


def test_a_slow_recording_is_not_lifted_by_a_faster_signal(tmp_path):
    plain_edf(tmp_path / "a.edf", ("Fz", "Cz", "ECG"), (64, 64, 256))
    table(tmp_path, ("a.edf", "p", "c", 5, 5))
    told = pytest.raises(InputError, match=r"its rate, 64\.0 Hz, is not above twice the top band")
    with told, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        prepare(Custom(tmp_path), FeatureSettings(), tmp_path / "store", progress=False)


def test_electrodes_of_two_rates_are_refused(tmp_path):
    plain_edf(tmp_path / "a.edf", ("Fz", "Cz", "Pz"), (128, 128, 256))
    with pytest.raises(InputError, match=r"a\.edf: electrodes have rates .*'Pz': 256\.0.*one rate"):
        one(tmp_path, "a.edf")
    assert one(tmp_path, "a.edf", channels=("Cz", "Fz")).sfreq == 128.0
    assert one(tmp_path, "a.edf", channels=("Pz",)).sfreq == 256.0


def test_electrodes_in_no_known_unit_are_refused(tmp_path):
    plain_edf(tmp_path / "a.edf", ("Fz", "Cz"), (128, 128))
    content = (tmp_path / "a.edf").read_bytes()
    (tmp_path / "a.edf").write_bytes(content.replace(b"uV      ", b"nV      "))
    with pytest.raises(InputError, match=r"a\.edf: units of electrodes are \{'Fz': 'nV'"):
        one(tmp_path, "a.edf")


@pytest.mark.parametrize("write", [write_fif, write_edf])
@pytest.mark.parametrize("n_signals", [16, 128])
def test_labels_of_a_biosemi_cap_are_no_electrodes(tmp_path, write, n_signals):
    """A1 and A2 are the ears, and C3 a place, in the 10-05 system, and others on the cap."""
    labels = [f"{block}{number}" for block in "ABCD" for number in range(1, 33)][:n_signals]
    file = f"a.{'fif' if write is write_fif else 'edf'}"
    write(tmp_path / file, labels, noise(n_signals), 128.0)
    with pytest.raises(InputError, match=r"labels of a BioSemi cap.*layout of the cap"):
        one(tmp_path, file)


def test_eeg_signals_that_are_no_electrodes_are_counted_once(tmp_path):
    write_fif(tmp_path / "a.fif", (*NAMES, "E5", "E6"), noise(6), 128.0)
    table(tmp_path, ("a.fif", "p", "c", 5, 5))
    corpus = Custom(tmp_path)
    with pytest.warns(UserWarning, match=r"a\.fif: 2 of 6 EEG signals are left out.*: E5, E6"):
        list(corpus.trials("p"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        list(corpus.trials("p"))
        list(Custom(tmp_path, channels=NAMES).trials("p"))


def split(folder, name, seed=0, naming="neuromag"):
    """A recording of 25 minutes in parts of 2 MB, as MNE writes them."""
    folder.mkdir(exist_ok=True)
    raw_of(noise(seconds=1500, seed=seed)).save(
        folder / name, split_size="2MB", split_naming=naming, verbose="ERROR"
    )
    return sorted(folder.glob("*.fif"))


@pytest.mark.parametrize("naming", ["neuromag", "bids"])
def test_identity_follows_the_later_parts_of_a_fif(tmp_path, naming):
    parts = split(tmp_path, "p_eeg.fif", naming=naming)
    first = "p_split-01_eeg.fif" if naming == "bids" else "p_eeg.fif"
    table(tmp_path, (first, "p", "c", 5, 5))
    before = identity(tmp_path)
    others = split(tmp_path / "other", "p_eeg.fif", seed=1, naming=naming)
    last = [part for part in parts if part.name != first][-1]
    shutil.copy(next(each for each in others if each.name == last.name), last)
    assert identity(tmp_path) != before


def write_eeglab(folder, seed=0):
    """`p1.set`, whose samples lie in a file of another name."""
    kinds = [("labels", object), ("X", object), ("Y", object), ("Z", object)]
    empty = {name: np.zeros((0,)) for name in ("event", "epoch", "icawinv", "icasphere")}
    eeg = {
        "setname": "x", "nbchan": 2.0, "pnts": 1280.0, "trials": 1.0, "srate": 128.0,
        "xmin": 0.0, "xmax": 10.0, "data": "session_a.fdt", "datfile": "session_a.fdt",
        "chanlocs": np.array([(n, 0.1, 0.2, 0.3) for n in ("Fz", "Cz")], dtype=kinds),
        "icaweights": np.zeros((0,)), "comments": "", "ref": "common", **empty,
    }  # fmt: skip
    savemat(folder / "p1.set", {"EEG": eeg}, appendmat=False)
    samples = 10 * np.random.default_rng(seed).standard_normal((2, 1280))
    samples.astype("<f4").T.tofile(folder / "session_a.fdt")


def test_identity_follows_the_samples_of_an_eeglab_file(tmp_path):
    table(tmp_path, ("p1.set", "p", "c", 5, 5))
    known = []
    for seed in (0, 1):
        write_eeglab(tmp_path, seed)
        known.append(identity(tmp_path))
    assert known[0] != known[1]


def test_a_later_part_is_not_a_recording_of_its_own(tmp_path):
    split(tmp_path, "rec.fif")
    rows = [("rec.fif", "a", "c", 5, 5, 1300, 1400), ("rec-1.fif", "b", "c", 5, 5, 0, 100)]
    corpus = Custom(table(tmp_path, *rows, columns=TIMES))
    told = r"rows 2 and 3, column 'file': 'rec-1\.fif' is a later part of 'rec\.fif'"
    with pytest.raises(InputError, match=told):
        next(corpus.trials("a"))
    with pytest.raises(InputError, match=told):
        corpus.identity("a")


def with_ring(content):
    """A FIF file whose directory is lost and whose chain of tags comes back to the third."""
    changed, tags, place = bytearray(content), [], 0
    while place >= 0:
        kind, _, size, after = struct.unpack_from(">iIii", changed, place)
        tags.append((kind, place))
        place = place + 16 + size if after == 0 else after
    for kind, place in tags:
        if kind == 101:  # the pointer to the directory
            struct.pack_into(">i", changed, place + 16, -1)
    struct.pack_into(">i", changed, tags[len(tags) // 2][1] + 12, tags[2][1])
    return bytes(changed)


@pytest.mark.parametrize("file", ["rec.fif", "rec.fif.gz", "rec-1.fif"])
def test_a_ring_of_tags_is_refused_wherever_it_is(tmp_path, file):
    if file == "rec-1.fif":
        split(tmp_path, "rec.fif")
    else:
        raw_of(noise()).save(tmp_path / file, verbose="ERROR")
    path, opened = tmp_path / file, gzip.open if file.endswith(".gz") else open
    with opened(path, "rb") as stream:
        content = stream.read()
    with opened(path, "wb") as stream:
        stream.write(with_ring(content))
    with pytest.raises(InputError, match=rf"{file}: the tag at byte \d+ follows itself"):
        one(tmp_path, file.replace("-1", ""))


def marked(root, first_sample=0, **annotation):
    raw = raw_of(noise())
    raw.set_annotations(mne.Annotations(**annotation))
    raw.crop(tmin=first_sample / 128).save(root / "a.fif", verbose="ERROR")


def cut(root, start, stop):
    root = table(root, ("a.fif", "p", "c", 5, 5, start, stop), columns=TIMES)
    return next(Custom(root).trials("p"))


@pytest.mark.parametrize("cropped", [0, 256])
def test_no_trial_runs_into_a_stretch_marked_bad(tmp_path, cropped):
    """Times are counted from the first sample of the file, also where that is a later one."""
    marked(tmp_path, cropped, onset=[8], duration=[2], description=["BAD_movement"])
    away = cropped / 128
    for start, stop in ((4 - away, 8 - away), (10 - away, 14 - away)):
        assert cut(tmp_path, start, stop).eeg.shape == (4, 512)
    for start, stop in ((4, 8.1), (9.9, 14), (7, 12), (8.5, 9.5)):
        with pytest.raises(InputError, match=r"row 2, column 'start': 'BAD_movement' is marked at"):
            cut(tmp_path, start - away, stop - away)


@pytest.mark.parametrize("text", ["BAD boundary", "boundary", "New Segment/"])
@pytest.mark.parametrize("seconds", [0.0, 5.0])
def test_no_trial_runs_across_an_interruption(tmp_path, text, seconds):
    """The duration that EEGLAB gives is that of what was cut out."""
    marked(tmp_path, onset=[10], duration=[seconds], description=[text])
    assert cut(tmp_path, 6, 10).eeg.shape == cut(tmp_path, 10, 14).eeg.shape == (4, 512)
    for start, stop in ((6, 10.1), (9.9, 14)):
        with pytest.raises(InputError, match=rf"'{text}' is marked at 10 s of .*cut the trial"):
            cut(tmp_path, start, stop)


def test_recordings_joined_by_mne_are_interrupted(tmp_path):
    joined = mne.concatenate_raws([raw_of(noise()), raw_of(noise(seed=1))], verbose="ERROR")
    joined.save(tmp_path / "a.fif", verbose="ERROR")
    assert cut(tmp_path, 20, 40).eeg.shape == (4, 2560)
    with pytest.raises(InputError, match=r"boundary' is marked at 20 s"):
        cut(tmp_path, 0, 40)


def test_other_marks_and_bad_stretches_of_other_signals_do_not_matter(tmp_path):
    raw = raw_of(noise())
    names = [("Oz",), (), ()]
    raw.set_annotations(mne.Annotations([4, 5, 6], 1, ["BAD", "blink", "stimulus"], ch_names=names))
    raw.save(tmp_path / "a.fif", verbose="ERROR")
    table(tmp_path, ("a.fif", "p", "c", 5, 5))
    (trial,) = Custom(tmp_path, channels=("Fz", "Cz", "Pz")).trials("p")
    assert trial.eeg.shape == (3, 2560)
    with pytest.raises(InputError, match="'BAD' is marked at 4 s"):
        next(Custom(tmp_path).trials("p"))
