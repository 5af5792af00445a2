from dataclasses import replace

import numpy as np
import pytest

from neurogaze.eeg.splits import (
    SplitSettings,
    evaluation_rows,
    fold_rows,
    make_split,
)
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


APART = {
    "loso": ("subject", "event", "trial"),
    "loso_clip": ("subject", "clip", "event", "trial"),
    "trial": ("event", "trial"),
    "window": (),
}


@EVERY
def test_every_row_is_tested_once_and_what_is_kept_apart_is_on_one_side(settings):
    split = make_split(TABLE, settings)
    tested = np.zeros(TABLE.n_rows, dtype=int)
    for k in range(split.n_folds):
        rows = fold_rows(TABLE, split, k)
        tested[rows["test"]] += 1
        together = np.concatenate(list(rows.values()))
        assert len(set(together.tolist())) == len(together)
        if settings.protocol != "loso_clip":
            assert sorted(together) == list(range(TABLE.n_rows))
        for name in APART[settings.protocol]:
            sides = [set(getattr(TABLE, name)[r].tolist()) for r in rows.values()]
            assert sum(map(len, sides)) == len(set.union(*sides))
        assert all((np.diff(r) > 0).all() for r in rows.values())
    assert (tested == 1).all()


def test_loso_leaves_out_one_person_and_stops_on_whole_people():
    split = make_split(TABLE, SplitSettings())
    assert [fold.test for fold in split.folds] == [(f"S{i:02d}",) for i in range(8)]
    assert all((len(f.train), len(f.stop)) == (6, 1) for f in split.folds)
    assert len({f.stop for f in split.folds}) > 1


def test_subject_groups():
    split = make_split(TABLE, SplitSettings(n_folds=3))
    assert [len(fold.test) for fold in split.folds] == [3, 3, 2]


def test_trial_protocol_holds_out_events_of_everybody():
    split = make_split(TABLE, SplitSettings("trial"))
    assert (split.n_folds, split.unit) == (5, "event")
    sizes = []
    for k in range(5):
        rows = fold_rows(TABLE, split, k)
        for part in rows.values():
            assert set(TABLE.subject[part].tolist()) == set(TABLE.subject.tolist())
        sizes.append(len(split.folds[k].test))
    assert sum(sizes) == 48
    assert max(sizes) - min(sizes) <= 1


def test_loso_clip_crosses_people_with_clips():
    split = make_split(TABLE, SplitSettings("loso_clip", n_folds=4))
    assert (split.n_folds, split.unit, split.leaky) == (12, "subject x clip", False)
    for k, fold in enumerate(split.folds):
        assert [len(side) for side in (fold.train, fold.stop, fold.test)] == [5, 1, 2]
        clips = (fold.train_clips, fold.stop_clips, fold.test_clips)
        assert [len(side) for side in clips] == [3, 1, 2]
        rows = fold_rows(TABLE, split, k)
        assert [len(rows[p]) for p in ("train", "stop", "test")] == [5 * 3 * 10, 10, 2 * 2 * 10]
    people = [fold.test for fold in split.folds]
    clips = [fold.test_clips for fold in split.folds]
    assert people == [p for p in people[::3] for _ in range(3)]
    assert clips == clips[:3] * 4
    assert {fold.test for fold in make_split(TABLE, SplitSettings("loso_clip")).folds} == {
        (f"S{i:02d}",) for i in range(8)
    }


def test_loso_clip_needs_clips_that_people_share():
    with pytest.raises(InputError, match="6 rated clips for 7 folds"):
        make_split(TABLE, SplitSettings("loso_clip", clip_folds=7))
    with pytest.raises(InputError, match="2 rated clips"):
        make_split(make_table(n_clips=2), SplitSettings("loso_clip", clip_folds=2))
    with pytest.raises(InputError, match="one side is empty"):
        make_split(make_table(n_clips=3), SplitSettings("loso_clip", clip_folds=2))
    own = replace(TABLE, clip=TABLE.subject)
    with pytest.raises(InputError, match=r"fold 0.*no window to (train|stop|test) on"):
        make_split(own, SplitSettings("loso_clip"))


def test_window_protocol_is_leaky_and_must_be_asked_for():
    with pytest.raises(InputError, match=r"trains on the trials it tests.*set allow_leaky"):
        SplitSettings("window")
    split = make_split(TABLE, SplitSettings("window", allow_leaky=True))
    assert (split.n_folds, split.unit, split.leaky) == (5, "window", True)
    assert not make_split(TABLE, SplitSettings(allow_leaky=True)).leaky
    rows = fold_rows(TABLE, split, 0)
    assert len(rows["test"]) == TABLE.n_rows / 5
    shared = set(TABLE.trial[rows["test"]].tolist()) & set(TABLE.trial[rows["train"]].tolist())
    assert len(shared) > 0.9 * len(set(TABLE.trial[rows["test"]].tolist()))


