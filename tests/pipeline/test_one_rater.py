"""The line of one person is drawn on the very pictures that judge the student."""

import os
from pathlib import Path

import numpy as np
import pytest

from neurogaze.evaluation.human_line import human_line
from neurogaze.faces.corpora.ferplus import FerPlus, rows_of
from neurogaze.faces.corpora.synthetic import SyntheticFaces
from neurogaze.faces.corpora.votes import read_votes
from neurogaze.faces.images import FaceTable
from neurogaze.pipeline.one_rater import rater_rows
from tests.fixtures.faces import write_ferplus

CONTEXT = {"experiment": "x", "arm": "student", "seed": 0, "code_version": "0"}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return write_ferplus(tmp_path_factory.mktemp("fer"), 64, 40)


def values(rows, split):
    return {row.metric: (row.value, row.n) for row in rows if row.split == split}


def test_only_fer_plus_knows_its_raters(written):
    corpus = SyntheticFaces(16, 40)
    assert rater_rows(corpus, corpus.load("valid"), CONTEXT) == []
    soft = FerPlus(written.root, written.votes, rule="votes")
    assert rater_rows(soft, soft.load("train"), CONTEXT) == []
    assert rater_rows(soft, soft.load("valid"), CONTEXT) != []


def test_the_line_is_of_the_pictures_at_hand_and_of_those_without_twins(written):
    corpus = FerPlus(written.root, written.votes)
    table = corpus.load("valid").take(np.arange(10, 40))
    votes = np.array([votes for _, _, votes, _ in written.kept["valid"]])[10:]
    rows = rater_rows(corpus, table, CONTEXT, train=table.take(np.arange(4)))
    for split, cast in (("valid", votes), ("valid, twin-free", votes[4:])):
        line = human_line(cast)
        assert values(rows, split) == {
            "accuracy": (line.accuracy.value, len(cast)),
            "balanced_accuracy_8way": (line.balanced_accuracy.value, len(cast)),
        }
    assert {row.arm for row in rows} == {"one rater"}
    assert {row.split for row in rater_rows(corpus, table, CONTEXT, train=table)} == {"valid"}


def test_equal_pictures_are_resampled_together(written):
    """A name that occurs twice is one unit, so it moves the interval as one."""
    corpus = FerPlus(written.root, written.votes)
    table = corpus.load("train")
    assert len(set(table.units)) == len(table) - 1
    votes = np.array([votes for _, _, votes, _ in written.kept["train"]])
    row = rater_rows(corpus, table, CONTEXT)[0]
    expected = human_line(votes, units=table.units).accuracy
    assert (row.low, row.high) == (expected.low, expected.high)
    assert (row.low, row.high) != (human_line(votes).accuracy.low, human_line(votes).accuracy.high)


@pytest.mark.skipif("NEUROGAZE_FERPLUS_VOTES" not in os.environ, reason="needs the votes of FER+")
def test_the_official_split():
    votes = Path(os.environ["NEUROGAZE_FERPLUS_VOTES"])
    sheet = read_votes(votes)
    rows = rows_of(sheet, "majority", "valid")
    names = np.array([f"row{row:05d}/{sheet.names[row]}" for row in rows])
    table = FaceTable(
        images=np.zeros((len(rows), 2, 2), np.uint8),
        ids=names,
        labels=np.zeros(len(rows), np.int64),
        votes=np.eye(8, dtype=np.float32)[np.zeros(len(rows), int)],
        groups=names,
        dataset="ferplus",
        split="valid",
        rule="majority",
    )
    found = rater_rows(FerPlus(votes=votes), table, CONTEXT)
    assert {row.metric: round(row.value, 3) for row in found} == {
        "accuracy": 0.804,
        "balanced_accuracy_8way": 0.704,
    }
