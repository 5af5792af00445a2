"""Controls differ from the grid in what they should, and in nothing else."""

import numpy as np
import pytest

from neurogaze.errors import InputError
from neurogaze.prototypes.controls import (
    control,
    geometry,
    gram_matched,
    permuted,
    random,
    rotated,
    with_mean_cosine,
)
from neurogaze.prototypes.vectors import mean_cosine, unit_rows
from tests.prototypes.examples import example_grid

EVERY = (permuted, rotated, random, geometry, gram_matched)


@pytest.mark.parametrize("make", EVERY)
def test_kind_seed_and_source_are_told(make):
    grid = example_grid()
    made = make(grid, 7)
    assert made.provenance["kind"] == make.__name__
    assert made.provenance["seed"] == 7
    assert made.provenance["source_sha256"] == grid.sha256
    np.testing.assert_array_equal(made.centers, grid.centers)


@pytest.mark.parametrize("make", EVERY)
def test_a_seed_is_a_draw(make):
    grid = example_grid()
    assert make(grid, 1).sha256 == make(grid, 1).sha256
    assert np.abs(make(grid, 1).prototypes - make(grid, 2).prototypes).max() > 0.01


def test_permuted_moves_rows_with_their_counts():
    grid = example_grid()
    made = permuted(grid, 0)
    assert (made.prototypes != grid.prototypes).any()
    pairs = {tuple(row): count for row, count in zip(grid.prototypes, grid.counts, strict=True)}
    for row, count, filled in zip(made.prototypes, made.counts, made.filled, strict=True):
        assert pairs[tuple(row)] == count
        assert filled == (count == 0)


@pytest.mark.parametrize("seed", range(8))
def test_permuted_is_never_the_grid_itself(seed):
    grid = example_grid(size=2)
    assert (permuted(grid, seed).prototypes != grid.prototypes).any()


def test_rotated_keeps_every_cosine():
    grid = example_grid()
    made = rotated(grid, 0)
    np.testing.assert_allclose(
        made.prototypes @ made.prototypes.T, grid.prototypes @ grid.prototypes.T, atol=1e-5
    )
    assert np.abs(made.prototypes - grid.prototypes).max() > 0.1


@pytest.mark.parametrize("make", [random, geometry, gram_matched])
@pytest.mark.parametrize("offset", [0.3, 1.0, 3.0])
def test_made_up_grids_match_the_mean_cosine(make, offset):
    grid = example_grid(size=5, dim=64, offset=offset)
    made = make(grid, 0)
    assert made.mean_cosine == pytest.approx(grid.mean_cosine, abs=1e-5)
    assert made.counts.sum() == 0


def test_random_unmatched_is_plain_gaussian():
    rows = np.random.default_rng(5).standard_normal((9, 16))
    made = random(example_grid(offset=2.0), 5, match_cosine=False)
    np.testing.assert_allclose(
        made.prototypes, rows / np.linalg.norm(rows, axis=1, keepdims=True), atol=1e-6
    )


def test_geometry_makes_close_cells_alike():
    made = geometry(example_grid(size=5, dim=64, offset=1.0), 0)
    cosine = made.prototypes @ made.prototypes.T
    distance = np.linalg.norm(made.centers[:, None] - made.centers[None], axis=2)
    corner = np.argsort(distance[0], kind="stable")
    assert (np.diff(cosine[0][corner][[0, 1, 6, 12, 18, 24]]) < 0).all()
    np.testing.assert_allclose(cosine[0, 1], cosine[0, 5], atol=1e-5)


def test_geometry_needs_room():
    with pytest.raises(InputError, match="25 cells in 16 values"):
        geometry(example_grid(size=5, dim=16), 0)


@pytest.mark.parametrize("target", [-0.5, 0.0, 0.4, 0.99])
def test_with_mean_cosine_comes_as_close_as_rows_can(target):
    """Unit rows have a mean cosine of at least -1 / (K - 1)."""
    rows = unit_rows(np.random.default_rng(0).standard_normal((9, 16)), "toy")
    reached = mean_cosine(with_mean_cosine(rows, target))
    if target < -1 / 8:
        assert -1 / 8 <= reached < 0
    else:
        assert reached == pytest.approx(target, abs=1e-6)


@pytest.mark.parametrize("offset", [0.0, 1.0])
def test_gram_matched_has_the_spectrum_and_not_the_cosines(offset):
    grid = example_grid(size=5, dim=64, offset=offset)
    made = gram_matched(grid, 0)
    found, wanted = (np.asarray(g.prototypes, np.float64) for g in (made, grid))
    spectra = [np.linalg.svd(rows, compute_uv=False) ** 2 for rows in (found, wanted)]
    np.testing.assert_allclose(*spectra, atol=1e-5)
    assert made.gram_rank == pytest.approx(grid.gram_rank, abs=1e-4)
    assert np.abs(found @ found.T - wanted @ wanted.T).max() > 0.1


@pytest.mark.parametrize("make", EVERY)
def test_a_control_is_picked_by_name(make):
    assert control(make.__name__, example_grid(), 3).sha256 == make(example_grid(), 3).sha256


def test_an_unknown_control_is_refused():
    with pytest.raises(InputError, match=r"'brain'.*permuted, random, gram_matched, geometry, rot"):
        control("brain", example_grid(), 0)
