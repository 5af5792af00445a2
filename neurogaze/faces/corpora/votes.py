"""The votes file of FER+, row by row."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurogaze.errors import InputError
from neurogaze.faces.labels import VOTE_COLUMNS

MOST_VOTES = 1_000_000
"""Larger counts are no votes; FER+ asked ten people."""

USAGES = {"train": "Training", "valid": "PublicTest", "test": "PrivateTest"}
VOTES_NAME = "fer2013new.csv"
VOTES_REMEDY = (
    f"supply {VOTES_NAME} of FER+ with --data.corpus.votes or NEUROGAZE_FERPLUS_VOTES, "
    "or place it in the root"
)


@dataclass(frozen=True, eq=False)
class VoteSheet:
    """The votes file: one entry a row, in file order.

    Args:
        usage: `str [N]`, as in `USAGES`.
        names: `str [N]`, picture name or empty.
        votes: `int64 [N, 10]`, counts in the order of `VOTE_COLUMNS`.
    """

    usage: NDArray[np.str_]
    names: NDArray[np.str_]
    votes: NDArray[np.int64]


def read_votes(path: Path) -> VoteSheet:
    """Read `fer2013new.csv`; columns are found by name.

    Raises:
        InputError: for a missing file, missing columns, or a row that does not parse.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            header, *rows = list(csv.reader(stream)) or [[]]
    except FileNotFoundError:
        raise InputError(path, "there is no such file", VOTES_REMEDY) from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(path, f"not a table of votes ({error})", VOTES_REMEDY) from error
    wanted = ("Usage", "Image name", *VOTE_COLUMNS)
    missing = [name for name in wanted if name not in header]
    if missing:
        raise InputError(path, f"columns {missing} are missing", VOTES_REMEDY)
    columns = [header.index(name) for name in wanted]
    parsed = [_row(path, line, row, columns) for line, row in enumerate(rows, start=2) if row]
    if not parsed:
        raise InputError(path, "holds no rows", VOTES_REMEDY)
    usage, names, votes = zip(*parsed, strict=True)
    return VoteSheet(np.array(usage), np.array(names), np.array(votes, dtype=np.int64))


def _row(path: Path, line: int, row: list[str], columns: list[int]) -> tuple[str, str, list[int]]:
    where = f"{path}, line {line}"
    try:
        usage, name, *counts = [row[column].strip() for column in columns]
        votes = [int(count) for count in counts]
    except (IndexError, ValueError):
        raise InputError(where, f"cannot read {','.join(row)!r}", VOTES_REMEDY) from None
    wrong = [count for count in votes if not 0 <= count <= MOST_VOTES]
    if wrong:
        raise InputError(where, f"a count is {wrong[0]}", VOTES_REMEDY)
    if usage not in USAGES.values():
        raise InputError(where, f"Usage is {usage!r}", f"use one of {tuple(USAGES.values())}")
    if name != Path(name).name:
        raise InputError(where, f"image name {name!r} is a path", "give the file name alone")
    return usage, name, votes
