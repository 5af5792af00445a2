"""A file of contrasts says what was found, and refuses what no comparison can have given."""

import dataclasses
import json

import pytest

from neurogaze.errors import InputError
from neurogaze.evaluation.contrast_file import UNCHECKED, read_contrasts, write_contrasts
from neurogaze.evaluation.contrasts import Contrast

DIFFERENCES = tuple(0.0012 + d for d in (-0.01, 0.01, 0.0))
PRIMARY = Contrast(
    first="eeg", second="permuted", primary=True, dataset="ferplus", split="valid, twin-free",
    metric="macro_f1_8way", n_seeds=3, n_images=2948, n_units=2900, differences=DIFFERENCES,
    effect=sum(DIFFERENCES) / 3, low=-0.004, high=0.006, t_low=-0.0236, t_high=0.026, p=0.85,
    p_equivalent=0.3, p_holm=None, p_equivalent_holm=None, margin=0.005,
    verdict="no claim: 3 seeds, 10 are needed", mcnemar_median=0.6,
)  # fmt: skip
TEN = {"n_seeds": 10, "differences": (0.001,) * 10, "effect": 0.001}
SECOND = dataclasses.replace(PRIMARY, second="ce", primary=False, p_holm=0.85)


def test_what_was_written_is_read(tmp_path):
    path = tmp_path / "contrasts.json"
    write_contrasts(path, ["a cell is empty"], [PRIMARY, SECOND])
    file = read_contrasts(path)
    assert file.contrasts == (PRIMARY, SECOND)
    assert file.primary == PRIMARY
    assert file.verdict == "Not testable with this grid: a cell is empty."
    content = json.loads(path.read_text())
    assert content["testable"] == ["a cell is empty"]
    assert content["grid_verdict"] == file.verdict
    assert content["contrasts"][1]["second"] == "ce"


def test_a_grid_that_nobody_looked_at_is_not_called_testable(tmp_path):
    path = tmp_path / "contrasts.json"
    write_contrasts(path, None, [PRIMARY])
    assert read_contrasts(path).verdict == UNCHECKED
    write_contrasts(path, [], [PRIMARY])
    assert read_contrasts(path).verdict.startswith("Testable with this grid")


def test_a_contrast_over_one_seed_has_no_tests(tmp_path):
    path = tmp_path / "contrasts.json"
    none = dict.fromkeys(("t_low", "t_high", "p", "p_equivalent"))
    said = "no claim: 1 seed, 10 are needed"
    one = dataclasses.replace(
        PRIMARY, n_seeds=1, differences=(0.01,), effect=0.01, verdict=said, **none
    )
    write_contrasts(path, None, [one])
    assert read_contrasts(path).primary == one


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"effect": 0.5}, "is not their mean"),
        ({"n_seeds": 4}, "3 differences of 4 seeds"),
        ({"low": 0.01}, "reversed"),
        ({"mcnemar_median": float("nan")}, "not finite"),
        ({"verdict": "different"}, "claims 'different' with 3 seeds"),
        ({"primary": False}, "0 contrasts are primary"),
        (TEN | {"verdict": "equivalent"}, r"'equivalent' with the interval \[-0.004, 0.006\]"),
        (TEN | {"verdict": "different"}, "claims 'different' with .* p = 0.85"),
        (TEN | {"verdict": "different", "p": 0.001}, r"interval \[-0.004, 0.006\]"),
        (TEN | {"verdict": "proven"}, "claims 'proven'"),
        (TEN | {"verdict": "undecided", "low": 0.0005, "p": 0.001}, "claims 'undecided'"),
        ({"p": 7.0}, "p = 7.0 is no probability"),
        ({"p_holm": -1.0}, "p_holm = -1.0 is no probability"),
        ({"margin": -0.005}, "margin -0.005 is not above 0"),
    ],
)
def test_wrong_numbers_are_refused_before_they_are_written(tmp_path, change, words):
    path = tmp_path / "contrasts.json"
    with pytest.raises(InputError, match=words):
        write_contrasts(path, None, [dataclasses.replace(PRIMARY, **change)])
    assert not path.exists()


def test_two_primary_contrasts_are_one_too_many(tmp_path):
    with pytest.raises(InputError, match="2 contrasts are primary"):
        write_contrasts(tmp_path / "c.json", None, [PRIMARY, PRIMARY])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"effect": "0.1"}, "effect = '0.1' is no float"),
        ({"primary": 1}, "primary = 1 is no bool"),
        ({"n_seeds": True}, "n_seeds = True is no int"),
        ({"differences": [0.1, "x", 0.2]}, "differences"),
        ({"low": None}, "low = None is no float"),
        ({"more": 1}, r"unknown: \['more'\]"),
    ],
)
def test_fields_of_another_kind_are_named(tmp_path, change, words):
    path = tmp_path / "contrasts.json"
    fields = dataclasses.asdict(PRIMARY) | change
    path.write_text(json.dumps({"testable": None, "contrasts": [fields]}))
    with pytest.raises(InputError, match=words):
        read_contrasts(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "cannot be read"),
        ("[]", "no list of contrasts"),
        ('{"contrasts": [3]}', "holds a int"),
        ('{"contrasts": [{}]}', "fields missing"),
        ('{"contrasts": []}', "0 contrasts are primary"),
    ],
)
def test_another_file_is_refused(tmp_path, text, words):
    path = tmp_path / "contrasts.json"
    path.write_text(text)
    with pytest.raises(InputError, match=words):
        read_contrasts(path)


def test_reasons_are_texts(tmp_path):
    path = tmp_path / "contrasts.json"
    path.write_text(json.dumps({"testable": "no", "contrasts": [dataclasses.asdict(PRIMARY)]}))
    with pytest.raises(InputError, match="no list of reasons"):
        read_contrasts(path)


def test_a_file_without_label_rules_is_read_and_one_with_them_keeps_them(tmp_path):
    path = tmp_path / "contrasts.json"
    write_contrasts(path, None, [dataclasses.replace(PRIMARY, label_rule="majority")])
    assert read_contrasts(path).primary.label_rule == "majority"
    fields = dataclasses.asdict(PRIMARY)
    del fields["label_rule"]
    path.write_text(json.dumps({"testable": None, "contrasts": [fields]}))
    assert read_contrasts(path).primary == PRIMARY
    assert read_contrasts(path).primary.label_rule == ""
