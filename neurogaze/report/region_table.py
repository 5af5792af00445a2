"""Where maps over faces point, beside the action units of the expression and beside chance."""

from __future__ import annotations

from collections.abc import Sequence

from neurogaze.affect import EMOTIONS
from neurogaze.evaluation.results import ResultRow
from neurogaze.report.tables import Table, plain

TITLE = "Maps and action-unit regions"
CAPTION = (
    "Intersection over union of the highest pixels of a map with the region of the expression's "
    "action units, as many pixels as the region has: mean over faces, of as many pixels drawn "
    "blindly (chance), of the same maps on the regions of the other expressions, and of the mean "
    "map of the class. The mean of expressions counts each of them alike, however many of the n "
    "faces it has. Regions are drawn on a frontal template; 95 % bootstrap intervals."
)
MEAN = "mean of expressions"
KINDS = {"iou": "IoU", "chance": "chance", "others": "other regions", "mean_map": "IoU, mean map"}


def region_table(rows: Sequence[ResultRow]) -> Table | None:
    """One line a data set, split, arm and expression; None where no row is of regions."""
    found: dict[tuple[str, ...], dict[str, ResultRow]] = {}
    for row in rows:
        kind, emotion = _split(row.metric)
        if kind:
            key = (row.dataset, row.split, row.experiment, row.arm, emotion)
            found.setdefault(key, {})[kind] = row
    if not found:
        return None
    header = ("dataset", "split", "experiment", "maps", "expression", "n", *KINDS.values())
    lines = [
        (*key, f"{next(iter(line.values())).n:,}", *(_cell(line, kind) for kind in KINDS))
        for key, line in found.items()
    ]
    return Table(TITLE, CAPTION, header, tuple(lines))


def _cell(line: dict[str, ResultRow], kind: str) -> str:
    return plain(line[kind]) if kind in line else ""


def _split(metric: str) -> tuple[str, str]:
    """Kind and expression of a metric's name; empty for one that is not about regions.

    >>> _split("region_mean_map_fear"), _split("region_iou"), _split("accuracy")
    (('mean_map', 'fear'), ('iou', 'mean of expressions'), ('', ''))
    """
    for kind in KINDS:
        start = f"region_{kind}"
        if metric == start:
            return kind, MEAN
        if metric.startswith(f"{start}_") and metric.removeprefix(f"{start}_") in EMOTIONS:
            return kind, metric.removeprefix(f"{start}_")
    return "", ""
