"""Rows to CSV, JSON Lines or Parquet as they come: nothing is collected, nothing half-written.

All three hold the same values. In CSV an empty cell is a missing value, and truth is `true` or
`false`; the other two know missing values themselves. CSV and JSON Lines are UTF-8.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TextIO

from neurogaze.artefacts import written_aside
from neurogaze.deploy.rows import COLUMNS, KINDS, OPTIONAL, FaceRow, as_values, of_record
from neurogaze.errors import InputError
from neurogaze.strict_json import parse

SUFFIXES = (".csv", ".jsonl", ".parquet")
GROUP = 4096
"""Rows of Parquet that are kept until they are written."""

TRUTH = {"true": True, "false": False}

READ: dict[str, Callable[[str], Any]] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": TRUTH.__getitem__,
}
"""From a cell of CSV to a value."""


class Table(Protocol):
    """Takes rows, in their order."""

    def write(self, row: FaceRow) -> None:
        """Add one row."""
        ...


def check_table(path: Path) -> None:
    """Say at once whether rows can be written to a file of that name.

    Raises:
        InputError: for another suffix than `SUFFIXES`, or a folder.
    """
    if path.suffix.lower() not in SUFFIXES:
        found = f"has the suffix {path.suffix!r}"
        raise InputError(path, found, f"end the name of the table in one of {', '.join(SUFFIXES)}")
    if path.is_dir():
        raise InputError(path, "is a folder", "name a file")


@contextmanager
def table(path: Path) -> Iterator[Table]:
    """A table to write to; it gets its name when the block ends without error.

    Raises:
        InputError: as `check_table`.
    """
    check_table(path)
    kind = path.suffix.lower()
    with written_aside(path) as aside:
        if kind == ".parquet":
            with _parquet(aside) as written:
                yield written
        else:
            with aside.open("w", encoding="utf-8", newline="") as stream:
                yield _Csv(stream) if kind == ".csv" else _JsonLines(stream)


class _Lines:
    """Ends rows in a line feed alone, of a writer that ends them in both.

    `csv` quotes the letters of its line ending, and a carriage return in a name must be quoted.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, row: str) -> None:
        self._stream.write(row.removesuffix("\r\n") + "\n")


class _Csv:
    def __init__(self, stream: TextIO) -> None:
        self._writer = csv.writer(_Lines(stream), lineterminator="\r\n")
        self._writer.writerow(COLUMNS)

    def write(self, row: FaceRow) -> None:
        self._writer.writerow([_cell(value) for value in as_values(row)])


def _cell(value: Any) -> Any:
    """A value as CSV holds it; `csv` writes None as nothing and floats in full."""
    return str(value).lower() if isinstance(value, bool) else value


class _JsonLines:
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, row: FaceRow) -> None:
        record = dict(zip(COLUMNS, as_values(row), strict=True))
        self._stream.write(json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n")


class _Parquet:
    def __init__(self, writer: Any, schema: Any) -> None:
        self._writer, self._schema = writer, schema
        self._rows: list[list[Any]] = []

    def write(self, row: FaceRow) -> None:
        self._rows.append(as_values(row))
        if len(self._rows) >= GROUP:
            self.flush()

    def flush(self) -> None:
        import pyarrow

        if not self._rows:
            return
        columns = zip(*self._rows, strict=True)
        arrays = [
            pyarrow.array(column, type=field.type)
            for column, field in zip(columns, self._schema, strict=True)
        ]
        self._writer.write_table(pyarrow.Table.from_arrays(arrays, schema=self._schema))
        self._rows = []


@contextmanager
def _parquet(path: Path) -> Iterator[_Parquet]:
    import pyarrow
    from pyarrow.parquet import ParquetWriter

    types = {
        "str": pyarrow.string(),
        "int": pyarrow.int64(),
        "float": pyarrow.float64(),
        "bool": pyarrow.bool_(),
    }
    schema = pyarrow.schema([(name, types[kind]) for name, kind in KINDS.items()])
    with ParquetWriter(path, schema) as writer:
        written = _Parquet(writer, schema)
        yield written
        written.flush()


def read_faces(path: Path) -> Iterator[FaceRow]:
    """The rows of a table that `neurogaze infer` wrote, one after another.

    Raises:
        InputError: for another suffix, a file that is not there, or one that is no such table.
    """
    check_table(path)
    if not path.is_file():
        raise InputError(path, "no such file", "give a table that `neurogaze infer` wrote")
    records = {".csv": _csv_records, ".jsonl": _json_records, ".parquet": _parquet_records}
    try:
        yield from map(of_record, records[path.suffix.lower()](path))
    except (ValueError, KeyError, TypeError, OSError, csv.Error) as error:
        found = f"is no table of faces ({type(error).__name__}: {error})"
        raise InputError(path, found, "give a table that `neurogaze infer` wrote") from error


def _csv_records(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8", newline="") as stream:
        for record in csv.DictReader(stream):
            yield {name: _value(name, record[name]) for name in COLUMNS}


def _value(name: str, cell: str) -> Any:
    """What a cell of CSV stands for."""
    if cell == "" and name in OPTIONAL:
        return None
    return READ[KINDS[name]](cell)


def _json_records(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as stream:
        yield from map(parse, stream)


def _parquet_records(path: Path) -> Iterator[dict[str, Any]]:
    from pyarrow.parquet import ParquetFile

    with ParquetFile(path) as file:
        for batch in file.iter_batches(GROUP):
            yield from batch.to_pylist()


def write_table(path: Path, rows: Iterable[FaceRow]) -> None:
    """Write rows that are there already."""
    with table(path) as written:
        for row in rows:
            written.write(row)
