"""Class names of the rows of a manifest: numbers mean nothing without names, and must agree."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

from neurogaze.errors import InputError
from neurogaze.faces.corpora.classes import label_of
from neurogaze.faces.corpora.manifest_columns import NAMES, NUMBERS, Columns


def class_names(columns: Columns, classes: Sequence[str] = ()) -> tuple[str, ...]:
    """The class name of every row.

    A column of numbers that holds words instead is one of names.

    Args:
        columns: the manifest.
        classes: names in the order of the numbers, which count from 0; by default those that the
            file itself tells.

    Raises:
        InputError: for rows without a label, numbers without names, a number that is none, a
            name and a number that disagree, naming the row, or names given that disagree with
            those in the file.
    """
    _check_classes(columns, classes)
    classes = tuple(classes) or columns.classes
    words, numbers = _labels(columns)
    if numbers is None and words is None:
        found = f"has no column of labels, but {sorted(columns.cells)}"
        raise InputError(columns.path, found, f"name one of {(*NAMES, *NUMBERS)}")
    if numbers is None or (words is not None and not classes):
        names = words or ()
        _check_one_meaning(columns, names, numbers or ())
        return names
    if not classes:
        found = "has numbers for labels, and nothing says what they mean"
        remedy = "add a column label_name, or list the names with --data.corpus.classes"
        raise InputError(columns.path, found, remedy)
    told = tuple(_named(columns, row, number, classes) for row, number in enumerate(numbers))
    _check_agreement(columns, words or told, told)
    return words or told


def _labels(columns: Columns) -> tuple[tuple[str, ...] | None, tuple[int, ...] | None]:
    """Names and numbers of the rows, each None where no column holds them."""
    numeric, worded = None, columns.among(NAMES)
    for header in columns.among(NUMBERS):
        values = [whole(cell) for cell in columns.cells[header]]
        if all(value is None for value in values):
            worded.append(header)
        elif numeric is None:
            wrong = next((row for row, value in enumerate(values) if value is None), None)
            if wrong is not None:
                found = f"is {columns.cells[header][wrong]!r}, and others are numbers"
                raise InputError(
                    f"{columns.where(wrong)}, column {header!r}", found, "give one kind of label"
                )
            numeric = tuple(value for value in values if value is not None)
    return (columns.cells[worded[0]] if worded else None), numeric


def whole(cell: str) -> int | None:
    """A whole number as text, "3" or "3.0", else None.

    >>> whole("3.0"), whole("3.5"), whole("joy")
    (3, None, None)
    """
    try:
        value = float(cell)
    except ValueError:
        return None
    return int(value) if value.is_integer() else None


def _named(columns: Columns, row: int, number: int, classes: Sequence[str]) -> str:
    if not 0 <= number < len(classes):
        listed = ", ".join(f"{i} {name}" for i, name in enumerate(classes))
        remedy = "mend it, or list every class with --data.corpus.classes"
        raise InputError(columns.where(row), f"label {number} is none of {listed}", remedy)
    return classes[number]


def _check_classes(columns: Columns, given: Sequence[str]) -> None:
    """Where names are given and the file has its own, both say the same of each number."""
    if not given or not columns.classes:
        return
    pairs = zip_longest(columns.classes, given, fillvalue="nothing")
    for number, (name, other) in enumerate(pairs):
        if _meaning(name) != _meaning(other):
            found = f"says that {number} is {name!r}, and --data.corpus.classes {other!r}"
            raise InputError(columns.path, found, "give no classes, or those of the file")


def _check_agreement(columns: Columns, names: Sequence[str], told: Sequence[str]) -> None:
    for row, (name, other) in enumerate(zip(names, told, strict=True)):
        if _meaning(name) != _meaning(other):
            found = f"is named {name!r}, and its number means {other!r}"
            raise InputError(columns.where(row), found, "mend the row or the order of the classes")


def _check_one_meaning(columns: Columns, names: Sequence[str], numbers: Sequence[int]) -> None:
    """Where nobody says what numbers mean, each still goes with one name, and a name with one."""
    meaning: dict[int, tuple[int, str]] = {}
    numbered: dict[str, tuple[int, int]] = {}
    for row, (name, number) in enumerate(zip(names, numbers, strict=False)):
        first, other = meaning.setdefault(number, (row, name))
        if _meaning(name) != _meaning(other):
            found = f"label {number} is {name!r}, and in row {first + columns.first} {other!r}"
            raise InputError(columns.where(row), found, "mend the row that is wrong")
        first, same = numbered.setdefault(name.lower(), (row, number))
        if number != same:
            found = f"{name!r} is label {number}, and in row {first + columns.first} {same}"
            raise InputError(columns.where(row), found, "mend the row that is wrong")


def _meaning(name: str) -> int | str:
    label = label_of(name)
    return name.strip().lower() if label is None or label < 0 else label


def check_listed_once(where: Path, names: Sequence[str], files: Sequence[str], first: int) -> None:
    """Hold that no picture has two rows: it would count twice, or teach and judge.

    Args:
        where: the manifest.
        names: of the pictures, as its rows say them.
        files: what they lead to, equal for two spellings of one name.
        first: number of the first row.

    Raises:
        InputError: naming the first row that repeats another.
    """
    seen: dict[str, int] = {}
    for row, (name, file) in enumerate(zip(names, files, strict=True)):
        before = seen.setdefault(file, row)
        if before != row:
            found = f"lists {name} again, after row {before + first}"
            raise InputError(f"{where}, row {row + first}", found, "keep one row a picture")
