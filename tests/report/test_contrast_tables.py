"""Contrasts in words: what can be told first, then the effect, then what it means."""

import dataclasses

import pytest

from neurogaze.evaluation.contrast_file import ContrastFile
from neurogaze.evaluation.contrasts import Contrast
from neurogaze.report.contrast_tables import contrast_tables, signed, summary

DIFFERENCES = (0.0,) * 5 + (0.0024,) * 5
PRIMARY = Contrast(
    first="eeg", second="permuted", primary=True, dataset="ferplus", split="valid, twin-free",
    metric="macro_f1_8way", n_seeds=10, n_images=2948, n_units=2900, differences=DIFFERENCES,
    effect=0.0012, low=-0.004, high=0.006, t_low=-0.003, t_high=0.0054, p=0.52, p_equivalent=0.07,
    p_holm=None, p_equivalent_holm=None, margin=0.005, verdict="undecided", mcnemar_median=0.61,
)  # fmt: skip
NLL = dataclasses.replace(
    PRIMARY, second="ce", primary=False, metric="nll", effect=-0.0312,
    differences=(-0.0312,) * 10, low=-0.05, high=-0.01, p=0.0001, p_holm=0.0002,
    p_equivalent_holm=0.14, verdict="different",
)  # fmt: skip
REASON = "the cell of happiness is empty"


def test_the_verdict_on_the_grid_comes_first_then_the_effect_then_its_meaning():
    first, effect, meaning = summary(ContrastFile((), (NLL, PRIMARY)))
    assert first.startswith("Testable with this grid")
    assert effect == (
        "eeg minus permuted, macro-F1 on ferplus valid, twin-free: +0.12 points [-0.40, 0.60], "
        "10 seeds, 2,948 faces in 2,900 units; t interval over seeds [-0.30, 0.54], p = 0.520; "
        "equivalence within ±0.5 points: p = 0.070."
    )
    assert meaning.startswith("Undecided: ")


def test_with_a_grid_that_cannot_tell_the_summary_ends_so_as_well():
    said = summary(ContrastFile((REASON,), (PRIMARY,)))
    assert said[0] == f"Not testable with this grid: {REASON}."
    assert said[-1] == "With such a grid no contrast can tell whether EEG helps."
    assert summary(ContrastFile(None, (PRIMARY,)))[0].startswith("No EEG grid was checked")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"verdict": "different"}, "Different: eeg lies above permuted"),
        ({"verdict": "different", "effect": -0.01}, "Different: eeg lies below permuted"),
        ({"verdict": "equivalent"}, "smaller than 0.5 points and does not matter"),
        ({"verdict": "no claim: 3 seeds, 10 are needed"}, "No claim: 3 seeds, 10 are needed."),
    ],
)
def test_what_a_verdict_means(change, words):
    assert words in summary(ContrastFile((), (dataclasses.replace(PRIMARY, **change),)))[2]


def test_a_p_of_zero_is_told_and_none_is_not():
    certain = dataclasses.replace(PRIMARY, p=0.0)
    assert ", p < 0.001;" in summary(ContrastFile((), (certain,)))[1]
    one = dataclasses.replace(PRIMARY, n_seeds=1, p=None, t_low=None, t_high=None)
    assert summary(ContrastFile((), (one,)))[1].endswith("1 seed, 2,948 faces in 2,900 units.")


def test_the_table_has_effect_and_interval_first_and_the_primary_on_top():
    (table,) = contrast_tables({"run": ContrastFile((), (NLL, PRIMARY))})
    assert table.title == "Contrasts"
    assert table.header[:3] == ("contrast", "effect", "t interval")
    first, second = (dict(zip(table.header, row, strict=True)) for row in table.rows)
    assert first == {
        "contrast": "eeg - permuted (primary)",
        "effect": "+0.12 [-0.40, 0.60]",
        "t interval": "[-0.30, 0.54]",
        "unit": "points",
        "p": "0.520",
        "Holm p": "primary",
        "equivalence p": "0.070",
        "its Holm p": "primary",
        "verdict": "undecided",
        "metric": "macro-F1",
        "McNemar p": "0.610",
    }
    assert second["effect"] == "-0.031 [-0.050, -0.010]"
    assert (second["unit"], second["p"], second["Holm p"]) == ("nats", "< 0.001", "< 0.001")
    assert second["its Holm p"] == "0.140"
    assert "seeds 10" in table.caption
    assert "data ferplus, split valid, twin-free, n 2,948" in table.caption
    assert "Margin: ±0.005 nats of NLL, ±0.5 points of macro-F1." in table.caption


def test_the_caption_says_over_what_the_interval_is():
    own = dataclasses.replace(PRIMARY, split="valid, other faces each seed")
    (crossed,) = contrast_tables({"": ContrastFile((), (PRIMARY, NLL))})
    (nested,) = contrast_tables({"": ContrastFile((), (own,))})
    assert "the crossed bootstrap over seeds and units" in crossed.caption
    assert "a bootstrap over seeds, each of which has faces of its own" in nested.caption
    assert "crossed" not in nested.caption


def test_each_file_has_a_table_of_its_own():
    file = ContrastFile((), (PRIMARY,))
    tables = contrast_tables({"a": file, "b": file})
    assert [table.title for table in tables] == ["Contrasts, a", "Contrasts, b"]


def test_zero_has_no_sign():
    assert [signed(x, 2) for x in (0.004, -0.004, 0.005001)] == ["0.00", "0.00", "+0.01"]


def test_the_label_rule_is_named_where_the_file_says_it():
    ruled = dataclasses.replace(PRIMARY, label_rule="majority")
    other = dataclasses.replace(NLL, label_rule="plurality8")
    assert "valid, twin-free (label rule majority): +0.12" in summary(ContrastFile((), (ruled,)))[1]
    (same,) = contrast_tables({"": ContrastFile((), (ruled,))})
    assert "label rule majority" in same.caption
    (both,) = contrast_tables({"": ContrastFile((), (ruled, other))})
    column = both.header.index("label rule")
    assert [line[column] for line in both.rows] == ["majority", "plurality8"]
    (unnamed,) = contrast_tables({"": ContrastFile((), (PRIMARY, NLL))})
    assert "label rule" not in (*unnamed.header, unnamed.caption)
    assert "rule" not in unnamed.caption
