"""Tables of text to Markdown and plain LaTeX."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from neurogaze.report.tables import Table

BELOW = re.compile(r"(?<=\d) (?=\[|\(n = )")
"""Between a value and its interval or support."""


LINKED = re.compile(r"\[(?![-+\d., ]+\](?![\[(:]))")
"""A bracket that may open a link or a picture; those of an interval stay as they are."""

ENTITY = re.compile(r"&(?=#?\w+;)")


def to_markdown(table: Table) -> str:
    """A pipe table under one line of caption."""

    def line(cells: Iterable[str]) -> str:
        return "| " + " | ".join(markdown_text(cell) for cell in cells) + " |"

    head = [line(table.header), "|" + " --- |" * len(table.header)]
    caption = f"**{markdown_text(table.title)}.** {markdown_text(table.caption)}"
    return "\n".join([caption, "", *head, *map(line, table.rows)]) + "\n"


def markdown_text(text: str) -> str:
    r"""Text on one line that cannot break a pipe table or start markup.

    >>> markdown_text("a_b ![x](y) 0.3 [0.1, 0.5]")
    'a\\_b !\\[x](y) 0.3 [0.1, 0.5]'
    """
    for character in "\\|*_<`":
        text = text.replace(character, "\\" + character)
    return " ".join(ENTITY.sub(r"\\&", LINKED.sub(r"\\[", text)).split())


PARAGRAPHS = {"notes": "26mm", "differences": "32mm", "our result": "26mm", "verdict": "20mm"}
"""Columns of sentences, which are broken, and how wide they are."""


def to_booktabs(table: Table, label: str) -> str:
    """A floating table with the rules of the package booktabs, for a paper.

    Args:
        table: the table; intervals stand under their values.
        label: what the text refers to, such as "tab:xval_main".
    """
    head, body = _latex_lines(table)
    lines = [
        "% needs \\usepackage{booktabs}",
        r"\begin{table}[tbp]",
        rf"\caption{{{latex_text(table.title + '. ' + table.caption)}}}\label{{{label}}}",
        r"\centering\scriptsize\setlength{\tabcolsep}{3pt}",
        rf"\begin{{tabular}}{{@{{}}{_latex_columns(table)}@{{}}}}",
        *(r"\toprule", head, r"\midrule", *body, r"\bottomrule"),
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _latex_columns(table: Table) -> str:
    """How each column is set."""
    return "".join(
        rf"p{{{PARAGRAPHS[name]}}}" if name in PARAGRAPHS else "l" for name in table.header
    )


def _latex_lines(table: Table) -> tuple[str, list[str]]:
    """The line of headings, and one line a row."""
    head = " & ".join(_stacked(_halves(name)) for name in table.header) + r" \\"
    return head, [" & ".join(map(_latex_cell, cells)) + r" \\" for cells in table.rows]


def to_latex(table: Table) -> str:
    """A floating table in plain LaTeX, no package needed; intervals stand under their values."""
    head, body = _latex_lines(table)
    lines = [
        r"\begin{table}",
        rf"\caption{{{latex_text(table.title + '. ' + table.caption)}}}\vspace{{4pt}}",
        r"\centering\scriptsize\setlength{\tabcolsep}{3pt}",
        rf"\begin{{tabular}}{{{_latex_columns(table)}}}",
        *(r"\hline", head, r"\hline", *body, r"\hline"),
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _latex_cell(text: str) -> str:
    """A cell; an interval or support that follows a value goes under it."""
    return _stacked(BELOW.split(text, maxsplit=1))


def _stacked(parts: list[str]) -> str:
    """Lines of one cell on top of one another, the first on the line of the row."""
    if len(parts) == 1:
        return latex_text(parts[0])
    inner = r" \\ ".join(map(latex_text, parts))
    return rf"\begin{{tabular}}[t]{{@{{}}l@{{}}}}{inner}\end{{tabular}}"


def _halves(text: str) -> list[str]:
    """A heading on one line a word."""
    return text.replace(", %", " (%)").split()


LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"$<$", ">": r"$>$", "|": r"$|$", "–": "--", "—": "---", "−": "$-$", "×": r"$\times$",
    "±": r"$\pm$", "ß": "ss", "[": "{[}", "]": "{]}",
}  # fmt: skip


GREEK = re.compile(r"GREEK (?P<size>SMALL|CAPITAL) LETTER (?P<letter>[A-Z]+)")
SMALL_GREEK = {
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda",
    "mu", "nu", "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega",
}  # fmt: skip
LIKE_LATIN = {"omicron": "o"}
FINAL_SIGMA = "ς"
OWN_CAPITALS = {
    "gamma", "delta", "theta", "lambda", "xi", "pi", "sigma", "upsilon", "phi", "psi", "omega",
}  # fmt: skip
"""Greek capitals that LaTeX has; the others look like Latin ones."""


def latex_text(text: str) -> str:
    r"""Escape text for LaTeX; of what it could not set, accents go and the number of others stands.

    >>> latex_text("macro_f1 50 % – é τ 小")
    'macro\\_f1 50 \\% -- e $\\tau$ U+5C0F'
    """
    escaped = []
    for character in " ".join(text.split()):
        if character in LATEX:
            escaped.append(LATEX[character])
            continue
        parts = unicodedata.normalize("NFKD", character)
        plain_form = parts.encode("ascii", "ignore").decode()
        escaped.append(plain_form or "".join(map(_without_a_plain_form, parts)))
    return "".join(escaped)


def _without_a_plain_form(character: str) -> str:
    """A Greek letter as a formula, nothing for an accent, else the number of the character."""
    if unicodedata.combining(character):
        return ""
    if character == FINAL_SIGMA:
        return r"$\varsigma$"
    name = GREEK.fullmatch(unicodedata.name(character, ""))
    letter = name["letter"].lower().replace("lamda", "lambda") if name else ""
    if name is None or letter not in SMALL_GREEK | LIKE_LATIN.keys():
        return f"U+{ord(character):04X}"
    if name["size"] == "SMALL":
        return LIKE_LATIN.get(letter, rf"$\{letter}$")
    return rf"$\{letter.title()}$" if letter in OWN_CAPITALS else letter[0].upper()
