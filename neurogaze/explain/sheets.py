"""Explanations as pictures: faces under their maps, and the valence/arousal plane."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neurogaze.affect import EMOTIONS, anchors

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, SOFT, RED = "#1f2933", "#52606d", "#d55e00"
CELL = 1.25
"""Inches of one face."""
DPI = 130
HEAT, BOTH_WAYS = "inferno", "RdBu_r"
OVERLAY = 0.5
"""Opacity of a map over its face."""


def figure_png(figure: Figure) -> bytes:
    """The figure as PNG bytes without a date or version in them."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=DPI, metadata={"Software": None})
    return stream.getvalue()


def _figure(width: float, height: float, heading: str, stamp: str) -> Figure:
    """An empty figure that belongs to no window system, under its heading and stamp."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    figure.suptitle(f"{heading}\n{stamp.upper()}" if stamp else heading, fontsize=10, color=INK)
    return figure


def _picture(axes: Axes, title: str = "") -> Axes:
    """Axes without ticks or frame, a title of two lines at most."""
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_title(title, fontsize=6.5, color=SOFT, pad=3)
    return axes


def gradcam_sheet(
    faces: NDArray[np.uint8],
    maps: NDArray[np.floating],
    titles: Sequence[str],
    heading: str,
    stamp: str = "",
) -> Figure:
    """Faces above, the same under their maps below.

    Args:
        faces: `uint8 [N, H, W]`, at least one.
        maps: `[N, H, W]` in 0..1.
        titles: of each face.
        heading: of the sheet.
        stamp: what must stand on it, such as that the student is meaningless on people.
    """
    figure = _figure(CELL * max(len(faces), 3), 2 * CELL + 0.7, heading, stamp)
    axes = figure.subplots(2, len(faces), squeeze=False)
    for column, (face, found, title) in enumerate(zip(faces, maps, titles, strict=True)):
        _picture(axes[0, column], title).imshow(face, cmap="gray", vmin=0, vmax=255)
        below = _picture(axes[1, column])
        below.imshow(face, cmap="gray", vmin=0, vmax=255)
        below.imshow(found, cmap=HEAT, vmin=0, vmax=1, alpha=OVERLAY)
    return figure


def occlusion_sheet(
    faces: NDArray[np.uint8],
    maps: NDArray[np.floating],
    titles: Sequence[str],
    heading: str,
    stamp: str = "",
) -> Figure:
    """Faces above, below them what covering each place costs, on one scale with a colour bar.

    Args:
        faces: `uint8 [N, H, W]`, at least one.
        maps: loss of probability, `[N, H, W]`; red where the class needs the place.
        titles: of each face.
        heading: of the sheet.
        stamp: what must stand on it.
    """
    figure = _figure(CELL * max(len(faces), 3) + 0.6, 2 * CELL + 0.7, heading, stamp)
    axes = figure.subplots(2, len(faces), squeeze=False)
    limit = max(float(np.abs(maps).max()), 1e-6)
    image: Any = None
    for column, (face, found, title) in enumerate(zip(faces, maps, titles, strict=True)):
        _picture(axes[0, column], title).imshow(face, cmap="gray", vmin=0, vmax=255)
        below = _picture(axes[1, column])
        image = below.imshow(found, cmap=BOTH_WAYS, vmin=-limit, vmax=limit)
    bar = figure.colorbar(image, ax=axes[1, :].tolist(), shrink=0.8)
    bar.set_label("probability lost", fontsize=7)
    bar.ax.tick_params(labelsize=6.5)
    return figure


def plane_figure(
    centers: NDArray[np.floating],
    shares: NDArray[np.floating],
    heading: str,
    points: NDArray[np.floating] | None = None,
    labels: NDArray[np.integer] | None = None,
    stamp: str = "",
) -> Figure:
    """The valence/arousal plane: how often each prototype is nearest, and read-outs if shown.

    Args:
        centers: valence and arousal of the cells, `[K, 2]`, a square grid in cell order.
        shares: of the faces that lie nearest to each prototype, `[K]`.
        heading: of the picture.
        points: read-out of faces, `[N, 2]`; None where it is not shown.
        labels: class of each point, `[N]`.
        stamp: what must stand on it.
    """
    size = round(len(centers) ** 0.5)
    figure = _figure(5.4, 4.8, heading, stamp)
    axes = figure.subplots()
    table = np.asarray(shares, np.float64)[: size * size]
    rows = [table[row * size : (row + 1) * size] for row in range(size)]
    axes.imshow(rows, origin="lower", extent=(-1, 1, -1, 1), cmap="Blues", vmin=0, vmax=1)
    for (valence, arousal), share in zip(centers, shares, strict=True):
        ink = "white" if share > 0.55 else SOFT
        axes.text(valence, arousal, f"{100 * share:.0f} %", ha="center", va="center", color=ink)
    for name, (valence, arousal) in zip(EMOTIONS, anchors(), strict=True):
        axes.plot(valence, arousal, marker="+", color=INK, markersize=7)
        axes.annotate(name, (valence, arousal), (3, 4), textcoords="offset points", fontsize=7)
    if points is not None and labels is not None:
        _draw_points(axes, points, labels)
    axes.set(xlabel="valence (prototype-space)", ylabel="arousal (prototype-space)")
    axes.set(xlim=(-1, 1), ylim=(-1, 1))
    axes.set_title("shade: share of faces nearest to the prototype; +: class anchor", fontsize=7.5)
    return figure


def _draw_points(axes: Axes, points: NDArray[np.floating], labels: NDArray[np.integer]) -> None:
    """Read-outs, a colour for each class."""
    for number, name in enumerate(EMOTIONS):
        own = labels == number
        if own.any():
            colour = f"C{number}"
            axes.scatter(points[own, 0], points[own, 1], s=14, color=colour, label=name, alpha=0.8)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=7, frameon=False)
