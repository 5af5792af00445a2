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


def test_a_row_that_is_there_twice_counts_once_and_another_run_of_a_seed_stands_apart():
    assert len(over_seeds.means([ROW, ROW])) == 1
    found = over_seeds.means([ROW, changed(value=0.5), changed(seed=1)])
    assert [(arm.repeat, s["accuracy"].n_seeds) for arm, s in found.items()] == [(0, 2), (1, 1)]


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
