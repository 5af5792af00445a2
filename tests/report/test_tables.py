"""Tables of results: what they show, what they leave out, in which order."""

import dataclasses

from neurogaze.evaluation.results import ResultRow
from neurogaze.report import tables

ROW = ResultRow(
    experiment="demo",
    arm="ce",
    dataset="toy",
    split="valid",
    protocol="official",
    label_rule="majority",
    metric="accuracy",
    value=0.8409,
    low=0.8291,
    high=0.8529,
    n=3199,
    seed=0,
    config_hash="",
    grid_hash="",
    split_hash="",
    code_version="0.1.0",
)


def changed(**values) -> ResultRow:
    return dataclasses.replace(ROW, **values)


def cells(table: tables.Table, row: int = 0) -> dict[str, str]:
    return dict(zip(table.header, table.rows[row], strict=True))


def test_accuracies_are_per_cent_and_agreement_is_plain():
    assert tables.percent(ROW) == "84.1 [82.9, 85.3]"
    assert tables.percent(changed(low=None, high=None)) == "84.1"
    ccc = changed(metric="valence_ccc_trial", value=-0.004, low=-0.118, high=0.124)
    assert tables.plain(ccc) == "0.00 [-0.12, 0.12]"


def test_a_chance_row_shows_its_band_only():
    band = changed(arm="chance (99 % band)", metric="valence_ccc_trial", low=-0.1, high=0.12)
    assert tables.plain(band) == "[-0.10, 0.12]"


def test_a_line_of_faces():
    rows = [
        ROW,
        changed(metric="macro_f1_8way", value=0.6, low=None, high=None),
        changed(metric="ece", value=0.0432, low=0.035, high=0.051, note="LEAKY"),
        changed(metric="present_restricted_accuracy", value=0.9, low=None, high=None),
    ]
    table = tables.faces_table(rows)
    assert cells(table) == {
        "dataset": "toy",
        "split": "valid",
        "arm": "ce",
        "seed": "0",
        "label rule": "majority",
        "n": "3,199",
        "accuracy, %": "84.1 [82.9, 85.3]",
        "macro-F1 8-way, %": "60.0",
        "ECE": "0.043 [0.035, 0.051]",
        "notes": "LEAKY",
    }
    assert cells(tables.present_table(rows))["restricted accuracy, %"] == "90.0"


def test_runs_stay_apart_and_arms_in_order():
    rows = [changed(arm="kd"), ROW, changed(seed=1), changed(dataset="a", arm="z")]
    table = tables.faces_table(rows)
    shown = [(cells(table, i)["dataset"], cells(table, i)["arm"], cells(table, i)["seed"])
             for i in range(4)]  # fmt: skip
    assert shown == [("a", "z", "0"), ("toy", "kd", "0"), ("toy", "ce", "0"), ("toy", "ce", "1")]


def test_the_experiment_is_shown_where_there_are_several():
    assert "experiment" not in tables.faces_table([ROW]).header
    assert "experiment" in tables.faces_table([ROW, changed(experiment="other")]).header


def test_a_class_that_the_data_does_not_hold_has_no_score():
    rows = [changed(metric="f1_fear", value=0.5, n=12), changed(metric="f1_anger", value=0.0, n=0)]
    table = tables.class_table([*rows, changed(metric="f1_anger", value=0.25, n=4, arm="kd")])
    assert cells(table)["fear"] == "50.0 (n = 12)"
    assert cells(table)["anger"] == "–"
    assert cells(table, 1)["anger"] == "25.0 (n = 4)"


def test_eeg_keeps_trials_and_windows_apart_and_leaves_faces_out():
    eeg = {"dataset": "eeg", "protocol": "loso", "label_rule": ""}
    rows = [
        ROW,
        changed(metric="valence_ccc_window", value=0.1, n=90, **eeg),
        changed(metric="valence_ccc_trial", value=0.2, low=0.1, high=0.3, n=30, **eeg),
        changed(metric="arousal_rmse_trial", value=0.5, low=None, high=None, n=30, **eeg),
    ]
    table = tables.eeg_table(rows)
    assert [cells(table, i)["per"] for i in range(2)] == ["trial", "window"]
    assert cells(table)["valence CCC"] == "0.20 [0.10, 0.30]"
    assert cells(table)["arousal RMSE"] == "0.50"
    assert cells(table)["n"] == "30"
    assert cells(table, 1)["arousal RMSE"] == "–"
    assert len(tables.faces_table(rows).rows) == 1


