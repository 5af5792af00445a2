"""Regions of action units: every shape on the face, pixels by hand, the right part of it."""

import numpy as np
import pytest

from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError
from neurogaze.explain.regions import (
    EMOTION_UNITS,
    UNITS,
    Ellipse,
    Rectangle,
    emotion_mask,
    emotion_masks,
    unit_mask,
)


def test_shapes_by_hand():
    assert np.argwhere(Rectangle(1, 2, 3, 4).mask(5)).tolist() == [[2, 1], [2, 2], [3, 1], [3, 2]]
    circle = Ellipse(2.5, 2.5, 1.0, 1.0).mask(5)
    assert np.argwhere(circle).tolist() == [[1, 2], [2, 1], [2, 2], [2, 3], [3, 2]]
    assert Ellipse(24, 24, 10, 5).mask().sum() == pytest.approx(np.pi * 50, rel=0.05)


def test_every_unit_is_on_the_face_and_upright():
    for number in UNITS:
        mask = unit_mask(number)
        assert 20 < mask.sum() < 48 * 48 / 4
        np.testing.assert_array_equal(mask, mask[:, ::-1])


def rows_of(emotion):
    return np.flatnonzero(emotion_mask(emotion).any(axis=1))


def test_each_emotion_is_where_anatomy_has_it():
    assert rows_of("sadness").min() < 12  # brows
    assert rows_of("contempt").min() > 30  # the mouth alone
    happy = emotion_mask("happiness")
    assert happy[36, 16]  # a corner of the mouth
    assert happy[23, 13]  # a cheek
    assert not happy[10, 24]  # no forehead
    assert emotion_mask("surprise")[42, 24]  # the jaw
    assert emotion_mask("disgust")[20, 24]  # the nose


def test_all_masks_in_class_order():
    masks = emotion_masks()
    assert masks.shape == (8, 48, 48)
    assert not masks[EMOTIONS.index("neutral")].any()
    assert set(EMOTION_UNITS) == set(EMOTIONS) - {"neutral"}
    np.testing.assert_array_equal(masks[EMOTIONS.index("fear")], emotion_mask("fear"))
    with pytest.raises(InputError, match="no action units"):
        emotion_mask("neutral")
