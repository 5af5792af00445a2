"""Rows whose pixels training holds are told from those it does not hold."""

from dataclasses import replace

import numpy as np
import pytest

from neurogaze.faces.corpora.labelled import one_hot_votes
from neurogaze.faces.images import FaceTable, pixel_groups
from neurogaze.faces.twins import twin_free


def table(levels, labels=None):
    images = np.array(levels, dtype=np.uint8)[:, None, None].repeat(4, 1).repeat(4, 2)
    labels = np.array(labels or [0] * len(levels), dtype=np.int64)
    ids = np.array([f"{i}" for i in range(len(levels))])
    votes = one_hot_votes(labels)
    return FaceTable(images, ids, labels, votes, pixel_groups(images), "made", "valid", "label")


def test_twins_by_pixels_not_by_id_or_label():
    valid, train = table([1, 2, 3, 4], labels=[0, 1, 2, 3]), table([4, 2, 9], labels=[0, 0, 0])
    free = twin_free(valid, train)
    assert free.dtype == np.bool_
    assert free.tolist() == [True, False, True, False]


def test_twins_within_the_judging_set_stay():
    assert twin_free(table([1, 1]), table([2])).all()


def test_nobody_is_free_of_itself():
    valid = table([1, 2, 3])
    assert not twin_free(valid, valid).any()


@pytest.mark.parametrize("bit", [1, 128])
def test_one_bit_of_one_pixel_is_a_difference(bit):
    valid = table([7])
    other = valid.images.copy()
    other[0, 3, 3] ^= bit
    train = replace(valid, images=other, groups=pixel_groups(other))
    assert twin_free(valid, train).all()
