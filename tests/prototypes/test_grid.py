"""A grid keeps its content and its name, and a file that does not fit is refused in words."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from neurogaze.affect import grid_edges
from neurogaze.errors import InputError
from neurogaze.prototypes.grid import DTYPES, FIELDS, PrototypeGrid
from tests.prototypes.examples import example_grid


def arrays_of(grid, tmp_path):
    grid.save(tmp_path / "whole.npz")
    with np.load(tmp_path / "whole.npz") as archive:
        return dict(archive)


def test_round_trip(tmp_path):
    grid = example_grid()
    grid.save(tmp_path / "grid.npz")
    again = PrototypeGrid.load(tmp_path / "grid.npz", sha256=grid.sha256, dim=16)
    assert again.sha256 == grid.sha256
    assert again.provenance == grid.provenance
    for name, dtype in DTYPES.items():
        assert getattr(again, name).dtype == dtype
        np.testing.assert_array_equal(getattr(again, name), getattr(grid, name))
    assert (again.size, again.dim) == (3, 16)


def test_hash_is_the_same_in_another_process(tmp_path):
    grid = example_grid()
    grid.save(tmp_path / "grid.npz")
    code = (
        "import sys; from pathlib import Path; from neurogaze.prototypes.grid import PrototypeGrid;"
        "print(PrototypeGrid.load(Path(sys.argv[1])).sha256);"
        "assert not {'mne', 'torch', 'matplotlib'} & set(sys.modules)"
    )
    out = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "grid.npz"], capture_output=True, check=True
    )
    assert out.stdout.decode().strip() == grid.sha256


def test_hash_ignores_compression_and_key_order(tmp_path):
    grid = example_grid()
    arrays = arrays_of(grid, tmp_path)
    np.savez(tmp_path / "plain.npz", **dict(reversed(arrays.items())))
    assert PrototypeGrid.load(tmp_path / "plain.npz").sha256 == grid.sha256
    turned = replace(grid, provenance=dict(reversed(grid.provenance.items())))
    assert turned.sha256 == grid.sha256


@pytest.mark.parametrize("name", FIELDS)
def test_any_single_value_changes_the_hash(name):
    grid = example_grid()
    if name == "provenance":
        changed = replace(grid, provenance=grid.provenance | {"seed": 1})
    else:
        value = np.array(getattr(grid, name))
        at = (1,) * value.ndim
        steps = {"counts": 1, "n_subjects": 1, "prototypes": 1e-6}
        value[at] = ~value[at] if name == "filled" else value[at] + steps.get(name, 1e-9)
        changed = replace(grid, **{name: value})
    assert changed.sha256 != grid.sha256


def test_arrays_cannot_be_written():
    grid = example_grid()
    with pytest.raises(ValueError, match="read-only"):
        grid.prototypes[0, 0] = 1.0
    mine = np.array(grid.counts)
    kept = replace(grid, counts=mine)
    mine[:] = 99
    assert kept.sha256 == grid.sha256


def test_wrong_hash_and_width_are_refused(tmp_path):
    path = tmp_path / "grid.npz"
    example_grid().save(path)
    with pytest.raises(InputError, match="content hash is"):
        PrototypeGrid.load(path, sha256="0" * 64)
    with pytest.raises(InputError, match="have 16 values, not 256"):
        PrototypeGrid.load(path, dim=256)


@pytest.mark.parametrize("name", FIELDS)
def test_a_missing_field_is_named(tmp_path, name):
    arrays = arrays_of(example_grid(), tmp_path)
    del arrays[name]
    np.savez(tmp_path / "partial.npz", **arrays)
    with pytest.raises(InputError, match=name):
        PrototypeGrid.load(tmp_path / "partial.npz")


@pytest.mark.parametrize("name", FIELDS)
def test_pickled_objects_are_refused_unread(tmp_path, name):
    arrays = arrays_of(example_grid(), tmp_path)
    arrays[name] = np.array([{"run": "me"}], dtype=object)
    np.savez(tmp_path / "pickled.npz", allow_pickle=True, **arrays)
    with pytest.raises(InputError, match="without running code"):
        PrototypeGrid.load(tmp_path / "pickled.npz")


@pytest.mark.parametrize("content", [b"", b"\x80\x04N.", b"PK\x03\x04 broken"])
def test_no_archive_is_told(tmp_path, content):
    path = tmp_path / "grid.npz"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"grid\.npz"):
        PrototypeGrid.load(path)
    with pytest.raises(InputError, match="no such file"):
        PrototypeGrid.load(tmp_path / "absent.npz")


def test_a_damaged_archive_is_told(tmp_path):
    path = tmp_path / "grid.npz"
    example_grid().save(path)
    data = bytearray(path.read_bytes())
    data[200:260] = bytes(60)
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"grid\.npz"):
        PrototypeGrid.load(path)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"counts": np.zeros(8)}, "counts"),
        ({"prototypes": np.eye(8, 16)}, "prototypes"),
        ({"prototypes": 2 * np.eye(9, 16)}, "length 1"),
        ({"prototypes": np.full((9, 16), np.nan)}, "length 1"),
        ({"centers": np.zeros((9, 2))}, "middles"),
        ({"edges": np.array([1.0, 0.3, -0.3, -1.0])}, "increase"),
        ({"edges": grid_edges(5)}, "do not fit 25 cells"),
        ({"counts": np.full(9, -1)}, "negative"),
        ({"provenance": {"score": float("nan")}}, "provenance"),
        ({"provenance": {"code": print}}, "provenance"),
    ],
)
def test_parts_that_do_not_fit_are_refused(changes, match):
    with pytest.raises(InputError, match=match):
        replace(example_grid(), **changes)


@pytest.mark.parametrize("text", ["no json", "[1]"])
def test_a_provenance_that_is_no_record_is_told(tmp_path, text):
    arrays = arrays_of(example_grid(), tmp_path) | {"provenance": np.array(text)}
    np.savez(tmp_path / "odd.npz", **arrays)
    with pytest.raises(InputError, match=r"odd\.npz"):
        PrototypeGrid.load(tmp_path / "odd.npz")


def test_summaries():
    grid = replace(example_grid(dim=9), prototypes=np.eye(9))
    assert grid.gram_rank == pytest.approx(9.0)
    assert grid.mean_cosine == pytest.approx(0.0)


def one_cell(**changes):
    """The smallest grid there is."""
    parts = {
        "prototypes": np.eye(1, 4),
        "centers": np.zeros((1, 2)),
        "counts": np.ones(1),
        "n_subjects": np.ones(1),
        "filled": np.zeros(1),
        "edges": np.array([-1.0, 1.0]),
        "provenance": {},
    }
    return PrototypeGrid(**(parts | changes))


def test_one_cell_is_a_grid():
    assert (one_cell().size, one_cell().dim) == (1, 4)
    assert one_cell(counts=np.array([3.0])).counts.tolist() == [3]


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"edges": np.zeros(0)}, r"edges: have the shape \(0,\)"),
        ({"edges": np.zeros(1)}, r"edges: have the shape \(1,\)"),
        ({"edges": np.array(1.0)}, r"edges: have the shape \(\)"),
        ({"edges": np.array([[-1.0, 1.0]])}, r"edges: have the shape \(1, 2\)"),
        ({"edges": np.array([-1.0, np.inf]), "centers": np.full((1, 2), np.inf)}, "edges"),
        ({"edges": np.array(["left", "right"])}, "edges: holds <U5"),
        ({"prototypes": np.eye(1, 4) + 1j}, "prototypes: holds complex128"),
        ({"prototypes": [[1.0, 0.0], [0.0]]}, "prototypes: is no array"),
        ({"centers": np.zeros((1, 2), complex)}, "centers: holds complex128"),
        ({"counts": np.array([0.5])}, r"counts: hold 0\.5, which is no int64"),
        ({"counts": np.array([np.nan])}, "counts: hold nan"),
        ({"n_subjects": np.array([1.5])}, r"n_subjects: hold 1\.5"),
        ({"filled": np.array([0.5])}, r"filled: hold 0\.5, which is no bool"),
        ({"filled": np.array(0.5)}, r"filled: hold 0\.5"),
    ],
)
def test_parts_of_another_kind_are_refused(changes, match):
    with pytest.raises(InputError, match=match):
        one_cell(**changes)


def test_a_saved_part_of_another_kind_names_the_file(tmp_path):
    arrays = arrays_of(example_grid(), tmp_path)
    np.savez(tmp_path / "odd.npz", **(arrays | {"counts": arrays["counts"] + 0.5}))
    with pytest.raises(InputError, match=r"odd\.npz: counts: hold"):
        PrototypeGrid.load(tmp_path / "odd.npz")
