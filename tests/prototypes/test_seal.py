"""Hashes that bind a grid's name to what a checkpoint keeps of it."""

import hashlib

import numpy as np

from neurogaze.prototypes.seal import grid_seal, prototypes_hash
from tests.prototypes.examples import example_grid


def test_the_hash_is_of_name_type_shape_and_bytes():
    rows = np.array([[0.6, 0.8], [1.0, 0.0]])
    text = b"prototypes|<f4|(2, 2)|" + rows.astype("<f4").tobytes()
    assert prototypes_hash(rows) == hashlib.sha256(text).hexdigest()
    assert prototypes_hash(np.zeros((0, 2), np.float32)) == ""


def test_every_part_of_a_grid_is_under_the_seal():
    grid = example_grid(size=3, dim=8)
    parts = {
        "sha256": grid.sha256,
        "prototypes": grid.prototypes,
        "centers": grid.centers,
        "provenance": grid.provenance,
    }
    others = {
        "sha256": "f" * 64,
        "prototypes": grid.prototypes[::-1],
        "centers": grid.centers[::-1],
        "provenance": grid.provenance | {"more": 1},
    }
    seals = {grid_seal(**parts | {name: value}) for name, value in others.items()}
    assert len(seals | {grid_seal(**parts)}) == 5
    assert grid_seal(**parts | {"centers": grid.centers.astype(np.float32)}) == grid_seal(**parts)
