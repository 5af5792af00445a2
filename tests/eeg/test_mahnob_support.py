"""MAHNOB-HCI over time and without ratings: corrected descriptions, and sessions of no use."""

import warnings

import pytest

from neurogaze.eeg.cache import prepare
from neurogaze.eeg.corpora.mahnob import MahnobHci
from neurogaze.eeg.features import FeatureSettings
from neurogaze.errors import InputError
from tests.fixtures.mahnob import write_session

UNRATED = {"stimulus": False, "felt": (None, None, None), "media": None}
NOTHING = {**UNRATED, "triggers": "none", "seconds": 2}
"""A recording in which no clip can be found."""


def table_of(corpus, store):
    return prepare(corpus, FeatureSettings(), store, progress=False)


def test_a_corrected_rating_reaches_the_store(tmp_path):
    """A session that read the old rating stores it under no name of the new one."""
    xml = write_session(tmp_path, 2, felt=(1, 9, 5)).with_name("session.xml")
    at_work = MahnobHci(tmp_path)
    assert at_work.subjects() == ("S1",)
    xml.write_text(xml.read_text().replace('feltVlnc="1"', 'feltVlnc="9"'))
    assert set(table_of(at_work, tmp_path / "store").valence) == {-1.0}
    assert set(table_of(MahnobHci(tmp_path), tmp_path / "store").valence) == {1.0}


def test_too_little_rest_leaves_an_unrated_session_out(tmp_path):
    write_session(tmp_path, 2, rest=6)
    write_session(tmp_path, 3, **UNRATED, rest=4)
    write_session(tmp_path, 5, **UNRATED, rest=3)
    corpus = MahnobHci(tmp_path, unrated=True)
    told = r"Part_1_N_Trial2_emotion\.bdf: left out, less than 4 s of rest before the clip"
    with pytest.warns(UserWarning, match=told) as caught:
        table = table_of(corpus, tmp_path / "store")
    assert len(caught) == 1
    assert list(dict.fromkeys(table.trial.tolist())) == ["S1/session2", "S1/session3"]
    assert corpus.skipped == ("5: less than 4 s of rest before the clip",)


def test_too_little_rest_of_a_rated_session_is_told(tmp_path):
    write_session(tmp_path, 2, rest=3)
    with pytest.raises(InputError, match=r"baseline: 3\.00 s hold no window of 4\.0 s"):
        table_of(MahnobHci(tmp_path), tmp_path / "store")


def test_who_has_no_session_of_use_is_left_out(tmp_path):
    write_session(tmp_path, 2, subject=1)
    write_session(tmp_path, 132, subject=2, **NOTHING)
    write_session(tmp_path, 134, subject=2, **UNRATED, rest=3)
    write_session(tmp_path, 262, subject=3, **NOTHING)
    write_session(tmp_path, 264, subject=3, **UNRATED)
    corpus = MahnobHci(tmp_path, unrated=True)
    with pytest.warns(UserWarning, match="left out") as caught:
        table = table_of(corpus, tmp_path / "store")
    assert corpus.subjects() == ("S1", "S3")
    assert len(caught) == len(corpus.skipped) == 3  # once a session, however often it is read
    assert list(dict.fromkeys(table.subject.tolist())) == ["S1", "S3"]


def test_nobody_of_use_is_told(tmp_path):
    write_session(tmp_path, 2, **NOTHING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(InputError, match="mahnob_hci: has no subject"):
            table_of(MahnobHci(tmp_path, unrated=True), tmp_path / "store")


def test_recordings_are_opened_to_name_only_who_rated_nothing(tmp_path, monkeypatch):
    write_session(tmp_path, 2, subject=1)
    write_session(tmp_path, 3, subject=1, **UNRATED)
    monkeypatch.setattr("mne.io.read_raw_bdf", None)
    assert MahnobHci(tmp_path, unrated=True).subjects() == ("S1",)
