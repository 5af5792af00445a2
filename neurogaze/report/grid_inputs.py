"""What lies beside a grid: how stable it is, what its teachers look at, who is in its cells."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurogaze.errors import InputError
from neurogaze.prototypes.stability import SizeSummary, Stability
from neurogaze.report.reading import REMEDY, read_arrays, read_record, texts


@dataclass(frozen=True, eq=False)
class Explained:
    """What fold teachers look at, mean over folds, on people they held out.

    Args:
        channels: C electrode names.
        bands: K names.
        saliency: `[2, C, K]`, mean |gradient x input| of valence and of arousal.
        cell_features: `[cells, C, K]`, mean standardised feature of the members of each cell of the
            grid; NaN where it has none.
        attention: `[C, C]`, how much the electrode of the row takes from that of the column; None
            for teachers without attention.
    """

    channels: tuple[str, ...]
    bands: tuple[str, ...]
    saliency: NDArray[np.float32]
    cell_features: NDArray[np.float32]
    attention: NDArray[np.float32] | None


@dataclass(frozen=True, eq=False)
class GridStability:
    """A grid under resampling of people.

    Args:
        resamples: how often people were drawn.
        cells: cosine of each cell with that of the grid, and its interval.
        sizes: grids of other sizes from the same embeddings.
    """

    resamples: int
    cells: Stability
    sizes: tuple[SizeSummary, ...]


def read_explained(path: Path) -> Explained:
    """Read `explained.npz`.

    Raises:
        InputError: for arrays that do not belong together.
    """
    needed = ("channels", "bands", "saliency", "cell_features")
    found = read_arrays(path, needed, optional=("attention",))
    channels, bands = texts(found["channels"]), texts(found["bands"])
    saliency, cells, attention = (found.get(k) for k in (*needed[2:], "attention"))
    assert saliency is not None
    assert cells is not None
    shape = (len(channels), len(bands))
    fits = saliency.shape == (2, *shape) and cells.ndim == 3 and cells.shape[1:] == shape
    if attention is not None:
        fits = fits and attention.shape == (shape[0],) * 2 and bool(np.isfinite(attention).all())
    if not fits or not np.isfinite(saliency).all():
        raise InputError(path, f"arrays do not fit {shape} electrodes by bands", REMEDY)
    return Explained(channels, bands, saliency, cells, attention)


def read_stability(path: Path) -> GridStability:
    """Read `stability.json`.

    Raises:
        InputError: for a record that lacks a part, or holds one of another kind.
    """
    record = read_record(path)
    try:
        values = {
            field.name: np.array(
                [np.nan if value is None else value for value in record[field.name]], np.float64
            )
            for field in fields(Stability)
        }
        sizes = tuple(SizeSummary(**row) for row in record["sizes"])
        cells = Stability(**values)
        if {len(value) for value in values.values()} != {int(record["size"]) ** 2}:
            raise ValueError("not one value a cell")
        return GridStability(int(record["resamples"]), cells, sizes)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(path, f"is no record of stability ({error})", REMEDY) from error
