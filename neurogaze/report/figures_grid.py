"""The prototype grid as a picture: windows behind each cell, and how alike prototypes are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from neurogaze.report import drawing
from neurogaze.report.tables import fixed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

    from neurogaze.prototypes.grid import PrototypeGrid
    from neurogaze.prototypes.stability import Stability

Floats = NDArray[np.float64]

NORMAL, SMALL = 8.5, 6.8
"""Sizes of the text in a cell, points."""

ROOMY = 5
"""Cells on one axis up to which an interval fits into a cell."""


def grid_figure(grid: PrototypeGrid) -> bytes:
    """Counts on the valence/arousal plane beside the Gram matrix of the prototypes, as PNG.

    Cells that were empty and filled from their neighbours are grey and hatched.

    Args:
        grid: with unit rows, so that the Gram matrix holds cosines.
    """
    with drawing.styled(10.2, 4.9) as figure:
        plane, gram = figure.subplots(1, 2)
        _draw_counts(plane, grid)
        image = _draw_gram(gram, grid)
        bar = figure.colorbar(image, ax=gram, shrink=0.82, pad=0.02, ticks=[-1, -0.5, 0, 0.5, 1])
        bar.outline.set_visible(False)  # type: ignore[operator]
        bar.ax.tick_params(length=0)
        note = (
            f"effective rank {grid.gram_rank:.2f} of {len(grid.counts)}"
            f"   ·   mean off-diagonal cosine {grid.mean_cosine:.2f}"
            f"   ·   grid {grid.sha256[:16]}"
        )
        figure.supxlabel(note, fontsize=9, color=drawing.SOFT)
        return drawing.png(figure)


def atlas_figure(grid: PrototypeGrid, stability: Stability) -> bytes:
    """How far to trust each cell: neighbours, other people, and spread, on the plane, as PNG.

    Args:
        grid: the grid.
        stability: the same under resampling of people.
    """
    spread = grid.provenance.get("spread") or [None] * len(grid.counts)
    alone = np.array([np.nan if value is None else value for value in spread], np.float64)
    with drawing.styled(12.0, 4.6) as figure:
        near, drawn, apart = figure.subplots(1, 3, sharey=True)
        cosine = neighbour_cosine(grid)
        _draw_plane(near, grid, cosine, "RdBu_r", (-1.0, 1.0), [_two(v) for v in cosine])
        near.set_title("Cosine with neighbouring cells")
        _draw_plane(
            drawn,
            grid,
            stability.cosine,
            "Blues",
            (0.0, 1.0),
            interval_texts(stability, grid.size),
            SMALL,
        )
        drawn.set_title("Cosine when people are drawn again")
        _draw_plane(apart, grid, alone, "Oranges", (0.0, 1.0), [_two(v) for v in alone])
        apart.set_title("Cosine distance of members")
        near.set_ylabel("arousal")
        return drawing.png(figure)


def neighbour_cosine(grid: PrototypeGrid) -> Floats:
    """Mean cosine of each cell with the cells beside, above and below it, `[K]`.

    Filled cells are no evidence: they count for nothing and are NaN, as are cells without a
    neighbour that was observed.
    """
    rows, size = np.asarray(grid.prototypes, np.float64), grid.size
    bins = np.stack(np.divmod(np.arange(size**2), size), axis=1)
    beside = np.abs(bins[:, None] - bins[None]).sum(axis=2) == 1
    pairs = beside & ~grid.filled[:, None] & ~grid.filled[None]
    count = pairs.sum(axis=1)
    total = np.where(pairs, rows @ rows.T, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def interval_texts(stability: Stability, size: int) -> list[str]:
    """Value for each cell, over its interval where there is room for it.

    What one person alone cannot tell is said.
    """
    ends = zip(stability.low, stability.high, strict=True)
    below = [f"\n[{_two(low)}, {_two(high)}]" if size <= ROOMY else "" for low, high in ends]
    each = zip(stability.cosine, below, strict=True)
    return [_two(mean) + end if np.isfinite(mean) else "one\nperson" for mean, end in each]


def _two(value: float) -> str:
    """A cosine on a small cell."""
    return fixed(value, 2).replace("-", "−") if np.isfinite(value) else "–"


def _draw_plane(
    axes: Axes,
    grid: PrototypeGrid,
    values: Floats,
    colours: str,
    limits: tuple[float, float],
    texts: Sequence[str],
    font: float = NORMAL,
) -> None:
    """Cells coloured by value with a text in each; those that were empty are grey and hatched."""
    from matplotlib import colormaps
    from matplotlib.colors import to_rgba
    from matplotlib.patches import Rectangle

    edges, size = grid.edges.tolist(), grid.size
    font = min(font, NORMAL * ROOMY / size)
    for cell, (row, column) in enumerate(np.ndindex(size, size)):
        corner, width = (edges[column], edges[row]), edges[column + 1] - edges[column]
        if grid.filled[cell]:
            colour, ink, text = to_rgba(drawing.EMPTY), drawing.INK, "empty"
        else:
            level = (values[cell] - limits[0]) / (limits[1] - limits[0])
            known = bool(np.isfinite(level))
            colour = to_rgba(colormaps[colours](level) if known else drawing.EMPTY)
            ink, text = drawing.ink_over(colour), texts[cell]
        hatch = "///" if grid.filled[cell] else None
        box = drawing.EMPTY_BOX if hatch else None
        patch = Rectangle(corner, width, width, facecolor=colour, linewidth=0, hatch=hatch)
        axes.add_patch(patch)
        middle = (corner[0] + width / 2, corner[1] + width / 2)
        axes.text(*middle, text, ha="center", va="center", color=ink, fontsize=font, bbox=box)
    _frame_plane(axes, edges)


def _frame_plane(axes: Axes, edges: Sequence[float]) -> None:
    """White lines between cells, edges as ticks, arousal upwards."""
    for edge in edges[1:-1]:
        axes.axhline(edge, color="white", linewidth=2)
        axes.axvline(edge, color="white", linewidth=2)
    names = [drawing.signed(edge) for edge in edges]
    axes.set(xlim=(edges[0], edges[-1]), ylim=(edges[0], edges[-1]), aspect="equal")
    axes.set_xticks(edges, names)
    axes.set_yticks(edges, names)
    axes.set_xlabel("valence")
    axes.tick_params(pad=6, labelsize=_tick_size(len(edges) - 1))
    drawing.bare(axes)


def _tick_size(size: int) -> float:
    """Points of the labels at cells; more cells leave less room."""
    return min(NORMAL, 1.3 * NORMAL * ROOMY / size)


def _draw_counts(axes: Axes, grid: PrototypeGrid) -> None:
    """Counts of windows and people on the plane, arousal upwards."""
    share = 0.08 + 0.85 * np.sqrt(grid.counts / max(int(grid.counts.max()), 1))
    each = zip(grid.counts.tolist(), grid.n_subjects.tolist(), strict=True)
    texts = [f"{count:,}" + _of_people(people) for count, people in each]
    _draw_plane(axes, grid, share, "Blues", (0.0, 1.0), texts)
    axes.set_ylabel("arousal")
    axes.set_title("Windows behind each prototype")


def _of_people(people: int) -> str:
    """Second line of a cell; nothing where the grid does not say."""
    return f"\n{people} {'person' if people == 1 else 'people'}" if people else ""


def _draw_gram(axes: Axes, grid: PrototypeGrid) -> AxesImage:
    """Cosine of every pair of prototypes, cells in order of arousal, then valence."""
    prototypes = np.asarray(grid.prototypes, np.float64)
    size = len(grid.edges) - 1
    image = axes.imshow(prototypes @ prototypes.T, cmap="RdBu_r", vmin=-1, vmax=1, origin="lower")
    for line in np.arange(size, len(prototypes), size) - 0.5:
        axes.axhline(line, color="white", linewidth=1.2)
        axes.axvline(line, color="white", linewidth=1.2)
    middles = np.arange(size) * size + (size - 1) / 2
    names = [drawing.signed(value) for value in grid.centers[:size, 0]]
    axes.set_xticks(middles, names)
    axes.set_yticks(middles, names)
    axes.set_title("Cosine between prototypes")
    axes.set_xlabel("arousal of the cell; within a block by valence")
    axes.tick_params(labelsize=_tick_size(size))
    drawing.bare(axes)
    return image
