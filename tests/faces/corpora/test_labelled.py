"""Lists of labelled pictures and their checks."""

from pathlib import Path

import numpy as np
import pytest

from neurogaze.errors import InputError
from neurogaze.faces.corpora.labelled import Listed, one_hot_votes


def test_one_picture_one_id():
    labels = np.zeros(2, dtype=np.int64)
    with pytest.raises(InputError, match=r"train/1\.jpg is listed twice"):
        Listed(Path("here"), ("a.jpg", "b.jpg"), ("train/1.jpg", "train/1.jpg"), labels)


def test_votes_of_nobody_are_the_label():
    votes = one_hot_votes(np.array([2, 0]))
    assert votes.dtype == np.float32
    assert votes.tolist() == [[0, 0, 1, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0, 0]]
    assert one_hot_votes(np.array([], dtype=np.int64)).shape == (0, 8)
