"""What an interrupted run over a folder has done already, beside its table, as JSON Lines.

The first line says what made the rows: model, detector, settings, folder. Every further line holds
the rows of one picture under a key of name, size and time of change. Lines come in groups that were
judged together, and a group counts only when its last line is whole: so a resumed run puts the same
faces into the same batches as one that nobody disturbed, and ends with the same bytes. A later line
of a picture takes the place of an earlier one: what failed is tried again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neurogaze.deploy.rows import COLUMNS, FaceRow, as_values, of_record
from neurogaze.errors import InputError
from neurogaze.strict_json import parse

VERSION = 2
SUFFIX = ".journal"
RECORD = {"key", "failed", "settled", "rows", "last"}
"""What a line of a picture holds."""

LONGEST_HEADER = 1 << 16
"""Bytes of a first line, beyond which a file is no journal."""


def journal_of(out: Path) -> Path:
    """The journal beside a table."""
    return out.with_name(out.name + SUFFIX)


@dataclass(frozen=True)
class Entry:
    """What is kept of one picture.

    Args:
        key: of the picture, from `key_of`.
        rows: its rows.
        failed: it could not be read.
    """

    key: str
    rows: tuple[FaceRow, ...]
    failed: bool = False

    @property
    def settled(self) -> bool:
        """Whether a resumed run may leave it at that: the picture was read, and drawn if asked."""
        return not self.failed and not any(row.undrawn for row in self.rows)


def key_of(name: str, path: Path) -> str:
    """Name, size in bytes and time of change in nanoseconds, so that a changed picture is new."""
    try:
        status = path.stat()
    except OSError:
        return json.dumps([name, -1, -1])
    return json.dumps([name, status.st_size, status.st_mtime_ns])


def _parsed(line: bytes) -> dict[str, Any] | None:
    """A whole line of JSON; None for the end, and for what a killed writer left."""
    try:
        return parse(line.decode()) if line.endswith(b"\n") else None
    except ValueError:
        return None


def _entry_in(line: bytes) -> dict[str, Any] | None:
    """A whole line of a picture; None for the end, and for anything else that stands there."""
    found = _parsed(line)
    whole = isinstance(found, dict) and set(found) >= RECORD and isinstance(found["key"], str)
    return found if whole else None


def is_begun(path: Path, identity: Mapping[str, str]) -> bool:
    """Whether a journal is there that the same model, detector, settings and folder began."""
    return path.is_file() and _parsed(_first_line(path)) == _header(identity)


def check_own(path: Path) -> None:
    """Refuse to take a file for a journal that nobody but its user can have written.

    Raises:
        InputError: for a file that is neither empty nor begins as a journal does; a first line that
            a killed writer left unfinished counts as one.
    """
    line = _first_line(path) if path.is_file() else b""
    begins = json.dumps({"journal": VERSION, "columns": list(COLUMNS)})[:-1].encode()
    whole = _parsed(line)
    known = isinstance(whole, dict) and {"journal", "columns"} <= set(whole)
    torn = not line.endswith(b"\n") and (line.startswith(begins) or begins.startswith(line))
    if not known and not torn:
        found = "is there and is no journal of a table"
        raise InputError(path, found, "move it away, or give --out another name")


def _first_line(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.readline(LONGEST_HEADER)


def _header(identity: Mapping[str, str]) -> dict[str, Any]:
    return {"journal": VERSION, "columns": list(COLUMNS), **identity}


class Journal:
    """Rows on disk, found again by key; memory holds only where each begins.

    Use it in a `with` block, which closes the file.

    Args:
        path: of the journal; a journal of something else is overwritten.
        identity: what made the rows.

    Raises:
        InputError: for a file at that place that is no journal.

    Attributes:
        kept: pictures found from an earlier run.
        other: whether a journal of another model, folder or other settings was thrown away.
    """

    def __init__(self, path: Path, identity: Mapping[str, str]) -> None:
        self.path = path
        check_own(path)
        header = _header(identity)
        self._places: dict[str, int] = {}
        self._unsettled: set[str] = set()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a+b")
        self._file.seek(0)
        first = _parsed(self._file.readline())
        self.other = first is not None and first != header
        end = 0 if first != header else self._indexed()
        self._file.seek(end)
        self._file.truncate()
        if not end:
            self._append(json.dumps(header))
            self._file.flush()  # drawings that follow are known by it as this run's own
        self.kept = len(self._places)

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __contains__(self, key: str) -> bool:
        return key in self._places

    def settled(self, key: str) -> bool:
        """Whether a picture is done, and did not fail."""
        return key in self._places and key not in self._unsettled

    def _indexed(self) -> int:
        """Find every entry of a whole group; the place after the last of them."""
        end = start = self._file.tell()
        group: dict[str, tuple[int, bool]] = {}
        while (record := _entry_in(self._file.readline())) is not None:
            group[record["key"]] = start, record["settled"]
            start = self._file.tell()
            if record["last"]:
                for key, (place, settled) in group.items():
                    self._note(key, place, settled)
                end, group = start, {}
        return end

    def _note(self, key: str, place: int, settled: bool) -> None:
        self._places[key] = place
        (self._unsettled.discard if settled else self._unsettled.add)(key)

    def _append(self, text: str) -> None:
        self._file.write(text.encode() + b"\n")

    def add(self, group: Sequence[Entry]) -> None:
        """Keep the pictures of one group, all or none of them."""
        self._file.seek(0, 2)
        for number, entry in enumerate(group, start=1):
            self._note(entry.key, self._file.tell(), entry.settled)
            record = {
                "key": entry.key,
                "failed": entry.failed,
                "settled": entry.settled,
                "rows": [as_values(row) for row in entry.rows],
                "last": number == len(group),
            }
            self._append(json.dumps(record, allow_nan=False))
        self._file.flush()

    def entry(self, key: str) -> Entry:
        """What is kept under a key.

        Raises:
            KeyError: for a key that is not there.
        """
        self._file.seek(self._places[key])
        record = json.loads(self._file.readline())
        rows = [of_record(dict(zip(COLUMNS, row, strict=True))) for row in record["rows"]]
        return Entry(key, tuple(rows), record["failed"])
