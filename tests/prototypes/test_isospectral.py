"""Random Gram matrices keep what they must to rounding error, and nothing else."""

import numpy as np
import pytest

from neurogaze.errors import InputError
from neurogaze.prototypes.isospectral import factor, random_gram
from tests.prototypes.examples import example_grid


def gram_of(size=5, dim=64, offset=0.0):
    rows = np.asarray(example_grid(size=size, dim=dim, offset=offset).prototypes, np.float64)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows @ rows.T


def made(gram, seed=0):
    return random_gram(gram, np.random.default_rng(seed))


@pytest.mark.parametrize("size", [2, 3, 5])
@pytest.mark.parametrize("offset", [0.0, 0.5, 3.0])
@pytest.mark.parametrize("seed", [0, 1])
def test_spectrum_diagonal_and_sum_are_kept_to_rounding_error(size, offset, seed):
    gram = gram_of(size, offset=offset)
    again = made(gram, seed)
    np.testing.assert_allclose(np.linalg.eigvalsh(again), np.linalg.eigvalsh(gram), atol=1e-9)
    np.testing.assert_allclose(np.diag(again), 1.0, atol=1e-9)
    assert again.sum() == pytest.approx(gram.sum(), abs=1e-8)
    np.testing.assert_array_equal(again, again.T)


def test_of_low_rank_and_with_equal_rows():
    """Filled cells of a real grid are copies of their neighbours."""
    rows = np.random.default_rng(0).standard_normal((9, 3)) + 0.5
    rows[4:] = rows[:5]
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    again = made(rows @ rows.T)
    value = np.linalg.eigvalsh(again)
    np.testing.assert_allclose(value[:6], 0.0, atol=1e-9)
    np.testing.assert_allclose(value, np.linalg.eigvalsh(rows @ rows.T), atol=1e-9)


def test_it_is_a_draw_that_forgets_which_cells_were_alike():
    """Over draws, the cosine of a pair of cells does not go with what it was."""
    gram, pairs = gram_of(offset=1.0), np.triu_indices(25, 1)
    draws = np.stack([made(gram, seed)[pairs] for seed in range(20)])
    with_source = [np.corrcoef(draw, gram[pairs])[0, 1] for draw in draws]
    assert abs(np.mean(with_source)) < 0.06, "300 pairs, 20 draws: s.d. 0.013"
    assert np.abs(np.corrcoef(draws)[np.triu_indices(20, 1)]).max() < 0.3


def test_equal_rows_are_rigid():
    """All cosines 1: no other matrix has that spectrum and diagonal, and this one comes back."""
    np.testing.assert_allclose(made(np.ones((4, 4))), np.ones((4, 4)), atol=1e-9)


def test_orthogonal_rows_are_rigid():
    np.testing.assert_allclose(made(np.eye(4)), np.eye(4), atol=1e-9)


@pytest.mark.parametrize("width", [25, 64])
def test_factor_has_the_cosines(width):
    gram = made(gram_of(offset=1.0))
    rows = factor(gram, width)
    assert rows.shape == (25, width)
    np.testing.assert_allclose(rows @ rows.T, gram, atol=1e-9)


def test_factor_of_low_rank_fits_in_fewer_values_than_cells():
    gram = made(gram_of(size=4, dim=3))
    np.testing.assert_allclose(factor(gram, 3) @ factor(gram, 3).T, gram, atol=1e-8)
    with pytest.raises(InputError, match="16 cells in 2 values"):
        factor(gram, 2)
