"""The made-up world: its structure is not that of the plane, and is shared as far as was asked."""

import numpy as np
import pytest

from neurogaze.affect import EMOTIONS, anchors, cell_index, grid_centers
from neurogaze.errors import InputError
from neurogaze.latent_world import N_PRIVATE, SIZE, WIDTH, LatentWorld
from neurogaze.prototypes.oracle import gram_correlation

MANY = range(200)


def plane_gram_rows():
    """Directions whose cosines fall with the distance of the cells."""
    centers = grid_centers(SIZE)
    squared = np.square(centers[:, None] - centers[None]).sum(-1)
    return np.linalg.cholesky(np.exp(-squared / 1.28) + 1e-9 * np.eye(len(centers)))


def mean_correlation(first, second):
    return np.mean([gram_correlation(first(seed), second(seed)) for seed in MANY])


def test_what_the_eeg_carries_is_independent_of_the_plane():
    plane = plane_gram_rows()
    found = mean_correlation(lambda s: LatentWorld(seed=s).shared(), lambda s: plane)
    assert abs(found) < 0.02


def test_both_structures_are_independent_of_each_other():
    found = mean_correlation(
        lambda s: LatentWorld(seed=s).shared(), lambda s: LatentWorld(seed=s).alone()
    )
    assert abs(found) < 0.02


@pytest.mark.parametrize(("share", "low", "high"), [(1.0, 0.6, 0.95), (0.0, -0.05, 0.05)])
def test_faces_share_as_much_as_was_asked(share, low, high):
    found = mean_correlation(
        lambda s: LatentWorld(share, s).cells(), lambda s: LatentWorld(share, s).shared()
    )
    assert low < found < high


def test_the_share_changes_whose_structure_it_is_and_not_how_hard_it_is():
    def spread(share):
        cells = [LatentWorld(share, seed).cells() for seed in MANY]
        cosines = [(c @ c.T / WIDTH)[np.triu_indices(SIZE**2, 1)] for c in cells]
        return np.std(cosines)

    assert spread(1.0) == pytest.approx(spread(0.0), rel=0.05)
    assert spread(1.0) == pytest.approx(spread(0.5), rel=0.05)


def test_off_the_plane_the_faces_have_the_structure_of_the_eeg_and_nothing_else():
    plane = plane_gram_rows()
    for seed in range(5):
        world = LatentWorld(1.0, seed, plane=0.0)
        np.testing.assert_allclose(world.cells(), world.shared(), rtol=0, atol=1e-12)
    found = mean_correlation(lambda s: LatentWorld(1.0, s, plane=0.0).cells(), lambda s: plane)
    assert abs(found) < 0.02
    said, usual = LatentWorld(seed=3, plane=0.2), LatentWorld(seed=3)
    np.testing.assert_array_equal(said.cells(), usual.cells())


def test_some_of_it_follows_the_plane_whatever_the_share():
    plane = plane_gram_rows()
    for share in (0.0, 1.0):
        found = mean_correlation(lambda s, w=share: LatentWorld(w, s).cells(), lambda s: plane)
        assert 0.05 < found < 0.5


def test_each_emotion_has_a_cell_of_its_own_and_private_dimensions():
    world, cells = LatentWorld(seed=3), cell_index(anchors(), SIZE)
    assert len(set(cells.tolist())) == len(EMOTIONS)
    rows = world.emotions()
    assert rows.shape == (len(EMOTIONS), WIDTH + N_PRIVATE)
    np.testing.assert_array_equal(rows[:, :WIDTH], world.cells()[cells])
    private = rows[:, WIDTH:]
    apart = np.linalg.norm(private[:, None] - private[None], axis=-1)
    assert apart[np.triu_indices(8, 1)].min() > 0.1


def test_rows_have_one_length():
    for rows in (LatentWorld(0.3, 5).cells(), LatentWorld(seed=5).shared()):
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), np.sqrt(WIDTH))


def test_a_seed_is_a_world():
    np.testing.assert_array_equal(LatentWorld(0.5, 1).emotions(), LatentWorld(0.5, 1).emotions())
    np.testing.assert_array_equal(LatentWorld(0.0, 1).shared(), LatentWorld(1.0, 1).shared())
    assert np.abs(LatentWorld(seed=1).shared() - LatentWorld(seed=2).shared()).max() > 0.5


@pytest.mark.parametrize(
    "settings", [{"share": 1.2}, {"share": -0.1}, {"seed": -1}, {"plane": 2.0}]
)
def test_settings_out_of_range(settings):
    with pytest.raises(InputError, match="latent world"):
        LatentWorld(**settings)
