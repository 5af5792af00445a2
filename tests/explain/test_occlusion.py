"""Covering a face costs confidence where the evidence was, and nowhere else."""

import numpy as np
import pytest

from neurogaze.errors import InputError
from neurogaze.explain.occlusion import covered, occlusion_map, occlusion_maps, patch_starts


def bright_corner(faces):
    """Class 0: share of the upper left corner that is white; class 1 the rest."""
    share = (faces[:, :8, :8] > 250).mean(axis=(1, 2))
    return np.stack([share, 1 - share], axis=1)


FACE = np.zeros((48, 48), np.uint8)
FACE[:8, :8] = 255


def test_patches_reach_every_pixel():
    for side, patch, stride in [(48, 8, 4), (10, 3, 3), (11, 4, 5), (7, 7, 2)]:
        starts = patch_starts(side, patch, stride)
        assert starts[0] == 0
        assert starts[-1] == side - patch
        assert len(starts) == len(set(starts))


def test_only_the_corner_costs_anything():
    found = occlusion_map(bright_corner, FACE, 0, patch=8, stride=8)
    expected = np.zeros((48, 48))
    expected[:8, :8] = 1.0
    np.testing.assert_allclose(found, expected)
    np.testing.assert_allclose(occlusion_map(bright_corner, FACE, 1, 8, 8), -expected)


def test_overlapping_patches_by_hand():
    """Along the top row patches start at 0, 4, 8: those at 0 and 4 cover all and half of it."""
    found = occlusion_map(bright_corner, FACE, 0, patch=8, stride=4)
    # pixel (0, 0): the patch at (0, 0) alone; pixel (0, 5): those at 0 and 4, losing 1 and 1/2
    assert found[0, 0] == pytest.approx(1.0)
    assert found[0, 5] == pytest.approx(0.75)
    assert found[0, 9] == pytest.approx(0.25)
    assert found[20, 20] == 0


def test_the_patch_has_the_mean_grey_of_the_face():
    copies, where = covered(FACE, 8, 8)
    assert len(copies) == len(where) == 36
    assert (copies[0][where[0]] == round(255 * 64 / 48**2)).all()
    assert (copies[7] != FACE).sum() == 64


def test_many_faces_in_any_batch(monkeypatch):
    faces = np.stack([FACE, FACE[::-1], FACE.T])
    whole = occlusion_maps(bright_corner, faces, [0, 0, 1])
    monkeypatch.setattr("neurogaze.explain.occlusion.BATCH", 7)
    np.testing.assert_array_equal(occlusion_maps(bright_corner, faces, [0, 0, 1]), whole)
    assert np.abs(whole[1]).max() == 0
    assert occlusion_maps(bright_corner, faces[:0], []).shape == (0, 48, 48)


@pytest.mark.parametrize(("patch", "stride"), [(49, 4), (0, 1), (8, 0)])
def test_a_patch_that_does_not_fit_is_refused(patch, stride):
    with pytest.raises(InputError, match="patch"):
        occlusion_map(bright_corner, FACE, 0, patch, stride)
