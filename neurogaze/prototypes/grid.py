"""The prototype grid: the one frozen artefact that carries EEG structure to the image students."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from neurogaze.artefacts import arrays_hash, canonical, write_npz
from neurogaze.errors import InputError
from neurogaze.prototypes.grid_file import (
    PUBLISHED_FIELDS,
    REAL_KINDS,
    complete_published,
    read_arrays,
)
from neurogaze.prototypes.vectors import REBUILD, cell_centers, effective_rank, mean_cosine
from neurogaze.strict_json import parse

DTYPES = {
    "prototypes": np.float32,
    "centers": np.float64,
    "counts": np.int64,
    "n_subjects": np.int64,
    "filled": np.bool_,
    "edges": np.float64,
}
FIELDS = (*DTYPES, "provenance")
UNIT_TOLERANCE = 1e-3
CENTER_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class PrototypeGrid:
    """Unit vectors over the cells of the valence/arousal plane, with what they were made from.

    Arrays are converted to the dtypes below and cannot be written to.

    Args:
        prototypes: float32 `[K, D]`, unit rows; cell `arousal_bin * S + valence_bin`, `K = S * S`.
        centers: float64 `[K, 2]`, valence and arousal of the cells.
        counts: int64 `[K]`, embeddings averaged in each cell.
        n_subjects: int64 `[K]`, people they came from.
        filled: bool `[K]`, True where the cell was empty and was filled from its neighbours.
        edges: float64 `[S + 1]`, edges of the bins, the same on both axes.
        provenance: JSON-able record of corpora, settings and hashes.

    Raises:
        InputError: for parts that are no real numbers, counts that are not whole, or shapes, rows
            or centres that do not fit together.
    """

    prototypes: NDArray[np.float32]
    centers: NDArray[np.float64]
    counts: NDArray[np.int64]
    n_subjects: NDArray[np.int64]
    filled: NDArray[np.bool_]
    edges: NDArray[np.float64]
    provenance: dict[str, Any]

    def __post_init__(self) -> None:
        """Convert, freeze and check."""
        for name, dtype in DTYPES.items():
            object.__setattr__(self, name, _frozen(name, getattr(self, name), dtype))
        object.__setattr__(self, "provenance", json.loads(_provenance_text(self.provenance)))
        _check(self)

    @property
    def size(self) -> int:
        """Cells on one axis, S."""
        return len(self.edges) - 1

    @property
    def dim(self) -> int:
        """Width of a prototype, D."""
        return self.prototypes.shape[1]

    def _arrays(self) -> dict[str, np.ndarray]:
        """Everything the file holds, by name."""
        arrays: dict[str, np.ndarray] = {name: getattr(self, name) for name in DTYPES}
        return arrays | {"provenance": np.array(_provenance_text(self.provenance))}

    @property
    def sha256(self) -> str:
        """SHA-256 of the content, provenance included; no matter how the file was compressed."""
        return arrays_hash(self._arrays())

    @property
    def gram_rank(self) -> float:
        """Effective rank of the Gram matrix, 1 to K."""
        return effective_rank(self.prototypes)

    @property
    def mean_cosine(self) -> float:
        """Mean cosine between different prototypes."""
        return mean_cosine(self.prototypes)

    def save(self, path: Path) -> None:
        """Write the grid to an `.npz` without pickled objects."""
        write_npz(path, self._arrays())

    @classmethod
    def load(cls, path: Path, sha256: str | None = None, dim: int | None = None) -> Self:
        """Read a grid, or the published form with `prototypes` and `centers` only.

        Args:
            path: an `.npz` file.
            sha256: content hash the grid must have; None takes any.
            dim: width the prototypes must have; None takes any.

        Raises:
            InputError: for a missing or unreadable file, pickled objects, missing or inconsistent
                fields, another hash or another width.
        """
        arrays = read_arrays(Path(path))
        if set(arrays) == PUBLISHED_FIELDS:
            arrays = complete_published(Path(path), arrays)
        missing = [name for name in FIELDS if name not in arrays]
        if missing:
            raise InputError(path, f"fields {missing} are missing", REBUILD)
        try:
            provenance = parse(str(arrays["provenance"]))
            grid = cls(**{name: arrays[name] for name in DTYPES}, provenance=provenance)
        except InputError as error:
            raise InputError(path, f"{error.where}: {error.found}", error.remedy) from error
        except ValueError as error:
            raise InputError(path, f"a field cannot be read ({error})", REBUILD) from error
        if sha256 is not None and grid.sha256 != sha256.lower():
            raise InputError(
                path, f"content hash is {grid.sha256}, not {sha256}", "use the pinned grid file"
            )
        if dim is not None and grid.dim != dim:
            raise InputError(
                path, f"prototypes have {grid.dim} values, not {dim}", "match the embedding_dim"
            )
        return grid


def _provenance_text(provenance: Mapping[str, Any]) -> str:
    """Provenance as canonical JSON text.

    Raises:
        InputError: for a value that JSON cannot hold.
    """
    if not isinstance(provenance, Mapping):
        raise InputError("provenance", f"is no record but {provenance!r}", REBUILD)
    try:
        return json.dumps(canonical(provenance), sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(
            "provenance", str(error), "keep to text, finite numbers and lists"
        ) from error


def _frozen(name: str, value: Any, dtype: type[np.generic]) -> np.ndarray:
    """A part of the grid as a copy of its own dtype that cannot be written to.

    Raises:
        InputError: for values that are no real numbers, or that a whole number or bool cannot hold.
    """
    try:
        given = np.asarray(value)
    except ValueError as error:  # rows of different lengths
        raise InputError(name, f"is no array ({error})", REBUILD) from error
    if given.dtype.kind not in REAL_KINDS:
        raise InputError(name, f"holds {given.dtype}, not real numbers", REBUILD)
    with np.errstate(invalid="ignore", over="ignore"):  # told below, or by the checks of the parts
        array: np.ndarray = np.array(given, dtype=dtype)
    if array.dtype.kind != "f" and (array != given).any():
        found = f"hold {given[array != given].flat[0]}, which is no {array.dtype}"
        raise InputError(name, found, REBUILD)
    array.flags.writeable = False
    return array


def _check(grid: PrototypeGrid) -> None:
    """Refuse a grid whose parts do not fit."""
    if grid.edges.ndim != 1 or len(grid.edges) < 2:
        found = f"have the shape {grid.edges.shape}, not [S + 1] with S of 1 or more"
        raise InputError("edges", found, REBUILD)
    cells = grid.size**2
    shapes = {name: getattr(grid, name).shape for name in DTYPES}
    expected = {"centers": (cells, 2)} | dict.fromkeys(("counts", "n_subjects", "filled"), (cells,))
    wrong = [f"{name} {shapes[name]}" for name, shape in expected.items() if shapes[name] != shape]
    if grid.prototypes.ndim != 2 or len(grid.prototypes) != cells:
        wrong.append(f"prototypes {grid.prototypes.shape}")
    if wrong:
        raise InputError("prototype grid", f"{wrong} do not fit {cells} cells", REBUILD)
    if not (np.isfinite(grid.edges).all() and (np.diff(grid.edges) > 0).all()):
        raise InputError("edges", f"{grid.edges.tolist()} do not increase", REBUILD)
    if not np.allclose(grid.centers, cell_centers(grid.edges), rtol=0, atol=CENTER_TOLERANCE):
        raise InputError("centers", "are not the middles of the cells in cell order", REBUILD)
    length = np.linalg.norm(grid.prototypes.astype(np.float64), axis=1)
    off = np.flatnonzero(~(np.abs(length - 1.0) <= UNIT_TOLERANCE))
    if len(off):
        raise InputError("prototypes", f"rows {off.tolist()} do not have length 1", REBUILD)
    if (grid.counts < 0).any() or (grid.n_subjects < 0).any():
        raise InputError("counts", "are negative", REBUILD)
