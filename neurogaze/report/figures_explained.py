"""What teachers look at, and the recordings behind a prototype, over the scalp."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from einops import rearrange
from numpy.typing import NDArray

from neurogaze.evaluation.metrics import VA_AXES
from neurogaze.report import drawing
from neurogaze.report.figures_eeg import draw_map, electrodes, slim_bar, with_middle

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from neurogaze.prototypes.grid import PrototypeGrid
    from neurogaze.report.grid_inputs import Explained

Floats = NDArray[np.float64]

ROBUST = 0.98
"""Quantile of absolute values that the colours of the cells' maps reach to."""


def saliency_figure(explained: Explained) -> bytes:
    """Mean |gradient x input| over the scalp, one row for valence and for arousal, as PNG.

    The bands of a row share one scale from 0, so that they can be compared.

    Args:
        explained: what the teachers look at.
    """
    n_bands = len(explained.bands)
    values = explained.saliency.astype(np.float64)
    info, kept = electrodes(explained.channels)
    with drawing.styled(1.9 * n_bands + 1.9, 4.7) as figure:
        rows = figure.subplots(2, n_bands, squeeze=False)
        for own, row, name in zip(values, rows, VA_AXES, strict=True):
            limits = (0.0, float(own.max()))
            for column, axes in zip(own[kept].T, row, strict=True):
                image = draw_map(axes, column, info, "YlOrRd", limits)
            slim_bar(figure, image, list(row), "right", with_middle(limits))
            row[0].set_ylabel(name, rotation=0, ha="right", va="center", labelpad=6)
        for axes, band in zip(rows[0], explained.bands, strict=True):
            axes.set_title(band, loc="center")
        figure.supxlabel("mean |gradient × input|, rating units", fontsize=9, color=drawing.SOFT)
        return drawing.png(figure)


def principal_contrast(
    cells: NDArray[np.floating], counts: NDArray[np.int64]
) -> tuple[Floats, Floats, float]:
    """The mix of bands in which the maps of cells differ most.

    Args:
        cells: mean standardised features of the cells, `[cells, C, K]`; NaN in empty cells.
        counts: windows behind each cell.

    Returns:
        Weights of the bands, `[K]`, of length 1 and with a sum that is not negative; the maps of
        the cells, `[cells, C]`, after the mean over all windows was taken away; and the share of
        the variance between cells that the mix holds.
    """
    weight = np.where(np.isfinite(cells).all(axis=(1, 2)), counts, 0).astype(np.float64)
    values = np.nan_to_num(np.asarray(cells, np.float64))
    mean = np.tensordot(weight, values, axes=1) / weight.sum()
    centred = values - mean
    table = rearrange(centred * np.sqrt(weight)[:, None, None], "cell c k -> (cell c) k")
    _, strength, mixes = np.linalg.svd(table, full_matrices=False)
    mix = mixes[0] * (1.0 if mixes[0].sum() >= 0 else -1.0)
    maps = np.where((weight > 0)[:, None], centred @ mix, np.nan)
    total = float(np.square(strength).sum())
    return mix, maps, float(np.square(strength[0])) / total if total > 0 else 0.0


def mix_name(weights: Floats, bands: Sequence[str]) -> str:
    """A mix of bands in words.

    >>> mix_name(np.array([0.6, -0.8]), ("theta", "alpha"))
    '0.60 theta − 0.80 alpha'
    """
    signs = ["−" if weight < 0 else "+" for weight in weights]
    parts = [f"{s} {abs(w):.2f} {b}" for s, w, b in zip(signs, weights, bands, strict=True)]
    return " ".join(parts).removeprefix("+ ")


def cell_maps_figure(explained: Explained, grid: PrototypeGrid) -> bytes:
    """One small scalp map for each cell of the grid, at its place on the plane, as PNG.

    Shown is the mean of the members of a cell minus the mean of all windows, in deviations of the
    training fold, in the mix of bands in which cells differ most. Empty cells are hatched.

    Args:
        explained: holds the features of the cells.
        grid: the grid of these cells.
    """
    mix, maps, share = principal_contrast(explained.cell_features, grid.counts)
    limit = float(np.quantile(np.abs(maps[np.isfinite(maps)]), ROBUST)) or 1.0
    info, kept = electrodes(explained.channels)
    with drawing.styled(1.12 * grid.size + 2.1, 1.18 * grid.size + 1.2) as figure:
        panels = figure.subplots(grid.size, grid.size, squeeze=False)
        for cell, (row, column) in enumerate(np.ndindex(grid.size, grid.size)):
            axes = panels[grid.size - 1 - row, column]
            if grid.filled[cell] or not np.isfinite(maps[cell]).all():
                _draw_empty(axes)
                continue
            image = draw_map(axes, maps[cell, kept], info, "RdBu_r", (-limit, limit), fine=False)
            axes.set_title(f"n = {grid.counts[cell]:,}", loc="center", fontsize=7.5, pad=2)
        _name_cells(figure, panels, grid)
        ticks = (-limit, 0.0, limit)
        slim_bar(figure, image, panels.ravel().tolist(), "right", ticks, extend="both", aspect=36)
        title = f"{mix_name(mix, explained.bands)} ({100 * share:.0f} % of the variance)"
        figure.suptitle(title, fontsize=9.5)
        return drawing.png(figure)


def _draw_empty(axes: Axes) -> None:
    """A cell without any recording."""
    from matplotlib.patches import Rectangle

    axes.set(xlim=(0, 1), ylim=(0, 1), xticks=[], yticks=[], aspect="equal")
    axes.add_patch(Rectangle((0.1, 0.1), 0.8, 0.8, facecolor=drawing.EMPTY, hatch="///", ec="none"))
    axes.text(0.5, 0.5, "empty", ha="center", va="center", fontsize=7.5, bbox=drawing.EMPTY_BOX)
    drawing.bare(axes)


def _name_cells(figure: Figure, panels: NDArray[Any], grid: PrototypeGrid) -> None:
    """Valence under the columns and arousal beside the rows."""
    middles = [drawing.signed(value) for value in grid.centers[: grid.size, 0]]
    for axes, name in zip(panels[-1], middles, strict=True):
        axes.set_xlabel(name, fontsize=8.5)
    for axes, name in zip(panels[::-1, 0], middles, strict=True):
        axes.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=8.5)
    figure.supxlabel("valence", fontsize=9.5)
    figure.supylabel("arousal", fontsize=9.5)
