"""Tables of text to Markdown and plain LaTeX."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from neurogaze.report.tables import Table


def to_markdown(table: Table) -> str:
    """A pipe table under one line of caption."""

    def line(cells: Iterable[str]) -> str:
        return "| " + " | ".join(_markdown_text(cell) for cell in cells) + " |"

    head = [line(table.header), "|" + " --- |" * len(table.header)]
    caption = f"**{_markdown_text(table.title)}.** {_markdown_text(table.caption)}"
    return "\n".join([caption, "", *head, *map(line, table.rows)]) + "\n"


def _markdown_text(text: str) -> str:
    """Text that cannot break a pipe table or start markup."""
    for character in "\\|*_<`":
        text = text.replace(character, "\\" + character)
    return " ".join(text.split())


def to_latex(table: Table) -> str:
    """A floating table in plain LaTeX, no package needed."""
    columns = "l" * len(table.header)
    body = [" & ".join(map(latex_text, cells)) + r" \\" for cells in table.rows]
    return "\n".join(
        [
            r"\begin{table}",
            rf"\caption{{{latex_text(table.title + '. ' + table.caption)}}}",
            r"\centering\scriptsize\setlength{\tabcolsep}{3pt}",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\hline",
            " & ".join(map(latex_text, table.header)) + r" \\",
            r"\hline",
            *body,
            r"\hline",
            r"\end{tabular}",
            r"\end{table}",
        ]
    ) + "\n"  # fmt: skip


LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"$<$", ">": r"$>$", "|": r"$|$", "–": "--", "—": "---", "−": "$-$", "×": r"$\times$",
    "±": r"$\pm$", "[": "{[}", "]": "{]}",
}  # fmt: skip


def latex_text(text: str) -> str:
    r"""Escape text for LaTeX; characters it could not set lose their accent or are left out.

    >>> latex_text("macro_f1 50 % – é")
    'macro\\_f1 50 \\% -- e'
    """
    escaped = []
    for character in text:
        if character in LATEX:
            escaped.append(LATEX[character])
            continue
        plain_form = unicodedata.normalize("NFKD", character)
        escaped.append(plain_form.encode("ascii", "ignore").decode())
    return "".join(escaped)
