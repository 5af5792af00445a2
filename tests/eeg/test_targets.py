"""Classes of ratings: DREAMER's and DEAP's own levels, the three rules, and their edges."""

from dataclasses import replace

import numpy as np
import pytest

from neurogaze.eeg.targets import ClassTarget, classes, threshold
from neurogaze.errors import InputError
from tests.eeg.toy import make_table


def rated(values, **fields):
    table = make_table(n_subjects=1, n_clips=len(values), trials_per_event=1, n_windows=1)
    return replace(table, valence=np.asarray(values, np.float64), **fields)


def test_the_five_ratings_of_dreamer_are_five_classes():
    table = rated((np.arange(1, 6) - 3) / 2)
    assert classes(table, ClassTarget(n_classes=5)).tolist() == [0, 1, 2, 3, 4]


def test_the_nine_ratings_of_deap_are_nine_classes():
    table = rated((np.arange(1, 10) - 5) / 4)
    assert classes(table, ClassTarget(n_classes=9)).tolist() == list(range(9))


def test_a_rating_in_the_middle_is_low_above_and_high_at_least():
    table = rated([-0.5, 0.0, 0.5])
    assert classes(table, ClassTarget(rule="above")).tolist() == [0, 0, 1]
    assert classes(table, ClassTarget(rule="at_least")).tolist() == [0, 1, 1]


def test_the_median_is_over_events_of_the_given_rows():
    table = make_table(n_subjects=2, n_clips=5, n_windows=3)
    rows = np.flatnonzero(table.subject == "S00")
    target = ClassTarget(rule="median")
    cut = threshold(table, rows, target)
    _, first = np.unique(table.event[rows], return_index=True)
    assert cut == np.median(table.valence[rows][first])
    assert np.mean(classes(table, target, cut)[rows]) == pytest.approx(2 / 5)
    assert threshold(table, rows, ClassTarget(rule="above")) == 0.0


def test_what_nobody_rated_has_no_class():
    table = rated([np.nan, 0.5])
    assert classes(table, ClassTarget()).tolist() == [-1, 1]


def test_three_classes_of_seed_and_of_a_rating():
    table = rated([-1.0, 0.0, 1.0], label=np.array([0, 1, 2]))
    assert classes(table, ClassTarget("label", 3)).tolist() == [0, 1, 2]
    assert classes(table, ClassTarget("valence", 3)).tolist() == [0, 1, 2]
    with pytest.raises(InputError, match="label 2 with 2 classes"):
        classes(table, ClassTarget("label", 2))


@pytest.mark.parametrize("wrong", [{"axis": "liking"}, {"n_classes": 4}, {"rule": "mean"}])
def test_unknown_settings_are_refused(wrong):
    with pytest.raises(InputError, match=str(next(iter(wrong.values())))):
        ClassTarget(**wrong)


def test_the_name_says_the_rule_where_there_is_one():
    assert ClassTarget("arousal", 2, "median").name == "arousal, 2 classes, median"
    assert ClassTarget("arousal", 5).name == "arousal, 5 classes"
