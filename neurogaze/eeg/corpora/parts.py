"""All files of one recording: a change of any of them is a change of the recording."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from neurogaze.eeg.corpora.fif import fif_parts, is_fif
from neurogaze.eeg.corpora.sources import Stamp, readable, stamp

HELD_WHOLE = (".edf", ".bdf")
"""Suffixes of formats that are one file."""
HEADER = ".vhdr"
READABLE = "check that MNE can read it; it may be truncated"


def recording_files(path: Path) -> list[Path]:
    """The content of a folder, or what shares the name of a file and what the file names.

    BrainVision keeps samples and markers beside the header, EEGLAB the samples, FIF its later
    parts; each may lie under another name, which the first file tells.

    Args:
        path: what MNE is told to open.

    Raises:
        InputError: for a file that names others and cannot be read.
    """
    if path.is_dir():
        return [p for p in path.rglob("*") if p.is_file()]
    stem = re.compile(re.escape(path.stem) + r"(-\d+)?")
    found = {p for p in path.parent.iterdir() if p.is_file() and stem.fullmatch(p.stem)}
    return sorted(found | _named(path))


def _named(path: Path) -> set[Path]:
    """The files that a file names."""
    suffix = path.suffix.lower()
    if is_fif(path):
        return set(fif_parts(path))
    if suffix == HEADER:
        return _in_header(path)
    return set() if suffix in HELD_WHOLE else set(_read_along(path, stamp(path)))


def _in_header(path: Path) -> set[Path]:
    """Samples and markers of a BrainVision header."""
    text = path.read_text(encoding="utf-8", errors="replace")
    named = re.findall(r"^(?:DataFile|MarkerFile)\s*=\s*(.+?)\s*$", text, re.MULTILINE)
    return {path.parent / name for name in named if (path.parent / name).is_file()}


@lru_cache(maxsize=1024)
def _read_along(path: Path, version: Stamp) -> tuple[Path, ...]:
    """Files that MNE reads samples from; asked once a version of the file that names them."""
    import mne

    with readable(path, READABLE):
        files = mne.io.read_raw(path, preload=False, verbose="ERROR").filenames
        return tuple(Path(file) for file in files if file is not None and Path(file).is_file())
