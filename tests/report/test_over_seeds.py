"""Means over seeds by hand, and what belongs to one arm."""

import dataclasses

import pytest

from neurogaze.report import over_seeds
from tests.report.test_tables import ROW, changed


def seeds(*values, **more):
    found = enumerate(values)
    return [changed(seed=s, value=v, low=v - 0.1, high=v + 0.2, **more) for s, v in found]


def test_mean_and_sample_deviation_by_hand():
    found = over_seeds.mean(seeds(0.80, 0.84))
    assert found.value == pytest.approx(0.82)
    assert found.sd == pytest.approx(0.04 / 2**0.5)
    assert (found.low, found.high) == (pytest.approx(0.72), pytest.approx(1.02))
    assert (found.n_seeds, found.n) == (2, 3199)
    assert found.written() == "82.0 ± 2.8 [72.0, 102.0]"
    assert found.written(2, interval=False) == "82.00 ± 2.83"


def test_one_seed_has_no_deviation_and_half_known_intervals_are_none():
    assert over_seeds.mean(seeds(0.8)).written() == "80.0 [70.0, 100.0]"
    first, second = seeds(0.8, 0.9)
    bare = dataclasses.replace(second, low=None, high=None)
    assert over_seeds.mean([first, bare]).written() == "85.0 ± 7.1"


def test_what_differs_beside_the_seed_is_another_arm():
    rows = [*seeds(0.8, 0.9), changed(label_rule="votes"), changed(split="valid, twin-free")]
    found = over_seeds.means(rows)
    assert [scores["accuracy"].n_seeds for scores in found.values()] == [2, 1, 1]


def test_hashes_of_grid_and_settings_move_with_the_seed_and_part_no_arms():
    rows = [changed(seed=s, grid_hash=f"g{s}", config_hash=f"c{s}") for s in range(3)]
    (scores,) = over_seeds.means(rows).values()
    assert scores["accuracy"].n_seeds == 3


def test_a_row_that_is_there_twice_counts_once():
    (scores,) = over_seeds.means([ROW, changed(seed=1), ROW]).values()
    assert scores["accuracy"].n_seeds == 2


def test_two_runs_that_share_a_seed_are_not_averaged_together():
    """No row says whether seed 0 or seed 2 goes with either training of seed 1."""
    one = [changed(seed=s, config_hash=f"a{s}", value=0.5) for s in (1, 2)]
    other = [changed(seed=s, config_hash=f"b{s}", value=0.9) for s in (0, 1)]
    found = over_seeds.means([*one, *other])
    assert [(arm.name, s["accuracy"].value) for arm, s in found.items()] == [
        ("ce (seed 1, run 1)", 0.5),
        ("ce (seed 2, run 1)", 0.5),
        ("ce (seed 0, run 1)", 0.9),
        ("ce (seed 1, run 2)", 0.9),
    ]
    assert {row.arm for row in over_seeds.averaged([*one, *other])} == {a.name for a in found}


def test_a_line_holds_scores_of_one_training():
    short = [changed(seed=s, config_hash="a", value=0.5) for s in (0, 1)]
    long = [
        changed(seed=s, config_hash="b", metric=metric, value=0.9, split=split)
        for s in (0, 1)
        for split in ("valid, twin-free", "valid")
        for metric in ("macro_f1_8way", "accuracy")
    ]
    for scores in over_seeds.means([*short, *long]).values():
        assert len({score.value for score in scores.values()}) == 1
    runs = {a.run for a in over_seeds.means([*short, *long]) if a.split == "valid, twin-free"}
    assert runs == {"seed 0, run 2", "seed 1, run 2"}


def test_another_number_of_a_model_without_weights_is_another_run():
    found = over_seeds.means([ROW, changed(value=0.5), changed(seed=1)])
    assert [arm.run for arm in found] == ["seed 0, run 1", "seed 0, run 2", "seed 1, run 1"]


def test_another_arm_of_the_same_folders_is_averaged_as_before():
    twice = [changed(config_hash="a"), changed(config_hash="b", value=0.5)]
    found = over_seeds.means([*twice, *seeds(0.8, 0.9, arm="kd")])
    assert [s["accuracy"].n_seeds for arm, s in found.items() if arm.name == "kd"] == [2]


def test_notes_of_all_seeds_are_kept_each_once():
    rows = [changed(seed=s, note=note) for s, note in enumerate(("a; b", "b; c", ""))]
    assert over_seeds.mean(rows).note == "a; b; c"
    assert over_seeds.averaged(rows)[0].note == "a; b; c"


def test_a_seed_that_never_named_a_class_has_no_precision_of_it():
    called = [(0.0, 0), (0.5, 10), (0.4, 20)]
    rows = [
        changed(metric="precision_contempt", value=v, n=n, seed=s, low=None, high=None)
        for s, (v, n) in enumerate(called)
    ]
    (row,) = over_seeds.averaged(rows)
    assert (row.value, row.n) == (pytest.approx(0.45), 15)
    assert row.note == "precision_contempt: 2 of 3 seeds have one"
    assert row.arm == "ce (mean of 3 seeds)"
    assert over_seeds.mean(rows[:1]).n == 0


def test_averaged_rows_say_so_and_leave_the_rest_alone():
    eeg = changed(metric="valence_ccc_trial")
    one = changed(arm="kd")
    rows = over_seeds.averaged([eeg, *seeds(0.8, 0.84, grid_hash="g"), one])
    assert rows[0] == eeg
    assert rows[2] == one
    assert rows[1].arm == "ce (mean of 2 seeds)"
    assert rows[1].value == pytest.approx(0.82)
    assert rows[1].grid_hash == ""


def test_several_seeds_of_recordings_are_no_arms_of_faces():
    assert not over_seeds.has_seeds([changed(metric="valence_ccc_trial", seed=s) for s in (0, 1)])
    assert over_seeds.has_seeds(seeds(0.1, 0.2))
