"""Result rows to tables of text. No number is typed by hand."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from neurogaze.affect import EMOTIONS
from neurogaze.evaluation.metrics import VA_AXES
from neurogaze.evaluation.results import ResultRow

CHANCE = "chance"
"""An arm whose name begins so is a simulated band: only its ends are shown."""

MEAN = re.compile(r"(?P<arm>.*) \(mean of \d+ seeds?\)")
"""Arm of a result that is a mean over seeds."""

OVER_SEEDS = (
    " Of a mean over seeds, brackets hold the mean of the single seeds' intervals, and n is the "
    "mean of theirs."
)

FINGERPRINT_SHOWN = 12

PROTOCOL = "protocol"
IF_SEVERAL = ("experiment", "label rule")

Cell = Callable[[ResultRow], str]


@dataclass(frozen=True)
class Table:
    """A table of text, ready to be written in any markup.

    Args:
        title: heading, also the name in LaTeX.
        caption: one sentence: what the numbers are.
        header: column names.
        rows: cells, one tuple a row; an interval is "value [low, high]".
    """

    title: str
    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def fixed(value: float, digits: int) -> str:
    """A number with so many digits after the point, never minus zero.

    >>> fixed(-0.001, 2)
    '0.00'
    """
    return f"{round(value, digits) + 0.0:.{digits}f}"


def with_interval(row: ResultRow, scale: float, digits: int) -> str:
    """A value with its interval, or only the band of a chance row.

    Args:
        row: the result.
        scale: factor on the value, 100 for per cent.
        digits: after the decimal point.
    """
    value = fixed(row.value * scale, digits)
    if row.low is None or row.high is None:
        return value
    band = f"[{fixed(row.low * scale, digits)}, {fixed(row.high * scale, digits)}]"
    return band if row.arm.startswith(CHANCE) else f"{value} {band}"


def percent(row: ResultRow) -> str:
    """As "84.1 [82.9, 85.3]"."""
    return with_interval(row, 100.0, 1)


def plain(row: ResultRow) -> str:
    """As "0.31 [0.12, 0.48]"."""
    return with_interval(row, 1.0, 2)


def fine(row: ResultRow) -> str:
    """As "0.043 [0.035, 0.051]", for small errors."""
    return with_interval(row, 1.0, 3)


def with_support(row: ResultRow) -> str:
    """As "42.4 (n = 16)", per cent; empty for a class that the data does not hold."""
    return f"{row.value * 100:.1f} (n = {row.n:,})" if row.n else ""


FACE_METRICS: dict[str, tuple[str, Cell]] = {
    "accuracy": ("accuracy, %", percent),
    "macro_f1_8way": ("macro-F1 8-way, %", percent),
    "balanced_accuracy_8way": ("balanced accuracy 8-way, %", percent),
    "ece": ("ECE", fine),
}
PRESENT_METRICS: dict[str, tuple[str, Cell]] = {
    "present_restricted_accuracy": ("restricted accuracy, %", percent),
    "present_restricted_macro_f1": ("restricted macro-F1, %", percent),
    "present_restricted_balanced_accuracy": ("restricted balanced accuracy, %", percent),
    "present_averaged_macro_f1": ("averaged macro-F1, %", percent),
    "present_averaged_balanced_accuracy": ("averaged balanced accuracy, %", percent),
}
CALIBRATION_METRICS: dict[str, tuple[str, Cell]] = {
    "ece": ("ECE", fine),
    "nll": ("NLL", fine),
    "brier": ("Brier", fine),
    "ece_votes": ("ECE, votes", fine),
    "vote_jsd": ("JSD, votes", fine),
    "soft_nll": ("NLL, votes", fine),
    "temperature": ("T", fine),
    "aurc": ("AURC", fine),
    "e_aurc": ("excess AURC", fine),
}
OPEN_METRICS: dict[str, tuple[str, Cell]] = {
    f"open_{metric}_{doubt}": (f"{name}, {said}", plain)
    for metric, name in (("auroc", "AUROC"), ("fpr95", "FPR at 95 % TPR"))
    for doubt, said in (
        ("max_probability", "confidence"),
        ("entropy", "entropy"),
        ("energy", "energy"),
    )
}
EEG_METRICS: dict[str, tuple[str, Cell]] = {
    f"{axis}_{metric}": (f"{axis} {name}", plain)
    for metric, name in (("ccc", "CCC"), ("rmse", "RMSE"))
    for axis in VA_AXES
}
DECISION_METRICS: dict[str, tuple[str, Cell]] = {
    f"{axis}_{metric}": (f"{axis} {name}", plain)
    for axis in VA_AXES
    for metric, name in (
        ("accuracy", "accuracy"),
        ("balanced_accuracy", "balanced accuracy"),
        ("macro_f1", "macro-F1"),
        ("auroc", "AUROC"),
    )
}
LEVELS = ("trial", "window")
"""Endings of EEG metric names: over trial means, or over single windows."""


def level_of(metric: str) -> str:
    """Level in the name of an EEG metric, "" where it has none.

    >>> level_of("valence_ccc_trial")
    'trial'
    """
    ending = metric.rpartition("_")[2]
    return ending if ending in LEVELS else ""


def is_eeg(row: ResultRow) -> bool:
    """Whether a result is of valence or arousal."""
    return row.metric.startswith(VA_AXES)


def _key(row: ResultRow) -> tuple[Any, ...]:
    """What makes two metrics belong to one line of a table."""
    level = level_of(row.metric) if is_eeg(row) else ""
    names = (row.dataset, row.split, row.protocol, level, row.experiment, row.arm)
    return (*names, row.label_rule, row.seed, row.grid_hash, row.config_hash)


def lines(rows: Iterable[ResultRow]) -> list[dict[str, ResultRow]]:
    """Results that belong to one line, by metric name without its level.

    Lines are sorted by data set, split, protocol and level; arms stay in the order they came.
    """
    grouped: dict[tuple[Any, ...], dict[str, ResultRow]] = {}
    for row in rows:
        level = level_of(row.metric) if is_eeg(row) else ""
        metric = row.metric.removesuffix(f"_{level}") if level else row.metric
        grouped.setdefault(_key(row), {})[metric] = row
    return [grouped[key] for key in sorted(grouped, key=lambda key: key[:4])]


def _notes(line: Mapping[str, ResultRow]) -> str:
    """Distinct notes of the results of a line."""
    return "; ".join(dict.fromkeys(row.note for row in line.values() if row.note))


def build(
    title: str,
    caption: str,
    rows: Sequence[ResultRow],
    names: Mapping[str, Cell],
    metrics: Mapping[str, tuple[str, Cell]],
    if_several: Sequence[str] = ("experiment",),
) -> Table | None:
    """Lay results out with one line a run, leaving out columns that would be empty.

    The protocol of faces is left out too where lines can be told apart without it.

    Args:
        title: heading.
        caption: one sentence.
        rows: results; those of other metrics are passed over.
        names: columns that say what a line is of, from any of its results.
        metrics: metric name -> (column name, how a value is written).
        if_several: columns that are left out where all lines say the same.

    Returns:
        The table, or None when no result has one of the metrics.
    """
    known = [row for row in rows if row.metric.removesuffix(f"_{level_of(row.metric)}") in metrics]
    table = [_line(line, names, metrics) for line in lines(known)]
    kept = [h for h in (table[0] if table else {}) if any(cells[h] for cells in table)]
    if not kept:
        return None
    kept = [h for h in kept if h not in if_several or len({cells[h] for cells in table}) > 1]
    if not any(is_eeg(row) for row in known):
        kept = _without_protocol(kept, [h for h in kept if h in names], table)
        caption += OVER_SEEDS if any(MEAN.fullmatch(row.arm) for row in known) else ""
    body = tuple(tuple(cells[column] or "–" for column in kept) for cells in table)
    return Table(title, caption, tuple(kept), body)


def _without_protocol(
    kept: list[str], names: Sequence[str], table: Sequence[Mapping[str, str]]
) -> list[str]:
    """Columns without the protocol, unless lines would then have the same names."""
    fewer = [name for name in names if name != PROTOCOL]
    told = [{tuple(cells[name] for name in own) for cells in table} for own in (names, fewer)]
    same = len(told[0]) == len(told[1])
    return [name for name in kept if name != PROTOCOL] if same else kept


def _line(
    line: Mapping[str, ResultRow],
    names: Mapping[str, Cell],
    metrics: Mapping[str, tuple[str, Cell]],
) -> dict[str, str]:
    """Cells of one line by column name."""
    first = next(iter(line.values()))
    cells = {column: cell(first) for column, cell in names.items()}
    for metric, (column, cell) in metrics.items():
        cells[column] = cell(line[metric]) if metric in line else ""
    return cells | {"notes": _notes(line)}


def faces_table(rows: Sequence[ResultRow]) -> Table | None:
    """Perceived expression: data set x split x arm."""
    caption = (
        "Perceived expression, with 95 % bootstrap intervals over people where the data names "
        "them, else over pictures, equal ones together. Means are over all eight classes; one that "
        "a data set does not hold counts 0. Twin-free: without pictures that training holds too. "
        "One rater: agreement of a single person with the majority of the others."
    )
    names = _named("dataset", "split", "experiment", "arm", "seed", "label_rule", PROTOCOL, "n")
    return build("Faces", caption, rows, names, FACE_METRICS)


def present_table(rows: Sequence[ResultRow]) -> Table | None:
    """Perceived expression over the classes that each data set holds."""
    caption = (
        "The same over the classes that each data set holds. Averaged: prediction is free. "
        "Restricted: prediction is among those classes only, which a deployed model does not know."
    )
    names = _named("dataset", "split", "experiment", "arm", "seed", "label_rule", PROTOCOL, "n")
    return build("Faces, classes present", caption, rows, names, PRESENT_METRICS)


def calibration_table(rows: Sequence[ResultRow]) -> Table | None:
    """How far probabilities can be believed, against labels and against votes."""
    caption = (
        "How far probabilities can be believed: ECE over 15 bins, NLL in nats and Brier score "
        "against the label; against the votes, confidence beside the vote share of the class "
        "named, Jensen-Shannon divergence and cross-entropy in nats. Who repeats the votes exactly "
        "has 0 in the first two of these, and not in ECE. T divides the logits. AURC: mean share "
        "of errors over all shares answered, the most confident first; excess: beyond an order "
        "that puts every error last."
    )
    judged = [row for row in rows if not is_eeg(row) and row.metric in CALIBRATION_METRICS]
    names = _named("dataset", "split", "experiment", "arm", "seed", "label_rule", PROTOCOL, "n")
    return build("Faces, calibration", caption, judged, names, CALIBRATION_METRICS)


def open_table(rows: Sequence[ResultRow]) -> Table | None:
    """Whether a class that training left out is doubted."""
    caption = (
        "Telling a class that training left out from the others by the student's own doubt. FPR: "
        "share of the pictures left out that are accepted when 95 % of the others are."
    )
    names = _named("dataset", "split", "experiment", "arm", "seed", "label_rule", PROTOCOL, "n")
    return build("Faces, open set", caption, rows, names, OPEN_METRICS, IF_SEVERAL)


def class_table(rows: Sequence[ResultRow]) -> Table | None:
    """F1 of each emotion with its support."""
    caption = "F1 of each perceived expression, per cent, with the number of faces behind it."
    return _by_class("F1 by class", caption, rows, "f1")


def recall_table(rows: Sequence[ResultRow]) -> Table | None:
    """Recall of each emotion with its support."""
    caption = "Share of the faces of each expression that were named so, per cent."
    return _by_class("Faces, recall by class", caption, rows, "recall")


def precision_table(rows: Sequence[ResultRow]) -> Table | None:
    """Precision of each emotion with the faces that were called so."""
    caption = "Share that is right of the n faces called each expression, per cent."
    return _by_class("Faces, precision by class", caption, rows, "precision")


def _by_class(title: str, caption: str, rows: Sequence[ResultRow], score: str) -> Table | None:
    """One score of every emotion."""
    metrics = {f"{score}_{name}": (name, with_support) for name in EMOTIONS}
    names = _named("dataset", "split", "experiment", "arm", "seed", "label_rule", PROTOCOL)
    return build(title, caption, rows, names, metrics, IF_SEVERAL)


def eeg_table(rows: Sequence[ResultRow]) -> Table | None:
    """Valence and arousal from EEG: agreement with ratings, beside simulated chance."""
    caption = (
        "Valence and arousal from EEG against self-ratings, with 95 % bootstrap intervals over "
        "people. A chance row is the band that the same split gives without any signal."
    )
    names = _named("dataset", "split", "protocol")
    names["per"] = lambda row: level_of(row.metric)
    names |= _named("experiment", "arm", "seed", "n")
    return build("EEG", caption, [row for row in rows if is_eeg(row)], names, EEG_METRICS)


def decisions_table(rows: Sequence[ResultRow]) -> Table | None:
    """High or low valence and arousal from EEG, by the rule that each line states."""
    caption = (
        "High or low valence and arousal from EEG, with 95 % bootstrap intervals over people, by "
        "the rule and class balance stated."
    )
    names = _named("dataset", "split", "protocol")
    names["per"] = lambda row: level_of(row.metric)
    names |= _named("experiment", "arm", "seed", "label_rule", "n")
    eeg = [row for row in rows if is_eeg(row)]
    return build("EEG, high or low", caption, eeg, names, DECISION_METRICS)


def _named(*fields: str) -> dict[str, Cell]:
    """Columns that show a field of the result as it is; a mean over seeds is of no one seed."""

    def cell(field: str) -> Cell:
        if field == "seed":
            return lambda row: "" if MEAN.fullmatch(row.arm) else str(row.seed)
        return lambda row: f"{getattr(row, field):,}" if field == "n" else str(getattr(row, field))

    return {field.replace("_", " "): cell(field) for field in fields}


def stages_table(stages: Mapping[str, Mapping[str, Any]]) -> Table | None:
    """Stages of the pipeline and their fingerprints.

    Args:
        stages: folder of a stage -> its record; `name`, `fingerprint` and `note` are shown.
    """
    rows = tuple(
        (
            str(stage.get("name", folder)),
            folder,
            str(stage.get("fingerprint", ""))[:FINGERPRINT_SHOWN] or "–",
            str(stage.get("note", "")) or "–",
        )
        for folder, stage in sorted(stages.items())
    )
    caption = "Stages of the run; a fingerprint covers the settings and inputs of a stage."
    header = ("stage", "folder", "fingerprint", "notes")
    table = Table("Stages", caption, header, rows) if rows else None
    return _without_empty(table) if table else None


def _without_empty(table: Table) -> Table:
    """The table without columns that hold nothing."""
    kept = [i for i in range(len(table.header)) if any(row[i] != "–" for row in table.rows)]
    return dataclasses.replace(
        table,
        header=tuple(table.header[i] for i in kept),
        rows=tuple(tuple(row[i] for i in kept) for row in table.rows),
    )
