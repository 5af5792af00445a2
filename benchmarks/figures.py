"""A measured figure, its target, and the table of all of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    Args:
        name: what was measured.
        value: median where there were several rounds.
        unit: of the value.
        target: in words, empty where the figure has none.
        met: whether the target is met, None where there is none.
        spread: least and greatest of the rounds.
    """

    name: str
    value: float
    unit: str = ""
    target: str = ""
    met: bool | None = None
    spread: tuple[float, float] | None = None


def at_least(name: str, values: Sequence[float], least: float, unit: str = "x") -> Figure:
    """A figure whose median should be at least `least`."""
    value = float(np.median(values))
    spread = (float(min(values)), float(max(values)))
    return Figure(name, value, unit, f">= {least:g}", value >= least, spread)


def at_most(name: str, values: Sequence[float], most: float, unit: str = "") -> Figure:
    """A figure whose median should be at most `most`."""
    value = float(np.median(values))
    spread = (float(min(values)), float(max(values)))
    return Figure(name, value, unit, f"<= {most:g}", value <= most, spread)


def plain(name: str, values: Sequence[float], unit: str) -> Figure:
    """A figure without a target."""
    return Figure(name, float(np.median(values)), unit, spread=(min(values), max(values)))


def table(figures: Sequence[Figure]) -> str:
    """All figures as text."""
    heads = ("what", "median", "least .. greatest", "target", "")
    rows = [heads, *(_row(figure) for figure in figures)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(heads))]
    lines = ["  ".join(text.ljust(w) for text, w in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in (lines[0], "-" * len(lines[0]), *lines[1:]))


def _row(figure: Figure) -> tuple[str, str, str, str, str]:
    verdict = {None: "", True: "met", False: "missed"}[figure.met]
    value = f"{figure.value:.4g} {figure.unit}".strip()
    low, high = figure.spread or (figure.value, figure.value)
    spread = "" if low == high else f"{low:.4g} .. {high:.4g}"
    return figure.name, value, spread, figure.target, verdict


def write(path: Path, figures: Sequence[Figure], notes: Sequence[str]) -> None:
    """All figures as JSON."""
    content = {"figures": [asdict(figure) for figure in figures], "notes": list(notes)}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
