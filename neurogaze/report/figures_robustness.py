"""How accuracy and calibration of a student move as pictures get worse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurogaze.evaluation.results import ResultRow
from neurogaze.report import drawing
from neurogaze.report.robustness_tables import CLEAN, Found, corruptions, severities

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PANELS = {"accuracy": "accuracy", "ece": "expected calibration error"}
OFFSET = 0.05
"""Between the lines at one severity, so that intervals do not cover each other."""

Point = tuple[int, ResultRow]


def severity_lines(found: Found, metric: str) -> dict[str, list[Point]]:
    """Results of each corruption by severity; the clean pictures are severity 0.

    Args:
        found: results of one student, see `robustness_tables.by_student`.
        metric: name of the metric.
    """
    lines: dict[str, list[Point]] = {}
    for kind in corruptions(found):
        places = [(0, CLEAN), *((s, f"{kind} {s}") for s in severities(found))]
        points = [(s, found[name, metric]) for s, name in places if (name, metric) in found]
        if points:
            lines[kind] = points
    return lines


def robustness_figure(found: Found) -> bytes | None:
    """Accuracy and ECE against severity, one line a corruption, as PNG; None without results.

    Args:
        found: results of one student, see `robustness_tables.by_student`.
    """
    panels = {metric: severity_lines(found, metric) for metric in PANELS}
    if not any(panels.values()):
        return None
    with drawing.styled(9.2, 3.9) as figure:
        for axes, (metric, lines) in zip(figure.subplots(1, 2), panels.items(), strict=True):
            _draw(axes, lines)
            axes.set_title(PANELS[metric])
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels) or 1)
        return drawing.png(figure)


def _draw(axes: Axes, lines: dict[str, list[Point]]) -> None:
    """One line a corruption with its intervals; the clean one is drawn once."""
    for number, (kind, points) in enumerate(lines.items()):
        shift = OFFSET * (number - (len(lines) - 1) / 2)
        places = [s + (shift if s else 0.0) for s, _ in points]
        colour = drawing.SERIES[number % len(drawing.SERIES)]
        values = [row.value for _, row in points]
        axes.plot(places, values, "o-", color=colour, label=kind, markersize=4)
        for x, (_, row) in zip(places, points, strict=True):
            if row.low is not None and row.high is not None:
                axes.plot([x, x], [row.low, row.high], color=colour, linewidth=0.9, alpha=0.7)
    marks = sorted({s for points in lines.values() for s, _ in points})
    axes.set_xticks(marks, [str(s) if s else CLEAN for s in marks])
    axes.set_ylim(bottom=0.0)
    axes.set_xlabel("severity")
    axes.grid(axis="y", color="#e4e7eb", linewidth=0.8)
    axes.set_axisbelow(True)
