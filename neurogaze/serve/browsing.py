"""A folder of reports to read beside the page: its listings, and only files meant for readers."""

from __future__ import annotations

import os
from html import escape
from pathlib import Path
from urllib.parse import quote

from neurogaze.serve.guarding import REPORTS

READABLE = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".svg": "image/svg+xml",
    ".pdf": "application/pdf",
    ".md": "text/plain; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".tex": "text/plain; charset=utf-8",
    ".csv": "text/plain; charset=utf-8",
    ".json": "application/json",
    ".jsonl": "text/plain; charset=utf-8",
    ".yaml": "text/plain; charset=utf-8",
}
"""What a reader may open, and as what it is sent; weights and stores are never offered."""

KILO = 1000


def find_in(root: Path, path: str) -> Path | None:
    """The file or folder that `path` names under `root`; None where there is none to be seen.

    Links that lead out of the root, hidden names, files of other kinds and names that are no UTF-8,
    which no address brings back, count as absent.

    Args:
        root: folder of reports.
        path: as in the address, decoded, "" for the root itself.
    """
    try:
        found = (root / path.strip("/")).resolve(strict=True)
        parts = found.relative_to(root.resolve()).parts
        "/".join([path, *parts]).encode()  # a ValueError for a name that is no UTF-8
        seen = not any(part.startswith(".") for part in parts)
        kind = found.is_dir() or (found.is_file() and found.suffix.lower() in READABLE)
        return found if seen and kind and os.access(found, os.R_OK) else None
    except (OSError, ValueError, RuntimeError):  # absent, outside, a loop, an odd name
        return None


def listing(root: Path, folder: Path) -> str:
    """A page that lists a folder: reports first, then folders, then files.

    Args:
        root: folder of reports.
        folder: a folder in it, as `find_in` returns it.
    """
    inside = folder.relative_to(root.resolve())
    entries = [e for e in sorted(folder.iterdir()) if find_in(root, str(inside / e.name))]
    entries.sort(key=lambda e: (e.suffix.lower() != ".html", not e.is_dir(), e.name.lower()))
    rows = "\n".join(_row(inside, entry) for entry in entries)
    name = os.fsencode(root.resolve().name).decode(errors="backslashreplace")
    title = " / ".join([name or "reports", *inside.parts])
    up = f"<p><a href='{_address(inside.parent)}/'>One folder up</a></p>" if inside.parts else ""
    head = "<thead><tr><th scope='col'>Name</th><th scope='col'>Size</th></tr></thead>"
    table = f"<table>{head}<tbody>\n{rows}\n</tbody></table>" if entries else "<p>Nothing here.</p>"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<link rel='stylesheet' href='/page/style.css'></head>\n"
        f"<body class='listing'><header><h1>{escape(title)}</h1>\n"
        "<nav><a href='/'>Back to the page</a></nav></header>\n"
        f"<main><section class='card'>{up}{table}</section></main></body></html>\n"
    )


def _row(inside: Path, entry: Path) -> str:
    """One line of the table."""
    folder = entry.is_dir()
    name, slash = escape(entry.name), "/" if folder else ""
    size = "folder" if folder else _size(entry.stat().st_size)
    address = f"{_address(inside / entry.name)}{slash}"
    return f"<tr><td><a href='{address}'>{name}{slash}</a></td><td>{size}</td></tr>"


def _address(inside: Path) -> str:
    """Address of something under the root; quoting leaves nothing that could end an attribute."""
    return "/".join([REPORTS, *(quote(part, safe="") for part in inside.parts)])


def _size(n: int) -> str:
    """A size in words.

    >>> _size(980), _size(48_200), _size(3_100_000)
    ('980 B', '48 kB', '3.1 MB')
    """
    if n < KILO:
        return f"{n} B"
    return f"{n / KILO:.0f} kB" if n < KILO**2 else f"{n / KILO**2:.1f} MB"
