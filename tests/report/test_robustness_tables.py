"""Cells by hand: which condition a value stands under, and what stands beside it."""

from neurogaze.evaluation.results import ResultRow
from neurogaze.report.robustness_tables import by_student, corruptions, robustness_tables

FIXED = dict.fromkeys(("protocol", "config_hash", "grid_hash", "split_hash", "label_rule"), "x")


def row(condition, metric, value, half=0.02, **changes):
    fields = {
        "experiment": f"stress: {condition}", "arm": "student", "dataset": "d", "split": "valid",
        "n": 9, "seed": 0, "code_version": "1", "note": "drawn faces",
    } | FIXED | changes  # fmt: skip
    return ResultRow(metric=metric, value=value, low=value - half, high=value + half, **fields)


def student_rows(**changes):
    found = [row("clean", metric, 0.9, **changes) for metric in ("accuracy", "ece")]
    for kind, base in (("noise", 0.8), ("jpeg", 0.7)):
        for severity in (1, 2):
            found.append(row(f"{kind} {severity}", "accuracy", base - severity / 10, **changes))
            found.append(row(f"{kind} {severity}", "ece", severity / 10, **changes))
        found.append(row(kind, "mean_corruption_accuracy", base - 0.15, **changes))
        found.append(row(kind, "relative_drop", 0.25, **changes))
    found.append(row("all", "mean_corruption_accuracy", 0.6, **changes))
    return [*found, row("all", "relative_drop", 1 / 3, **changes)]


def test_severities_stand_across_and_corruptions_down():
    accuracy, ece = robustness_tables(student_rows())
    assert accuracy.title == "Robustness, accuracy"
    assert accuracy.header == ("corruption", "clean", "1", "2", "mean", "relative drop, %")
    assert accuracy.rows[0] == (
        "noise", "90.0 [88.0, 92.0]", "70.0 [68.0, 72.0]", "60.0 [58.0, 62.0]",
        "65.0 [63.0, 67.0]", "25.0 [23.0, 27.0]",
    )  # fmt: skip
    assert accuracy.rows[1][0] == "jpeg"
    assert accuracy.rows[2] == ("all", "90.0 [88.0, 92.0]", "–", "–", "60.0 [58.0, 62.0]",
                                "33.3 [31.3, 35.3]")  # fmt: skip
    assert ece.header == ("corruption", "clean", "1", "2")
    assert [line[:2] for line in ece.rows] == [
        ("noise", "0.900 [0.880, 0.920]"),
        ("jpeg", "0.900 [0.880, 0.920]"),
    ]
    assert "Drawn faces." in ece.caption


def test_a_baseline_adds_a_column():
    rows = [*student_rows(), row("noise", "mean_corruption_error", 0.75)]
    table = robustness_tables(rows)[0]
    assert table.header[-1] == "error : baseline"
    assert [line[-1] for line in table.rows] == ["0.75 [0.73, 0.77]", "–", "–"]
    assert "errors summed over severities" in table.caption


def test_several_students_are_told_apart():
    rows = student_rows() + student_rows(arm="baseline")
    table = robustness_tables(rows)[0]
    assert table.header[:5] == ("experiment", "arm", "dataset", "split", "corruption")
    assert [line[1] for line in table.rows] == ["student"] * 3 + ["baseline"] * 3
    assert {key.experiment for key in by_student(rows)} == {"stress"}


def test_names_of_corruptions_come_from_the_conditions():
    (found,) = by_student(student_rows()).values()
    assert corruptions(found) == ["noise", "jpeg"]


def test_no_rows_no_tables():
    assert robustness_tables([]) == []


def test_two_students_of_one_name_are_two_students():
    rows = student_rows(config_hash="a") + student_rows(config_hash="b", seed=1)
    table = robustness_tables(rows)[0]
    assert table.header[:5] == ("experiment", "arm", "dataset", "split", "run")
    assert [line[4] for line in table.rows] == ["seed 0"] * 3 + ["seed 1"] * 3
    assert [key.run for key in by_student(student_rows())] == [""]


def test_what_no_name_tells_apart_is_numbered():
    rows = student_rows(config_hash="a") + student_rows(config_hash="b")
    assert [key.run for key in by_student(rows)] == ["run 1", "run 2"]
    rows += student_rows(config_hash="c", protocol="two views")
    assert [key.run for key in by_student(rows)] == ["x; run 1", "x; run 2", "two views; run 3"]
