"""Learning curves from the log of a training run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from neurogaze.report import drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_SERIES = 8
DOTS_UP_TO = 12
"""Epochs up to which each one is marked by a dot."""


SHARE = "train/share_"
ANGLE = "train/cos_"
"""Columns about gradients: the share of each term, and the cosine of two."""


def curves(log: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Losses and validation metrics by epoch.

    Lightning leaves blanks where a value was not logged, and logs a mean beside each step value;
    the mean is taken.

    Args:
        log: columns `epoch`, `train/...`, `val/...`.

    Returns:
        losses (terms of the objective and anything named loss) and other validation values but for
        their running bests, both indexed by epoch, without empty columns.
    """
    if "epoch" not in log:
        return pd.DataFrame(), pd.DataFrame()
    names = [str(name) for name in log.columns]
    values = log.drop(columns=[n for n in names if f"{n.removesuffix('_step')}_epoch" in names])
    by_epoch = values.groupby("epoch").mean(numeric_only=True).dropna(axis=1, how="all")
    by_epoch.columns = [str(name).removesuffix("_epoch") for name in by_epoch.columns]
    columns = [name for name in by_epoch.columns if name.startswith(("train/", "val/"))]
    columns = [name for name in columns if not name.startswith((SHARE, ANGLE))]
    losses = [name for name in columns if name.startswith("train/") or "loss" in name]
    rest = [name for name in columns if name not in losses and not name.endswith("_best")]
    return by_epoch[losses[:MAX_SERIES]], by_epoch[rest[:MAX_SERIES]]


def gradient_shares(log: pd.DataFrame) -> pd.DataFrame:
    """Share of each term in the gradient at the embedding, by epoch; empty where none is logged."""
    names = [str(name) for name in log.columns if str(name).startswith(SHARE)]
    if "epoch" not in log or not names:
        return pd.DataFrame()
    return (
        log.groupby("epoch")[names]
        .mean()
        .dropna(axis=1, how="all")
        .rename(columns=lambda name: str(name).removeprefix(SHARE))
    )


def learning_figure(log: pd.DataFrame) -> bytes | None:
    """Loss and validation metrics against epochs, as PNG; None when the log holds neither.

    Args:
        log: table of a `metrics.csv`.
    """
    losses, scores = curves(log)
    panels = [
        (part, title)
        for part, title in (
            (losses, "Loss and its terms"),
            (gradient_shares(log), "Share of the gradient"),
            (scores, "Validation"),
        )
        if not part.empty
    ]
    if not panels:
        return None
    with drawing.styled(4.9 * len(panels) + 0.4, 3.5) as figure:
        for axes, (part, title) in zip(
            figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True
        ):
            _draw_lines(axes, part)
            axes.set_title(title)
        return drawing.png(figure)


def _draw_lines(axes: Axes, part: pd.DataFrame) -> None:
    """One line a column, over the epochs where it has values."""
    from matplotlib.ticker import MaxNLocator

    marker = "o" if len(part) <= DOTS_UP_TO else None
    for name, colour in zip(part.columns, drawing.SERIES, strict=False):
        values = part[name].dropna()
        style = "--" if name.startswith("val/") and "loss" in name else "-"
        axes.plot(
            values.index, values, style, color=colour, marker=marker, markersize=3.5, label=name
        )
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    axes.grid(axis="y", color="#e4e7eb", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=3)
