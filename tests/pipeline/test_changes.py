"""Changes go where they say, and nowhere else."""

import copy

import pytest

from neurogaze.errors import InputError
from neurogaze.pipeline.changes import changed

FILE = {"seed": 0, "student": {"config": ["a.yaml"], "args": ["--x=1"]}, "support": ["s.yaml"]}


def after(*changes):
    return changed(copy.deepcopy(FILE), changes)


def test_nothing_changes_nothing():
    assert after() == FILE


def test_a_value_is_yaml():
    assert after("student.args=[--x=2, --y=a=b]")["student"] == {
        "config": ["a.yaml"],
        "args": ["--x=2", "--y=a=b"],
    }
    assert after("seed=3")["seed"] == 3
    assert after("title='a b'")["title"] == "a b"


def test_a_key_that_is_not_there_is_made():
    assert after("evaluate.ck.data=c.yaml")["evaluate"] == {"ck": {"data": "c.yaml"}}


def test_null_takes_a_key_out():
    assert after("support=null") == {k: v for k, v in FILE.items() if k != "support"}
    assert after("expected_train=null") == FILE


def test_later_changes_win():
    assert after("seed=1", "seed=2")["seed"] == 2


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ("seed", "no key=value"),
        ("=3", "no key=value"),
        ("a..b=3", "no key=value"),
        ("seed=[1", "no YAML"),
        ("seed.deep=1", "which has no keys"),
        ("support.first=1", "which has no keys"),
    ],
)
def test_what_cannot_be_done_is_refused(change, word):
    with pytest.raises(InputError, match="--change") as caught:
        after(change)
    assert word in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
