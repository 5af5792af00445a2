"""One open of DREAMER.mat gives the number of people, the hash and the content."""

import hashlib
import os
import sys

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from neurogaze.eeg.cache import prepare
from neurogaze.eeg.corpora import Dreamer
from neurogaze.eeg.corpora.dreamer_file import DreamerFile, people_in
from neurogaze.eeg.features import FeatureSettings
from neurogaze.errors import InputError
from tests.fixtures.eeg import write_dreamer

SETTINGS = FeatureSettings()
OPENED: list[str] = []
sys.addaudithook(lambda event, args: OPENED.append(str(args[0])) if event == "open" else None)


def times_opened(path):
    return OPENED.count(str(path))


def small(path, **changed):
    settings = {"n_subjects": 3, "seconds": (6.0,), "baseline_seconds": 5.0} | changed
    return write_dreamer(path, **settings)


@pytest.fixture
def path(tmp_path):
    return small(tmp_path / "DREAMER.mat")


@pytest.mark.parametrize("workers", [1, 3])
def test_cold_preparation_opens_the_file_once(path, tmp_path, workers):
    OPENED.clear()
    prepare(Dreamer(path), SETTINGS, tmp_path / "store", progress=False, workers=workers)
    assert times_opened(path) == 1


def test_warm_preparation_never_unpacks(path, tmp_path, monkeypatch):
    cold = prepare(Dreamer(path), SETTINGS, tmp_path / "store", progress=False)
    monkeypatch.setattr("scipy.io.loadmat", None)
    OPENED.clear()
    warm = prepare(Dreamer(path), SETTINGS, tmp_path / "store", progress=False)
    assert warm.sha256 == cold.sha256
    assert times_opened(path) == 1


def test_content_is_let_go_after_the_last_person(path, monkeypatch):
    corpus = Dreamer(path)
    for subject in corpus.subjects():
        first = list(corpus.trials(subject))
    OPENED.clear()
    again = list(corpus.trials("S03"))
    assert times_opened(path) == 1
    np.testing.assert_array_equal(first[1].eeg, again[1].eeg)


def test_identity_is_name_size_and_hash(path):
    content = path.read_bytes()
    assert DreamerFile(path).identity() == {
        "file": "DREAMER.mat",
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def test_file_changed_in_place_after_its_hash_is_refused(path):
    corpus = Dreamer(path)
    corpus.identity("S01")
    small(path, seed=1)
    with pytest.raises(InputError, match=r"changed while it was in use.*start again"):
        next(corpus.trials("S01"))


def test_file_changed_before_it_is_opened_again_is_refused(path):
    corpus = Dreamer(path)
    corpus.identity("S01")
    for subject in corpus.subjects():
        list(corpus.trials(subject))
    small(path, seed=1)
    with pytest.raises(InputError, match="changed while it was in use"):
        next(corpus.trials("S01"))


@pytest.mark.parametrize("all_read", [True, False])
def test_identity_of_a_file_that_was_replaced_is_refused(path, tmp_path, all_read):
    corpus = Dreamer(path)
    corpus.identity("S01")
    for subject in corpus.subjects() if all_read else ():
        list(corpus.trials(subject))
    small(tmp_path / "new.mat", seed=1).replace(path)
    with pytest.raises(InputError, match=r"changed while it was in use.*start again"):
        corpus.identity("S01")


def test_identity_of_a_file_that_was_only_touched_stays(path):
    corpus = Dreamer(path)
    known = corpus.identity("S01")
    os.utime(path, ns=(0, 0))
    assert corpus.identity("S01") == known
    assert len(list(corpus.trials("S01"))) == 2


def test_file_replaced_after_its_hash_is_read_as_hashed(path, tmp_path):
    corpus, before = Dreamer(path), next(Dreamer(path).trials("S01"))
    corpus.identity("S01")
    small(tmp_path / "new.mat", seed=1).replace(path)
    np.testing.assert_array_equal(next(corpus.trials("S01")).eeg, before.eeg)


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("n_people", [1, 4])
def test_number_of_people_stands_in_the_first_bytes(tmp_path, compressed, n_people):
    path = small(tmp_path / "x.mat", n_subjects=n_people, n_clips=1)
    if not compressed:
        savemat(path, {"DREAMER": loadmat(path)["DREAMER"]})
    assert people_in(path.read_bytes()[:4096]) == n_people == DreamerFile(path).n_people()


@pytest.mark.parametrize("drop", ["EEG_Electrodes", "Version"])
def test_later_fields_do_not_matter_to_the_number(tmp_path, drop):
    assert people_in(small(tmp_path / "x.mat", drop=drop).read_bytes()[:4096]) == 3


def test_other_layouts_are_counted_from_the_content(path, tmp_path):
    record = loadmat(path)["DREAMER"][0, 0]
    turned = {name: record[name] for name in reversed(record.dtype.names)}
    savemat(tmp_path / "turned.mat", {"DREAMER": turned}, do_compression=True)
    assert DreamerFile(tmp_path / "turned.mat").n_people() is None
    assert Dreamer(tmp_path / "turned.mat").subjects() == ("S01", "S02", "S03")


def test_no_first_bytes_end_in_anything_but_a_number_or_none(path):
    head = path.read_bytes()[:4096]
    draw = np.random.default_rng(0)
    for _ in range(2000):
        content = bytearray(head[: draw.integers(0, len(head))])
        for place in draw.integers(0, max(1, min(len(content), 600)), 3):
            if content:
                content[place] ^= 1 << draw.integers(8)
        found = people_in(bytes(content))
        assert found is None or 0 <= found <= 1000


def test_samples_of_another_type_come_out_alike(path, tmp_path):
    """Single or whole numbers are widened before they become volts."""
    record = loadmat(path)["DREAMER"]
    eeg = record[0, 0]["Data"][0, 0]["EEG"][0, 0]
    wanted = np.round(eeg["stimuli"][0, 0][0, 0])
    eeg["stimuli"][0, 0][0, 0] = wanted.astype(np.int16)
    savemat(tmp_path / "whole.mat", {"DREAMER": record})
    trial = next(Dreamer(tmp_path / "whole.mat").trials("S01"))
    np.testing.assert_array_equal(trial.eeg, (wanted.T * 1e-6).astype(np.float32))