def test_no_results_make_no_table():
    assert tables.faces_table([]) is None
    assert tables.eeg_table([ROW]) is None
    assert tables.stages_table({}) is None


def test_stages_show_no_time():
    table = tables.stages_table(
        {"b": {"name": "fit", "fingerprint": "0123456789abcdef", "seconds": 99}, "a": {}}
    )
    assert table.header == ("stage", "folder", "fingerprint")
    assert table.rows == (("a", "a", "–"), ("fit", "b", "0123456789ab"))


def test_calibration_stands_beside_its_temperature():
    rows = [
        changed(metric="ece", value=0.0432, low=None, high=None),
        changed(metric="vote_jsd", value=0.0536, low=0.05, high=0.06),
        changed(metric="temperature", value=1.25, low=None, high=None),
    ]
    table = tables.calibration_table(rows)
    found = cells(table)
    assert (found["ECE"], found["JSD, votes"]) == ("0.043", "0.054 [0.050, 0.060]")
    assert found["T"] == "1.250"
    assert "ECE, votes" not in found
    assert tables.calibration_table([ROW]) is None


def test_recall_and_precision_show_the_faces_behind_them():
    rows = [
        changed(metric="recall_fear", value=0.5, n=12),
        changed(metric="precision_fear", value=0.75, n=8),
    ]
    assert cells(tables.recall_table(rows))["fear"] == "50.0 (n = 12)"
    assert cells(tables.precision_table(rows))["fear"] == "75.0 (n = 8)"
    assert tables.class_table(rows) is None


def test_the_part_without_twins_and_one_rater_are_lines_of_their_own():
    rows = [
        changed(split="valid, twin-free", n=2948),
        ROW,
        changed(arm="one rater", value=0.8041, low=None, high=None),
    ]
    table = tables.faces_table(rows)
    shown = [tuple(cells(table, i)[c] for c in ("split", "arm", "n")) for i in range(3)]
    assert shown == [
        ("valid", "ce", "3,199"),
        ("valid", "one rater", "3,199"),
        ("valid, twin-free", "ce", "2,948"),
    ]


def test_open_set_scores_have_a_table():
    rows = [changed(metric="open_auroc_energy", value=0.71, low=0.6, high=0.8, n=13)]
    found = cells(tables.open_table(rows))
    assert (found["AUROC, energy"], found["n"]) == ("0.71 [0.60, 0.80]", "13")
    assert tables.open_table([ROW]) is None


def test_scores_by_class_name_the_rule_of_their_labels_where_there_are_several():
    rows = [changed(metric="f1_fear", label_rule=rule) for rule in ("majority", "plurality8")]
    table = tables.class_table(rows)
    assert [cells(table, i)["label rule"] for i in range(2)] == ["majority", "plurality8"]
    assert "label rule" not in tables.class_table(rows[:1]).header
    opened = [dataclasses.replace(row, metric="open_auroc_energy") for row in rows]
    assert "label rule" in tables.open_table(opened).header


def test_the_protocol_is_shown_where_nothing_else_tells_lines_apart():
    makers = {
        "accuracy": tables.faces_table,
        "nll": tables.calibration_table,
        "present_restricted_accuracy": tables.present_table,
        "recall_fear": tables.recall_table,
        "open_auroc_energy": tables.open_table,
    }
    for metric, make in makers.items():
        rows = [changed(metric=metric, protocol=name) for name in ("best epoch", "last epoch")]
        table = make(rows)
        assert [cells(table, i)["protocol"] for i in range(2)] == ["best epoch", "last epoch"]
        rows[1] = dataclasses.replace(rows[1], arm="kd")
        assert "protocol" not in make(rows).header


def test_a_mean_over_seeds_is_of_no_seed_and_its_brackets_are_told():
    metric = "present_restricted_accuracy"
    means = changed(metric=metric, arm="ce (mean of 10 seeds)")
    one = changed(metric=metric, arm="kd", seed=3)
    table = tables.present_table([means, one])
    assert [cells(table, i)["seed"] for i in range(2)] == ["–", "3"]
    assert "brackets hold the mean of the single seeds' intervals" in table.caption
    assert "seed" not in tables.present_table([means]).header
    assert "brackets" not in tables.present_table([one]).caption
