"""Tables of pictures in CSV files: columns by name, rows with their line, sound file names."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from rich import progress as bars

from neurogaze.errors import InputError

Row = tuple[int, list[str]]
"""Line in the file (the header is line 1 where no cell holds a line break), and its cells."""


LARGE = 20_000_000
"""Bytes from which on reading a table takes seconds, so that a bar is shown."""


def read_columns(path: Path, columns: Sequence[str], remedy: str) -> Iterator[Row]:
    """Rows of a CSV file in its order, each cut down to the columns asked for.

    Args:
        path: CSV file in UTF-8; its first row names the columns.
        columns: wanted, by name.
        remedy: what to do when the file cannot be used.

    Raises:
        InputError: for a file that is missing or no table, missing columns, or a short row.
    """
    try:
        with bars.open(
            path,
            "r",
            description=f"reading {path.name}",
            newline="",
            encoding="utf-8-sig",
            disable=path.stat().st_size < LARGE,
        ) as stream:
            yield from _rows(path, csv.reader(stream), columns, remedy)
    except FileNotFoundError:
        raise InputError(path, "there is no such file", remedy) from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(path, f"not a table ({error})", remedy) from error


def _rows(
    path: Path, reader: Iterator[list[str]], columns: Sequence[str], remedy: str
) -> Iterator[Row]:
    header = [name.strip() for name in next(reader, [])]
    missing = [name for name in columns if name not in header]
    if missing:
        raise InputError(path, f"columns {missing} are missing", remedy)
    places = [header.index(name) for name in columns]
    for row in reader:
        if not row:
            continue
        line = reader.line_num  # type: ignore[attr-defined]
        if len(row) <= max(places):
            raise InputError(f"{path}, line {line}", f"has {len(row)} cells", remedy)
        yield line, [row[place].strip() for place in places]


def inside(where: str, file: str) -> str:
    """A file name that stays below its folder, as it was given.

    Raises:
        InputError: for an empty or absolute name, or one that climbs out.
    """
    parts = PurePosixPath(file).parts
    if not parts or parts[0] == "/" or ".." in parts:
        raise InputError(where, f"file {file!r} leads out of the folder", "name a file inside it")
    return file
