"""Tables in LaTeX for a paper: they compile, whatever is in a cell."""

import shutil
import subprocess

import pytest

from neurogaze.evaluation.contrast_file import ContrastFile
from neurogaze.report.arm_tables import ablation_table, cross_table
from neurogaze.report.contrast_tables import contrast_tables
from neurogaze.report.markup import to_booktabs, to_latex
from neurogaze.report.reported import Match
from neurogaze.report.reported_tables import reported_tables
from neurogaze.report.tables import Table
from tests.report.test_arm_tables import PRESENT, SCORES, judged
from tests.report.test_contrast_tables import NLL, PRIMARY

NASTY = Table("A_b & 50 %", r"#1 {x} ~ ^ \ $ < > | é – × ± − …", ("a_b", "p, %", "notes"),
              (("ce|kd", "84.1 [82.9, 85.3]", "x_y & 5 % #3"), ("[0, 1]", "–", "")))  # fmt: skip
WRAPPER = r"""\documentclass[a4paper]{article}
\usepackage[margin=15mm]{geometry}
\usepackage{booktabs}
\begin{document}
%s
\end{document}
"""


def every_table() -> list[Table]:
    both = SCORES | PRESENT
    rows = [*judged(scores=both), *judged(0.01, both, arm="kd+proto", seed=1)]
    rows += [*judged(0.02, both, arm="kd+proto"), *judged(-0.1, both, dataset="ck_plus", n=981)]
    arms = [ablation_table(rows), cross_table(rows)]
    compared = contrast_tables({"run": ContrastFile((), (PRIMARY, NLL))})
    match = Match("ce", "toy", "valid", "48 px & 30 epochs; 100 % of a_b #1")
    return [NASTY, *arms, *compared, *reported_tables({"neurogaze/T1/B0": match}, rows)]


def test_booktabs_rules_and_label():
    lines = to_booktabs(NASTY, "tab:nasty").splitlines()
    assert lines[0] == r"% needs \usepackage{booktabs}"
    rules = [i for i, line in enumerate(lines) if line.endswith("rule")]
    assert [lines[i] for i in rules] == [r"\toprule", r"\midrule", r"\bottomrule"]
    assert r"\label{tab:nasty}" in lines[2]
    assert r"\hline" not in "".join(lines)
    assert r"x\_y \& 5 \% \#3 \\" in lines[rules[2] - 2]


def lacking() -> str | None:
    """What of LaTeX is not installed: the program, or the package, which may come apart."""
    if shutil.which("pdflatex") is None:
        return "pdflatex"
    found = shutil.which("kpsewhich") and subprocess.run(
        ["kpsewhich", "booktabs.sty"], capture_output=True, timeout=60
    )
    return None if found and found.returncode == 0 else "the LaTeX package booktabs"


LACKING = lacking()


@pytest.mark.skipif(LACKING is not None, reason=f"{LACKING} is not installed")
def test_every_table_compiles(tmp_path):
    tables = every_table()
    parts = [to_booktabs(table, f"tab:t_{i}") for i, table in enumerate(tables)]
    parts += [to_latex(table) for table in tables]
    (tmp_path / "all.tex").write_text(WRAPPER % "\n\\clearpage\n".join(parts))
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-3000:]
    assert (tmp_path / "all.pdf").stat().st_size > 10_000
    assert f"({len(parts)} pages" in (tmp_path / "all.log").read_text(errors="replace")
