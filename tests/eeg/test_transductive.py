from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from sklearn.preprocessing import StandardScaler

from neurogaze.eeg.cache import prepare
from neurogaze.eeg.feature_settings import FeatureSettings
from neurogaze.eeg.streaming import StreamingFeatures
from neurogaze.eeg.transductive import within_person
from neurogaze.errors import InputError
from tests.eeg.toy import ToyCorpus

PLAIN = FeatureSettings()
PERSON = replace(PLAIN, zscore="person")


def made(store, settings, n_subjects=3):
    corpus = ToyCorpus(n_subjects=n_subjects, n_clips=3, baseline=True)
    return prepare(corpus, settings, store, progress=False)


def test_it_is_what_scikit_learn_and_scipy_make_of_each_person(tmp_path):
    plain, table = made(tmp_path, PLAIN), made(tmp_path, PERSON)
    assert table.n_rows == plain.n_rows
    for subject in np.unique(table.subject):
        mine = table.subject == subject
        flat = plain.features[mine].astype(np.float64).reshape(mine.sum(), -1)
        found = table.features[mine].reshape(mine.sum(), -1)
        np.testing.assert_allclose(found, StandardScaler().fit_transform(flat), atol=1e-5)
        np.testing.assert_allclose(found, stats.zscore(flat), atol=1e-5)


def test_a_person_does_not_depend_on_who_else_was_recorded(tmp_path):
    few, many = made(tmp_path / "a", PERSON, 2), made(tmp_path / "b", PERSON, 4)
    np.testing.assert_array_equal(few.features, many.features[: few.n_rows])


def test_gain_and_offset_of_an_amplifier_leave_no_trace():
    """A gain adds the same to every entropy of a person: ln of it, in nats."""
    generator = np.random.default_rng(0)
    features = generator.normal(-12, 0.7, (40, 14, 4)).astype(np.float32)
    np.testing.assert_allclose(
        within_person(features + np.float32(3.2)), within_person(features), atol=1e-4
    )


def test_a_feature_that_does_not_vary_is_zero():
    features = np.full((5, 2, 1), -12.3, np.float32)
    features[:, 1, 0] = np.arange(5)
    found = within_person(features)
    np.testing.assert_allclose(found[:, 0], 0, atol=1e-6)
    np.testing.assert_allclose(found[:, 1, 0], stats.zscore(np.arange(5.0)), atol=1e-6)
    assert np.isfinite(within_person(features[:1])).all()


def test_every_table_made_so_says_it_and_its_unit(tmp_path):
    plain, table = made(tmp_path, PLAIN), made(tmp_path, PERSON)
    assert (plain.quirks, plain.unit) == ("", "nats")
    assert "transductive" in table.quirks
    assert table.unit == "standard deviations of the person"
    assert made(tmp_path, replace(PLAIN, unit="bits")).unit == "bits"
    both = replace(PERSON, baseline_mode="average")
    assert made(tmp_path, both).quirks == (
        "features of paper_code in baseline_mode; " + table.quirks
    )


def test_a_stream_cannot_wait_for_the_rest_of_a_person():
    with pytest.raises(InputError, match="zscore: 'person' needs all recordings"):
        StreamingFeatures(14, replace(PERSON, filtering="streaming"))
