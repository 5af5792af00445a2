"""The drawn corpus: reproducible, labelled by its own votes, with every emotion present."""

import numpy as np
import pytest

from neurogaze.errors import InputError
from neurogaze.faces.corpora.synthetic import SyntheticFaces, quotas
from neurogaze.faces.images import FaceCorpus
from neurogaze.faces.labels import majority_label, vote_distribution


@pytest.fixture(scope="module")
def table():
    return SyntheticFaces(120, 40).load("train")


def test_shapes_and_labels(table):
    votes, _ = SyntheticFaces(120, 40).population("train")
    assert isinstance(SyntheticFaces(), FaceCorpus)
    assert table.images.shape == (120, 48, 48)
    assert table.labels.tolist() == majority_label(votes).tolist()
    np.testing.assert_array_equal(table.votes, vote_distribution(votes))
    assert table.class_counts.tolist() == quotas(120).tolist()
    assert len(set(table.groups.tolist())) == len(set(table.ids.tolist())) == 120


def test_pictures_use_the_grey_range(table):
    assert 90 < table.images.mean() < 160
    assert (table.images.reshape(120, -1).std(axis=1) > 8).all()


def test_labels_are_in_random_order(table):
    halves = np.bincount(table.labels[:60], minlength=8)
    assert halves.min() > 0


def test_equal_settings_equal_faces(table):
    assert SyntheticFaces(120, 40).load("train").sha256 == table.sha256
    assert SyntheticFaces(120, 99).load("train").sha256 == table.sha256
    assert SyntheticFaces(120, 40, seed=1).load("train").sha256 != table.sha256


def test_splits_share_no_face(table):
    valid = SyntheticFaces(120, 120).load("valid")
    assert not set(table.groups.tolist()) & set(valid.groups.tolist())
    assert not set(table.ids.tolist()) & set(valid.ids.tolist())


def test_domain_moves_pictures_and_not_expressions(table):
    far = SyntheticFaces(120, 40, domain=1.0)
    moved = far.load("train")
    assert moved.labels.tolist() == table.labels.tolist()
    np.testing.assert_array_equal(moved.votes, table.votes)
    assert np.abs(moved.images.astype(float) - table.images).mean() > 20
    assert far.name == moved.dataset == "synthetic_faces_domain1"
    assert far.name.startswith("synthetic")


@pytest.mark.parametrize("n", [8, 9, 20, 57, 100, 600, 2000])
def test_quotas(n):
    counts = quotas(n)
    assert counts.sum() == n
    assert counts.min() >= 1
    if n >= 100:
        assert counts.min() / n >= 0.02
    assert quotas(2000).tolist() == [600, 500, 240, 220, 180, 80, 100, 80]


def test_identity_changes_with_every_setting():
    base = {"n_train": 50, "n_valid": 50, "domain": 0.0, "seed": 0}
    changes = [{}, {"n_train": 51}, {"domain": 0.5}, {"seed": 1}]
    seen = [str(SyntheticFaces(**(base | change)).identity("train")) for change in changes]
    seen.append(str(SyntheticFaces(**base).identity("valid")))
    assert len(set(seen)) == len(seen)
    assert SyntheticFaces(**base).identity("train")["generated"] is True


def test_settings_out_of_range():
    with pytest.raises(InputError, match="n_train 7"):
        SyntheticFaces(n_train=7)
    with pytest.raises(InputError, match=r"1\.5"):
        SyntheticFaces(domain=1.5)
    with pytest.raises(InputError, match=r"seed: is -1"):
        SyntheticFaces(seed=-1)
    with pytest.raises(InputError, match="'test'"):
        SyntheticFaces().load("test")
