"""Grids from embeddings: cells by hand, folds that share no basis, and what is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import ortho_group

from neurogaze.affect import cell_index, grid_centers
from neurogaze.errors import InputError
from neurogaze.prototypes.consolidate import (
    ConsolidateSettings,
    Embedded,
    consolidate,
    place_in_common_basis,
)

RAW = ConsolidateSettings(mode="faithful", quantile_match=False, center=False)


def embedded(embedding, va, **changes):
    n = len(embedding)
    values = {
        "embedding": np.asarray(embedding, dtype=np.float32),
        "va": np.asarray(va, dtype=np.float64),
        "rated": np.full((n, 2), np.nan),
        "subject": np.array([f"s{i % 4}" for i in range(n)]),
        "corpus": np.full(n, "toy"),
        "fold": np.zeros(n, np.int64),
    }
    return Embedded(**(values | changes))


def world(n=400, dim=8, seed=0):
    """Embeddings that are a smooth function of valence and arousal, with noise."""
    rng = np.random.default_rng(seed)
    va = rng.uniform(-1, 1, (n, 2))
    directions = rng.standard_normal((2, dim))
    return va @ directions + 0.1 * rng.standard_normal((n, dim)) + 0.2, va, rng


def test_prototypes_by_hand():
    """Lengths do not count: (3, 0) and (0, 1) in one cell give the diagonal."""
    data = embedded([[3, 0], [0, 1], [0, 5]], [[-0.8, -0.8], [-0.7, -0.9], [1, 1]])
    grid = consolidate(data, replace(RAW, size=5), [])
    np.testing.assert_allclose(grid.prototypes[0], np.sqrt([0.5, 0.5]), rtol=1e-6)
    np.testing.assert_allclose(grid.prototypes[24], [0, 1])
    assert grid.counts[[0, 24]].tolist() == [2, 1]
    assert grid.n_subjects[[0, 24]].tolist() == [2, 1]
    assert grid.filled.sum() == 23
    assert not grid.filled[[0, 24]].any()
    np.testing.assert_allclose(grid.prototypes[23], [0, 1])


def test_every_cell_is_the_mean_of_its_unit_embeddings():
    embedding, va, _ = world()
    grid = consolidate(embedded(embedding, va), RAW, [])
    unit = embedding / np.linalg.norm(embedding, axis=1, keepdims=True)
    for cell in range(25):
        rows = cell_index(va) == cell
        mean = unit[rows].mean(0)
        np.testing.assert_allclose(grid.prototypes[cell], mean / np.linalg.norm(mean), atol=1e-5)
        assert grid.counts[cell] == rows.sum()


def test_centring_subtracts_the_training_mean_of_the_fold():
    embedding, va, _ = world()
    mean = np.full((2, 8), 0.7)
    plain = consolidate(embedded(embedding, va), RAW, [])
    moved = consolidate(embedded(embedding + 0.7, va), replace(RAW, center=True), [], mean)
    np.testing.assert_allclose(moved.prototypes, plain.prototypes, atol=1e-5)


def test_crossfit_of_a_rotated_copy_is_the_grid_itself():
    embedding, va, rng = world()
    turn = ortho_group.rvs(8, random_state=3)
    common = rng.standard_normal((60, 8))
    anchors = np.stack([common, common @ turn + 0.4])
    mean = np.stack([embedding.mean(0), embedding.mean(0) @ turn + 0.4])
    second = embedding @ turn + 0.4
    one = consolidate(embedded(embedding, va), replace(RAW, center=True), [], mean)
    data = embedded(
        np.concatenate([embedding, second]),
        np.concatenate([va, va]),
        fold=np.repeat([0, 1], len(va)),
    )
    settings = ConsolidateSettings(quantile_match=False)
    with pytest.raises(InputError, match="share no basis"):
        consolidate(data, settings, [], mean)
    both = consolidate(data, settings, [], mean, anchors)
    assert (both.prototypes * one.prototypes).sum(1).min() > 0.999
    assert max(both.provenance["alignment_residual"]) < 1e-9
    assert min(both.provenance["cross_fold_cosine"]) > 0.999
    unrotated = np.stack([common, common + 0.4])
    apart = consolidate(data, settings, [], mean, unrotated)
    assert np.mean(apart.provenance["cross_fold_cosine"]) < 0.9


def test_smoothing_mixes_neighbours_and_keeps_the_mask():
    embedding, va, _ = world(60)
    plain = consolidate(embedded(embedding, va), replace(RAW, size=7), [])
    smooth = consolidate(embedded(embedding, va), replace(RAW, size=7, smoothing=0.3), [])
    np.testing.assert_array_equal(smooth.filled, plain.filled)
    np.testing.assert_array_equal(smooth.counts, plain.counts)
    assert plain.filled.any()
    assert smooth.mean_cosine > plain.mean_cosine
    unit = embedding / np.linalg.norm(embedding, axis=1, keepdims=True)
    cell = int(np.flatnonzero(plain.filled)[0])
    centres = grid_centers(7)
    distance = np.square(centres[cell_index(va, 7)] - centres[cell]).sum(axis=1)
    mean = np.exp(-distance / (2 * 0.3**2)) @ unit
    np.testing.assert_allclose(smooth.prototypes[cell], mean / np.linalg.norm(mean), atol=1e-6)


def test_spread_is_kept_a_cell():
    embedding, va, _ = world()
    grid = consolidate(embedded(embedding, va), RAW, [])
    unit = embedding / np.linalg.norm(embedding, axis=1, keepdims=True)
    for cell in (0, 12):
        distance = 1 - unit[cell_index(va) == cell] @ grid.prototypes[cell]
        assert grid.provenance["spread"][cell] == pytest.approx(distance.mean(), abs=1e-6)


@pytest.mark.parametrize("changes", [{"size": 0}, {"smoothing": -0.1}, {"smoothing": np.inf}])
def test_settings_that_make_no_grid_are_refused(changes):
    with pytest.raises(InputError, match=f"settings.{next(iter(changes))}"):
        replace(RAW, **changes)


def test_placed_rows_are_those_of_the_embeddings():
    """Rows of other folds and unrated ones are left out; the others can be traced back."""
    embedding, va, _ = world(60)
    rated = np.where(np.arange(60)[:, None] % 3 == 0, np.nan, va)
    data = embedded(embedding, np.zeros((60, 2)), rated=rated, fold=np.arange(60) % 2)
    placed = place_in_common_basis(data, replace(RAW, bins="rated", fold=1), [])
    assert placed.row.tolist() == [i for i in range(60) if i % 2 == 1 and i % 3]
    np.testing.assert_array_equal(placed.va, va[placed.row])
    np.testing.assert_array_equal(placed.subject, data.subject[placed.row])


def test_crossfit_without_anchors_or_centring_is_refused():
    embedding, va, rng = world(40)
    data, mean = embedded(embedding, va, fold=np.arange(40) % 2), np.zeros((2, 8))
    settings = ConsolidateSettings(quantile_match=False)
    with pytest.raises(InputError, match="share no basis"):
        consolidate(data, settings, [], mean)
    anchors = rng.standard_normal((2, 30, 8))
    with pytest.raises(InputError, match="share no basis"):
        consolidate(data, replace(settings, center=False), [], mean, anchors)
    with pytest.raises(InputError, match="share no basis"):
        consolidate(data, settings, [], mean, anchors[:1])


@pytest.mark.parametrize("mean", [None, np.zeros((1, 8))])
def test_a_missing_training_mean_is_told(mean):
    embedding, va, _ = world(40)
    data = embedded(embedding, va, fold=np.arange(40) % 2)
    with pytest.raises(InputError, match="training means"):
        consolidate(data, replace(RAW, center=True, fold=1), [], mean)


def test_faithful_uses_one_teacher_only():
    embedding, va, _ = world(200)
    fold = np.arange(200) % 2
    grid = consolidate(embedded(embedding, va, fold=fold), replace(RAW, fold=1), [])
    assert grid.counts.sum() == 100
    assert grid.provenance["folds"] == [1]
    with pytest.raises(InputError, match="fold 2"):
        consolidate(embedded(embedding, va, fold=fold), replace(RAW, fold=2), [])


def test_quantile_matching_spreads_each_corpus_and_axis():
    """A shrunken, shifted teacher fills the same cells as the ratings it was trained on."""
    embedding, va, rng = world(2000)
    ratings = rng.uniform(-1, 1, (500, 2))
    corpus = np.where(np.arange(2000) % 2, "a", "b")
    weak = 0.01 * va + np.where(corpus == "a", 0.3, -0.9)[:, None]
    settings = replace(RAW, quantile_match=True)
    grid = consolidate(embedded(embedding, weak, corpus=corpus), settings, [ratings])
    assert not grid.filled.any()
    strong = consolidate(embedded(embedding, va), RAW, [ratings])
    assert (grid.prototypes * strong.prototypes).sum(1).min() > 0.95
    raw = consolidate(embedded(embedding, weak, corpus=corpus), RAW, [ratings])
    assert raw.filled.sum() == 23


def test_each_fold_is_matched_to_its_own_training_ratings():
    """Ratings of other folds, and so of the people held out, change nothing."""
    embedding, va, rng = world(600)
    fold = np.arange(600) % 2
    settings = replace(RAW, quantile_match=True, fold=0)
    own = rng.uniform(-1, 1, (50, 2))
    data = embedded(embedding, va, fold=fold)
    one, two = (
        consolidate(data, settings, [own, other]).sha256
        for other in (rng.uniform(-1, 1, (50, 2)), np.ones((3, 2)))
    )
    assert one == two
    assert consolidate(data, settings, [np.abs(own), own]).sha256 != one


def test_matching_needs_ratings():
    embedding, va, _ = world(40)
    with pytest.raises(InputError, match="quantile_match: false"):
        consolidate(embedded(embedding, va), replace(RAW, quantile_match=True), [[[np.nan, 0.0]]])


def test_rated_bins_leave_out_unrated_windows():
    embedding, va, _ = world(100)
    rated = np.where(np.arange(100)[:, None] < 60, va, np.nan)
    settings = replace(RAW, bins="rated")
    grid = consolidate(embedded(embedding, np.zeros((100, 2)), rated=rated), settings, [])
    assert grid.counts.sum() == 60
    np.testing.assert_array_equal(grid.counts, np.bincount(cell_index(va[:60]), minlength=25))
    with pytest.raises(InputError, match="no window is rated"):
        consolidate(embedded(embedding, va), settings, [])


def test_people_are_told_apart_by_name_not_by_corpus():
    """Two corpora of the same people name them alike, and nobody counts twice."""
    for names, people in ((["x/s1", "x/s1"], 1), (["x/s1", "y/s1"], 2)):
        data = embedded(
            np.ones((2, 4)),
            np.zeros((2, 2)),
            subject=np.array(names),
            corpus=np.array(["a", "b"]),
        )
        assert consolidate(data, RAW, []).n_subjects[12] == people


def test_small_cells_are_merged_and_marked():
    data = embedded(np.eye(3), [[0, 0], [0, 0], [0.4, 0]], subject=np.array(["a", "b", "a"]))
    grid = consolidate(data, replace(RAW, min_subjects=2), [])
    assert grid.counts[12] == 3
    assert grid.filled.sum() == 24
    np.testing.assert_allclose(grid.prototypes[12], np.sqrt([1 / 3] * 3), rtol=1e-6)


@pytest.mark.parametrize("size", [3, 5, 7, 9])
def test_sizes(size):
    embedding, va, _ = world()
    grid = consolidate(embedded(embedding, va), replace(RAW, size=size), [])
    assert grid.size == size
    np.testing.assert_array_equal(grid.centers, grid_centers(size))


def test_five_rating_levels_fill_at_most_25_of_49_cells():
    rng = np.random.default_rng(0)
    va = rng.choice([-1, -0.5, 0, 0.5, 1], (5000, 2))
    data = embedded(rng.standard_normal((5000, 4)), va)
    assert (~consolidate(data, RAW, []).filled).sum() == 25
    assert (~consolidate(data, replace(RAW, size=7), []).filled).sum() == 25


def test_provenance_keeps_what_the_caller_knows():
    embedding, va, _ = world(40)
    known = {"split_sha256": "ab", "teachers": ["cd"]}
    grid = consolidate(embedded(embedding, va), RAW, [], provenance=known)
    assert grid.provenance["split_sha256"] == "ab"
    assert grid.provenance["consolidation"]["mode"] == "faithful"
    assert grid.provenance["corpora"] == ["toy"]
    json.dumps(grid.provenance, allow_nan=False)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"fold": np.zeros(3, np.int64)}, "rows"),
        ({"embedding": np.full((40, 8), np.nan, np.float32)}, "NaN"),
    ],
)
def test_embeddings_are_checked(changes, match):
    embedding, va, _ = world(40)
    with pytest.raises(InputError, match=match):
        replace(embedded(embedding, va), **changes)


def test_predictions_that_are_not_finite_are_told():
    embedding, va, _ = world(40)
    va[3] = np.nan
    with pytest.raises(InputError, match="predictions"):
        consolidate(embedded(embedding, va), RAW, [])
