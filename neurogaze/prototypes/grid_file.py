"""What a grid file may hold: our fields, or the published form with prototypes and centres only."""

from __future__ import annotations

import json
import math
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from einops import rearrange, reduce

from neurogaze.affect import grid_edges
from neurogaze.artefacts import file_hash
from neurogaze.errors import InputError
from neurogaze.prototypes.vectors import REBUILD, cell_centers, unit_rows

PUBLISHED_FIELDS = {"prototypes", "centers"}
CENTER_TOLERANCE = 1e-3

REAL_KINDS = "biuf"
"""Kinds of dtype whose values are real numbers: no text, complex numbers, dates or objects."""

UNREADABLE = (ValueError, OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)
"""What reading raises for a damaged archive; a `RuntimeError` where a damaged byte asks for a
password, or for a compression that Python has not."""


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Arrays of an `.npz`, without unpickling anything.

    Raises:
        InputError: for a file that is missing, is no archive, is damaged or holds Python objects.
    """
    if not path.is_file():
        raise InputError(path, "no such file", "give the path of a grid .npz")
    if not zipfile.is_zipfile(path):
        raise InputError(path, "is no .npz archive", "give the path of a grid .npz")
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: np.asarray(archive[name]) for name in archive.files}
    except UNREADABLE as error:
        raise InputError(
            path, f"cannot be read without running code from it ({error})", REBUILD
        ) from error


def complete_published(path: Path, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Complete a file that has prototypes and centres only, such as the one of arXiv:2509.11916.

    Rows are put in cell order by their centres; nothing is known of counts, which become 0.

    Args:
        path: the file, for its name and hash.
        arrays: `prototypes [..., D]` and `centers [..., 2]`.

    Raises:
        InputError: for arrays without axes or of no real numbers, or centres that are no regular
            square grid over [-1, 1].
    """
    for name in sorted(PUBLISHED_FIELDS):
        array = arrays[name]
        if array.ndim == 0 or array.dtype.kind not in REAL_KINDS:
            found = f"{name} is an array of {array.dtype} with the shape {array.shape}"
            raise InputError(path, found, "give [..., D] prototypes and [..., 2] centers")
    prototypes = rearrange(arrays["prototypes"], "... d -> (...) d")
    centers = rearrange(arrays["centers"], "... va -> (...) va").astype(np.float64)
    cells, edges = len(prototypes), grid_edges(max(math.isqrt(len(prototypes)), 1))
    ours = cell_centers(edges)
    if centers.shape != ours.shape or len(ours) != cells:
        raise InputError(path, f"{cells} prototypes, centers {centers.shape}", "give a square grid")
    gap = reduce(np.square(ours[:, None] - centers[None]), "a b va -> a b", "sum")
    order = gap.argmin(1)
    near = gap.min(1) <= CENTER_TOLERANCE**2  # a centre that is NaN is near to nothing
    if not near.all() or len(set(order.tolist())) != cells:
        raise InputError(path, "centers are no regular grid over [-1, 1]", "give a square grid")
    provenance = {"kind": "imported", "file": path.name, "file_sha256": file_hash(path)}
    return {
        "prototypes": unit_rows(prototypes[order], str(path)).astype(np.float32),
        "centers": ours,
        "counts": np.zeros(cells, np.int64),
        "n_subjects": np.zeros(cells, np.int64),
        "filled": np.zeros(cells, np.bool_),
        "edges": edges,
        "provenance": np.array(json.dumps(provenance, sort_keys=True)),
    }
