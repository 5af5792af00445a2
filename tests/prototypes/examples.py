"""A small grid to save, change and control."""

import numpy as np

from neurogaze.affect import grid_centers, grid_edges
from neurogaze.prototypes.grid import PrototypeGrid


def example_grid(size=3, dim=16, seed=0, offset=0.0):
    """Random unit rows; `offset` moves them toward one corner, as a cone."""
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((size**2, dim)) + offset
    counts = rng.integers(0, 5, size**2)
    return PrototypeGrid(
        prototypes=(rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32),
        centers=grid_centers(size),
        counts=counts,
        n_subjects=np.minimum(counts, 2),
        filled=counts == 0,
        edges=grid_edges(size),
        provenance={"kind": "eeg", "corpora": ["toy"], "seed": seed},
    )
