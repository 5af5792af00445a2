"""Which of our results stand beside a published row: said by a file of the run, never guessed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from neurogaze.artefacts import write_json
from neurogaze.errors import InputError
from neurogaze.evaluation.results import ResultRow
from neurogaze.report.over_seeds import Mean, mean
from neurogaze.report.published import FACES, Published
from neurogaze.report.published_eeg import RECORDINGS
from neurogaze.strict_json import parse

FILE = "reported.json"
REMEDY = "write it with neurogaze.report.reported.write_matches"
KNOWN: Mapping[str, Published] = {row.row_id: row for row in (*FACES, *RECORDINGS)}
"""Every published row by its name."""

NARROWING = ("label_rule", "protocol", "experiment")
"""Fields of a match that may be left out where they are not needed to tell results apart."""


@dataclass(frozen=True)
class Match:
    """Our result that stands beside one published row.

    Args:
        arm: as in the result rows; over all its seeds.
        dataset: likewise.
        split: likewise.
        differences: what is not the same as in the paper, in words.
        label_rule: likewise; "" for any, if there is one alone.
        protocol: likewise.
        experiment: likewise.
        metrics: metric of ours by published one, where it is not that of the same name.
    """

    arm: str
    dataset: str
    split: str
    differences: str
    label_rule: str = ""
    protocol: str = ""
    experiment: str = ""
    metrics: Mapping[str, str] = field(default_factory=dict)


def write_matches(path: Path, matches: Mapping[str, Match]) -> None:
    """Write `reported.json`, aside and renamed.

    Args:
        path: the file.
        matches: by the name of the published row; see `KNOWN`.

    Raises:
        InputError: for a name of no published row, or a match that does not say what differs.
    """
    _refuse_wrong(path, matches)
    write_json(path, {row_id: dataclasses.asdict(match) for row_id, match in matches.items()})


def read_matches(path: Path) -> dict[str, Match]:
    """Read `reported.json`.

    Raises:
        InputError: for another file, names of no published row, and matches with missing, unknown
            or mistyped fields.
    """
    try:
        content: Any = parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(path, f"cannot be read ({error})", REMEDY) from error
    if not isinstance(content, dict):
        raise InputError(path, f"holds a {type(content).__name__}, not an object", REMEDY)
    matches = {row_id: _match(fields, f"{path}, {row_id}") for row_id, fields in content.items()}
    _refuse_wrong(path, matches)
    return matches


def _match(fields: Any, where: str) -> Match:
    try:
        match = Match(**fields)
    except TypeError as error:
        raise InputError(where, f"is no match ({error})", REMEDY) from error
    for name, value in dataclasses.asdict(match).items():
        texts = list(value.items()) if isinstance(value, dict) else [(name, value)]
        if not all(isinstance(text, str) for pair in texts for text in pair):
            raise InputError(where, f"{name} = {value!r} is no text", REMEDY)
        if (name == "metrics") != isinstance(value, dict):
            raise InputError(where, f"{name} = {value!r} is of the wrong kind", REMEDY)
    return match


def _refuse_wrong(path: Path, matches: Mapping[str, Match]) -> None:
    for row_id, match in matches.items():
        if row_id not in KNOWN:
            raise InputError(path, f"{row_id!r} is no published row", f"use {', '.join(KNOWN)}")
        if not match.differences.strip():
            remedy = "name sizes, epochs, data and protocol that are not the paper's"
            raise InputError(path, f"{row_id} does not say what differs", remedy)
        own = {score.metric for score in KNOWN[row_id].scores}
        if unknown := sorted(match.metrics.keys() - own):
            remedy = f"its metrics are {', '.join(sorted(own))}"
            raise InputError(path, f"{row_id} has no metric {unknown}", remedy)


def ours(row_id: str, match: Match, rows: Sequence[ResultRow]) -> dict[str, Mean]:
    """Our scores beside one published row, over seeds, by the published metric.

    Args:
        row_id: name of the published row.
        match: which of our results.
        rows: results of all stages.

    Returns:
        Scores that were measured.

    Raises:
        InputError: where the match fits results of several kinds.
    """
    found = {}
    for score in KNOWN[row_id].scores:
        metric = match.metrics.get(score.metric, score.metric)
        fitting = [row for row in dict.fromkeys(rows) if _fits(row, match, metric)]
        _refuse_several(row_id, fitting)
        if fitting:
            found[score.metric] = mean(fitting)
    return found


def _fits(row: ResultRow, match: Match, metric: str) -> bool:
    asked = {n: getattr(match, n) for n in NARROWING if getattr(match, n)}
    asked |= {"arm": match.arm, "dataset": match.dataset, "split": match.split, "metric": metric}
    return all(getattr(row, name) == value for name, value in asked.items())


def _refuse_several(row_id: str, rows: Sequence[ResultRow]) -> None:
    """Refuse results that are not seeds of one thing."""
    for name in NARROWING:
        values = sorted({getattr(row, name) for row in rows})
        if len(values) > 1:
            found = f"{row_id} fits results of several kinds: {name} is one of {values}"
            raise InputError(FILE, found, f"name the {name} in the match")
    if len({row.seed for row in rows}) < len(rows):
        found = f"{row_id} fits several results of one seed"
        raise InputError(FILE, found, "report one run at a time")
