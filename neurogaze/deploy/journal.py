"""What an interrupted run over a folder has done already, beside its table, as JSON Lines.

The first line says what made the rows: model, detector, settings, folder. Every further line holds
the rows of one picture under a key of name, size and time of change. Lines come in groups that were
judged together, and a group counts only when its last line is whole: so a resumed run puts the same
faces into the same batches as one that nobody disturbed, and ends with the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neurogaze.deploy.rows import COLUMNS, FaceRow, as_values, of_record

VERSION = 1
SUFFIX = ".journal"


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
        return json.loads(line) if line.endswith(b"\n") else None
    except ValueError:
        return None


class Journal:
    """Rows on disk, found again by key; memory holds only where each begins.

    Use it in a `with` block, which closes the file.

    Args:
        path: of the journal; a journal of something else is overwritten.
        identity: what made the rows.

    Attributes:
        kept: pictures found from an earlier run.
        other: whether a journal of another model, folder or other settings was thrown away.
    """

    def __init__(self, path: Path, identity: Mapping[str, str]) -> None:
        self.path = path
        header = {"journal": VERSION, "columns": list(COLUMNS), **identity}
        self._places: dict[str, int] = {}
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
        self.kept = len(self._places)

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __contains__(self, key: str) -> bool:
        return key in self._places

    def _indexed(self) -> int:
        """Find every entry of a whole group; the place after the last of them."""
        end = start = self._file.tell()
        group: dict[str, int] = {}
        while (record := _parsed(self._file.readline())) is not None:
            group[record["key"]] = start
            start = self._file.tell()
            if record["last"]:
                self._places |= group
                end, group = start, {}
        return end

    def _append(self, text: str) -> None:
        self._file.write(text.encode() + b"\n")

    def add(self, group: Sequence[Entry]) -> None:
        """Keep the pictures of one group, all or none of them."""
        self._file.seek(0, 2)
        for number, entry in enumerate(group, start=1):
            self._places[entry.key] = self._file.tell()
            record = {
                "key": entry.key,
                "failed": entry.failed,
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
