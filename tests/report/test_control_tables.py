"""What a positive control says of itself follows from its contrasts."""

from dataclasses import replace

import pytest

from neurogaze.evaluation.contrast_file import ContrastFile
from neurogaze.evaluation.contrasts import Contrast
from neurogaze.evaluation.equivalence import no_claim
from neurogaze.report.control_tables import (
    Expected,
    WorldFound,
    outcome,
    sensitivity,
    told_control,
)

ORACLE = ("proto_oracle", "ce")


def contrast(low, high, verdict="undecided", pair=ORACLE, primary=False, n_seeds=10):
    middle = (low + high) / 2
    return Contrast(
        first=pair[0], second=pair[1], primary=primary, dataset="shared", split="valid",
        metric="macro_f1_8way", n_seeds=n_seeds, n_images=480, n_units=480,
        differences=(middle,) * n_seeds, effect=middle, low=low, high=high, t_low=low, t_high=high,
        p=0.5, p_equivalent=0.5, p_holm=None, margin=0.005, verdict=verdict, mcnemar_median=0.5,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("relation", "low", "high", "verdict", "expected"),
    [
        ("above", 0.01, 0.03, "different", "met"),
        ("above", -0.01, 0.03, "undecided", "undecided"),
        ("above", -0.03, -0.01, "different", "not met"),
        ("above", -0.001, 0.001, "equivalent", "not met"),
        ("about", -0.001, 0.001, "equivalent", "met"),
        ("about", -0.02, 0.03, "undecided", "undecided"),
        ("about", 0.01, 0.03, "different", "not met"),
        ("about", -0.03, -0.01, "different", "not met"),
    ],
)
def test_outcomes(relation, low, high, verdict, expected):
    assert outcome(Expected(*ORACLE, relation), contrast(low, high, verdict)) == expected


def test_few_seeds_decide_nothing():
    few = replace(contrast(0.01, 0.03, n_seeds=9), verdict=no_claim(9))
    assert outcome(Expected(*ORACLE, "above"), few) == "undecided"


def world(low, high):
    eeg = ("proto_eeg", "proto_geometry")
    found = (contrast(0.01, 0.02, "different", eeg, primary=True), contrast(low, high))
    expected = [Expected(*eeg, "above"), Expected(*ORACLE, "above")]
    checks = {
        seed: {
            "ccc": {"valence": 0.5, "arousal": 0.7},
            "correlation": {"eeg": {"shared": 0.25, "faces": 0.5, "plane": 0.125}},
            "mean_cosine": {"eeg": 0.0625},
            "not_testable": [],
        }
        for seed in range(10)
    }
    return WorldFound(expected, ContrastFile((), found), checks)


def test_the_verdict_follows_from_the_truth():
    good, bad = world(0.01, 0.03), world(-0.01, 0.03)
    assert sensitivity({"a": good}, ORACLE).startswith("**Sensitive in every world**")
    assert "+2.00 [1.00, 3.00] points" in sensitivity({"a": good}, ORACLE)
    assert sensitivity({"a": good, "b": bad}, ORACLE).startswith("**Insensitive in b**")


def test_the_page_says_expected_and_found():
    page = told_control("Control", {"shared": world(0.01, 0.03)}, ORACLE, [], "macro_f1_8way")
    lines = page.splitlines()
    assert lines[0] == "# Control"
    assert lines[2].startswith("**Sensitive")
    told = next(x for x in lines if "proto\\_eeg above proto\\_geometry" in x)
    assert told.rstrip(" |").endswith("met")
    assert "| shared | eeg | 0.25 | 0.50 | 0.12 | 0.06 | 0.50 | 0.70 |" in lines


def test_nothing_yet():
    assert "Nothing can be told yet" in told_control("Control", {}, ORACLE, [], "macro_f1_8way")
