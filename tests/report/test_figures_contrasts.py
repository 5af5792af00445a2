"""The forest plot: one line a contrast, one figure an axis."""

import dataclasses

from neurogaze.report.figures_contrasts import forest_figure, groups, labels
from tests.report.test_contrast_tables import NLL, PRIMARY

PNG = b"\x89PNG"


def test_scores_with_other_units_do_not_share_an_axis():
    found = groups([NLL, PRIMARY])
    assert list(found) == [
        ("ferplus", "valid, twin-free", "", "macro_f1_8way"),
        ("ferplus", "valid, twin-free", "", "nll"),
    ]


def test_more_contrasts_make_a_higher_figure():
    other = dataclasses.replace(PRIMARY, second="ce", primary=False, t_low=None, t_high=None)
    one, three = (forest_figure([PRIMARY, *[other] * n]) for n in (0, 2))
    assert one.startswith(PNG)
    heights = [int.from_bytes(png[20:24], "big") for png in (one, three)]
    assert heights[1] > heights[0] + 50


def test_same_contrasts_same_bytes_and_none_without_any():
    assert forest_figure([PRIMARY]) == forest_figure([PRIMARY])
    assert forest_figure([]) is None


def test_contrasts_on_labels_of_another_rule_have_an_axis_of_their_own():
    ruled = [dataclasses.replace(PRIMARY, label_rule=rule) for rule in ("majority", "plurality8")]
    assert [key[2] for key in groups(ruled)] == ["majority", "plurality8"]


def test_contrasts_of_the_same_arms_are_told_apart_by_their_faces():
    again = dataclasses.replace(PRIMARY, primary=False, n_images=3100)
    assert labels([PRIMARY, again, NLL]) == [
        "eeg − permuted\nn = 2,948\nprimary",
        "eeg − permuted\nn = 3,100",
        "eeg − ce",
    ]
