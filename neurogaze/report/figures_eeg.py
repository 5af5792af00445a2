"""EEG as pictures: scalp maps by band, and predicted against rated valence and arousal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neurogaze.errors import InputError
from neurogaze.evaluation.metrics import VA_AXES, concordance
from neurogaze.report import drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

    from neurogaze.report.inputs import Topomaps

MONTAGE = "standard_1005"
NOMINAL_RATE = 128.0
"""Hz. MNE wants a sampling rate for a list of electrodes; nothing drawn depends on it."""


PLACELESS = {"CB1", "CB2"}
"""Cerebellar leads of the cap of SEED: in no template, and left out of pictures."""


def topomap_figure(maps: Topomaps) -> bytes:
    """Scalp maps of differential entropy, one row a group and one column a band, as PNG.

    A row whose values have both signs is a difference: it shares one scale around zero. In the
    other rows each map has a scale of its own, because bands differ far more than electrodes do.

    Args:
        maps: group means.
    """
    n_groups, n_bands = maps.values.shape[0], maps.values.shape[2]
    info, kept = electrodes(maps.channels)
    with drawing.styled(2.1 * n_bands + 1.6, 2.25 * n_groups + 0.5) as figure:
        grid = figure.subplots(n_groups, n_bands, squeeze=False)
        for row, name in enumerate(maps.groups):
            values = maps.values[row, kept].astype(np.float64)
            _draw_row(figure, list(grid[row]), values, info)
            grid[row][0].set_ylabel(_wrapped(name), rotation=0, ha="right", va="center")
        for axes, band in zip(grid[0], maps.bands, strict=True):
            axes.set_title(band, loc="center")
        said = f"differential entropy, {maps.unit}"
        figure.supxlabel(said, fontsize=9, color=drawing.SOFT)
        return drawing.png(figure)


def electrodes(channels: Sequence[str]) -> tuple[Any, NDArray[np.int64]]:
    """MNE's description of the electrodes that have a standard place, and which those are.

    Raises:
        InputError: for an unknown electrode.
    """
    import mne

    kept = placeable(channels)
    names = [channels[i] for i in kept]
    info = mne.create_info(names, NOMINAL_RATE, "eeg", verbose="error")
    try:
        placed = info.set_montage(MONTAGE, match_case=False, on_missing="raise", verbose="error")
    except ValueError as error:
        found = f"MNE does not know where to put some of {names}"
        raise InputError("topomaps", found, "name electrodes in the 10-05 system") from error
    return placed, kept


def placeable(channels: Sequence[str]) -> NDArray[np.int64]:
    """Which electrodes are drawn: all but those known to have no standard place.

    >>> placeable(("O1", "CB1", "O2")).tolist()
    [0, 2]
    """
    return np.array([i for i, n in enumerate(channels) if n.upper() not in PLACELESS], np.int64)


def head_positions(channels: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Electrodes on a head seen from above, `[n, 2]`, nose up, and which of them have a place.

    Radius 1 is 90 degrees from the vertex.

    Raises:
        InputError: for an unknown electrode.
    """
    from neurogaze.eeg.montage import electrode_positions, project

    kept = placeable(channels)
    return project(electrode_positions([channels[i] for i in kept])), kept


def draw_map(
    axes: Axes,
    values: NDArray[np.float64],
    info: Any,
    colours: str,
    limits: tuple[float, float],
    fine: bool = True,
) -> AxesImage:
    """One scalp map by MNE.

    Args:
        axes: where.
        values: one an electrode.
        info: MNE's description of them.
        colours: name of a colour map.
        limits: values at its ends.
        fine: with electrodes and contours, and in full resolution.
    """
    import mne

    image, _ = mne.viz.plot_topomap(
        values,
        info,
        axes=axes,
        show=False,
        cmap=colours,
        vlim=limits,
        contours=4 if fine else 0,
        sensors="k." if fine else False,
        res=64 if fine else 40,
    )
    return image


def with_middle(limits: tuple[float, float]) -> tuple[float, float, float]:
    """Both ends and the middle between them."""
    return limits[0], (limits[0] + limits[1]) / 2, limits[1]


def slim_bar(
    figure: Figure,
    image: AxesImage,
    panels: list[Axes],
    side: str,
    ticks: tuple[float, float, float],
    form: str = ".2g",
    extend: str = "neither",
    aspect: float = 16.0,
) -> None:
    """A colour bar with three ticks beside its panels."""
    where: Any = panels
    bar = figure.colorbar(
        image, ax=where, location=side, shrink=0.7, pad=0.03, aspect=aspect, extend=extend
    )
    bar.set_ticks(ticks, labels=[f"{tick:{form}}" for tick in ticks])
    bar.ax.tick_params(length=0, labelsize=7.5)
    bar.outline.set_visible(False)  # type: ignore[operator]


def _draw_row(figure: Figure, row: list[Axes], values: NDArray[np.float64], info: Any) -> None:
    """Maps of one group, `values [channels, bands]`, with colour bars."""
    difference = bool(values.min() < 0 < values.max())
    limit = float(np.abs(values).max())
    for band, axes in enumerate(row):
        own = values[:, band]
        limits = (-limit, limit) if difference else (float(own.min()), float(own.max()))
        image = draw_map(axes, own, info, "RdBu_r" if difference else "cividis", limits)
        if not difference:
            slim_bar(figure, image, [axes], "bottom", with_middle(limits), form=".1f")
    if difference:
        slim_bar(figure, image, row, "right", with_middle(limits))


def _wrapped(name: str, width: int = 14) -> str:
    """A long name on several lines."""
    import textwrap

    return textwrap.fill(name, width)


EDGE = 1.08
"""Where the axes of ratings end."""


def _draw_trials(axes: Axes, x: NDArray[np.float64], y: NDArray[np.float64]) -> int:
    """One dot a trial, a triangle at the edge for one beyond it; returns how many those are."""
    marks = {"^": y > EDGE, "v": y < -EDGE}
    within = ~(marks["^"] | marks["v"])
    axes.scatter(x[within], y[within], s=16, color=drawing.BLUE, alpha=0.5, linewidths=0)
    for marker, rows in marks.items():
        ends = np.clip(y[rows], -EDGE, EDGE)
        axes.scatter(x[rows], ends, s=22, color=drawing.RED, marker=marker, clip_on=False)
    return int((~within).sum())


def va_figure(truth: NDArray[np.float64], predicted: NDArray[np.float64]) -> bytes:
    """Predicted against rated valence and arousal of trials, as PNG.

    Args:
        truth: rated (valence, arousal), `[N, 2]`, without NaN.
        predicted: likewise; may lie outside [-1, 1]. What lies beyond the axes is drawn at their
            edge, and counted.
    """
    with drawing.styled(8.4, 4.2) as figure:
        panels = figure.subplots(1, 2, sharex=True, sharey=True)
        for column, (axes, name) in enumerate(zip(panels, VA_AXES, strict=True)):
            x, y = truth[:, column], predicted[:, column]
            axes.plot([-1, 1], [-1, 1], color=drawing.FAINT, linestyle="--", linewidth=1)
            outside = _draw_trials(axes, x, y)
            counted = f"n = {len(x):,}" + (f", {outside:,} beyond" if outside else "")
            axes.set_title(f"{name}, CCC {concordance(y, x):.2f} ({counted})")
            axes.set(xlabel="rated", xlim=(-EDGE, EDGE), ylim=(-EDGE, EDGE), aspect="equal")
            axes.set(xticks=np.linspace(-1, 1, 5), yticks=np.linspace(-1, 1, 5))
        panels[0].set_ylabel("predicted from EEG")
        return drawing.png(figure)
