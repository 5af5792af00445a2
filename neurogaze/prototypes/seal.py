"""Hashes by which a student's checkpoint holds on to its grid.

A checkpoint keeps prototypes, centres and history of the grid, but not its counts, which the hash
of the whole grid covers as well: that hash cannot be made again from a checkpoint. So it is bound
to what the checkpoint does keep.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurogaze.artefacts import arrays_hash, settings_hash


def prototypes_hash(prototypes: NDArray[np.floating]) -> str:
    """SHA-256 of prototypes in float32, `[K, D]`; "" where there is none."""
    rows = np.asarray(prototypes, dtype=np.float32)
    return arrays_hash({"prototypes": rows}) if len(rows) else ""


def grid_seal(
    sha256: str,
    prototypes: NDArray[np.floating],
    centers: NDArray[np.floating],
    provenance: Mapping[str, Any],
) -> str:
    """One hash over all that a checkpoint says of its grid; editing one part alone breaks it.

    Args:
        sha256: content hash of the whole grid.
        prototypes: `[K, D]`.
        centers: of the cells, `[K, 2]`, taken in float32.
        provenance: of the grid.
    """
    places = arrays_hash({"centers": np.asarray(centers, dtype=np.float32)})
    parts = {"grid": sha256, "prototypes": prototypes_hash(prototypes), "centers": places}
    return settings_hash(parts | {"provenance": provenance})
