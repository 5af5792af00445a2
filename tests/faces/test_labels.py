"""Vote rules against hand-counted rows and the published counts of FER+."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest

from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError
from neurogaze.faces.labels import (
    majority_label,
    plurality8_label,
    vote_distribution,
    without_single_votes,
)

# neutral happiness surprise sadness anger disgust fear contempt unknown NF
HAND_ROWS = [
    ([10, 0, 0, 0, 0, 0, 0, 0, 0, 0], 0, "everybody agrees"),
    ([0, 0, 0, 0, 0, 0, 0, 6, 4, 0], 7, "six of ten"),
    ([5, 5, 0, 0, 0, 0, 0, 0, 0, 0], -1, "half is no majority"),
    ([5, 4, 1, 0, 0, 0, 0, 0, 0, 0], 0, "five of the nine left once the single vote is gone"),
    ([4, 1, 1, 1, 1, 1, 1, 0, 0, 0], 0, "single votes do not count against the winner"),
    ([4, 0, 0, 1, 3, 2, 0, 0, 0, 0], -1, "four of nine"),
    ([3, 0, 0, 0, 0, 0, 0, 0, 7, 0], -1, "unknown wins"),
    ([0, 0, 0, 0, 0, 0, 0, 0, 0, 10], -1, "not a face"),
    ([3, 0, 0, 0, 0, 0, 0, 0, 3, 2], -1, "unknown and NF count in the denominator"),
    ([1, 1, 1, 1, 1, 1, 1, 1, 1, 1], -1, "nothing but single votes"),
    ([0, 0, 9, 0, 0, 0, 0, 0, 0, 0], 2, "nine votes in all"),
]


@pytest.mark.parametrize(("row", "label", "why"), HAND_ROWS)
def test_majority_by_hand(row, label, why):
    assert majority_label(np.array([row])).tolist() == [label], why


def test_rows_are_judged_alone():
    rows = np.array([row for row, _, _ in HAND_ROWS])
    assert majority_label(rows).tolist() == [label for _, label, _ in HAND_ROWS]
    assert majority_label(np.empty((0, 10), dtype=int)).shape == (0,)


def test_plurality_ignores_what_is_no_emotion_and_takes_the_first_of_a_tie():
    rows = np.array([[2, 0, 0, 0, 0, 0, 0, 0, 8, 0], [0, 3, 0, 3, 0, 0, 0, 0, 2, 2], [0] * 9 + [9]])
    assert plurality8_label(rows).tolist() == [0, 1, -1]


def test_distribution_of_votes():
    rows = np.array(
        [
            [6, 0, 1, 2, 0, 0, 0, 0, 1, 0],  # singles go: 6 and 2 of 8
            [1, 1, 0, 0, 0, 0, 0, 0, 8, 0],  # only singles: they stay
            [0, 0, 0, 0, 0, 0, 0, 0, 0, 10],  # no vote at all: uniform
        ]
    )
    expected = [[0.75, 0, 0, 0.25, 0, 0, 0, 0], [0.5, 0.5, 0, 0, 0, 0, 0, 0], [0.125] * 8]
    found = vote_distribution(rows)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, np.array(expected, dtype=np.float32))


def test_single_votes_leave_the_input_alone():
    votes = np.array([[1, 9, 0, 0, 0, 0, 0, 0, 0, 0]])
    assert without_single_votes(votes).tolist() == [[0, 9, 0, 0, 0, 0, 0, 0, 0, 0]]
    assert votes[0, 0] == 1


@pytest.mark.parametrize("votes", [np.zeros((3, 8), int), np.zeros(10, int), np.full((1, 10), -1)])
def test_what_are_no_votes(votes):
    with pytest.raises(InputError, match="votes"):
        majority_label(votes)


OFFICIAL = {
    "Training": ([8740, 7287, 3149, 3014, 2100, 119, 532, 119], 28_559),
    "PublicTest": ([1182, 865, 415, 351, 287, 24, 62, 13], 3_579),
    "PrivateTest": ([1090, 893, 396, 384, 273, 18, 83, 16], 3_573),
}


@pytest.mark.skipif(
    "NEUROGAZE_FERPLUS_VOTES" not in os.environ,
    reason="NEUROGAZE_FERPLUS_VOTES does not name the published votes file",
)
@pytest.mark.parametrize("usage", list(OFFICIAL))
def test_published_counts(usage):
    path = Path(os.environ["NEUROGAZE_FERPLUS_VOTES"])
    with path.open(newline="") as stream:
        rows = [row for row in csv.reader(stream) if row[0] == usage]
    votes = np.array([row[2:12] for row in rows], dtype=int)
    labels = majority_label(votes)
    per_class, plurality = OFFICIAL[usage]
    assert np.bincount(labels[labels >= 0], minlength=len(EMOTIONS)).tolist() == per_class
    assert int((plurality8_label(votes) >= 0).sum()) == plurality
