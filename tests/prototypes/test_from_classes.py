"""A grid from class means: cells on an anchor take its class, cells between mix."""

import numpy as np
import pytest

from neurogaze.affect import EMOTIONS, anchors
from neurogaze.errors import InputError
from neurogaze.prototypes.controls import with_mean_cosine
from neurogaze.prototypes.from_classes import class_grid
from tests.prototypes.examples import example_grid


def means(dim=12, offset=1.0):
    return np.random.default_rng(3).standard_normal((8, dim)) + offset


def cosines(rows):
    rows = np.asarray(rows, np.float64)
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return rows @ rows.T


@pytest.mark.parametrize("offset", [0.3, 1.0])
def test_it_has_the_width_and_mean_cosine_of_the_grid(offset):
    grid = example_grid(size=5, dim=64, offset=offset)
    made = class_grid(grid, means())
    assert made.dim == 64
    assert made.mean_cosine == pytest.approx(grid.mean_cosine, abs=1e-5)
    assert made.counts.sum() == 0
    assert made.provenance["kind"] == "face"


def test_cosines_are_those_of_the_mix_by_hand():
    """Plain loops: a Gaussian of 0.4 (one bin of five) over the distance to each anchor."""
    grid, given = example_grid(size=5, dim=64, offset=1.0), means()
    unit = given / np.linalg.norm(given, axis=1, keepdims=True)
    rows = []
    for center in grid.centers:
        weight = [np.exp(-((center - anchor) ** 2).sum() / (2 * 0.4**2)) for anchor in anchors()]
        rows.append(sum(w * row for w, row in zip(weight, unit, strict=True)))
    rows = np.stack(rows)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    expected = cosines(with_mean_cosine(rows, grid.mean_cosine))
    np.testing.assert_allclose(cosines(class_grid(grid, given).prototypes), expected, atol=1e-4)


def test_a_seed_turns_and_leaves_cosines():
    grid = example_grid(size=3, dim=16, offset=1.0)
    one, other = (class_grid(grid, means(), seed) for seed in (0, 1))
    assert np.abs(one.prototypes - other.prototypes).max() > 0.01
    np.testing.assert_allclose(cosines(one.prototypes), cosines(other.prototypes), atol=1e-5)


def test_the_source_is_told():
    made = class_grid(example_grid(), means(), 2, {"checkpoint": "abc"})
    assert made.provenance["source"] == {"checkpoint": "abc"}
    assert made.provenance["seed"] == 2


def test_another_number_of_classes_is_refused():
    with pytest.raises(InputError, match=r"7 of them for 8 classes.*EMOTIONS"):
        class_grid(example_grid(), means()[:7])
    assert len(EMOTIONS) == 8
