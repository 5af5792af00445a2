"""The grid of somebody who knows the truth."""

import numpy as np
import pytest
from scipy.stats import pearsonr

from neurogaze.errors import InputError
from neurogaze.latent_world import SIZE, LatentWorld
from neurogaze.prototypes.oracle import gram_correlation, oracle
from neurogaze.prototypes.vectors import mean_cosine, unit_rows
from tests.prototypes.examples import example_grid


def cosines(rows):
    unit = unit_rows(rows, "test")
    return (unit @ unit.T)[np.triu_indices(len(rows), 1)]


def test_cosines_are_the_true_ones_where_the_mean_is():
    places = LatentWorld(seed=2).cells()
    places = places - unit_rows(places, "test").mean(axis=0)
    grid = example_grid(size=SIZE, dim=40)
    truth = oracle(grid, places, 0)
    assert truth.mean_cosine == pytest.approx(grid.mean_cosine, abs=1e-4)
    assert gram_correlation(truth.prototypes, places) > 0.97
    assert truth.provenance["kind"] == "oracle"
    assert truth.gram_rank <= 3.01


def test_the_mean_cosine_of_the_grid_is_taken_where_it_can_be_reached():
    grid = example_grid(size=SIZE, dim=40, offset=0.4)
    truth = oracle(grid, LatentWorld(seed=1).cells(), 0)
    assert mean_cosine(truth.prototypes) == pytest.approx(grid.mean_cosine, abs=1e-4)


def test_gram_correlation_is_pearsons():
    rng = np.random.default_rng(0)
    one, other = rng.standard_normal((9, 4)), rng.standard_normal((9, 30))
    found = pearsonr(cosines(one), cosines(other)).statistic
    assert gram_correlation(one, other) == pytest.approx(found)
    assert gram_correlation(one, 3.0 * one) == pytest.approx(1.0)


def test_places_that_do_not_fit():
    with pytest.raises(InputError, match="oracle grid"):
        oracle(example_grid(size=3), np.ones((25, 3)), 0)
    with pytest.raises(InputError, match="wider grid"):
        oracle(example_grid(size=3, dim=4), np.ones((9, 5)), 0)
