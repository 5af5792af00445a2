"""Steps that runs share. Trainings and reports are met in the tests of those runs."""

import pytest

from neurogaze.errors import InputError
from neurogaze.faces.corpora.synthetic import SyntheticFaces
from neurogaze.pipeline.steps import expect, grid_sha256
from neurogaze.prototypes.grid import PrototypeGrid


def test_numbers_that_must_be_there():
    table = SyntheticFaces(n_train=16, n_valid=8).load("valid")
    expect(None, table)
    expect(8, table)
    with pytest.raises(InputError, match=r"valid: has 8 images .* not 3199"):
        expect(3199, table)


def test_the_hash_that_is_pinned_is_that_of_the_grid(tiny_run):
    path = tiny_run.run / "grid" / "grid.npz"
    assert grid_sha256(path) == PrototypeGrid.load(path).sha256
