"""Lines against severity: which value stands where, and when there is no picture."""

from neurogaze.report.figures_robustness import robustness_figure, severity_lines
from neurogaze.report.robustness_tables import by_student
from tests.report.test_robustness_tables import student_rows


def found(rows=None):
    (one,) = by_student(rows or student_rows()).values()
    return one


def test_clean_is_severity_nought_of_every_line():
    lines = severity_lines(found(), "ece")
    values = {kind: [(s, row.value) for s, row in points] for kind, points in lines.items()}
    assert values == {kind: [(0, 0.9), (1, 0.1), (2, 0.2)] for kind in ("noise", "jpeg")}


def test_without_conditions_there_is_no_picture():
    assert robustness_figure({}) is None


def test_the_picture_depends_on_the_values_alone():
    first = robustness_figure(found())
    assert first is not None
    assert first.startswith(b"\x89PNG")
    assert first == robustness_figure(found())
    fewer = [row for row in student_rows() if "jpeg" not in row.experiment]
    assert robustness_figure(found(fewer)) != first