@pytest.mark.parametrize(
    ("settings", "column"),
    [
        (SplitSettings(), "event"),
        (SplitSettings("trial"), "trial"),
        (SplitSettings("loso_clip"), "event"),
    ],
    ids=str,
)
def test_rows_that_share_what_is_kept_apart_are_refused(settings, column):
    split = make_split(TABLE, settings)
    same = np.full(TABLE.n_rows, "one")
    shared = replace(TABLE, event=same) if column == "event" else replace(TABLE, trial=same)
    with pytest.raises(InputError, match=f"{column} 'one' is on two sides"):
        fold_rows(shared, split, 0)


def test_class_labels_alone_can_be_split():
    nothing = np.full(TABLE.n_rows, np.nan)
    _, label = np.unique(TABLE.clip, return_inverse=True)
    label[TABLE.subject == "S03"] = -1
    table = replace(TABLE, valence=nothing, arousal=nothing, label=label)
    for settings in ALL:
        split = make_split(table, settings)
        rows = fold_rows(table, split, 0)
        assert (label[np.concatenate(list(rows.values()))] >= 0).all()
    assert "S03" not in make_split(table, SplitSettings()).units


def test_stop_fraction():
    table = make_table(n_subjects=11, n_clips=3)
    fold = make_split(table, SplitSettings(stop_fraction=0.3)).folds[0]
    assert (len(fold.train), len(fold.stop)) == (7, 3)
    fold = make_split(table, SplitSettings(stop_fraction=0.99)).folds[0]
    assert (len(fold.train), len(fold.stop)) == (1, 9)


@EVERY
def test_seed_alone_decides(settings):
    split = make_split(TABLE, settings)
    assert split == make_split(TABLE, settings)
    assert split.sha256 == make_split(TABLE, settings).sha256
    other = make_split(TABLE, replace(settings, seed=settings.seed + 1))
    assert other.folds != split.folds
    assert other.sha256 != split.sha256
    features = np.zeros_like(TABLE.features)
    assert make_split(replace(TABLE, features=features), settings) == split


def test_unrated_rows_are_on_no_side():
    valence = TABLE.valence.copy()
    valence[(TABLE.subject == "S01") | (TABLE.event == "S00-c0")] = np.nan
    table = replace(TABLE, valence=valence)
    split = make_split(table, SplitSettings())
    assert "S01" not in split.units
    rows = np.concatenate(list(fold_rows(table, split, 0).values()))
    assert sorted(rows) == np.flatnonzero(np.isfinite(valence)).tolist()


def test_what_cannot_be_split_is_refused():
    unrated = replace(TABLE, arousal=np.full(TABLE.n_rows, np.nan))
    with pytest.raises(InputError, match="no rated trial"):
        make_split(unrated, SplitSettings())
    with pytest.raises(InputError, match="2 rated subjects"):
        make_split(make_table(n_subjects=2), SplitSettings())
    with pytest.raises(InputError, match="8 rated subjects for 9 folds"):
        make_split(TABLE, SplitSettings(n_folds=9))
    with pytest.raises(InputError, match=r"subject S00.*4 rated events for 5 folds"):
        make_split(make_table(n_clips=4), SplitSettings("trial"))


def test_split_of_other_data_or_unknown_fold_is_refused():
    split = make_split(TABLE, SplitSettings())
    for fold in (-1, 8):
        with pytest.raises(InputError, match=f"{fold} of 8.*0 to 7"):
            fold_rows(TABLE, split, fold)
    with pytest.raises(InputError, match="does not fit"):
        fold_rows(make_table(n_subjects=7), split, 0)
    with pytest.raises(InputError, match="does not fit"):
        fold_rows(replace(TABLE, corpus="other"), split, 0)
    clips = make_split(TABLE, SplitSettings("loso_clip"))
    with pytest.raises(InputError, match="does not fit"):
        fold_rows(make_table(n_subjects=8, n_clips=7), clips, 0)


@pytest.mark.parametrize(
    "bad",
    [
        {"protocol": "kfold"},
        {"protocol": "window"},
        {"n_folds": 1},
        {"clip_folds": 1},
        {"stop_fraction": 0.0},
        {"stop_fraction": 1.0},
        {"seed": -1},
    ],
)
def test_settings_out_of_range_are_refused(bad):
    with pytest.raises(InputError):
        SplitSettings(**bad)


def test_evaluation_rows_do_not_overlap():
    rows = evaluation_rows(TABLE, np.arange(TABLE.n_rows))
    assert TABLE.start[rows].tolist() == [0, 4, 8] * 96
    assert evaluation_rows(TABLE, np.array([1, 2, 3, 7])).tolist() == [1, 3, 7]
    odd = replace(TABLE, start=TABLE.start * 0.75)
    assert odd.start[evaluation_rows(odd, np.arange(5))].tolist() == [0, 4.5]
