"""Rows of the table of a custom corpus, and what no two of them may say."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from neurogaze.errors import InputError

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


def refuse_contradictions(path: Path, rows: Sequence[Row]) -> None:
    """Refuse rows that do not go together.

    Args:
        path: the table, for messages.
        rows: all of it.

    Raises:
        InputError: for a file of two people, a trial that shares samples with its own baseline or
            the trial or baseline of another event, a trial that is there twice, a baseline for
            some trials only, or an event of two ratings.
    """
    _refuse_shared(path, rows)
    _refuse_mixed_rest(path, rows)
    _refuse_two_ratings(path, rows)


def _refuse_shared(path: Path, rows: Sequence[Row]) -> None:
    """Samples belong to one person and one event, or folds would not be what they say."""
    by_file: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if _rests_in(row, row):
            found = f"the baseline lies in the trial itself, in {row.file!r}"
            remedy = "say where the trial starts and stops, and take its rest from outside"
            raise InputError(f"{path}, row {row.number}", found, remedy)
        for other in by_file[row.file]:
            what = f"{path}, rows {other.number} and {row.number}"
            if other.subject != row.subject:
                found = f"file {row.file!r} belongs to {other.subject!r} and {row.subject!r}"
                raise InputError(what, found, "give each person files of their own")
            if other.span == row.span and other.event == row.event:
                found = f"both are the same trial of {row.file!r}"
                raise InputError(what, found, "remove one of them")
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
