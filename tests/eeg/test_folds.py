import json

import pytest

from neurogaze.eeg.folds import Fold, Split
from neurogaze.eeg.splits import SplitSettings, make_split
from neurogaze.errors import InputError
from tests.eeg.toy import make_table

TABLE = make_table(n_subjects=8, n_clips=6)
ALL = [
    SplitSettings(),
    SplitSettings(n_folds=3),
    SplitSettings("trial"),
    SplitSettings("trial", n_folds=3, stop_fraction=0.4, seed=5),
]
EVERY = pytest.mark.parametrize("settings", ALL, ids=str)


@EVERY
def test_file_round_trip(tmp_path, settings):
    split = make_split(TABLE, settings)
    split.save(tmp_path / "split.json")
    assert Split.load(tmp_path / "split.json") == split


@pytest.mark.parametrize("edit", ["seed", "swap", "overlap", "no hash", "text", "list"])
def test_edited_file_is_refused(tmp_path, edit):
    path = tmp_path / "split.json"
    make_split(TABLE, SplitSettings()).save(path)
    content = json.loads(path.read_text())
    folds = content["folds"]
    if edit == "seed":
        content["seed"] = 1
    elif edit == "swap":
        a, b = folds[0]["train"], folds[0]["stop"]
        a[0], b[0] = b[0], a[0]
    elif edit == "overlap":
        folds[0]["train"].append(folds[0]["test"][0])
    elif edit == "no hash":
        del content["sha256"]
    path.write_text("{" if edit == "text" else json.dumps([] if edit == "list" else content))
    with pytest.raises(InputError, match=r"split\.json"):
        Split.load(path)


def test_absent_file_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"no\.json"):
        Split.load(tmp_path / "no.json")


def test_overlap_and_gaps_cannot_be_made():
    for sides in [(("a",), ("a",), ("b",)), (("a", "b"), ("c",), ("b",)), (("a", "a"), "b", "c")]:
        with pytest.raises(InputError, match="more than one side"):
            Fold(*sides)
    with pytest.raises(InputError, match="empty"):
        Fold(("a",), (), ("b",))
    once = Fold(("a",), ("b",), ("c",))
    again = Fold(("b",), ("a",), ("c",))
    with pytest.raises(InputError, match="exactly once"):
        Split("toy", "loso", "subject", (once, again), 2, 0)
    with pytest.raises(InputError, match="exactly once"):
        Split("toy", "loso", "subject", (once,), 1, 0)
