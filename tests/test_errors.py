"""The one error a person sees."""

import pickle
from pathlib import Path

import pytest

from neurogaze.errors import InputError


def test_where_found_remedy_make_one_sentence_each():
    error = InputError(Path("a") / "S01.mat", "dataset 'labels' is missing.", "supply it.")
    assert str(error) == "a/S01.mat: dataset 'labels' is missing. Remedy: supply it."
    assert (error.where, error.found, error.remedy) == (
        "a/S01.mat",
        "dataset 'labels' is missing",
        "supply it",
    )


def test_a_program_may_catch_it_as_a_value_error():
    with pytest.raises(ValueError, match="fold: 7 of 3"):
        raise InputError("fold", "7 of 3", "use 0 to 2")


@pytest.mark.parametrize("kind", [InputError, *InputError.__subclasses__()])
def test_a_worker_can_hand_it_on(kind):
    """A pool pickles what a worker raises; what cannot be rebuilt breaks the pool instead."""
    told = pickle.loads(pickle.dumps(kind("S01.mat", "is short", "copy it again")))
    assert type(told) is kind
    assert str(told) == "S01.mat: is short. Remedy: copy it again."
