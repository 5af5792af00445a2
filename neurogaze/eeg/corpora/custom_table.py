"""The table of a custom corpus: one CSV row a trial, told by row and column where it is wrong."""

from __future__ import annotations

import csv
import difflib
import math
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath

from neurogaze.eeg.corpora.custom_rows import Row, refuse_contradictions
from neurogaze.eeg.corpora.sources import readable
from neurogaze.eeg.preprocessing import LONGEST
from neurogaze.errors import InputError

REQUIRED = ("file", "subject", "clip", "valence", "arousal")
TIMES = ("start", "stop", "baseline_start", "baseline_stop")
COLUMNS = (*REQUIRED, "dominance", "label", "event", *TIMES)


def read_table(path: Path, scale: tuple[float, float]) -> tuple[Row, ...]:
    """Rows of a table, in its order.

    Args:
        path: CSV file in UTF-8, separated by commas, first row the names of the columns.
        scale: lowest and highest rating.

    Raises:
        InputError: for unknown or missing columns, values without meaning, a file outside the
            root, a file of two people, a trial that shares samples with its own baseline or the
            trial or baseline of another event, a trial that is there twice, a baseline for some
            trials only, or an event of two ratings.
    """
    remedy = "save the table as CSV in UTF-8, separated by commas"
    with readable(path, remedy), path.open(newline="", encoding="utf-8-sig") as stream:
        reader = csv.reader(stream, strict=True, skipinitialspace=True)
        names = [name.strip() for name in next(reader, [])]
        _check_columns(path, names)
        counts: dict[str, int] = defaultdict(int)
        rows = []
        for number, cells in enumerate(reader, start=2):
            if not cells:  # an empty line, which a spreadsheet counts
                continue
            line = _Cells(path, number, names, cells)
            counts[line.text("subject")] += 1
            rows.append(_row(line, scale, counts[line.text("subject")]))
    if not rows:
        raise InputError(path, "has no row below its header", "add one row a trial")
    refuse_contradictions(path, rows)
    return tuple(rows)


def _check_columns(path: Path, names: Sequence[str]) -> None:
    """Every column is known and there once, and the required ones are there."""
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        found = f"row 1 has no column {missing}; it has {list(names)}"
        raise InputError(path, found, f"name the columns {list(REQUIRED)}, separated by commas")
    for name in names:
        if name not in COLUMNS:
            near = difflib.get_close_matches(name, COLUMNS, n=1)
            remedy = f"rename it, perhaps to {near[0]!r}" if near else "remove it"
            raise InputError(f"{path}, row 1", f"column {name!r} is unknown", remedy)
        if list(names).count(name) > 1:
            raise InputError(f"{path}, row 1", f"column {name!r} is there twice", "remove one")


class _Cells:
    """Cells of one row, by column, each failing with its place."""

    def __init__(self, path: Path, number: int, names: Sequence[str], cells: Sequence[str]) -> None:
        self.where, self.number = f"{path}, row {number}", number
        if len(cells) != len(names):
            remedy = "give it as many cells as the header; quote a cell that holds a comma"
            raise InputError(self.where, "has more or fewer cells than the header", remedy)
        self._cells = {name: cell.strip() for name, cell in zip(names, cells, strict=True)}

    def error(self, column: str, remedy: str) -> InputError:
        """What is wrong with a cell, naming its value."""
        value = self._cells.get(column, "")
        found = f"is {value!r}" if value else "is empty"
        return InputError(f"{self.where}, column {column!r}", found, remedy)

    def optional(self, column: str) -> str:
        """Text of a cell, empty where the column is missing."""
        return self._cells.get(column, "")

    def text(self, column: str) -> str:
        """Text of a cell that must not be empty."""
        if not self.optional(column):
            raise self.error(column, "fill it in")
        return self._cells[column]

    def number_in(self, column: str, low: float, high: float, remedy: str) -> float | None:
        """Number of a cell from `low` to `high`, or None where it is empty."""
        text = self.optional(column)
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (low <= value <= high and math.isfinite(value)):
            raise self.error(column, remedy)
        return value


def _row(line: _Cells, scale: tuple[float, float], count: int) -> Row:
    """One row; `count` is its place among those of its person."""
    rated = f"give a number from {scale[0]:g} to {scale[1]:g}, or leave it empty if nobody rated"
    label = line.number_in("label", 0, 2**31, "give a class as a whole number from 0, or nothing")
    if label is not None and not label.is_integer():
        raise line.error("label", "give a class as a whole number from 0, or nothing")
    subject, clip = line.text("subject"), line.text("clip")
    return Row(
        number=line.number,
        file=_inside(line),
        subject=subject,
        clip=clip,
        event=f"{subject}/{line.optional('event') or clip}",
        trial=f"{subject}/trial{count:02d}",
        ratings=(
            line.number_in("valence", *scale, rated),
            line.number_in("arousal", *scale, rated),
            line.number_in("dominance", *scale, rated),
        ),
        label=None if label is None else int(label),
        span=_span(line),
        rest=_rest(line),
    )


def _inside(line: _Cells) -> str:
    """The file of a row, which must not lead out of the root, whatever system wrote the path."""
    text = line.text("file")
    readings: list[PurePath] = [PurePosixPath(text), PureWindowsPath(text)]
    if any(p.anchor or ".." in p.parts for p in readings):
        raise line.error("file", "give a path inside the root, relative to it")
    return readings[0].as_posix()


def _span(line: _Cells) -> tuple[float, float | None]:
    """Start and stop of the trial, s."""
    remedy = "give seconds from the first sample, or leave it empty"
    start = line.number_in("start", 0, LONGEST, remedy) or 0.0
    stop = line.number_in("stop", 0, LONGEST, remedy)
    if stop is not None and stop <= start:
        raise line.error("stop", f"give seconds after the start, {start:g}")
    return start, stop


def _rest(line: _Cells) -> tuple[float, float] | None:
    """Start and stop of the baseline, s; None where both cells are empty."""
    remedy = "give seconds from the first sample, or leave both ends of the baseline empty"
    start, stop = (line.number_in(f"baseline_{end}", 0, LONGEST, remedy) for end in TIMES[:2])
    if start is None and stop is None:
        return None
    if start is None or stop is None:
        raise line.error("baseline_start" if start is None else "baseline_stop", remedy)
    if stop <= start:
        raise line.error("baseline_stop", f"give seconds after the start, {start:g}")
    return start, stop
