"""Stability against brute force: people drawn again, the whole grid made again."""

from dataclasses import replace

import numpy as np
import pytest

from neurogaze.affect import cell_index
from neurogaze.prototypes.consolidate import ConsolidateSettings, consolidate, grid_of
from neurogaze.prototypes.placed import Placed
from neurogaze.prototypes.stability import (
    bootstrap_stability,
    drawn_again,
    resampled_people,
    stability_table,
)
from tests.prototypes.test_consolidate import RAW, embedded


def example(n=300, people=6, dim=8, shared=1.0, seed=0):
    """People who share `shared` of a smooth function of valence and arousal."""
    rng = np.random.default_rng(seed)
    va = rng.uniform(-1, 1, (n, 2))
    who = np.array([f"p{i % people}" for i in range(n)])
    common = rng.standard_normal((2, dim))
    own = rng.standard_normal((people, 2, dim))[np.arange(n) % people]
    embedding = shared * va @ common + (1 - shared) * np.einsum("nv,nvd->nd", va, own)
    embedding += 0.05 * rng.standard_normal((n, dim))
    unit = embedding / np.linalg.norm(embedding, axis=1, keepdims=True)
    return unit, va, who


def placed(unit, va, who):
    n = len(unit)
    corpus, fold, rows = np.full(n, "toy"), np.arange(n) % 2, np.arange(n)
    return Placed(unit, va, who, corpus, fold, rows, np.zeros(0))


@pytest.mark.parametrize("smoothing", [0.0, 0.4])
def test_resampling_is_making_the_grid_again(smoothing):
    unit, va, who = example(90)
    settings = replace(RAW, smoothing=smoothing)
    got = bootstrap_stability(unit, cell_index(va), who, 5, 12, seed=3, smoothing=smoothing)
    whole = consolidate(embedded(unit, va, subject=who), settings, []).prototypes
    cosines = []
    for weights in resampled_people(6, 12, seed=3):
        rows = np.concatenate(
            [np.flatnonzero(who == f"p{i}") for i in np.repeat(range(6), weights)]
        )
        again = consolidate(embedded(unit[rows], va[rows], subject=who[rows]), settings, [])
        cosines.append((again.prototypes * whole).sum(axis=1))
    known = np.isfinite(got.cosine)
    assert known.sum() > 15
    np.testing.assert_allclose(got.cosine[known], np.mean(cosines, axis=0)[known], atol=1e-6)
    low, high = np.percentile(cosines, [2.5, 97.5], axis=0)
    np.testing.assert_allclose(got.low[known], low[known], atol=1e-6)
    np.testing.assert_allclose(got.high[known], high[known], atol=1e-6)


def test_draws_keep_the_number_of_people_and_repeat_with_the_seed():
    weights = resampled_people(23, 500, seed=1)
    assert weights.shape == (500, 23)
    assert set(weights.sum(axis=1)) == {23}
    assert (weights == 0).mean() == pytest.approx((1 - 1 / 23) ** 23, abs=0.01)
    np.testing.assert_array_equal(weights, resampled_people(23, 500, seed=1))
    assert (weights != resampled_people(23, 500, seed=2)).any()


def test_people_are_drawn_with_all_their_windows():
    unit, va, who = example(90)
    source = placed(unit, va, who)
    drawn, times = drawn_again(source, 3)
    assert list(times.values()) == resampled_people(6, 1, 3)[0].tolist()
    rows = [i for i in range(90) for _ in range(times[who[i]])]
    np.testing.assert_array_equal(drawn.unit, unit[rows])
    np.testing.assert_array_equal(drawn.subject, who[rows])
    np.testing.assert_array_equal(drawn.fold, source.fold[rows])
    assert drawn_again(source, 4)[1] != times


def test_people_who_agree_give_a_stable_grid_and_strangers_do_not():
    cosine = {}
    for shared in (1.0, 0.0):
        unit, va, who = example(1200, shared=shared)
        cosine[shared] = np.nanmean(bootstrap_stability(unit, cell_index(va), who, 5).cosine)
    assert cosine[1.0] > 0.98
    assert cosine[0.0] < 0.85


def test_one_person_cannot_tell_how_stable_a_cell_is():
    unit = np.eye(4)[[0, 1, 0, 2]]
    who = np.array(["a", "b", "a", "a"])
    result = bootstrap_stability(unit, np.array([0, 0, 1, 1]), who, 3, 50)
    assert np.isfinite(result.cosine).tolist() == [True] + [False] * 8
    assert result.low[0] < result.cosine[0] < result.high[0] <= 1 + 1e-12


def test_the_table_is_that_of_grids_made_one_by_one():
    unit, va, who = example(400)
    where = placed(unit, va, who)
    table = stability_table(where, n_resamples=20)
    assert [row.size for row in table] == [3, 5, 7, 9]
    for row in table:
        grid = grid_of(where, ConsolidateSettings(size=row.size))
        between = [v for v in grid.provenance["cross_fold_cosine"] if v is not None]
        again = bootstrap_stability(unit, cell_index(va, row.size), who, row.size, 20)
        assert row.cells == row.size**2
        assert row.observed == (~grid.filled).sum()
        assert row.with_three == (grid.n_subjects >= 3).sum()
        assert row.count_min == grid.counts[grid.counts > 0].min()
        assert row.count_median == np.median(grid.counts[grid.counts > 0])
        assert row.effective_rank == pytest.approx(grid.gram_rank, rel=1e-5)
        assert row.mean_cosine == pytest.approx(grid.mean_cosine, abs=1e-6)
        assert row.cross_fold_cosine == pytest.approx(np.mean(between))
        assert row.bootstrap_cosine == pytest.approx(np.nanmean(again.cosine))


def test_what_one_person_and_one_fold_cannot_tell_is_left_open():
    unit, va, _ = example(40)
    alone = replace(placed(unit, va, np.full(40, "p")), fold=np.zeros(40, np.int64))
    row = stability_table(alone, sizes=(3,), n_resamples=5)[0]
    assert row.bootstrap_cosine is None
    assert row.cross_fold_cosine is None
    assert row.with_three == 0
