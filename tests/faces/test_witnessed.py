"""Pictures are known again by pixels in every corpus, by people and recordings in their own."""

from dataclasses import replace

import numpy as np
import torch

from neurogaze.faces.corpora.cross_validated import CrossValidated
from neurogaze.faces.corpora.synthetic import SyntheticFaces
from neurogaze.faces.images import pixel_groups
from neurogaze.faces.witnessed import KEY_BYTES, no_keys, seen_keys, seen_rows
from tests.faces.tables import drawn_table


def test_pixels_are_known_in_another_corpus():
    table = drawn_table(6)
    keys = seen_keys([table.take(np.array([1, 4]))])
    other = replace(table, dataset="other", ids=np.char.add("x", table.ids))
    np.testing.assert_array_equal(np.flatnonzero(seen_rows(keys, other)), [1, 4])


def test_people_and_recordings_are_known_in_their_own_corpus_only():
    people = np.array(["anna", "anna", "ben", "", "", ""])
    clips = np.array(["", "", "c1", "c1", "", ""])
    table = replace(drawn_table(6), subjects=people, sequences=clips)
    keys = seen_keys([table.take(np.array([0, 3, 5]))])
    np.testing.assert_array_equal(
        seen_rows(keys, table), [True, True, True, True, False, True]
    )  # the unnamed are not one person
    images = drawn_table(6, seed=1).images
    elsewhere = replace(table, dataset="other", images=images, groups=pixel_groups(images))
    assert not seen_rows(keys, elsewhere).any()


def test_keys_are_sorted_hashes_without_names():
    table = replace(drawn_table(4), subjects=np.array(["anna"] * 4))
    keys = seen_keys([table, table])
    assert keys.dtype == torch.uint8
    assert keys.shape == (4 + 1, KEY_BYTES)
    rows = [row.tobytes() for row in keys.numpy()]
    assert rows == sorted(set(rows))
    assert b"anna" not in b"".join(rows)
    assert not any(bytes.fromhex(group) in rows for group in table.groups.tolist())


def test_nothing_is_known_of_nothing():
    assert torch.equal(seen_keys([]), no_keys())
    assert not seen_rows(no_keys(), drawn_table(3)).any()


def test_people_of_ckplus_are_known_in_ckplus48():
    """Both name them alike; another corpus with such names shows others."""
    people, clips = np.array(["S005", "", "S010"]), np.array(["", "S011_001", ""])
    ckplus = replace(drawn_table(3), dataset="ckplus", subjects=people, sequences=clips)
    keys = seen_keys([ckplus.take(np.array([0, 1]))])
    images = drawn_table(3, seed=1).images
    fresh = replace(ckplus, images=images, groups=pixel_groups(images))
    for dataset, known in (("ckplus48", True), ("ckplus", True), ("other", False)):
        rows = seen_rows(keys, replace(fresh, dataset=dataset))
        assert rows.tolist() == [known, known, False]
    back = seen_keys([replace(ckplus, dataset="ckplus48")])
    assert seen_rows(back, fresh).all()


def test_people_seen_in_a_fold_are_known_in_the_corpus_itself():
    people = np.array(["anna", "", "ben"])
    corpus = SyntheticFaces()
    seen = replace(drawn_table(3), dataset=CrossValidated(corpus).name, subjects=people)
    images = drawn_table(3, seed=1).images
    later = replace(seen, dataset=corpus.name, images=images, groups=pixel_groups(images))
    for one, other in ((seen, later), (later, seen)):
        rows = seen_rows(seen_keys([one]), other)
        assert rows.tolist() == [True, False, True]
