"""The line of one person: by hand, vote by vote, and on the published votes."""

import os
from pathlib import Path

import numpy as np
import pytest

from neurogaze.errors import InputError
from neurogaze.evaluation.human_line import held_out_votes, human_line, human_rows
from neurogaze.faces.corpora.votes import USAGES, read_votes
from neurogaze.faces.labels import majority_label

PUBLISHED = {"train": (77.48, 67.70), "valid": (80.41, 70.38), "test": (77.68, 66.59)}
"""Per cent accuracy and balanced accuracy over the pictures that the official rule keeps."""


def test_by_hand():
    """Seven of ten say neutral: each of the seven agrees with the rest, each of the three does not.

    In the second picture the rest of a vote for surprise is 5 : 4, of a vote for happiness 6 : 3.
    """
    votes = np.array([[7, 3, 0, 0, 0, 0, 0, 0, 0, 0], [0, 4, 6, 0, 0, 0, 0, 0, 0, 0]])
    line = human_line(votes)
    assert line.accuracy.value == pytest.approx((7 + 6) / 20)
    assert line.balanced_accuracy.value == pytest.approx((7 / 10 + 6 / 10) / 8)
    assert (line.votes, line.images) == (20, 2)


def test_a_vote_whose_rest_decides_nothing_is_not_counted():
    """5 : 3 : 2 has no majority, so it is not kept; 6 : 4 without one of the six is 5 : 4."""
    undecided = np.array([[5, 3, 2, 0, 0, 0, 0, 0, 0, 0]])
    with pytest.raises(InputError, match="no picture has a majority"):
        human_line(undecided)
    tied = np.array([[3, 2, 0, 0, 0, 0, 0, 0, 0, 0]])  # less one neutral: 2 : 2
    assert held_out_votes(tied)[0, 0, :2].tolist() == [0, 2]
    assert human_line(tied).votes == 2


def test_a_vote_for_no_emotion_is_never_right():
    votes = np.array([[8, 0, 0, 0, 0, 0, 0, 0, 1, 1]])
    assert human_line(votes).accuracy.value == pytest.approx(8 / 10)


@pytest.mark.parametrize("seed", range(3))
def test_counts_equal_every_vote_held_out_in_turn(seed):
    generator = np.random.default_rng(seed)
    votes = generator.multinomial(10, generator.dirichlet(np.full(10, 0.25), 60))
    found = held_out_votes(votes)
    slow = np.zeros_like(found)
    for i, row in enumerate(votes):
        for vote in np.repeat(np.arange(10), row):
            rest = row.copy()
            rest[vote] -= 1
            label = int(majority_label(rest[None])[0])
            if label >= 0:
                slow[i, label, vote] += 1
    np.testing.assert_array_equal(found, slow)


def test_units_are_resampled_whole():
    """Every picture twice, twins together, is the same evidence; alone it looks like more."""
    generator = np.random.default_rng(0)
    votes = generator.multinomial(10, generator.dirichlet(np.full(10, 0.25), 60))
    votes = votes[majority_label(votes) >= 0]
    names = np.array([f"{i:02d}" for i in range(len(votes))])
    once, twice = human_line(votes), np.concatenate([votes, votes])
    tied = human_line(twice, units=np.concatenate([names, names])).accuracy
    assert (tied.value, tied.low, tied.high) == pytest.approx(
        (once.accuracy.value, once.accuracy.low, once.accuracy.high)
    )
    alone = human_line(twice).accuracy
    assert alone.high - alone.low < 0.9 * (tied.high - tied.low)


def test_rows_say_what_they_are():
    votes = np.array([[7, 3, 0, 0, 0, 0, 0, 0, 0, 0], [0, 4, 6, 0, 0, 0, 0, 0, 0, 0]])
    rows = human_rows(votes, "toy", {"split": "valid", "arm": "student"})
    assert [row.metric for row in rows] == ["accuracy", "balanced_accuracy_8way"]
    assert {(row.arm, row.dataset, row.split, row.n) for row in rows} == {
        ("one rater", "toy", "valid", 2)
    }
    assert rows[0].note.startswith("20 votes")
    assert rows[0].low <= rows[0].value <= rows[0].high


@pytest.mark.skipif("NEUROGAZE_FERPLUS_VOTES" not in os.environ, reason="needs the votes of FER+")
@pytest.mark.parametrize("split", PUBLISHED)
def test_the_published_votes(split):
    sheet = read_votes(Path(os.environ["NEUROGAZE_FERPLUS_VOTES"]))
    rows = (sheet.usage == USAGES[split]) & (sheet.names != "")
    line = human_line(sheet.votes[rows])
    assert line.images == {"train": 25060, "valid": 3199, "test": 3153}[split]
    found = (100 * line.accuracy.value, 100 * line.balanced_accuracy.value)
    assert found == pytest.approx(PUBLISHED[split], abs=0.006)
