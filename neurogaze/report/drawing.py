"""One style for every figure, and PNG bytes that depend on nothing but the data."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from neurogaze.affect import EMOTIONS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 130
PAD = 0.09
"""Inches around every part of a figure."""
INK = "#1f2933"
FAINT = "#9aa5b1"
SOFT = "#52606d"
EMPTY = "#eceff2"
"""Of a cell that holds no data; it is hatched besides."""
EMPTY_BOX = {"facecolor": EMPTY, "edgecolor": "none", "pad": 1.5}
"""Behind text on hatching."""
BLUE, ORANGE, GREEN, RED = "#0072b2", "#e69f00", "#009e73", "#d55e00"
SERIES = (BLUE, RED, GREEN, "#cc79a7", ORANGE, "#56b4e9", "#5b6672", "#8c6d00")
"""Line colours that people with colour blindness can tell apart, after Okabe and Ito (2008)."""

EMOTION_COLOURS = dict(
    zip(
        EMOTIONS,
        ("#8d99a6", ORANGE, "#f0e442", BLUE, RED, GREEN, "#cc79a7", "#56b4e9"),
        strict=True,
    )
)
EMOTION_MARKERS = dict(zip(EMOTIONS, "osD^vPXh", strict=True))

STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.titlepad": 8.0,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "hatch.linewidth": 0.6,
    "hatch.color": FAINT,
    "figure.facecolor": "white",
    "axes.facecolor": "white",
}


@contextmanager
def styled(width: float, height: float) -> Iterator[Figure]:
    """Yield an empty figure in our style, whatever style the reader has set up.

    It belongs to no window system, so nothing needs to be closed.

    Args:
        width: inches.
        height: inches.
    """
    from matplotlib import style
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with style.context(["default", STYLE]):
        figure = Figure(figsize=(width, height))
        figure.set_layout_engine("constrained", w_pad=PAD, h_pad=PAD)
        FigureCanvasAgg(figure)
        yield figure


def png(figure: Figure) -> bytes:
    """The figure as PNG bytes without a date or version in them. Call inside `styled`."""
    stream = io.BytesIO()
    figure.set_dpi(DPI)
    layout = figure.get_layout_engine()
    if layout is not None:  # `savefig` would draw everything once more to lay it out
        layout.execute(figure)
        figure.set_layout_engine("none")
    figure.savefig(stream, format="png", dpi=DPI, metadata={"Software": None})
    return stream.getvalue()


def bare(axes: Axes) -> None:
    """Take away spines and tick marks, as around a matrix."""
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0)


def ink_on(level: float) -> str:
    """Text colour that can be read on a sequential colour map at `level` in [0, 1]."""
    return "white" if level > 0.55 else INK


def ink_over(colour: tuple[float, float, float, float]) -> str:
    """Text colour that can be read on any colour, by its luma (ITU-R BT.601)."""
    luma = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
    return "white" if luma < 0.5 else INK


def signed(value: float) -> str:
    """A coordinate of the valence/arousal plane.

    >>> signed(-0.4), signed(0.0)
    ('−0.4', '0')
    """
    return f"{value:+.2g}".replace("-", "−") if abs(value) > 1e-9 else "0"
