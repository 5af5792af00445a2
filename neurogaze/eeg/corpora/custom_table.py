"""The table of a custom corpus: one CSV row a trial, told by row and column where it is wrong."""

from __future__ import annotations

import csv
import difflib
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath

from neurogaze.eeg.corpora.sources import readable
from neurogaze.errors import InputError

REQUIRED = ("file", "subject", "clip", "valence", "arousal")
TIMES = ("start", "stop", "baseline_start", "baseline_stop")
COLUMNS = (*REQUIRED, "dominance", "label", "event", *TIMES)
RATINGS = ("valence", "arousal", "dominance")


@dataclass(frozen=True)
class Row:
    """One trial of the table.

    Args:
        number: row of the CSV as a spreadsheet counts it; the header is row 1.
        file: recording, relative to the root.
        subject: person.
        clip: stimulus.
        event: rating event, with the person in front.
        trial: the person and a running number.
        ratings: valence, arousal and dominance on the scale of the table, None where empty.
        label: class, or None.
        span: start and stop of the trial, s from the first sample; None means the end.
        rest: start and stop of the baseline, s, or None.
    """

    number: int
    file: str
    subject: str
    clip: str
    event: str
    trial: str
    ratings: tuple[float | None, float | None, float | None]
    label: int | None
    span: tuple[float, float | None]
    rest: tuple[float, float] | None


def read_table(path: Path, scale: tuple[float, float]) -> tuple[Row, ...]:
    """Rows of a table, in its order.

    Args:
        path: CSV file in UTF-8, separated by commas, first row the names of the columns.
        scale: lowest and highest rating.

    Raises:
        InputError: for unknown or missing columns, values without meaning, a file outside the
            root, a file of two people, a trial that shares samples with the trial or baseline of
            another event, a baseline for some trials only, or an event of two ratings.
    """
    remedy = "save the table as CSV in UTF-8, separated by commas"
    with readable(path, remedy), path.open(newline="", encoding="utf-8-sig") as stream:
        reader = csv.DictReader(stream, strict=True, skipinitialspace=True)
        _check_columns(path, [name.strip() for name in reader.fieldnames or []])
        reader.fieldnames = [name.strip() for name in reader.fieldnames or []]
        counts: dict[str, int] = defaultdict(int)
        rows = []
        for cells in reader:
            line = _Cells(path, reader.line_num, cells)
            counts[line.text("subject")] += 1
            rows.append(_row(line, scale, counts[line.text("subject")]))
    if not rows:
        raise InputError(path, "has no row below its header", "add one row a trial")
    _refuse_shared(path, rows)
    _refuse_mixed_rest(path, rows)
    _refuse_two_ratings(path, rows)
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

    def __init__(self, path: Path, number: int, cells: Mapping[str | None, object]) -> None:
        self.where, self.number = f"{path}, row {number}", number
        if None in cells or None in cells.values():
            remedy = "give it as many cells as the header; quote a cell that holds a comma"
            raise InputError(self.where, "has more or fewer cells than the header", remedy)
        self._cells = {str(name): str(cell).strip() for name, cell in cells.items()}

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
    start = line.number_in("start", 0, math.inf, remedy) or 0.0
    stop = line.number_in("stop", 0, math.inf, remedy)
    if stop is not None and stop <= start:
        raise line.error("stop", f"give seconds after the start, {start:g}")
    return start, stop


def _rest(line: _Cells) -> tuple[float, float] | None:
    """Start and stop of the baseline, s; None where both cells are empty."""
    remedy = "give seconds from the first sample, or leave both ends of the baseline empty"
    start, stop = (line.number_in(f"baseline_{end}", 0, math.inf, remedy) for end in TIMES[:2])
    if start is None and stop is None:
        return None
    if start is None or stop is None:
        raise line.error("baseline_start" if start is None else "baseline_stop", remedy)
    if stop <= start:
        raise line.error("baseline_stop", f"give seconds after the start, {start:g}")
    return start, stop


def _refuse_shared(path: Path, rows: Sequence[Row]) -> None:
    """Samples belong to one person and one event, or folds would not be what they say."""
    by_file: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        for other in by_file[row.file]:
            what = f"{path}, rows {other.number} and {row.number}"
            if other.subject != row.subject:
                found = f"file {row.file!r} belongs to {other.subject!r} and {row.subject!r}"
                raise InputError(what, found, "give each person files of their own")
            if other.event == row.event:
                continue
            if _overlap(other.span, row.span):
                found = f"columns 'start' and 'stop': both use the same part of {row.file!r}"
                raise InputError(what, found, "say where each trial starts and stops")
            if _rests_in(other, row) or _rests_in(row, other):
                found = f"the baseline of one lies in the trial of the other, in {row.file!r}"
                raise InputError(what, found, "take the rest of a trial from outside all others")
        by_file[row.file].append(row)


def _refuse_mixed_rest(path: Path, rows: Sequence[Row]) -> None:
    """Features relative to a rest and features that are not cannot stand in one table."""
    first = rows[0]
    other = next((row for row in rows if (row.rest is None) != (first.rest is None)), None)
    if other is not None:
        found = "columns 'baseline_start' and 'baseline_stop': only one of them has a baseline"
        where = f"{path}, rows {first.number} and {other.number}"
        raise InputError(where, found, "give every trial a baseline, or none")


def _refuse_two_ratings(path: Path, rows: Sequence[Row]) -> None:
    """An event has one rating and class: later steps take those of any of its trials."""
    first: dict[str, Row] = {}
    for row in rows:
        if _said(row) == (None,) * len(_said(row)):
            continue
        other = first.setdefault(row.event, row)
        pairs = zip((*RATINGS, "label"), _said(other), _said(row), strict=True)
        differ = [name for name, a, b in pairs if a != b]
        if differ:
            where = f"{path}, rows {other.number} and {row.number}"
            found = f"columns {differ} differ, but both rows are the rating event {row.event!r}"
            raise InputError(where, found, "name an event for each in the column 'event'")


def _said(row: Row) -> tuple[float | None, ...]:
    """Ratings and class of a row."""
    return (*row.ratings, row.label)


def _rests_in(row: Row, other: Row) -> bool:
    """Whether the baseline of a row shares samples with the trial of another of the same file."""
    return row.rest is not None and _overlap(row.rest, other.span)


def _overlap(a: tuple[float, float | None], b: tuple[float, float | None]) -> bool:
    ends = [math.inf if stop is None else stop for _, stop in (a, b)]
    return a[0] < ends[1] and b[0] < ends[0]
