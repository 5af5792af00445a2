"""A published file of prototypes and centres becomes a grid, whatever order it has."""

import numpy as np
import pytest

from neurogaze.affect import grid_centers
from neurogaze.artefacts import file_hash
from neurogaze.errors import InputError
from neurogaze.prototypes.grid import PrototypeGrid
from tests.prototypes.examples import example_grid


def published(path, order=slice(None), dtype=np.float32):
    centers = grid_centers(5)[order].astype(dtype)
    np.savez(path, prototypes=3.0 * np.eye(25, 256)[order], centers=centers)


def test_import(tmp_path):
    path = tmp_path / "prototypes_5x5_v4.npz"
    published(path)
    grid = PrototypeGrid.load(path, dim=256)
    np.testing.assert_array_equal(grid.prototypes, np.eye(25, 256))
    assert grid.counts.tolist() == [0] * 25
    assert grid.provenance == {
        "kind": "imported",
        "file": "prototypes_5x5_v4.npz",
        "file_sha256": file_hash(path),
    }


def test_rows_are_put_in_cell_order(tmp_path):
    order = np.arange(25).reshape(5, 5).T.ravel()
    published(tmp_path / "turned.npz", order)
    grid = PrototypeGrid.load(tmp_path / "turned.npz")
    np.testing.assert_array_equal(grid.prototypes, np.eye(25, 256))


def test_an_imported_grid_is_saved_as_ours(tmp_path):
    published(tmp_path / "theirs.npz")
    grid = PrototypeGrid.load(tmp_path / "theirs.npz")
    grid.save(tmp_path / "ours.npz")
    assert PrototypeGrid.load(tmp_path / "ours.npz").sha256 == grid.sha256


def test_two_axes_of_cells_are_flattened(tmp_path):
    prototypes, centers = np.eye(25, 30).reshape(5, 5, 30), grid_centers(5).reshape(5, 5, 2)
    np.savez(tmp_path / "square.npz", prototypes=prototypes, centers=centers)
    assert PrototypeGrid.load(tmp_path / "square.npz").dim == 30


@pytest.mark.parametrize(
    ("prototypes", "centers"),
    [
        (np.eye(24), grid_centers(5)[:24]),
        (np.eye(25), grid_centers(5) * 0.5),
        (np.eye(25), np.zeros((25, 2))),
        (np.zeros((25, 4)), grid_centers(5)),
    ],
)
def test_no_regular_grid_is_refused(tmp_path, prototypes, centers):
    np.savez(tmp_path / "odd.npz", prototypes=prototypes, centers=centers)
    with pytest.raises(InputError, match=r"odd\.npz"):
        PrototypeGrid.load(tmp_path / "odd.npz")


@pytest.mark.parametrize("value", [0x00, 0xFF])
def test_a_damaged_byte_is_told_or_does_no_harm(tmp_path, value):
    """Among them are bytes of the method of compression, and of what was compressed."""
    path = tmp_path / "grid.npz"
    example_grid(size=2, dim=6).save(path)
    whole, refused = path.read_bytes(), 0
    for place in range(0, len(whole), 7):
        damaged = bytearray(whole)
        damaged[place] = value
        path.write_bytes(damaged)
        try:
            assert PrototypeGrid.load(path).size == 2
        except InputError:
            refused += 1
    assert refused > 50


@pytest.mark.parametrize(
    ("prototypes", "centers", "match"),
    [
        (np.array(1.0), grid_centers(5), r"prototypes is an array of float64 with the shape \(\)"),
        (np.eye(25), np.array(0.0), "centers is an array"),
        (np.full((25, 4), "one"), grid_centers(5), "prototypes is an array of <U3"),
        (np.eye(25), np.full((25, 2), "left"), "centers is an array of <U4"),
        (np.eye(25) * 1j, grid_centers(5), "prototypes is an array of complex128"),
        (np.ones((1, 4)), np.full((1, 2), np.nan), "no regular grid"),
    ],
)
def test_arrays_of_another_kind_are_refused(tmp_path, prototypes, centers, match):
    np.savez(tmp_path / "odd.npz", prototypes=prototypes, centers=centers)
    with pytest.raises(InputError, match=match):
        PrototypeGrid.load(tmp_path / "odd.npz")
