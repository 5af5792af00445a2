"""Results on spoiled pictures reach the page; a run without them says nothing of it."""

from neurogaze.evaluation.results import write_rows
from neurogaze.report.build import build_report
from tests.report.test_robustness_tables import student_rows


def test_table_and_picture_are_in_the_report(tmp_path):
    rows = student_rows() + student_rows(arm="baseline")
    write_rows(tmp_path / "summary" / "robustness.jsonl", rows)
    page = build_report(tmp_path, tmp_path / "report").read_text(encoding="utf-8")
    assert "<h2" in page
    assert "Robustness" in page
    assert "70.0" in page
    markdown = (tmp_path / "report" / "results.md").read_text()
    assert "**Robustness, accuracy.**" in markdown
    assert "**Robustness, ECE.**" in markdown
    names = {path.name for path in (tmp_path / "report" / "figures").iterdir()}
    assert names == {f"robustness-stress-{arm}-d-valid.png" for arm in ("student", "baseline")}


def test_a_run_without_them_has_no_such_part(tmp_path):
    page = build_report(tmp_path, tmp_path / "report").read_text(encoding="utf-8")
    assert "Robustness" not in page
