"""Pictures of a made-up world: reproducible, balanced, and confused as their places are."""

import numpy as np
import pytest

from neurogaze.errors import InputError
from neurogaze.faces.corpora.latent import LatentFaces, generator, render
from neurogaze.faces.images import FaceCorpus


@pytest.fixture(scope="module")
def table():
    return LatentFaces(20, 10).load("train")


def test_the_table(table):
    assert isinstance(LatentFaces(), FaceCorpus)
    assert table.images.shape == (160, 32, 32)
    assert table.class_counts.tolist() == [20] * 8
    assert len(set(table.groups.tolist())) == 160
    assert table.dataset.startswith("synthetic")
    assert 90 < table.images.mean() < 165
    assert (table.images.reshape(160, -1).std(axis=1) > 8).all()


def test_equal_settings_equal_pictures(table):
    assert LatentFaces(20, 99).load("train").sha256 == table.sha256
    assert LatentFaces(20, 10, seed=1).load("train").sha256 != table.sha256
    assert LatentFaces(20, 10, share=0.0).load("train").sha256 != table.sha256


def test_splits_share_no_picture(table):
    valid = LatentFaces(20, 20, domain=0.0).load("valid")
    assert not set(table.groups.tolist()) & set(valid.groups.tolist())


def test_the_domain_moves_what_judges_and_not_what_trains(table):
    near, far = LatentFaces(20, 20, domain=0.0), LatentFaces(20, 20, domain=1.0)
    assert near.load("train").sha256 == far.load("train").sha256 == table.sha256
    one, other = near.load("valid"), far.load("valid")
    assert one.labels.tolist() == other.labels.tolist()
    assert np.abs(one.images.astype(float) - other.images).mean() > 10


def test_near_places_make_near_pictures():
    """With the same people: a small step in the world moves a picture less than a large one."""
    places = np.zeros((40, 6))
    shown = [render(places + step, 0.0, np.random.default_rng(1)) for step in (0.0, 0.3, 1.5)]
    small, large = (np.abs(x.astype(float) - shown[0]).mean() for x in shown[1:])
    assert 0 < small < large / 2


def test_the_generator_is_one_network():
    assert generator(26) is generator(26)
    np.testing.assert_allclose(generator(26).patterns.std(axis=(1, 2)), 1 / np.sqrt(160))


def test_identity_says_what_changes_the_pictures():
    base = LatentFaces(20, 10).identity("valid")
    assert base != LatentFaces(20, 10, domain=0.5).identity("valid")
    assert base != LatentFaces(20, 10, share=0.5).identity("valid")
    assert base != LatentFaces(20, 10, plane=0.0).identity("valid")
    assert LatentFaces(20, 10).identity("train") == LatentFaces(20, 11).identity("train")


def test_bad_settings():
    with pytest.raises(InputError, match="domain"):
        LatentFaces(domain=1.5)
    with pytest.raises(InputError, match="n_train"):
        LatentFaces(n_train=0)
    with pytest.raises(InputError, match="share"):
        LatentFaces(share=2.0)
    with pytest.raises(InputError, match="no such split"):
        LatentFaces().load("test")
