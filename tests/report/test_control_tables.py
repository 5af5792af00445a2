"""What a positive control says of itself follows from its contrasts."""

from dataclasses import replace

import pytest

from neurogaze.evaluation.contrast_file import ContrastFile
from neurogaze.evaluation.contrasts import Contrast
from neurogaze.evaluation.equivalence import no_claim
from neurogaze.report.control_tables import (
    PUBLISHED,
    Expected,
    Term,
    Told,
    WorldFound,
    outcome,
    sensitivity,
    settings_told,
    told_control,
    unseen,
)

ORACLE = ("proto_oracle", "ce")
FELT = Term(3.0, 0.2, "row_softmax", "rated")
TOLD = Told("Control", ORACLE, "macro_f1_8way", FELT, {})


def contrast(low, high, verdict="undecided", pair=ORACLE, primary=False, n_seeds=10):
    middle = (low + high) / 2
    return Contrast(
        first=pair[0], second=pair[1], primary=primary, dataset="shared", split="valid",
        metric="macro_f1_8way", n_seeds=n_seeds, n_images=480, n_units=480,
        differences=(middle,) * n_seeds, effect=middle, low=low, high=high, t_low=low, t_high=high,
        p=0.5, p_equivalent=0.5, p_holm=None, p_equivalent_holm=None, margin=0.005, verdict=verdict,
        mcnemar_median=0.5,
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


@pytest.mark.parametrize("relation", ["above", "about"])
@pytest.mark.parametrize("sign", [1, -1])
def test_one_interval_alone_decides_nothing(relation, sign):
    """Both must leave 0 out on the same side."""
    clear, wide = sorted((0.01 * sign, 0.03 * sign)), sorted((-0.001 * sign, 0.04 * sign))
    found = contrast(*clear)
    expected = Expected(*ORACLE, relation)
    assert outcome(expected, replace(found, t_low=wide[0], t_high=wide[1])) == "undecided"
    assert outcome(expected, replace(found, low=wide[0], high=wide[1])) == "undecided"
    assert outcome(expected, found) == ("met" if (relation, sign) == ("above", 1) else "not met")


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
    assert sensitivity({"a": good}, ORACLE, {}).startswith("**Sensitive in every world**")
    assert "+2.00 [1.00, 3.00] points" in sensitivity({"a": good}, ORACLE, {})
    said = sensitivity({"a": good, "b": bad}, ORACLE, {})
    assert said.startswith("**Insensitive in b**")
    eeg, truth = good.contrasts.contrasts
    open_t = replace(good, contrasts=ContrastFile((), (eeg, replace(truth, t_low=-0.001))))
    assert sensitivity({"a": open_t}, ORACLE, {}).startswith("**Insensitive in a**")


def test_every_world_is_said_of_all_worlds_alone():
    said = sensitivity({"a": world(0.01, 0.03)}, ORACLE, {"b": [0, 1]})
    assert said.startswith("**Sensitive in a**")


def test_a_world_without_the_truth_is_not_compared():
    eeg_alone = world(0.01, 0.03)
    file = ContrastFile((), eeg_alone.contrasts.contrasts[:1])
    eeg_alone = replace(eeg_alone, contrasts=file)
    said = sensitivity({"a": eeg_alone}, ORACLE, {"a": [0]})
    assert said.startswith("**Insensitive in a**")
    assert "a not compared" in said
    page = told_control(replace(TOLD, missing={"a": [0]}), {"a": eeg_alone}, [])
    assert "| a | proto\\_oracle above ce | – | – | – | – | – | – | undecided |" in page


def test_the_page_says_expected_and_found():
    page = told_control(TOLD, {"shared": world(0.01, 0.03)}, [])
    lines = page.splitlines()
    assert lines[0] == "# Control"
    assert lines[2].startswith("**Sensitive")
    told = next(x for x in lines if "proto\\_eeg above proto\\_geometry" in x)
    assert told.rstrip(" |").endswith("met")
    assert "| shared | eeg | 0.25 | 0.50 | 0.12 | 0.06 | 0.50 | 0.70 |" in lines


def test_what_should_be_seen_and_is_not_stands_beside_the_verdict():
    good, (eeg, truth) = world(0.01, 0.03), world(0.01, 0.03).contrasts.contrasts
    assert unseen({"a": good, "b": world(-0.01, 0.03)}, ORACLE) == []  # the truth has its own line
    wide = replace(good, contrasts=ContrastFile((), (replace(eeg, low=-0.01), truth)))
    said = "b, proto_eeg minus proto_geometry +1.50 [-1.00, 2.00] points, undecided"
    line = f"**Insensitive to what should be there**: {said}."
    assert unseen({"a": good, "b": wide}, ORACLE) == [line]
    about = replace(wide, expected=[replace(one, relation="about") for one in wide.expected])
    assert unseen({"a": about}, ORACLE) == []
    assert told_control(TOLD, {"b": wide}, []).splitlines()[4] == line


def test_what_is_not_done_stands_in_the_head():
    missing = {"b": [0, 1], "c": [7]}
    for worlds in ({}, {"c": world(0.01, 0.03)}):
        lines = told_control(replace(TOLD, missing=missing), worlds, []).splitlines()
        assert lines[2] == "**Not done**: b (seeds 0, 1); c (seeds 7)."


def test_settings_and_what_the_published_ones_gave():
    """Equivalence within the margin is what "about" asks for; the words are the contrast's."""
    pair = ("faithful_oracle", "ce")
    plain = world(0.01, 0.03)
    one = contrast(-0.001, 0.003, "equivalent", pair)
    file = ContrastFile((), (*plain.contrasts.contrasts, one))
    full = WorldFound([*plain.expected, Expected(*pair, "about")], file, plain.checks)
    said = settings_told(TOLD, {"shared": full, "other": plain})
    assert "weight 3, tau 0.2, target row_softmax; windows placed as rated" in said
    assert "(weight 0.12, tau 0.9, target gaussian; windows placed as predicted)" in said
    assert "the comparison, not the published setting" in said
    assert said.endswith("faithful_oracle minus ce: shared +0.10 [-0.10, 0.30] points, met.")
    assert settings_told(TOLD, {"other": plain}).endswith("not compared yet.")
    assert said in told_control(TOLD, {"shared": full, "other": plain}, [])


def test_published_settings_are_called_so():
    said = settings_told(replace(TOLD, term=PUBLISHED), {})
    assert "those of the FERPlus benches" in said
    assert "not those" not in said


def test_nothing_yet():
    assert "Nothing can be told yet" in told_control(TOLD, {}, [])
