"""A face table refuses what does not fit, and twins share a group."""

import dataclasses

import numpy as np
import pytest

from neurogaze.errors import InputError
from neurogaze.faces.images import FaceTable, pixel_groups


def make_table(n=4):
    images = np.arange(n * 4, dtype=np.uint8).reshape(n, 2, 2)
    return FaceTable(
        images=images,
        ids=np.array([f"face{i}" for i in range(n)]),
        labels=np.arange(n) % 8,
        votes=np.full((n, 8), 0.125, dtype=np.float32),
        groups=pixel_groups(images),
        dataset="made",
        split="train",
        rule="majority",
    )


def test_take_keeps_rows_together():
    table = make_table()
    part = table.take(np.array([3, 1]))
    assert part.ids.tolist() == ["face3", "face1"]
    assert part.labels.tolist() == [3, 1]
    np.testing.assert_array_equal(part.images[0], table.images[3])
    assert part.groups.tolist() == [table.groups[3], table.groups[1]]
    assert len(table.take(table.labels == 2)) == 1


def test_class_counts():
    assert make_table(10).class_counts.tolist() == [2, 2, 1, 1, 1, 1, 1, 1]


def test_hash_follows_content_and_not_the_name():
    table = make_table()
    assert table.sha256 == dataclasses.replace(table, dataset="other").sha256
    assert table.sha256 == dataclasses.replace(table, note="beware").sha256
    other = table.images.copy()
    other[0, 0, 0] += 1
    assert table.sha256 != dataclasses.replace(table, images=other).sha256


def test_twins_and_near_twins():
    images = np.zeros((3, 48, 48), dtype=np.uint8)
    images[2, 47, 47] = 1
    first, second, third = pixel_groups(images)
    assert first == second != third


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("labels", np.array([0, 1, 2]), "labels"),
        ("labels", np.array([0, 1, 2, 8]), "label"),
        ("votes", np.zeros((4, 8), np.float32), "votes"),
        ("images", np.zeros((4, 2, 2), np.float32), "float32"),
        ("ids", np.array(["only one"]), "ids"),
    ],
)
def test_arrays_that_do_not_fit(field, value, named):
    with pytest.raises(InputError, match=named):
        dataclasses.replace(make_table(), **{field: value})
