"""Result rows: one metric with all that is needed to know what it is a number of."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neurogaze.artefacts import canonical, written_aside
from neurogaze.errors import InputError
from neurogaze.strict_json import parse

REMEDY = "write result files with neurogaze.evaluation.results.write_rows"


@dataclass(frozen=True)
class ResultRow:
    """One metric of one arm on one data set.

    Args:
        experiment: name of the experiment.
        arm: what was varied, e.g. "ce" or "kd+proto"; "chance (99 % band)" for a simulated band,
            whose `low` and `high` are the band.
        dataset: data as really used, never as wished for.
        split: part of the data.
        protocol: how the parts were kept apart, e.g. "loso".
        label_rule: how labels were made, e.g. "majority"; "" where it does not apply.
        metric: name of the metric.
        value: its value.
        low: lower end of the interval, or None.
        high: upper end of the interval, or None.
        n: rows behind the value.
        seed: of the run.
        config_hash: of the settings; of a checkpoint's, then "/" and the hash of its weights, as
            `model_hash` joins them; of an exported file the hash of its weights alone. Rows of
            earlier versions name the settings of a checkpoint alone.
        grid_hash: of the prototype grid, "" where none was used.
        split_hash: of the split file, "" where none was used.
        code_version: of this package.
        note: what must never be lost on the way to a table, e.g. "LEAKY".

    Raises:
        InputError: for a value that is not finite, or half or reversed intervals.
    """

    experiment: str
    arm: str
    dataset: str
    split: str
    protocol: str
    label_rule: str
    metric: str
    value: float
    low: float | None
    high: float | None
    n: int
    seed: int
    config_hash: str
    grid_hash: str
    split_hash: str
    code_version: str
    note: str = ""

    def __post_init__(self) -> None:
        numbers = [x for x in (self.value, self.low, self.high) if x is not None]
        where = f"result {self.arm}/{self.dataset}/{self.metric}"
        if not all(math.isfinite(number) for number in numbers):
            raise InputError(where, f"{numbers} is not finite", "look for a diverged run")
        if len(numbers) == 2:
            raise InputError(where, "has half an interval", "give low and high, or neither")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise InputError(where, f"interval [{self.low}, {self.high}] is reversed", "swap them")


def model_hash(settings: str, weights: str) -> str:
    """What names a checkpoint in `config_hash`: two epochs of one training are two models.

    >>> model_hash("ab", "cd"), model_hash("", "cd")
    ('ab/cd', '/cd')
    """
    return f"{settings}/{weights}"


def model_parts(config_hash: str) -> tuple[str, str]:
    """Hashes of settings and weights in a `config_hash`; "" for weights that it does not name.

    >>> model_parts("ab/cd"), model_parts("ab")
    (('ab', 'cd'), ('ab', ''))
    """
    settings, _, weights = config_hash.partition("/")
    return settings, weights


def noted(*notes: str) -> str:
    """Notes as one, without those that say nothing.

    >>> noted("a", "", "b")
    'a; b'
    """
    return "; ".join(note for note in notes if note)


def write_rows(path: Path, rows: Iterable[ResultRow]) -> None:
    """Write rows as JSON Lines, one row a line, aside and renamed."""
    lines = [json.dumps(canonical(row), ensure_ascii=False, allow_nan=False) for row in rows]
    with written_aside(path) as aside:
        aside.write_text("".join(line + "\n" for line in lines), encoding="utf-8")


def _fits(value: Any, kind: str) -> bool:
    """Whether a JSON value fits the annotation of a field."""
    if isinstance(value, bool):
        return False
    if value is None:
        return "None" in kind
    if "float" in kind:
        return isinstance(value, int | float)
    return isinstance(value, int if kind == "int" else str)


def parse_row(line: str, where: str) -> ResultRow:
    """Build a row from one line of JSON.

    Raises:
        InputError: for text that is no JSON object, and for missing, unknown or mistyped fields.
    """
    try:
        fields = parse(line)
    except ValueError as error:
        raise InputError(where, f"is not JSON ({error})", REMEDY) from error
    if not isinstance(fields, dict):
        raise InputError(where, f"holds a {type(fields).__name__}, not an object", REMEDY)
    known = {field.name: str(field.type) for field in dataclasses.fields(ResultRow)}
    missing = sorted(known.keys() - fields.keys() - {"note"})
    unknown = sorted(fields.keys() - known.keys())
    if missing or unknown:
        raise InputError(where, f"fields missing: {missing}, unknown: {unknown}", REMEDY)
    for name, value in fields.items():
        if not _fits(value, known[name]):
            raise InputError(where, f"{name} = {value!r} is no {known[name]}", REMEDY)
    return ResultRow(**fields)


def read_rows(path: Path) -> list[ResultRow]:
    """Read rows from JSON Lines; blank lines are passed over.

    Raises:
        InputError: naming the file and line that cannot be used.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(path, f"cannot be read ({error})", REMEDY) from error
    return [
        parse_row(line, f"{path}, line {number}")
        for number, line in enumerate(lines, start=1)
        if line.strip()
    ]
