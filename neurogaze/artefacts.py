"""Names and safe keeping of what a run leaves behind.

An artefact is named by a hash of the settings that made it, checked by a hash of its content, and
written aside and renamed, so that a reader sees all of it or none of it.
"""

from __future__ import annotations

import dataclasses
import errno
import glob
import hashlib
import json
import os
import platform
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from neurogaze.errors import InputError


def canonical(value: Any) -> Any:
    """Reduce settings to plain JSON values: dataclasses to dicts, paths to text, tuples to lists.

    Raises:
        TypeError: for a value that has no canonical form, such as a function.

    >>> canonical({"edges": (1, 2.5), "path": Path("a/b")})
    {'edges': [1, 2.5], 'path': 'a/b'}
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: canonical(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): canonical(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [canonical(item) for item in value]
    if isinstance(value, Path):
        return value.as_posix()
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"no canonical form for {type(value).__name__}: {value!r}")


def settings_hash(value: Any) -> str:
    """SHA-256 of settings in canonical JSON; the same in every process and on every platform.

    >>> settings_hash({"b": 1, "a": 2}) == settings_hash({"a": 2, "b": 1})
    True
    """
    text = json.dumps(canonical(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def arrays_hash(arrays: Mapping[str, np.ndarray]) -> str:
    """SHA-256 over names, dtypes, shapes and little-endian bytes, whatever file holds the arrays.

    Args:
        arrays: numeric, boolean or fixed-width text arrays; object arrays are refused.

    Raises:
        TypeError: for an object array, which has no content of its own.
    """
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.asarray(arrays[name])
        if array.dtype.hasobject:
            raise TypeError(f"array {name!r} holds Python objects and cannot be hashed")
        array = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        digest.update(f"{name}|{array.dtype.str}|{array.shape}|".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def file_hash(path: Path) -> str:
    """SHA-256 of the bytes of one file, read in blocks."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def alone(lock: Path, what: Path) -> Iterator[None]:
    """Keep other processes out while the block runs; the system lets go when this one ends.

    Args:
        lock: empty file that stands for the right to write; made where it is missing.
        what: is written, to name in the error.

    Raises:
        InputError: at once, when another process is at it.
    """
    import fcntl

    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            remedy = "wait for it, or stop it, and repeat the command"
            raise InputError(what, "another process is writing here", remedy) from None
        yield


_unfinished: set[Path] = set()
"""What threads of this process are writing; it bears the number of a living process either way."""


def _aside(path: Path, swept: bool = False) -> Path:
    """A fresh hidden name beside `path`; what killed writers left of it is swept away."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not swept:
        sweep(path.parent, glob.escape(path.name))
    token = secrets.token_hex(4)
    return path.with_name(f".aside-{_machine()}-{os.getpid()}-{token}-{path.name}")


def _machine() -> str:
    return hashlib.sha256(platform.node().encode()).hexdigest()[:8]


def sweep(folder: Path, name: str = "*") -> None:
    """Remove what killed writers of this machine left unfinished in a folder.

    A writer on another machine that shares the disk has another name and is left alone.

    Args:
        folder: where to look, not below it; it need not exist.
        name: pattern of the artefact's name.
    """
    for stale in folder.glob(f".aside-{_machine()}-*-{name}"):
        if stale not in _unfinished and not _alive(int(stale.name.split("-")[2])):
            remove(stale)


def _alive(process: int) -> bool:
    """Whether another process of that number runs; leftovers of one that had ours count as dead."""
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def remove(path: Path) -> None:
    """Remove a file or a folder; a folder is renamed first, so that nobody sees a part of it."""
    if not path.is_dir():
        path.unlink(missing_ok=True)
        return
    gone = path.with_name(f".gone-{secrets.token_hex(4)}-{path.name}")
    path.rename(gone)
    shutil.rmtree(gone)


def refuse_foreign(folder: Path, mark: str, names: Iterable[str]) -> None:
    """Refuse to write over files of a folder that no earlier call left.

    Args:
        folder: to write in; it need not exist.
        mark: name of a file that such a call leaves first of all.
        names: of what would be written over.

    Raises:
        InputError: naming the first of them.
    """
    remedy = "give --out a new folder"
    if folder.exists() and not folder.is_dir():
        raise InputError(folder, "is a file", remedy)
    if (folder / mark).is_file():
        return
    for name in names:
        if (folder / name).exists():
            raise InputError(folder, f"holds {name} and no {mark}", remedy)


def _flush(path: Path) -> None:
    """Have the disk hold the file before its name says so."""
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


@contextmanager
def written_aside(path: Path, swept: bool = False) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it into place when the block ends without error.

    The name keeps the suffix, so writers that look at it behave the same.

    Args:
        path: of the artefact.
        swept: the caller has called `sweep` on its folder. Each call looks through the whole folder
            otherwise, which for many files in one takes a time that grows with their square.
    """
    aside = _aside(path, swept)
    _unfinished.add(aside)
    try:
        yield aside
        _flush(aside)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
        _unfinished.discard(aside)


@contextmanager
def folder_written_aside(path: Path) -> Iterator[Path]:
    """Yield an empty folder beside `path` that takes its place when the block ends well.

    Where another process put a folder there meanwhile, that one stays: somebody may read it.
    """
    aside, before = _aside(path), _stamp(path)
    _unfinished.add(aside)
    try:
        aside.mkdir()
        yield aside
        for file in sorted(aside.rglob("*")):
            if file.is_file():
                _flush(file)
        if _stamp(path) in (None, before):
            _put(aside, path)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
        _unfinished.discard(aside)


def _stamp(path: Path) -> tuple[int, int] | None:
    """What tells a folder from another that takes its place; None where there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns


def _put(aside: Path, path: Path) -> None:
    """Give a finished folder its name, unless another process is quicker."""
    with suppress(FileNotFoundError):
        remove(path)
    try:
        aside.replace(path)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise


def write_json(path: Path, value: Any) -> None:
    """Write settings or results as readable JSON, aside and renamed."""
    text = json.dumps(canonical(value), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    with written_aside(path) as aside:
        aside.write_text(text, encoding="utf-8")


def write_npz(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays as a compressed `.npz`, aside and renamed.

    Raises:
        TypeError: for an object array, which only pickle could hold.
    """
    objects = [name for name, array in arrays.items() if np.asarray(array).dtype.hasobject]
    if objects:
        raise TypeError(f"arrays {objects} hold Python objects and cannot be stored")
    contents: dict[str, Any] = dict(arrays)
    with written_aside(path) as aside, aside.open("wb") as stream:
        np.savez_compressed(stream, **contents)
