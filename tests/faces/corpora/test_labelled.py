"""Lists of labelled pictures: their checks, and what published numbers say of a copy."""

import warnings
from pathlib import Path

import numpy as np
import pytest

from neurogaze.errors import InputError
from neurogaze.faces.corpora.labelled import Listed, compare_counts, one_hot_votes

PUBLISHED = (5, 9, 4, 3, 2, 1, 1, 0)


def test_one_picture_one_id():
    labels = np.zeros(2, dtype=np.int64)
    with pytest.raises(InputError, match=r"train/1\.jpg is listed twice"):
        Listed(Path("here"), ("a.jpg", "b.jpg"), ("train/1.jpg", "train/1.jpg"), labels)


def test_votes_of_nobody_are_the_label():
    votes = one_hot_votes(np.array([2, 0]))
    assert votes.dtype == np.float32
    assert votes.tolist() == [[0, 0, 1, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0, 0]]
    assert one_hot_votes(np.array([], dtype=np.int64)).shape == (0, 8)


def test_published_counts_pass_in_silence():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compare_counts(Path("here"), np.array(PUBLISHED), PUBLISHED)


@pytest.mark.parametrize("counts", [(5, 9, 4, 3, 2, 1, 0, 0), (6, 9, 4, 3, 2, 1, 1, 0), (0,) * 8])
def test_another_copy_is_told(counts):
    with pytest.warns(UserWarning, match=rf"here: {sum(counts)} pictures .* published: 5 neutral"):
        compare_counts(Path("here"), np.array(counts), PUBLISHED)


@pytest.mark.parametrize("counts", [PUBLISHED[::-1], (9, 5, 4, 3, 2, 1, 1, 0)])
def test_published_counts_of_other_emotions_are_refused(counts):
    with pytest.raises(InputError, match="the classes are mixed up"):
        compare_counts(Path("here"), np.array(counts), PUBLISHED)
