"""Tables to Markdown and LaTeX: nothing in a cell may break the markup."""

import re

from neurogaze.report.markup import latex_text, markdown_text, to_latex, to_markdown
from neurogaze.report.tables import Table

TABLE = Table(
    title="A | B",
    caption="50 % of a_b & c.",
    header=("arm_name", "accuracy, %", "notes"),
    rows=(("ce|kd", "84.1 [82.9, 85.3]", "a\nb"), ("x_y*", "–", r"$\alpha$ #1 {~^} <é>")),
)


def test_markdown_is_a_pipe_table_under_one_line():
    text = to_markdown(TABLE).split("\n")
    assert text[0] == r"**A \| B.** 50 % of a\_b & c."
    assert text[1] == ""
    assert text[2] == r"| arm\_name | accuracy, % | notes |"
    assert text[3] == "| --- | --- | --- |"
    assert text[4] == r"| ce\|kd | 84.1 [82.9, 85.3] | a b |"
    assert len(text) == 7
    for line in text[2:6]:
        assert len(re.findall(r"(?<!\\)\|", line)) == 4


def test_latex_escapes_every_special_character():
    assert latex_text("a_b & 5 %") == r"a\_b \& 5 \%"
    assert latex_text("$#{}~^\\") == (
        r"\$\#\{\}\textasciitilde{}\textasciicircum{}\textbackslash{}"
    )
    assert latex_text("é – × →") == r"e -- $\times$ U+2192"


def test_names_that_differ_differ_in_latex():
    greek = {
        "τ": r"$\tau$",
        "σ": r"$\sigma$",
        "λ": r"$\lambda$",
        "Λ": r"$\Lambda$",
        "Α": "A",
        "ο": "o",
        "µ": r"$\mu$",
        "ώ": r"$\omega$",
        "ς": r"$\varsigma$",
        "ϛ": "U+03DB",
    }
    assert {sign: latex_text(sign) for sign in greek} == greek
    assert latex_text("小") != latex_text("大") != ""
    assert latex_text("groß") == "gross"
    assert latex_text("e\u0301") == "e"


def test_latex_is_ascii_balanced_and_has_no_package():
    text = to_latex(TABLE)
    assert text.isascii()
    bare = text.replace(r"\{", "").replace(r"\}", "")
    assert bare.count("{") == bare.count("}")
    for name in set(re.findall(r"\\begin\{(\w+)\}", text)):
        assert text.count(rf"\begin{{{name}}}") == text.count(rf"\end{{{name}}}")
    assert "booktabs" not in text
    assert not re.search(r"(?<!\\)[%#_]", text)


def test_latex_rows_have_as_many_cells_as_columns():
    inner = re.compile(r"\\begin\{tabular\}\[t\].*?\\end\{tabular\}")
    rows = [line for line in to_latex(TABLE).split("\n") if line.endswith(r"\\")]
    assert len(rows) == 3
    for row in rows:
        assert len(re.findall(r"(?<!\\)&", inner.sub("", row))) == 2


def test_latex_puts_the_interval_under_the_value():
    expected = r"\begin{tabular}[t]{@{}l@{}}84.1 \\ {[}82.9, 85.3{]}\end{tabular}"
    assert expected in to_latex(TABLE)
    band = Table("T", "c", ("x",), (("[-0.1, 0.1]",),))
    assert r"{[}-0.1, 0.1{]} \\" in to_latex(band)
    support = Table("T", "c", ("x", "arm"), (("50.0 (n = 12)", "chance (99 % band)"),))
    assert r"50.0 \\ (n = 12)\end{tabular} & chance (99 \% band) \\" in to_latex(support)


def test_markdown_brackets_that_could_link_are_text():
    assert markdown_text("[a](b) ![c][d] [1](e) [2][3]") == r"\[a](b) !\[c]\[d] \[1](e) \[2][3]"
    assert markdown_text("[1]: http://a.example") == r"\[1]: http://a.example"
    assert markdown_text("0.3 [-0.1, 0.5], ratings to [-1, 1]") == (
        "0.3 [-0.1, 0.5], ratings to [-1, 1]"
    )


def test_markdown_entities_are_text_and_a_bare_ampersand_stays():
    assert markdown_text("&amp; &#60; a & b") == r"\&amp; \&#60; a & b"
