"""Principal components against scikit-learn's, and embeddings placed by somebody else."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from neurogaze.eeg.splits import SplitSettings, fold_rows, make_split
from neurogaze.pipeline.embedding import embed_held_out
from neurogaze.pipeline.stand_ins import PlacedBy, fit_pca
from tests.eeg.toy import make_table
from tests.pipeline.fakes import fake_folds


@pytest.fixture(scope="module")
def table():
    return make_table()


def split_of(table):
    return make_split(table, SplitSettings(protocol="loso", n_folds=3))


def flat(features):
    return features.reshape(len(features), -1).astype(np.float64)


def test_components_are_those_of_scikit_learn(table):
    split = split_of(table)
    train = flat(table.features[fold_rows(table, split, 1)["train"]])
    width = train.shape[1]
    scaler = StandardScaler().fit(train)
    theirs = PCA(width).fit(scaler.transform(train))
    wanted = theirs.transform(scaler.transform(flat(table.features)))
    found, va = fit_pca(table, split, 1, width)(table.features)
    np.testing.assert_allclose(np.abs(found), np.abs(wanted), atol=1e-4)
    assert not va.any()


def test_a_wide_embedding_ends_in_zeros_and_keeps_every_cosine(table):
    n_features = table.features[0].size
    fold = fit_pca(table, split_of(table), 0, n_features + 5)
    found, _ = fold(table.features)
    assert fold.width == n_features + 5
    assert not found[:, n_features:].any()
    mean, std = fold.moments
    standard = flat((table.features - mean) / std)
    np.testing.assert_allclose(found @ found.T, standard @ standard.T, rtol=1e-3, atol=1e-3)


def test_people_held_out_have_no_part_in_the_components(table):
    split = split_of(table)
    held_out = np.isin(table.subject, split.folds[0].test)
    features = table.features.copy()
    features[held_out] += 100.0
    one, other = (fit_pca(t, split, 0, 4) for t in (table, replace(table, features=features)))
    np.testing.assert_array_equal(one.components, other.components)
    np.testing.assert_array_equal(one.moments[0], other.moments[0])


def test_one_embeds_and_the_other_places(table):
    split, teachers = fake_folds(table)
    own = [fit_pca(table, split, teacher.fold, 5) for teacher in teachers]
    both = [PlacedBy(*pair) for pair in zip(own, teachers, strict=True)]
    placed, rows = embed_held_out(table, split, both, "toy")
    by_teacher, same_rows = embed_held_out(table, split, teachers, "toy")
    by_pca, _ = embed_held_out(table, split, own, "toy")
    np.testing.assert_array_equal(rows, same_rows)
    np.testing.assert_array_equal(placed.va, by_teacher.va)
    np.testing.assert_array_equal(placed.embedding, by_pca.embedding)
    np.testing.assert_array_equal(placed.fold, by_teacher.fold)
