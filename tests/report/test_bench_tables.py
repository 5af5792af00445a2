"""Cells by hand: a mean with its interval and the band of the same arm, never of another."""

from neurogaze.evaluation.results import ResultRow
from neurogaze.report.bench_tables import bench_tables


def row(arm, metric, value, low, high, experiment="b", note="", rule="r"):
    names = ("dataset", "split", "protocol", "config_hash", "grid_hash", "split_hash")
    fields = dict.fromkeys(names, "x")
    return ResultRow(
        experiment=experiment, arm=arm, label_rule=rule, metric=metric, value=value, low=low,
        high=high, n=9, seed=0, code_version="1", note=note, **fields,
    )  # fmt: skip


ROWS = [
    row("ridge", "valence_ccc_trial", 0.9, 0.8, 1.0),
    row("ridge (mean of 3 seeds)", "valence_ccc_trial", 0.31, 0.12, 0.48),
    row("prior (mean of 3 seeds)", "valence_ccc_trial", 0.2, 0.1, 0.3),
    row("chance of ridge (99 % band)", "valence_ccc_trial", 0.0, -0.08, 0.1, note="n"),
]


def test_a_line_holds_mean_interval_and_own_band():
    table, chance = bench_tables(ROWS)
    assert table.rows[0][:2] == ("ridge", "0.31 [0.12, 0.48] {-0.08, 0.10}")
    assert table.rows[1][:2] == ("prior", "0.20 [0.10, 0.30]")
    assert table.rows[0][2] == "–"
    assert table.header[:2] == ("arm", "valence CCC")
    assert "r; n" in table.caption
    assert chance.rows == (("chance of ridge (99 % band)", "[-0.08, 0.10]", "n"),)


def test_conditions_become_a_column():
    rows = [
        row("ridge (mean of 1 seed)", "valence_ccc_trial", v, None, None, experiment=f"b: snr {v}")
        for v in (0.1, 0.2)
    ]
    (table,) = bench_tables(rows)
    assert table.header[0] == "condition"
    assert [line[0] for line in table.rows] == ["snr 0.1", "snr 0.2"]


def test_results_without_means_have_no_table():
    assert bench_tables(ROWS[:1]) == []
