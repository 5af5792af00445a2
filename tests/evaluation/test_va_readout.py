"""Where prototypes put a face on the plane: hand expectations, a planted temperature, refusals."""

import numpy as np
import pytest

from neurogaze.affect import EMOTIONS, anchors, cell_index, grid_centers
from neurogaze.errors import InputError
from neurogaze.evaluation.va_readout import UNKNOWN_CELLS, expected_va, va_readout

CENTERS = grid_centers(5)
SEEN = np.ones(25, bool)
LABELS = np.repeat(np.arange(8), 30)


def cosines(labels, sharpness=0.5, noise=0.02, seed=0):
    """Cosines that fall with the squared distance from the anchor of the class."""
    squared = np.square(anchors()[labels][:, None] - CENTERS[None]).sum(axis=2)
    return 0.9 - sharpness * squared + np.random.default_rng(seed).normal(0, noise, squared.shape)


def test_an_expectation_by_hand():
    centers = np.array([[-0.5, 0.0], [0.5, 0.2]])
    found = expected_va(np.array([[0.0, 0.1 * np.log(3)]]), centers, 0.1)
    np.testing.assert_allclose(found, [[0.25, 0.15]])


def test_the_fit_is_the_best_of_a_fine_grid():
    said = cosines(LABELS)
    found = va_readout(said, CENTERS, LABELS, SEEN)

    def distance(temperature):
        squared = np.square(expected_va(said, CENTERS, temperature) - anchors()[LABELS]).sum(axis=1)
        return np.mean([squared[c == LABELS].mean() for c in range(8)])

    tried = [distance(t) for t in np.geomspace(0.01, 2, 600)]
    assert found.distance**2 <= min(tried) + 1e-9
    assert found.shown
    assert found.reason == ""
    assert min(found.correlation) > 0.9
    assert found.n == 240
    # at the temperature of training the read-out hardly leaves the middle
    means = np.array([found.class_means[name] for name in EMOTIONS])
    stuck = expected_va(said, CENTERS, 0.9)
    assert np.linalg.norm(means, axis=1).max() > 2 * np.linalg.norm(stuck, axis=1).max()


def test_how_many_are_neutral_does_not_matter():
    many = np.concatenate([LABELS, np.zeros(3000, int)])
    few = va_readout(cosines(LABELS, noise=0.0), CENTERS, LABELS, SEEN)
    found = va_readout(cosines(many, noise=0.0), CENTERS, many, SEEN)
    assert found.temperature == pytest.approx(few.temperature, rel=1e-4)


def test_prototypes_that_say_nothing_are_not_shown():
    said = np.random.default_rng(0).normal(0, 0.1, (240, 25))
    found = va_readout(said, CENTERS, LABELS, SEEN)
    assert not found.shown
    assert "correlate too little" in found.reason
    flat = va_readout(np.zeros((240, 25)), CENTERS, LABELS, SEEN)
    assert flat.correlation == (0.0, 0.0)


def test_a_mirrored_plane_is_not_shown():
    mirrored = cosines(LABELS)[:, cell_index(CENTERS * [-1, 1])]
    found = va_readout(mirrored, CENTERS, LABELS, SEEN)
    assert found.correlation[0] < 0 < found.correlation[1]
    assert not found.shown


def test_cells_that_nobody_recorded_are_not_shown():
    said = cosines(LABELS)
    seen = SEEN.copy()
    seen[cell_index(anchors())[EMOTIONS.index("happiness")]] = False
    found = va_readout(said, CENTERS, LABELS, seen)
    assert (found.shown, found.reason) == (False, "no recording was in the cell of happiness")
    assert va_readout(said, CENTERS, LABELS, None).reason == UNKNOWN_CELLS
    far = SEEN.copy()
    far[0] = False  # no emotion lies there
    assert va_readout(said, CENTERS, LABELS, far).shown


def test_two_classes_are_too_few():
    labels = np.repeat([1, 3], 20)
    assert "2 classes" in va_readout(cosines(labels), CENTERS, labels, SEEN).reason


def test_arrays_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="cosines"):
        va_readout(np.zeros((3, 24)), CENTERS, np.zeros(3, int), SEEN)
    with pytest.raises(InputError, match="not finite"):
        va_readout(np.full((3, 25), np.nan), CENTERS, np.zeros(3, int), SEEN)


@pytest.mark.parametrize(
    ("label", "match"),
    [(-1, r"class -1 is not in 0\.\.7"), (8, r"class 8 is not in 0\.\.7"), (1.0, "float64")],
)
def test_a_label_that_is_no_class_is_refused(label, match):
    """A picture that was dropped has the label -1, and is none of the last class."""
    spoiled = LABELS.astype(np.result_type(LABELS, np.asarray(label)))
    spoiled[5] = label
    with pytest.raises(InputError, match=match):
        va_readout(cosines(LABELS), CENTERS, spoiled, SEEN)
