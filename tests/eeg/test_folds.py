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
    SplitSettings("loso_clip"),
    SplitSettings("loso_clip", n_folds=3, clip_folds=2, stop_fraction=0.4, seed=5),
    SplitSettings("window", allow_leaky=True),
    SplitSettings("window", n_folds=2, seed=5, allow_leaky=True),
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


@pytest.mark.parametrize("edit", ["swap", "drop", "move", "overlap", "protocol"])
def test_edited_clips_are_refused(tmp_path, edit):
    path = tmp_path / "split.json"
    make_split(TABLE, SplitSettings("loso_clip")).save(path)
    content = json.loads(path.read_text())
    fold = content["folds"][0]
    if edit == "swap":
        a, b = fold["train_clips"], fold["stop_clips"]
        a[0], b[0] = b[0], a[0]
    elif edit == "drop":
        fold["train_clips"].pop()
    elif edit == "move":
        fold["train_clips"].append(fold["test_clips"].pop())
    elif edit == "overlap":
        fold["train_clips"].append(fold["test_clips"][0])
    else:
        content |= {"protocol": "loso", "unit": "subject"}
    path.write_text(json.dumps(content))
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
    with pytest.raises(InputError, match="exactly once"):
        Split("toy", "loso", "subject", (), 0, 0)


PEOPLE = (("a", "b", "c"), ("b", "c", "a"), ("c", "a", "b"))
CLIPS = (("x", "y", "z"), ("y", "z", "x"), ("z", "x", "y"))


def crossed(people=PEOPLE, clips=CLIPS):
    """Folds of three people by three clips, one of each on every side."""
    return tuple(
        Fold(*((name,) for name in who), *((name,) for name in what))
        for who in people
        for what in clips
    )


def test_people_and_clips_are_held_out_together():
    split = Split("toy", "loso_clip", "subject x clip", crossed(), 9, 0)
    assert (split.units, split.clips) == (set("abc"), set("xyz"))
    tested = [pair for fold in split.folds for pair in fold.tested]
    assert sorted(tested) == [(p, c) for p in "abc" for c in "xyz"]
    with pytest.raises(InputError, match=r"clips of a fold.*\['x'\] on more than one side"):
        Fold(("a",), ("b",), ("c",), ("x",), ("y",), ("x",))
    with pytest.raises(InputError, match=r"clips of a fold.*empty"):
        Fold(("a",), ("b",), ("c",), ("x",), (), ("y",))
    twice = (*crossed()[1:], crossed()[1])
    for folds in (crossed()[:8], twice, crossed(clips=CLIPS[:2]), crossed(people=PEOPLE[1:])):
        with pytest.raises(InputError, match="exactly once"):
            Split("toy", "loso_clip", "subject x clip", folds, len(folds), 0)


def test_protocol_unit_and_clips_belong_together():
    plain = tuple(Fold(*((name,) for name in who)) for who in PEOPLE)
    assert not Split("toy", "loso", "subject", plain, 3, 0).leaky
    assert Split("toy", "window", "window", plain, 3, 0).leaky
    for protocol, unit in [("loso", "event"), ("window", "subject"), ("kfold", "window")]:
        with pytest.raises(InputError, match=f"protocol '{protocol}' with unit '{unit}'"):
            Split("toy", protocol, unit, plain, 3, 0)
    with pytest.raises(InputError, match="clips are missing"):
        Split("toy", "loso_clip", "subject x clip", plain, 3, 0)
    with pytest.raises(InputError, match="clips are named"):
        Split("toy", "loso", "subject", crossed(), 9, 0)
