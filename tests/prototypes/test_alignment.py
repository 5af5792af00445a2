"""Alignment agrees with SciPy's Procrustes and undoes a known rotation."""

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes
from scipy.spatial import procrustes
from scipy.stats import ortho_group

from neurogaze.errors import InputError
from neurogaze.prototypes.alignment import align_folds, cross_fold_cosine


def test_rotations_and_residuals_are_those_of_scipy():
    anchors = np.random.default_rng(0).standard_normal((3, 40, 6)) + 1.0
    rotations, residuals = align_folds(anchors)
    base = anchors[0] - anchors[0].mean(0)
    for fold in range(3):
        expected, _ = orthogonal_procrustes(anchors[fold] - anchors[fold].mean(0), base)
        np.testing.assert_allclose(rotations[fold], expected, atol=1e-10)
        _, _, disparity = procrustes(anchors[0], anchors[fold])
        assert residuals[fold] == pytest.approx(disparity, abs=1e-10)


def test_a_rotated_scaled_and_moved_copy_is_recovered():
    rng = np.random.default_rng(0)
    first = rng.standard_normal((50, 8))
    turn = ortho_group.rvs(8, random_state=1)
    rotations, residuals = align_folds(np.stack([first, 3.0 * first @ turn + 2.0]))
    np.testing.assert_allclose(rotations[1], turn.T, atol=1e-10)
    np.testing.assert_allclose(rotations[0], np.eye(8), atol=1e-10)
    np.testing.assert_allclose(residuals, 0.0, atol=1e-10)


@pytest.mark.parametrize(
    "anchors", [np.zeros((2, 1, 4)), np.ones((2, 5, 4)), np.full((2, 5, 4), np.nan), np.eye(4)]
)
def test_anchors_that_say_nothing_are_refused(anchors):
    with pytest.raises(InputError, match="anchors"):
        align_folds(anchors)


def test_cross_fold_cosine_by_hand():
    unit = np.array([[1.0, 0], [1, 0], [0, 1], [0.6, 0.8], [1, 0]])
    cells, fold = np.array([0, 0, 1, 0, 1]), np.array([0, 0, 0, 1, 1])
    assert cross_fold_cosine(unit, cells, fold, 3) == [pytest.approx(0.6), 0.0, None]


def test_fewer_windows_than_dimensions_leave_fold_0_as_it_is_and_say_nothing():
    """Any two sets of so few can be turned onto one another."""
    anchors = np.random.default_rng(0).standard_normal((2, 5, 64))
    rotations, residuals = align_folds(anchors)
    np.testing.assert_array_equal(rotations[0], np.eye(64))
    np.testing.assert_allclose(rotations[1] @ rotations[1].T, np.eye(64), atol=1e-10)
    assert residuals[1] < 0.1  # of two that have nothing in common
