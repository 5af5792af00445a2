"""Lines of a bench: which arm and condition a value belongs to, and when there is no picture."""

from neurogaze.report.figures_bench import arm_lines, conditions_figure
from tests.report.test_bench_tables import row

ROWS = [
    row(f"{arm} (mean of 3 seeds)", f"{axis}_ccc_trial", value, value - 0.1, value + 0.1,
        experiment=f"b: snr {level}")
    for axis in ("valence", "arousal")
    for arm, base in (("both", 0.1), ("ridge", 0.2))
    for level, value in ((0, base), (1, base + 0.3))
]  # fmt: skip


def test_values_stand_by_arm_and_condition():
    lines = arm_lines(ROWS, "valence")
    assert {arm: [r.value for r in line.values()] for arm, line in lines.items()} == {
        "both": [0.1, 0.4],
        "ridge": [0.2, 0.5],
    }
    assert list(lines["both"]) == ["snr 0", "snr 1"]


def test_one_condition_is_no_curve():
    assert conditions_figure([r for r in ROWS if "snr 0" in r.experiment]) is None
    assert conditions_figure([]) is None


def test_the_picture_is_a_png_that_depends_on_the_values():
    first, other = conditions_figure(ROWS), conditions_figure(ROWS[:-1] + ROWS[:1])
    assert first is not None
    assert first.startswith(b"\x89PNG")
    assert first != other
