"""Attention between electrodes: lines on a head, and the whole matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neurogaze.report import drawing
from neurogaze.report.figures_eeg import head_positions, slim_bar

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

Floats = NDArray[np.float64]

HEAD = 1.0
"""Radius of the head circle; electrodes at 90 degrees from the vertex lie on it."""

EVEN = 1e-6
"""Rounding error of even attention."""

MOST_LINES = 30
LEAST_REACH = 0.25
"""Colours and lines reach at least so far from even attention: what is nearly even looks so."""
NAMED = 40
"""Electrodes up to which each is named; more would hide one another."""


def attention_figure(attention: NDArray[np.floating], channels: tuple[str, ...]) -> bytes:
    """Attention between electrodes on a head seen from above, and as a matrix, as PNG.

    Args:
        attention: `[C, C]`, how much the electrode of the row takes from that of the column; rows
            sum to 1.
        channels: names.
    """
    ratio = np.asarray(attention, np.float64) * len(channels)
    reach = max(float(np.abs(ratio - 1.0).max()), LEAST_REACH)
    with drawing.styled(11.6, 5.2) as figure:
        head, matrix = figure.subplots(1, 2)
        _draw_head(head, ratio, channels, reach)
        ticks = (max(1.0 - reach, 0.0), 1.0, 1.0 + reach)
        image = _draw_matrix(matrix, ratio, channels, ticks)
        slim_bar(figure, image, [matrix], "right", ticks, form=".2f")
        note = f"mean over windows, heads, layers and folds   ·   even: 1 / {len(channels)}"
        figure.supxlabel(note, fontsize=9, color=drawing.SOFT)
        return drawing.png(figure)


def strongest_pairs(ratio: Floats, most: int = MOST_LINES) -> list[tuple[int, int, float]]:
    """Pairs of electrodes above even attention, weakest first: both ends and their mean ratio.

    Args:
        ratio: `[C, C]`, attention as a multiple of even attention; the two directions of a pair are
            averaged.
        most: pairs that are kept.

    >>> strongest_pairs(np.array([[0.5, 2.0, 0.5], [1.5, 0.5, 1.0], [1.0, 0.5, 1.5]]))
    [(0, 1, 1.75)]
    """
    mean = (ratio + ratio.T) / 2
    first, second = np.triu_indices(len(mean), k=1)
    pairs = zip(first.tolist(), second.tolist(), mean[first, second].tolist(), strict=True)
    return sorted((pair for pair in pairs if pair[2] > 1.0 + EVEN), key=lambda pair: pair[2])[
        -most:
    ]


def _draw_head(axes: Axes, ratio: Floats, channels: tuple[str, ...], reach: float) -> None:
    """Lines between electrodes; a dot is as large as the attention that others pay to it."""
    from matplotlib import colormaps

    places, kept = head_positions(channels)
    inner = ratio[np.ix_(kept, kept)]
    pairs = strongest_pairs(inner)
    for start, end, times in pairs:
        level = min((times - 1.0) / reach, 1.0)
        line = places[[start, end]]
        colour = colormaps["Reds"](0.2 + 0.7 * level)
        axes.plot(line[:, 0], line[:, 1], color=colour, linewidth=0.5 + 4.5 * level, zorder=1)
    paid = (inner.sum(axis=0) - np.diag(inner)) / (len(kept) - 1)
    size = 60 * paid / paid.mean()
    axes.scatter(places[:, 0], places[:, 1], s=size, color=drawing.BLUE, zorder=2, linewidths=0)
    for place, electrode in zip(places, kept, strict=True):
        if len(kept) <= NAMED:
            _name_electrode(axes, place, channels[electrode])
    _outline(axes)
    lines = f"the {len(pairs)} strongest pairs" if pairs else "no pair above even attention"
    axes.set_title(f"Seen from above: {lines}")


def _name_electrode(axes: Axes, place: Floats, name: str) -> None:
    """The name on the far side of the electrode, seen from the middle."""
    length = float(np.linalg.norm(place))
    away = place / length if length > 1e-3 else np.array([0.0, 1.0])
    x, y = (place + 0.11 * away).tolist()
    box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.8}
    axes.text(x, y, name, ha="center", va="center", fontsize=8, zorder=3, bbox=box)


def _outline(axes: Axes) -> None:
    """Head, nose and ears."""
    from matplotlib.patches import Circle, Ellipse

    style: dict[str, Any] = {
        "fill": False,
        "edgecolor": drawing.FAINT,
        "linewidth": 1.2,
        "zorder": 0,
    }
    axes.add_patch(Circle((0, 0), HEAD, **style))
    for side in (-1, 1):
        axes.add_patch(Ellipse((side * (HEAD + 0.05), 0), 0.1, 0.34, **style))
    axes.plot([-0.12, 0, 0.12], [0.993, 1.12, 0.993], color=drawing.FAINT, linewidth=1.2, zorder=0)
    axes.set(xlim=(-1.3, 1.3), ylim=(-1.25, 1.25), aspect="equal", xticks=[], yticks=[])
    drawing.bare(axes)


def _draw_matrix(
    axes: Axes, ratio: Floats, channels: tuple[str, ...], ticks: tuple[float, float, float]
) -> AxesImage:
    """Every pair of electrodes."""
    from matplotlib.colors import TwoSlopeNorm

    image = axes.imshow(ratio, cmap="RdBu_r", norm=TwoSlopeNorm(ticks[1], ticks[0], ticks[2]))
    size = 8.0 if len(channels) <= NAMED else 5.0
    places = range(len(channels))
    axes.set_xticks(places, channels, rotation=90, fontsize=size)
    axes.set_yticks(places, channels, fontsize=size)
    axes.set(xlabel="takes from", ylabel="electrode")
    axes.set_title("Attention as a multiple of even attention")
    drawing.bare(axes)
    return image
