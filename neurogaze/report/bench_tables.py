"""One line an arm: the mean over seeds with its interval, and beside it what chance gives."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from neurogaze.evaluation.results import ResultRow
from neurogaze.report.tables import CHANCE, Table, fixed, with_interval

MEAN = re.compile(r"(?P<arm>.*) \(mean of \d+ seeds?\)")
COLUMNS = {
    "valence_ccc_trial": "valence CCC",
    "arousal_ccc_trial": "arousal CCC",
    "valence_rmse_trial": "valence RMSE",
    "arousal_rmse_trial": "arousal RMSE",
    "valence_balanced_accuracy_trial": "valence balanced accuracy",
    "arousal_balanced_accuracy_trial": "arousal balanced accuracy",
    "valence_auroc_trial": "valence AUROC",
    "arousal_auroc_trial": "arousal AUROC",
}

Key = tuple[str, str]


def bench_tables(rows: Sequence[ResultRow]) -> list[Table]:
    """Regression, and decisions, of every arm that was averaged over seeds.

    Args:
        rows: results of a bench of EEG teachers.

    Returns:
        Tables that have a line; none for results of another kind.
    """
    kinds = {
        "EEG arms, ratings": [n for n in COLUMNS if "_ccc_" in n or "_rmse_" in n],
        "EEG arms, high or low": [n for n in COLUMNS if "accuracy" in n or "auroc" in n],
    }
    tables = [_table(title, names, rows) for title, names in kinds.items()]
    return [table for table in [*tables, _chance_table(rows)] if table.rows]


def _chance_table(rows: Sequence[ResultRow]) -> Table:
    """Every band, one line an arm and scheme; empty where nothing was averaged over seeds."""
    bands: dict[Key, dict[str, ResultRow]] = {}
    if any(MEAN.fullmatch(row.arm) for row in rows):
        for row in rows:
            if row.arm.startswith(CHANCE) and row.metric in COLUMNS:
                bands.setdefault((row.experiment, row.arm), {})[row.metric] = row
    several = len({experiment for experiment, _ in bands}) > 1
    names = [name for name in COLUMNS if any(name in line for line in bands.values())]
    header = (*(["condition"] if several else []), "band", *(COLUMNS[name] for name in names), "of")
    body = []
    for (experiment, arm), line in bands.items():
        condition = [experiment.partition(": ")[2]] if several else []
        cells = [with_interval(line[name], 1.0, 2) if name in line else "–" for name in names]
        body.append((*condition, arm, *cells, next(iter(line.values())).note or "–"))
    caption = (
        "What each arm reaches when ratings are exchanged within people (within_subject), or clips "
        "renamed for everybody (joint_clip)."
    )
    return Table("EEG arms, chance", caption, header, tuple(body))


def _table(title: str, names: Sequence[str], rows: Sequence[ResultRow]) -> Table:
    """One line a condition and arm."""
    means: dict[Key, dict[str, ResultRow]] = {}
    bands: dict[Key, dict[str, ResultRow]] = {}
    for row in rows:
        found = MEAN.fullmatch(row.arm)
        if found and row.metric in names:
            means.setdefault((row.experiment, found["arm"]), {})[row.metric] = row
        elif row.arm.startswith(CHANCE) and row.metric in names:
            arm = row.arm.removeprefix(f"{CHANCE} of ").partition(" (")[0]
            bands.setdefault((row.experiment, arm), {}).setdefault(row.metric, row)
    several = len({experiment for experiment, _ in means}) > 1
    header = (*(["condition"] if several else []), "arm", *(COLUMNS[name] for name in names))
    body = tuple(
        _line(key, line, bands.get(key, {}), names, several) for key, line in means.items()
    )
    return Table(title, _caption(rows, names), header, body)


def _caption(rows: Sequence[ResultRow], names: Sequence[str]) -> str:
    """What the numbers are, rule and class balance included."""
    rules = [row.label_rule for row in rows if row.metric in names and MEAN.fullmatch(row.arm)]
    notes = [row.note for row in rows if row.arm.startswith(CHANCE) and row.metric in names]
    parts = [*rules, *(part for note in notes for part in note.split("; ") if part)]
    said = "; ".join(dict.fromkeys(parts))
    return (
        "Per trial, people held out: mean over seeds with 95 % bootstrap interval over people, and "
        f"in braces what the same arm reaches on exchanged ratings (its first band). {said}."
    )


def _line(
    key: Key,
    line: Mapping[str, ResultRow],
    band: Mapping[str, ResultRow],
    names: Sequence[str],
    several: bool,
) -> tuple[str, ...]:
    """Cells of one arm."""
    cells = [_cell(line.get(name), band.get(name)) for name in names]
    condition = key[0].partition(": ")[2]
    return (*([condition] if several else []), key[1], *cells)


def _cell(row: ResultRow | None, band: ResultRow | None) -> str:
    """As "0.31 [0.12, 0.48] {-0.08, 0.10}"."""
    if row is None:
        return "–"
    value = with_interval(row, 1.0, 2)
    if band is None or band.low is None or band.high is None:
        return value
    return f"{value} {{{fixed(band.low, 2)}, {fixed(band.high, 2)}}}"
