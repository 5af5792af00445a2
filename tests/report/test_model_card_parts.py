"""Parts of a model card, by hand."""

import numpy as np
import pytest

from neurogaze.affect import EMOTIONS
from neurogaze.report import model_card_parts as parts
from tests.report.cards import contract, row, rows


def test_confusions_by_hand():
    names = [("fear", "surprise", 3), ("fear", "fear", 3), ("anger", "disgust", 1)]
    names += [("anger", "anger", 3), ("neutral", "sadness", 2), ("neutral", "neutral", 98)]
    pairs = [(label, named) for label, named, n in names for _ in range(n)]
    truth, called = (
        np.array([EMOTIONS.index(name) for name in side]) for side in zip(*pairs, strict=True)
    )
    assert parts.confusions(truth, called) == [
        ("fear", "surprise", 3, 6),
        ("anger", "disgust", 1, 4),
        ("neutral", "sadness", 2, 100),
    ]
    assert parts.confusions(truth, truth) == []


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({}, ["scratch"]),
        ({"teacher_logits": {"sha256": "f" * 8}}, ["scratch", "distilled", "f" * 8]),
        ({"init_from": {"sha256": "e" * 8}}, ["warm-up", "e" * 8]),
    ],
)
def test_initialisation(record, words):
    said = parts.initialisation(record)
    assert all(word in said for word in words)
    assert ("scratch" in said) == ("init_from" not in record)


def test_conditions_are_told_from_experiments():
    plain, spoiled = parts.split_conditions(rows())
    assert len(spoiled) == 6
    odd = row("accuracy", 0.5, experiment="run: of a Tuesday 12")
    assert parts.split_conditions([odd]) == ([odd], [])
    assert len(plain) + len(spoiled) == len(rows())


def test_a_class_left_out_is_told():
    known = contract()
    known["provenance"]["settings"]["without"] = "contempt"
    assert ("Left out of training", "contempt") in parts.facts(known)
    assert all(name != "Left out of training" for name, _ in parts.facts(contract()))


def test_calibration_without_a_threshold():
    known = contract()
    known["calibration"]["abstain"] = {}
    said = " ".join(parts.calibration_sentences(known))
    assert "It never abstains" in said
    assert "No label below" not in said
