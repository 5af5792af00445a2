"""What published numbers say of a copy: another one, or one whose classes are mixed up."""

import warnings
from pathlib import Path

import numpy as np
import pytest

from neurogaze.errors import InputError
from neurogaze.faces.corpora.affectnet_8label import PUBLISHED as AFFECTNET
from neurogaze.faces.corpora.published import compare_counts, mixed_up, refuse_mixed_up
from neurogaze.faces.corpora.rafdb import PUBLISHED as RAF

PUBLISHED = (5, 9, 4, 3, 2, 1, 1, 0)


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


BY_NAME = [4, 7, 5, 6, 1, 3, 0, 2]
"""Anger, contempt, disgust, ...: what tools that sort folder names take for the codes 0, 1, 2."""


@pytest.mark.parametrize("published", [AFFECTNET["train"], RAF["train"], RAF["valid"]])
@pytest.mark.parametrize("kept", [1.0, 0.985])
def test_sorted_names_taken_for_codes_are_found_out(published, kept):
    """In a whole copy, and in one that lost pictures of every class."""
    honest = np.floor(np.array(published) * kept).astype(np.int64)
    assert not mixed_up(honest, published)
    refuse_mixed_up(Path("here"), honest, published)
    assert mixed_up(honest[BY_NAME], published)
    with pytest.raises(InputError, match="the classes are mixed up"):
        refuse_mixed_up(Path("here"), honest[BY_NAME], published)


def test_a_part_is_no_mixture():
    part = np.array(AFFECTNET["train"]) // 2
    assert not mixed_up(part, AFFECTNET["train"])
    assert not mixed_up(part[BY_NAME], AFFECTNET["train"])  # nothing tells


def test_classes_of_equal_size_cannot_be_told():
    assert not mixed_up(np.full(8, 500), AFFECTNET["valid"])
