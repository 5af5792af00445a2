"""EEG as pictures: scalp maps by band, and predicted against rated valence and arousal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neurogaze.errors import InputError
from neurogaze.evaluation.metrics import VA_AXES, concordance
from neurogaze.report import drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from neurogaze.report.inputs import Topomaps

MONTAGE = "standard_1005"
NOMINAL_RATE = 128.0
"""Hz. MNE wants a sampling rate for a list of electrodes; nothing drawn depends on it."""


def topomap_figure(maps: Topomaps) -> bytes:
    """Scalp maps of differential entropy, one row a group and one column a band, as PNG.

    A row whose values have both signs is a difference: it shares one scale around zero. In the
    other rows each map has a scale of its own, because bands differ far more than electrodes do.

    Args:
        maps: group means, nats.
    """
    n_groups, n_bands = maps.values.shape[0], maps.values.shape[2]
    info = _electrodes(maps.channels)
    with drawing.styled(2.1 * n_bands + 1.6, 2.25 * n_groups + 0.5) as figure:
        grid = figure.subplots(n_groups, n_bands, squeeze=False)
        for row, name in enumerate(maps.groups):
            values = maps.values[row].astype(np.float64)
            _draw_row(figure, list(grid[row]), values, info)
            grid[row][0].set_ylabel(_wrapped(name), rotation=0, ha="right", va="center")
        for axes, band in zip(grid[0], maps.bands, strict=True):
            axes.set_title(band, loc="center")
        figure.supxlabel("differential entropy, nats", fontsize=9, color="#52606d")
        return drawing.png(figure)


def _electrodes(channels: tuple[str, ...]) -> Any:
    """MNE's description of electrodes at their standard places.

    Raises:
        InputError: for an electrode that has none.
    """
    import mne

    info = mne.create_info(list(channels), NOMINAL_RATE, "eeg", verbose="error")
    try:
        return info.set_montage(MONTAGE, match_case=False, on_missing="raise", verbose="error")
    except ValueError as error:
        found = f"MNE does not know where to put some of {list(channels)}"
        raise InputError("topomaps", found, "name electrodes in the 10-05 system") from error


def _draw_row(figure: Figure, row: list[Axes], values: NDArray[np.float64], info: Any) -> None:
    """Maps of one group, `values [channels, bands]`, with colour bars."""
    import mne

    difference = bool(values.min() < 0 < values.max())
    limit = float(np.abs(values).max())
    for band, axes in enumerate(row):
        own = values[:, band]
        limits = (-limit, limit) if difference else (float(own.min()), float(own.max()))
        image, _ = mne.viz.plot_topomap(
            own,
            info,
            axes=axes,
            show=False,
            cmap="RdBu_r" if difference else "cividis",
            vlim=limits,
            contours=4,
            sensors="k.",
        )
        if not difference or band == len(row) - 1:
            shared: Any = row if difference else axes
            side = "right" if difference else "bottom"
            bar = figure.colorbar(image, ax=shared, location=side, shrink=0.7, pad=0.03, aspect=16)
            ticks = (limits[0], sum(limits) / 2, limits[1])
            bar.set_ticks(
                ticks, labels=[f"{tick:.2g}" if difference else f"{tick:.1f}" for tick in ticks]
            )
            bar.ax.tick_params(length=0, labelsize=7.5)
            bar.outline.set_visible(False)  # type: ignore[operator]


def _wrapped(name: str, width: int = 14) -> str:
    """A long name on several lines."""
    import textwrap

    return textwrap.fill(name, width)


def va_figure(truth: NDArray[np.float64], predicted: NDArray[np.float64]) -> bytes:
    """Predicted against rated valence and arousal of trials, as PNG.

    Args:
        truth: rated (valence, arousal), `[N, 2]`, without NaN.
        predicted: likewise.
    """
    with drawing.styled(8.4, 4.2) as figure:
        panels = figure.subplots(1, 2, sharex=True, sharey=True)
        for column, (axes, name) in enumerate(zip(panels, VA_AXES, strict=True)):
            x, y = truth[:, column], predicted[:, column]
            axes.plot([-1, 1], [-1, 1], color=drawing.FAINT, linestyle="--", linewidth=1)
            axes.scatter(x, y, s=16, color=drawing.BLUE, alpha=0.5, linewidths=0)
            axes.set_title(f"{name}, CCC {concordance(y, x):.2f} (n = {len(x):,})")
            axes.set(xlabel="rated", xlim=(-1.08, 1.08), ylim=(-1.08, 1.08), aspect="equal")
            axes.set(xticks=np.linspace(-1, 1, 5), yticks=np.linspace(-1, 1, 5))
        panels[0].set_ylabel("predicted from EEG")
        return drawing.png(figure)
