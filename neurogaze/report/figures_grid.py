"""The prototype grid as a picture: windows behind each cell, and how alike prototypes are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neurogaze.report import drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

    from neurogaze.prototypes.grid import PrototypeGrid

FILLED_COLOUR = "#eceff2"


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
        figure.supxlabel(note, fontsize=9, color="#52606d")
        return drawing.png(figure)


def _draw_counts(axes: Axes, grid: PrototypeGrid) -> None:
    """Counts of windows and people on the plane, arousal upwards."""
    from matplotlib import colormaps
    from matplotlib.patches import Rectangle

    edges, top = grid.edges, max(int(grid.counts.max()), 1)
    size = len(edges) - 1
    for cell, (count, people) in enumerate(zip(grid.counts, grid.n_subjects, strict=True)):
        row, column = divmod(cell, size)
        width, height = edges[column + 1] - edges[column], edges[row + 1] - edges[row]
        corner, empty = (edges[column], edges[row]), bool(grid.filled[cell])
        level = 0.08 + 0.85 * np.sqrt(count / top)
        colour = FILLED_COLOUR if empty else colormaps["Blues"](level)
        patch = Rectangle(corner, width, height, facecolor=colour, edgecolor="white", linewidth=2)
        axes.add_patch(patch)
        if empty:
            axes.add_patch(Rectangle(corner, width, height, fill=False, hatch="///", linewidth=0))
        middle = (corner[0] + width / 2, corner[1] + height / 2)
        ink = drawing.INK if empty else drawing.ink_on(level)
        text = f"{count:,}\nfilled" if empty else f"{count:,}" + _of_people(int(people))
        box = {"facecolor": FILLED_COLOUR, "edgecolor": "none", "pad": 1.5} if empty else None
        axes.text(*middle, text, ha="center", va="center", color=ink, fontsize=8.5, bbox=box)
    axes.set(xlim=(edges[0], edges[-1]), ylim=(edges[0], edges[-1]), aspect="equal")
    axes.set(xticks=edges, yticks=edges, xlabel="valence", ylabel="arousal")
    axes.set_title("Windows behind each prototype")
    axes.tick_params(pad=6)
    drawing.bare(axes)


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
    names = [
        f"A {value:+.1f}".replace("-", "−") for value in (grid.edges[:-1] + grid.edges[1:]) / 2
    ]
    axes.set_xticks(middles, names)
    axes.set_yticks(middles, names)
    axes.set_title("Cosine between prototypes")
    axes.set_xlabel("cell: by arousal, then valence")
    drawing.bare(axes)
    return image
