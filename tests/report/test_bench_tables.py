"""Cells by hand: a mean with its interval and the band of the same arm, never of another."""

from neurogaze.evaluation.results import ResultRow
from neurogaze.report.bench_tables import bench_tables, outside_benches


def row(arm, metric, value, low, high, experiment="b", note="", rule="r", **more):
    names = ("dataset", "split", "protocol", "config_hash", "grid_hash", "split_hash")
    fields = dict.fromkeys(names, "x") | more
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
    assert "r; 99 % band of permutations; n." in table.caption
    assert chance.rows == (("chance of ridge (99 % band)", "[-0.08, 0.10]", "n"),)


def test_a_run_beside_a_bench_keeps_its_results_and_the_bands_of_either_stay_there():
    alone = [
        row("teacher", "valence_ccc_trial", -0.1, -0.2, 0.0, experiment="run"),
        row("chance of teacher (99 % band)", "valence_ccc_trial", 0.0, -0.1, 0.1, experiment="run"),
    ]
    assert outside_benches([*ROWS, *alone]) == alone
    assert outside_benches(ROWS) == []
    assert bench_tables([*ROWS, *alone]) == bench_tables(ROWS)


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


def test_an_arm_with_brackets_in_its_name_keeps_its_own_band():
    names = {"both": 0.1, "both (maps)": 0.9}
    rows = [row(f"{arm} (mean of 3 seeds)", "valence_ccc_trial", 0.3, 0.2, 0.4) for arm in names]
    for arm, end in reversed(names.items()):
        name = f"chance of {arm} (within_subject)"
        rows.append(row(name, "valence_ccc_trial", 0.0, -end, end, note="99 % prediction band"))
    table = bench_tables(rows)[0]
    assert [line[:2] for line in table.rows] == [
        ("both", "0.30 [0.20, 0.40] {-0.10, 0.10}"),
        ("both (maps)", "0.30 [0.20, 0.40] {-0.90, 0.90}"),
    ]


def test_protocols_and_data_sets_do_not_overwrite_each_other():
    name, metric = "ridge (mean of 3 seeds)", "valence_ccc_trial"
    rows = [
        row(name, metric, value, None, None, protocol=protocol, dataset=data)
        for value, protocol, data in ((0.5, "trial", "a"), (0.1, "loso", "a"), (0.2, "loso", "b"))
    ]
    rows.append(row("chance of ridge (99 % band)", metric, 0, -0.1, 0.1, protocol="loso",
                    dataset="a"))  # fmt: skip
    (table, _) = bench_tables(rows)
    assert table.header[:3] == ("dataset", "protocol", "arm")
    assert [(*line[:2], line[3]) for line in table.rows] == [
        ("a", "trial", "0.50"),
        ("a", "loso", "0.10 {-0.10, 0.10}"),
        ("b", "loso", "0.20"),
    ]


def test_the_caption_says_whose_band_was_made_how():
    metric = "valence_ccc_trial"
    rows = [
        *(row(f"{arm} (mean of 3 seeds)", metric, 0.3, None, None, note="negative; small")
          for arm in ("ridge", "both")),
        row("maps (mean of 3 seeds)", metric, 0.3, None, None, note="negative"),
        row("chance of ridge (99 % band, within_subject)", metric, 0, -0.1, 0.1, note="negative"),
        row("chance of both (within_subject)", metric, 0, -0.1, 0.1, note="13 refits; negative"),
    ]  # fmt: skip
    assert bench_tables(rows)[0].caption.endswith(
        " r; negative; small (ridge, both); 99 % band of permutations (ridge); 13 refits (both)."
    )
