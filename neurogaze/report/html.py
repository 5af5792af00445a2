"""One self-contained HTML page: no script, no link to the outside, pictures inside."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from neurogaze.report.drawing import DPI
from neurogaze.report.tables import Table

RESEARCH_USE = (
    "For research. Scores are of perceived expression and never say what a person feels; valence "
    "and arousal of a face are a projection onto the prototype space. No gaze is used. Not for "
    "identification or surveillance, not for depression or other health screening, not for the "
    "workplace or education (EU AI Act, Art. 5(1)(f)). Unvalidated for autistic people; fairness "
    "not audited."
)

STYLE = """
:root { color-scheme: light; --ink: #1f2933; --soft: #52606d; --line: #e4e7eb; --accent: #0072b2; }
* { box-sizing: border-box; }
body { margin: 0; background: #f5f7f9; color: var(--ink);
  font: 15px/1.55 -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main, header, footer { max-width: 1160px; margin: 0 auto; padding: 0 24px; }
header { padding-top: 40px; }
h1 { font-size: 28px; line-height: 1.2; margin: 0 0 8px; letter-spacing: -0.01em; }
h2 { font-size: 19px; margin: 0 0 12px; }
h3 { font-size: 15px; margin: 20px 0 4px; }
.facts { color: var(--soft); margin: 0 0 4px; }
nav { margin: 14px 0 22px; }
nav a { display: inline-block; margin: 0 16px 4px 0; color: var(--accent); text-decoration: none; }
nav a:hover { text-decoration: underline; }
.stamp { background: #fff4e5; border-left: 4px solid #d55e00; padding: 8px 14px; margin: 12px 0;
  border-radius: 3px; }
section { background: #fff; border: 1px solid var(--line); border-radius: 8px;
  padding: 22px 24px; margin: 0 0 20px; }
.absent { color: var(--soft); font-style: italic; margin: 0; }
.caption { color: var(--soft); font-size: 13.5px; margin: 0 0 10px; max-width: 95ch; }
.lead { max-width: 95ch; margin: 0 0 12px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13.5px; font-variant-numeric: tabular-nums; }
th { text-align: left; vertical-align: bottom; font-weight: 600; border-bottom: 2px solid #cbd2d9;
  padding: 6px 12px 6px 0; }
td { vertical-align: top; border-bottom: 1px solid var(--line); padding: 6px 12px 6px 0;
  min-width: 34px; }
td.long { overflow-wrap: anywhere; min-width: 150px; }
tr:last-child td { border-bottom: 0; }
td.number { white-space: nowrap; }
.interval { display: block; color: var(--soft); font-size: 12px; }
.gallery { display: flex; flex-wrap: wrap; gap: 8px 32px; align-items: flex-end; }
figure { margin: 14px 0 18px; max-width: 100%; }
figure img { width: 100%; height: auto; display: block; }
figcaption { color: var(--soft); font-size: 13.5px; margin-bottom: 6px; overflow-wrap: anywhere; }
footer { color: var(--soft); font-size: 13px; padding-bottom: 48px; }
@media print { body { background: #fff; } nav { display: none; }
  section { border: 0; padding: 0; } figure, table { break-inside: avoid; } }
"""

INTERVAL = re.compile(
    r"^(?P<value>[+-]?[\d.]+( ± [\d.]+)?) (?P<interval>\[[^\]]+\]|\(n = [\d,]+\))$"
)
NUMBER = re.compile(r"^([+-]?[\d.,]+( ± [\d.]+)?( [\[(].*[\])])?|\[.*\]|–)$")
LONG = 28
"""Characters from which a cell may be broken anywhere."""
CSS_DPI = 96


@dataclass(frozen=True)
class Picture:
    """A figure of the report.

    Args:
        name: file name without suffix.
        caption: one sentence.
        png: its bytes.
    """

    name: str
    caption: str
    png: bytes


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Args:
        title: heading.
        blocks: HTML, top to bottom; none: the part was not run.
        absent: what to say when there are no blocks.
    """

    title: str
    blocks: tuple[str, ...]
    absent: str


def table_html(table: Table, heading: bool = True) -> str:
    """A table under its caption, intervals on a second line of their cells.

    Args:
        table: the table.
        heading: whether to write its title.
    """
    numeric = [
        all(NUMBER.match(row[column]) for row in table.rows) for column in range(len(table.header))
    ]
    head = "".join(f"<th>{escape(name)}</th>" for name in table.header)
    cells = [[_cell(c, n) for c, n in zip(row, numeric, strict=True)] for row in table.rows]
    rows = "\n".join(f"<tr>{''.join(row)}</tr>" for row in cells)
    title = f"<h3>{escape(table.title)}</h3>\n" if heading else ""
    return (
        f"{title}<p class='caption'>{escape(table.caption)}</p>\n"
        f"<div class='scroll'><table>\n<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{rows}\n</tbody>\n</table></div>"
    )


def _cell(text: str, numeric: bool) -> str:
    """A cell; an interval, or the support of a value, is set apart."""
    kind = " class='number'" if numeric else " class='long'" if len(text) > LONG else ""
    if match := INTERVAL.match(text):
        value, apart = escape(match["value"]), escape(match["interval"])
        return f"<td{kind}>{value}<span class='interval'>{apart}</span></td>"
    return f"<td{kind}>{escape(text)}</td>"


def gallery_html(pictures: Sequence[Picture]) -> str:
    """Pictures side by side where there is room, their bytes inside the page."""
    return f"<div class='gallery'>{''.join(map(_figure, pictures))}</div>"


def _figure(picture: Picture) -> str:
    """One picture at the size it was drawn for."""
    data, caption = base64.b64encode(picture.png).decode("ascii"), escape(picture.caption)
    pixels = int.from_bytes(picture.png[16:20], "big")  # width in the header of a PNG
    width = round(pixels * CSS_DPI / DPI)
    return (
        f'<figure style="width: {width}px"><figcaption>{caption}</figcaption>'
        f'<img alt="{caption}" src="data:image/png;base64,{data}"></figure>'
    )


def note_html(text: str) -> str:
    """A sentence in small print."""
    return f"<p class='caption'>{escape(text)}</p>"


def lead_html(sentences: Sequence[str]) -> str:
    """A paragraph whose first sentence stands out, as what must be read first."""
    first, *rest = map(escape, sentences)
    return f"<p class='lead'><strong>{first}</strong> {' '.join(rest)}</p>"


def page(
    title: str, facts: Sequence[str], stamps: Sequence[str], sections: Sequence[Section]
) -> str:
    """The whole page.

    Args:
        title: heading.
        facts: sentences under it.
        stamps: warnings that hold for the results.
        sections: parts in order; an empty one says that it was not run.
    """
    links = "".join(f"<a href='#{_anchor(s)}'>{escape(s.title)}</a>" for s in sections if s.blocks)
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style></head><body>",
        f"<header><h1>{escape(title)}</h1>",
        *(f"<p class='facts'>{escape(fact)}</p>" for fact in facts),
        *(f"<p class='stamp'><strong>{escape(stamp)}</strong></p>" for stamp in stamps),
        f"<nav>{links}</nav></header>\n<main>",
        *(_section(section) for section in sections),
        f"</main>\n<footer><p>{escape(RESEARCH_USE)}</p></footer>\n</body></html>",
    ]
    return "\n".join(lines) + "\n"


def _anchor(section: Section) -> str:
    return re.sub(r"[^a-z0-9]+", "-", section.title.lower()).strip("-")


def _section(section: Section) -> str:
    inner = "\n".join(section.blocks) or f"<p class='absent'>{escape(section.absent)}</p>"
    return f"<section id='{_anchor(section)}'><h2>{escape(section.title)}</h2>\n{inner}\n</section>"
