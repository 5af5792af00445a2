"""Arms of a bench over its conditions, such as levels of signal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from neurogaze.evaluation.metrics import VA_AXES
from neurogaze.evaluation.results import ResultRow
from neurogaze.report import drawing
from neurogaze.report.tables import MEAN

if TYPE_CHECKING:
    from matplotlib.axes import Axes

METRIC = "{axis}_ccc_trial"
OFFSET = 0.05
"""Between the arms of one condition, so that intervals do not cover each other."""

Lines = dict[str, dict[str, ResultRow]]


def arm_lines(rows: Sequence[ResultRow], axis: str) -> Lines:
    """Mean concordance by arm, then by condition, in the order they came.

    Args:
        rows: results of a bench.
        axis: "valence" or "arousal".
    """
    lines: Lines = {}
    for row in rows:
        found, condition = MEAN.fullmatch(row.arm), row.experiment.partition(": ")[2]
        if found and condition and row.metric == METRIC.format(axis=axis):
            lines.setdefault(found["arm"], {})[condition] = row
    return lines


def conditions_figure(rows: Sequence[ResultRow]) -> bytes | None:
    """Concordance of every arm against the conditions; None with fewer than two of these.

    Args:
        rows: results of a bench.
    """
    found = {axis: arm_lines(rows, axis) for axis in VA_AXES}
    first = next(iter(found[VA_AXES[0]].values()), {})
    if len(first) < 2:
        return None
    with drawing.styled(9.2, 3.9) as figure:
        for axes, (axis, lines) in zip(
            figure.subplots(1, 2, sharey=True), found.items(), strict=True
        ):
            _draw(axes, lines, list(first))
            axes.set_title(axis)
        return drawing.png(figure)


def _draw(axes: Axes, lines: Lines, conditions: Sequence[str]) -> None:
    """One line an arm with its intervals, and the line of no agreement."""
    axes.axhline(0.0, color=drawing.FAINT, linewidth=0.8)
    for number, (arm, line) in enumerate(lines.items()):
        places = [i + OFFSET * (number - (len(lines) - 1) / 2) for i in range(len(conditions))]
        kept = [(x, line[c]) for x, c in zip(places, conditions, strict=True) if c in line]
        colour = drawing.SERIES[number % len(drawing.SERIES)]
        axes.plot([x for x, _ in kept], [r.value for _, r in kept], "o-", color=colour, label=arm,
                  markersize=4)  # fmt: skip
        for x, row in kept:
            if row.low is not None and row.high is not None:
                axes.plot([x, x], [row.low, row.high], color=colour, linewidth=0.9, alpha=0.7)
    axes.set_xticks(range(len(conditions)), conditions)
    axes.set_ylabel("CCC per trial, people held out")
    axes.grid(axis="y", color="#e4e7eb", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=4)
