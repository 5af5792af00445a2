"""Tables of arms: what a line says, what goes to the caption, when there is a table at all."""

from neurogaze.report.arm_tables import ablation_table, arms_table, cross_table
from tests.report.test_tables import cells, changed

BARE = {"low": None, "high": None}
SCORES = {"accuracy": 0.8, "macro_f1_8way": 0.6, "balanced_accuracy_8way": 0.5}
PRESENT = {
    "present_restricted_accuracy": 0.9,
    "present_restricted_macro_f1": 0.7,
    "present_restricted_balanced_accuracy": 0.65,
}


def judged(shift=0.0, scores=SCORES, **more):
    return [changed(metric=m, value=v + shift, **BARE | more) for m, v in scores.items()]


def test_arms_are_averaged_on_both_splits_and_under_both_rules():
    rows = []
    for seed in (0, 1):
        rows += judged(0.02 * seed, seed=seed)
        rows += judged(seed=seed, split="valid, twin-free", n=2948)
        rows += judged(seed=seed, label_rule="plurality8", n=3500)
    rows += judged(arm="one rater", scores={"accuracy": 0.804})
    table = arms_table(rows)
    lines = [cells(table, i) for i in range(4)]
    assert [(x["split"], x["label rule"], x["arm"], x["seeds"], x["n"]) for x in lines] == [
        ("valid", "majority", "ce", "2", "3,199"),
        ("valid", "plurality8", "ce", "2", "3,500"),
        ("valid", "majority", "one rater", "1", "3,199"),
        ("valid, twin-free", "majority", "ce", "2", "2,948"),
    ]
    assert lines[0]["accuracy, %"] == "81.0 ± 1.4"
    assert lines[0]["macro-F1, %"] == "61.0 ± 1.4"
    assert lines[3]["balanced accuracy, %"] == "50.0 ± 0.0"
    assert lines[2]["macro-F1, %"] == "–"
    assert "dataset toy; protocol official" in table.caption


def test_single_runs_make_no_table_of_arms():
    assert arms_table([*judged(), *judged(arm="kd")]) is None
    assert arms_table([]) is None


def test_ablation_puts_the_part_without_twins_beside_the_whole():
    rows = [*judged(), *judged(0.01, arm="full"), *judged(-0.05, split="valid, twin-free", n=2948)]
    table = ablation_table(rows)
    assert table.header == ("arm", "seeds", "n", "Acc", "F1", "bACC", "F1 twin-free")
    assert table.rows == (
        ("ce", "1", "3,199", "80.00", "60.00", "50.00", "55.00 (n = 2,948)"),
        ("full", "1", "3,199", "81.00", "61.00", "51.00", "–"),
    )
    assert ablation_table([*judged(), *judged(arm="one rater")]) is None  # nobody trained that arm


def test_cross_dataset_has_both_ways_of_counting():
    both = SCORES | PRESENT
    rows = [*judged(scores=both), *judged(-0.1, both, dataset="ckplus", n=981, split="all")]
    rows += judged(scores=both, split="valid, twin-free")
    table = cross_table(rows)
    assert table.header == (
        "dataset", "split", "arm", "seeds", "n", "present-only Acc", "present-only F1",
        "present-only bACC", "8-way Acc", "8-way F1", "8-way bACC",
    )  # fmt: skip
    assert table.rows[0] == (
        "ckplus", "all", "ce", "1", "981", "80.00", "60.00", "55.00", "70.00", "50.00", "40.00",
    )  # fmt: skip
    assert len(table.rows) == 2
    assert cross_table(judged(scores=both)) is None


def test_two_splits_of_one_data_set_are_not_from_data_set_to_data_set():
    both = SCORES | PRESENT
    assert cross_table([*judged(scores=both), *judged(scores=both, split="test")]) is None


def test_notes_that_all_lines_share_go_to_the_caption():
    rows = [*judged(arm="ce", note="LEAKY; drawn"), *judged(arm="kd", note="LEAKY; drawn")]
    table = ablation_table(rows)
    assert table.caption.endswith("notes: LEAKY; drawn.")
    assert "notes" not in table.header


def test_notes_of_some_lines_are_a_column():
    both = SCORES | PRESENT
    rows = [row for s in (0, 1) for row in judged(scores=both, seed=s, note="drawn")]
    rows += judged(scores=both, dataset="ckplus")
    for make in (arms_table, cross_table):
        table = make(rows)
        lines = [cells(table, i) for i in range(2)]
        assert [(x["dataset"], x["notes"]) for x in lines] == [("ckplus", "–"), ("toy", "drawn")]
        assert "drawn" not in table.caption


def test_two_trainings_of_a_seed_are_told_apart():
    rows = [row for name in ("a", "b") for row in judged(config_hash=name)]
    table = ablation_table([*rows, *judged(arm="kd")])
    assert [line[0] for line in table.rows] == ["ce (seed 0, run 1)", "ce (seed 0, run 2)", "kd"]
