"""One line an arm: the mean over seeds with its interval, and beside it what chance gives."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from neurogaze.evaluation.results import ResultRow
from neurogaze.report.tables import CHANCE, MEAN, Table, fixed, with_interval

BAND = re.compile(rf"{CHANCE} of (?P<arm>.*) \((?P<how>[^()]*)\)")
"""Arm of a band: whose it is, then how it was made."""

PERMUTED = "99 % band"
"""Begins how a band was made, where it is of permutations; other bands say it in their notes."""
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


class Key(NamedTuple):
    """What one line is of.

    Attributes:
        condition: name of the experiment.
        dataset: data as really used.
        split: part of it.
        protocol: how the parts were kept apart.
        arm: which teacher.
    """

    condition: str
    dataset: str
    split: str
    protocol: str
    arm: str


Lines = dict[Key, dict[str, ResultRow]]


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


def outside_benches(rows: Sequence[ResultRow]) -> list[ResultRow]:
    """Rows of experiments whose arms were not averaged over seeds: those of a pipeline, say.

    Args:
        rows: of a folder that may hold benches of EEG teachers and other runs.
    """
    averaged = {_place(row) for row in rows if row.metric in COLUMNS and MEAN.fullmatch(row.arm)}
    return [row for row in rows if _place(row) not in averaged]


def _place(row: ResultRow) -> Key:
    return _key(row, "")


def _key(row: ResultRow, arm: str) -> Key:
    return Key(row.experiment, row.dataset, row.split, row.protocol, arm)


def _differing(keys: Iterable[Key]) -> list[str]:
    """Names before the arm that are not the same of all lines."""
    found = list(keys)
    return [n for n in Key._fields[:-1] if len({getattr(key, n) for key in found}) > 1]


def _names(key: Key, shown: Sequence[str]) -> list[str]:
    """Cells of these names; of an experiment only what stands behind its colon, if anything."""
    short = key._replace(condition=key.condition.partition(": ")[2] or key.condition)
    return [getattr(short, name) for name in shown]


def _chance_table(rows: Sequence[ResultRow]) -> Table:
    """Every band, one line an arm and scheme; empty where nothing was averaged over seeds."""
    bands: Lines = {}
    alone = {_place(row) for row in outside_benches(rows)}
    for row in rows:
        if row.arm.startswith(CHANCE) and row.metric in COLUMNS and _place(row) not in alone:
            bands.setdefault(_key(row, row.arm), {})[row.metric] = row
    shown = _differing(bands)
    names = [name for name in COLUMNS if any(name in line for line in bands.values())]
    header = (*shown, "band", *(COLUMNS[name] for name in names), "of")
    body = []
    for key, line in bands.items():
        cells = [with_interval(line[name], 1.0, 2) if name in line else "–" for name in names]
        note = next(iter(line.values())).note or "–"
        body.append((*_names(key, shown), key.arm, *cells, note))
    caption = (
        "What each arm reaches when ratings are exchanged within people (within_subject), or clips "
        "renamed for everybody (joint_clip)."
    )
    return Table("EEG arms, chance", caption, header, tuple(body))


def _table(title: str, names: Sequence[str], rows: Sequence[ResultRow]) -> Table:
    """One line a condition and arm."""
    means: Lines = {}
    bands: Lines = {}
    for row in rows:
        found, band = MEAN.fullmatch(row.arm), BAND.fullmatch(row.arm)
        if found and row.metric in names:
            means.setdefault(_key(row, found["arm"]), {})[row.metric] = row
        elif band and row.metric in names:
            bands.setdefault(_key(row, band["arm"]), {}).setdefault(row.metric, row)
    shown = _differing(means)
    header = (*shown, "arm", *(COLUMNS[name] for name in names))
    body = tuple(
        (
            *_names(key, shown),
            key.arm,
            *(_cell(line.get(name), bands.get(key, {}).get(name)) for name in names),
        )
        for key, line in means.items()
    )
    used = {key: line for key, line in bands.items() if key in means}
    return Table(title, _caption(means, used), header, body)


def _caption(means: Lines, bands: Lines) -> str:
    """What the numbers are, rule and class balance included, and whose bands are made how."""
    rules = [row.label_rule for line in means.values() for row in line.values()]
    said = "; ".join(dict.fromkeys([*rules, *_told(means), *_told(bands)]))
    return (
        "Per trial, people held out: mean over seeds with 95 % bootstrap interval over people, and "
        f"in braces what the same arm reaches on exchanged ratings (its first band). {said}."
    )


def _told(lines: Lines) -> list[str]:
    """What must be said of lines, each once, with their names where it is not true of all."""
    true_of: dict[str, dict[Key, None]] = {}
    for key, line in lines.items():
        for part in (part for row in line.values() for part in _parts(row)):
            true_of.setdefault(part, {})[key] = None
    shown = [*_differing(lines), "arm"]
    return [
        part if len(keys) == len(lines) else f"{part} ({_listed(keys, shown)})"
        for part, keys in true_of.items()
    ]


def _listed(keys: Iterable[Key], shown: Sequence[str]) -> str:
    return ", ".join(" ".join(_names(key, shown)) for key in keys)


def _parts(row: ResultRow) -> list[str]:
    """The parts of a note, and before them how a band was made whose note does not say it."""
    found = BAND.fullmatch(row.arm)
    permuted = found is not None and found["how"].startswith(PERMUTED)
    made = [f"{PERMUTED} of permutations"] if permuted else []
    return [*made, *filter(None, row.note.split("; "))]


def _cell(row: ResultRow | None, band: ResultRow | None) -> str:
    """As "0.31 [0.12, 0.48] {-0.08, 0.10}"."""
    if row is None:
        return "–"
    value = with_interval(row, 1.0, 2)
    if band is None or band.low is None or band.high is None:
        return value
    return f"{value} {{{fixed(band.low, 2)}, {fixed(band.high, 2)}}}"
