"""Corruption by severity: accuracy with its means, macro-F1 and calibration error."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from neurogaze.evaluation.results import ResultRow
from neurogaze.report.tables import Cell, Table, fine, percent, plain

SPOILED = re.compile(r"(?P<kind>.+) (?P<severity>\d+)")
CLEAN, ALL = "clean", "all"
KINDS: dict[str, tuple[str, Cell, str]] = {
    "accuracy": ("accuracy", percent, "Accuracy, per cent"),
    "macro_f1_8way": ("macro-F1", percent, "Macro-F1 over all eight classes, per cent"),
    "ece": ("ECE", fine, "Expected calibration error"),
}
"""Metric -> (name in the title, how a value is written, what the caption calls it)."""

MEANS: dict[str, tuple[str, Cell]] = {
    "mean_corruption_accuracy": ("mean", percent),
    "relative_drop": ("relative drop, %", percent),
    "mean_corruption_error": ("error : baseline", plain),
}
"""Means over severities that stand beside accuracy."""


class Stressed(NamedTuple):
    """One student on one data set.

    Attributes:
        experiment: name without the condition.
        arm: which student.
        dataset: name of the data.
        split: part of the data.
        run: what tells it from others of these names, such as "seed 1"; "" where there are none.
    """

    experiment: str
    arm: str
    dataset: str
    split: str
    run: str = ""


Model = tuple[str, str, str, str, str]
"""Label rule, protocol, seed and hashes of settings and grid."""

Found = dict[tuple[str, str], ResultRow]
"""Results by condition ("clean", "noise 3", "noise", "all") and metric."""


def by_student(rows: Iterable[ResultRow]) -> dict[Stressed, Found]:
    """Results of each student, in the order they came.

    Args:
        rows: of `robustness.jsonl` files; the condition stands behind the experiment's name.
    """
    models: dict[Stressed, dict[Model, Found]] = {}
    for row in rows:
        experiment, _, condition = row.experiment.rpartition(": ")
        key = Stressed(experiment, row.arm, row.dataset, row.split)
        model = (row.label_rule, row.protocol, f"seed {row.seed}", row.config_hash, row.grid_hash)
        models.setdefault(key, {}).setdefault(model, {})[condition, row.metric] = row
    return {
        key._replace(run=run): found
        for key, own in models.items()
        for run, found in zip(_runs(list(own)), own.values(), strict=True)
    }


def _runs(models: Sequence[Model]) -> list[str]:
    """What tells models of the same names apart: rule, protocol and seed, else a number."""
    differ = [len(set(values)) > 1 for values in list(zip(*models, strict=True))[:3]]
    named = [
        "; ".join(value for value, told in zip(model[:3], differ, strict=True) if told)
        for model in models
    ]
    if len(set(named)) == len(models):
        return named
    return [f"{name}; run {i}".removeprefix("; ") for i, name in enumerate(named, start=1)]


def corruptions(found: Found) -> list[str]:
    """Names of the corruptions a student met, in order."""
    names = (SPOILED.fullmatch(condition) for condition, _ in found)
    return list(dict.fromkeys(match["kind"] for match in names if match))


def severities(found: Found) -> list[int]:
    """Severities a student met, ascending."""
    names = (SPOILED.fullmatch(condition) for condition, _ in found)
    return sorted({int(match["severity"]) for match in names if match})


def robustness_tables(rows: Sequence[ResultRow]) -> list[Table]:
    """One table a metric: corruption down, severity across, first the clean pictures.

    Args:
        rows: of `robustness.jsonl` files.

    Returns:
        Tables that have a line; none without rows.
    """
    students = by_student(rows)
    tables = [_table(students, metric) for metric in KINDS]
    return [table for table in tables if table.rows]


def _table(students: dict[Stressed, Found], metric: str) -> Table:
    """Severities of one metric; accuracy has its means beside it."""
    title, _, words = KINDS[metric]
    levels = sorted({s for found in students.values() for s in severities(found)})
    held = {name for found in students.values() for _, name in found}
    means = [name for name in MEANS if metric == "accuracy" and name in held]
    names = Stressed._fields if any(key.run for key in students) else Stressed._fields[:-1]
    several = len(students) > 1
    header = (
        *(names if several else ()),
        *("corruption", CLEAN),
        *map(str, levels),
        *(MEANS[name][0] for name in means),
    )
    body = tuple(
        (*(key[: len(names)] if several else ()), *line)
        for key, found in students.items()
        for line in _lines(found, metric, levels, means)
    )
    return Table(f"Robustness, {title}", _caption(words, students, means), header, body)


def _lines(
    found: Found, metric: str, levels: Sequence[int], means: Sequence[str]
) -> list[tuple[str, ...]]:
    """One line a corruption; the last one is over all of them."""
    kinds = corruptions(found)
    if not any((f"{kind} {s}", metric) in found for kind in kinds for s in levels):
        return []
    lines = []
    for kind in [*kinds, *([ALL] if means else [])]:
        places = [(CLEAN, metric), *((f"{kind} {level}", metric) for level in levels)]
        cells = [_cell(found, place, KINDS[metric][1]) for place in places]
        cells += [_cell(found, (kind, name), MEANS[name][1]) for name in means]
        lines.append((kind, *cells))
    return lines


def _cell(found: Found, place: tuple[str, str], written: Cell) -> str:
    return written(found[place]) if place in found else "–"


def _caption(words: str, students: dict[Stressed, Found], means: Sequence[str]) -> str:
    """What the numbers are, and what must not be lost of their notes."""
    told = {
        "mean_corruption_accuracy": "Mean: over severities, and in the last line over corruptions.",
        "relative_drop": "Relative drop: share of the clean accuracy that is lost.",
        "mean_corruption_error": "Error : baseline: errors summed over severities, over those of "
        "the baseline student on the same pictures.",
    }
    notes = [row.note for found in students.values() for row in found.values() if row.note]
    parts = [
        f"{words}, of clean pictures and at severities of each corruption, with 95 % bootstrap "
        "intervals over units (people, recordings or equal pictures).",
        *(told[name] for name in means),
        *(f"{note[0].upper()}{note[1:]}." for note in dict.fromkeys(notes)),
    ]
    return " ".join(parts)
