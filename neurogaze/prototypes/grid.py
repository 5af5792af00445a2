"""The prototype grid: the one frozen artefact that carries EEG structure to the image students."""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from einops import rearrange, reduce
from numpy.typing import NDArray

from neurogaze.affect import grid_edges
from neurogaze.artefacts import arrays_hash, canonical, file_hash, write_npz
from neurogaze.errors import InputError

DTYPES = {
    "prototypes": np.float32,
    "centers": np.float64,
    "counts": np.int64,
    "n_subjects": np.int64,
    "filled": np.bool_,
    "edges": np.float64,
}
FIELDS = (*DTYPES, "provenance")
PUBLISHED_FIELDS = {"prototypes", "centers"}
UNIT_TOLERANCE = 1e-3
CENTER_TOLERANCE = 1e-6
REBUILD = "build the grid again with `neurogaze consolidate`"


def cell_centers(edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Centres (valence, arousal) of the cells between edges, `[S * S, 2]`, in cell order.

    >>> cell_centers(np.array([-1.0, 0.0, 1.0])).tolist()
    [[-0.5, -0.5], [0.5, -0.5], [-0.5, 0.5], [0.5, 0.5]]
    """
    middle = (edges[:-1] + edges[1:]) / 2.0
    valence, arousal = np.meshgrid(middle, middle)
    return rearrange([valence, arousal], "axis row column -> (row column) axis")


def unit_rows(rows: NDArray[np.floating], where: str) -> NDArray[np.float64]:
    """Rows scaled to length 1.

    Args:
        rows: `[K, D]`.
        where: what to name in an error.

    Raises:
        InputError: for a row of length 0 or with a value that is not finite.
    """
    rows = np.asarray(rows, dtype=np.float64)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    bad = np.flatnonzero(~(length[:, 0] > 1e-9) | ~np.isfinite(length[:, 0]))
    if len(bad):
        raise InputError(where, f"the vectors of cells {bad.tolist()} have no direction", REBUILD)
    return rows / length


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
        InputError: for shapes, rows or centres that do not fit together.
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
            array = np.array(getattr(self, name), dtype=dtype)
            array.flags.writeable = False
            object.__setattr__(self, name, array)
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
        """Effective rank of the Gram matrix: exp of the entropy of its normalised eigenvalues.

        1 when all prototypes coincide, K when they are orthogonal (Roy and Vetterli 2007).
        """
        rows = self.prototypes.astype(np.float64)
        share = np.clip(np.linalg.eigvalsh(rows @ rows.T), 0.0, None)
        share = share[share > 0] / share.sum()
        return float(np.exp(-(share * np.log(share)).sum()))

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
        arrays = _read(Path(path))
        if set(arrays) == PUBLISHED_FIELDS:
            arrays = _published(Path(path), arrays)
        missing = [name for name in FIELDS if name not in arrays]
        if missing:
            raise InputError(path, f"fields {missing} are missing", REBUILD)
        try:
            provenance = json.loads(str(arrays["provenance"]))
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


def mean_cosine(prototypes: NDArray[np.floating]) -> float:
    """Mean cosine between different unit rows, `[K, D]`; 0 for a single row."""
    rows = np.asarray(prototypes, dtype=np.float64)
    n = len(rows)
    if n < 2:
        return 0.0
    total = np.square(rows.sum(0)).sum() - np.square(rows).sum()
    return float(total / (n * (n - 1)))


def _provenance_text(provenance: Mapping[str, Any]) -> str:
    """Provenance as canonical JSON text.

    Raises:
        InputError: for a value that JSON cannot hold.
    """
    try:
        return json.dumps(canonical(provenance), sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(
            "provenance", str(error), "keep to text, finite numbers and lists"
        ) from error


def _check(grid: PrototypeGrid) -> None:
    """Refuse a grid whose parts do not fit."""
    cells = grid.size**2
    shapes = {name: getattr(grid, name).shape for name in DTYPES}
    expected = {"centers": (cells, 2)} | dict.fromkeys(("counts", "n_subjects", "filled"), (cells,))
    wrong = [f"{name} {shapes[name]}" for name, shape in expected.items() if shapes[name] != shape]
    if grid.prototypes.ndim != 2 or len(grid.prototypes) != cells:
        wrong.append(f"prototypes {grid.prototypes.shape}")
    if wrong or grid.edges.ndim != 1 or cells == 0:
        raise InputError("prototype grid", f"{wrong} do not fit {cells} cells", REBUILD)
    if not (np.diff(grid.edges) > 0).all():
        raise InputError("edges", f"{grid.edges.tolist()} do not increase", REBUILD)
    if not np.allclose(grid.centers, cell_centers(grid.edges), rtol=0, atol=CENTER_TOLERANCE):
        raise InputError("centers", "are not the middles of the cells in cell order", REBUILD)
    length = np.linalg.norm(grid.prototypes.astype(np.float64), axis=1)
    off = np.flatnonzero(~(np.abs(length - 1.0) <= UNIT_TOLERANCE))
    if len(off):
        raise InputError("prototypes", f"rows {off.tolist()} do not have length 1", REBUILD)
    if (grid.counts < 0).any() or (grid.n_subjects < 0).any():
        raise InputError("counts", "are negative", REBUILD)


def _read(path: Path) -> dict[str, np.ndarray]:
    """Arrays of an `.npz`, without unpickling anything."""
    if not path.is_file():
        raise InputError(path, "no such file", "give the path of a grid .npz")
    if not zipfile.is_zipfile(path):
        raise InputError(path, "is no .npz archive", "give the path of a grid .npz")
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: np.asarray(archive[name]) for name in archive.files}
    except (ValueError, zipfile.BadZipFile, OSError, EOFError) as error:
        raise InputError(
            path, f"cannot be read without running code from it ({error})", REBUILD
        ) from error


def _published(path: Path, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Complete the published form; rows are put in cell order by their centres."""
    prototypes = rearrange(arrays["prototypes"], "... d -> (...) d")
    centers = rearrange(arrays["centers"], "... axis -> (...) axis").astype(np.float64)
    cells, edges = len(prototypes), grid_edges(max(math.isqrt(len(prototypes)), 1))
    ours = cell_centers(edges)
    if centers.shape != ours.shape or len(ours) != cells:
        raise InputError(path, f"{cells} prototypes, centers {centers.shape}", "give a square grid")
    gap = reduce(np.square(ours[:, None] - centers[None]), "a b axis -> a b", "sum")
    order = gap.argmin(1)
    if gap.min(1).max() > 1e-3**2 or len(set(order.tolist())) != cells:
        raise InputError(path, "centers are no regular grid over [-1, 1]", "give a square grid")
    provenance = {"kind": "imported", "file": path.name, "file_sha256": file_hash(path)}
    return {
        "prototypes": unit_rows(prototypes[order], str(path)).astype(np.float32),
        "centers": ours,
        "counts": np.zeros(cells, np.int64),
        "n_subjects": np.zeros(cells, np.int64),
        "filled": np.zeros(cells, np.bool_),
        "edges": edges,
        "provenance": np.array(_provenance_text(provenance)),
    }
