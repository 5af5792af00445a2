"""Contrasts as a forest plot: effects with intervals beside the margin that does not matter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from neurogaze.evaluation.contrasts import Contrast
from neurogaze.report import drawing
from neurogaze.report.contrast_tables import measure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH = 8.2
TOP, LINE = 1.5, 0.42
"""Inches of height: around all, and of one contrast."""
SEEDS_BELOW = 0.26
"""How far below its interval the single seeds of a contrast are drawn, in lines."""

Group = tuple[str, str, str, str]


def groups(contrasts: Sequence[Contrast]) -> dict[Group, list[Contrast]]:
    """Contrasts that share an axis, the primary one first.

    Args:
        contrasts: of one file.

    Returns:
        Contrasts by data set, split, label rule ("" where none is named) and metric, in the order
        they came.
    """
    found: dict[Group, list[Contrast]] = {}
    for c in sorted(contrasts, key=lambda c: not c.primary):
        found.setdefault((c.dataset, c.split, c.label_rule, c.metric), []).append(c)
    return found


def forest_figure(contrasts: Sequence[Contrast]) -> bytes | None:
    """One line a contrast, as PNG; None without any.

    Args:
        contrasts: of one data set, split, label rule and metric.
    """
    if not contrasts:
        return None
    how = measure(contrasts[0].metric)
    with drawing.styled(WIDTH, TOP + LINE * len(contrasts)) as figure:
        axes = figure.subplots()
        margin = contrasts[0].margin * how.scale
        axes.axvspan(-margin, margin, color=drawing.EMPTY, label="does not matter")
        axes.axvline(0.0, color=drawing.FAINT, linewidth=0.9)
        for place, contrast in enumerate(contrasts):
            _draw(axes, -place, contrast, how.scale, place == 0)
        axes.set_yticks([-i for i in range(len(contrasts))], labels(contrasts))
        axes.set_ylim(-len(contrasts) + 0.45, 0.55)
        axes.set_xlabel(f"difference of {how.name}, {how.unit}")
        first = contrasts[0]
        axes.set_title(", ".join(filter(None, (first.dataset, first.split, first.label_rule))))
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=4)
        return drawing.png(figure)


def labels(contrasts: Sequence[Contrast]) -> list[str]:
    """What stands beside each line; those that compare the same arms are told apart by their n.

    Files of earlier versions name no label rule, so that one axis may hold several.

    Args:
        contrasts: of one axis.
    """
    names = [f"{contrast.first} − {contrast.second}" for contrast in contrasts]
    told = []
    for name, contrast in zip(names, contrasts, strict=True):
        count = f"\nn = {contrast.n_images:,}" if names.count(name) > 1 else ""
        told.append(name + count + ("\nprimary" if contrast.primary else ""))
    return told


def _draw(axes: Axes, y: int, contrast: Contrast, scale: float, named: bool) -> None:
    """Effect, its interval, t interval and single seeds of one contrast.

    Args:
        axes: where.
        y: its line.
        contrast: what is drawn.
        scale: factor on differences.
        named: whether its parts go into the legend.
    """
    colour = drawing.RED if contrast.primary else drawing.BLUE
    said = "{}" if named else "_{}"  # matplotlib leaves out labels that begin so
    if contrast.t_low is not None and contrast.t_high is not None:
        ends = [contrast.t_low * scale, contrast.t_high * scale]
        label = said.format("t interval over seeds")
        axes.plot(ends, [y, y], color=drawing.FAINT, linewidth=6, alpha=0.55, label=label,
                  solid_capstyle="butt")  # fmt: skip
    ends = [contrast.low * scale, contrast.high * scale]
    label = said.format("effect, 95 % interval")
    axes.plot(ends, [y, y], color=colour, linewidth=1.4)
    axes.plot([contrast.effect * scale], [y], "o", color=colour, markersize=5, label=label)
    seeds = [difference * scale for difference in contrast.differences]
    axes.plot(seeds, [y - SEEDS_BELOW] * len(seeds), "|", color=drawing.SOFT, markersize=5,
              alpha=0.7, label=said.format("single seeds"))  # fmt: skip
