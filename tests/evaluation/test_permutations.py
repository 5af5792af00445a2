"""What an exchange of ratings changes, and what it must leave alone."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from neurogaze.eeg.splits import SplitSettings, fold_rows, make_split
from neurogaze.errors import InputError
from neurogaze.evaluation.permutations import permuted_events, permuted_table
from tests.eeg.toy import make_table

SCHEMES = ("within_subject", "joint_clip")


def rich_table():
    """Every event has its own rating of all three kinds and its own class."""
    table = make_table(n_subjects=5, n_clips=6)
    _, code = np.unique(table.event, return_inverse=True)
    return replace(table, dominance=code / 100, label=code.astype(np.int64))


def by_event(table):
    """The different ratings and classes of the windows of each event."""
    columns = zip(table.valence, table.arousal, table.dominance, table.label, strict=True)
    found = {}
    for event, values in zip(table.event.tolist(), columns, strict=True):
        found.setdefault(event, set()).add(values)
    return found


def test_permutations_keep_people_and_clips_as_the_scheme_says():
    subject, clip = np.repeat(["A", "B", "C"], 6), np.tile([f"c{i}" for i in range(6)], 3)
    within = permuted_events(subject, clip, "within_subject", np.random.default_rng(0))
    joint = permuted_events(subject, clip, "joint_clip", np.random.default_rng(0))
    for source in (within, joint):
        assert sorted(source) == list(range(18))
        assert (subject[source] == subject).all()
        assert (source != np.arange(18)).any()
    assert (clip[joint].reshape(3, 6) == clip[joint][:6]).all()
    assert (clip[within].reshape(3, 6) != clip[within][:6]).any()


def test_people_who_lack_clips_are_permuted_in_the_same_spirit():
    subject = np.array(["A"] * 4 + ["B"] * 2)
    clip = np.array(["c0", "c1", "c2", "c3", "c1", "c3"])
    swapped = 0
    for seed in range(50):
        source = permuted_events(subject, clip, "joint_clip", np.random.default_rng(seed))
        assert sorted(source[4:]) == [4, 5]
        place = {c: np.flatnonzero(clip[source[:4]] == c)[0] for c in ("c1", "c3")}
        assert (source[4] == 5) == (place["c3"] < place["c1"])
        swapped += source[4] == 5
    assert 10 < swapped < 40


@pytest.mark.parametrize("scheme", SCHEMES)
def test_events_exchange_their_ratings_as_a_unit(scheme):
    table = rich_table()
    found = permuted_table(table, scheme, seed=3)
    before, after = by_event(table), by_event(found)
    assert all(len(values) == 1 for values in after.values())
    for subject in np.unique(table.subject):
        own = [e for e in before if e.startswith(f"{subject}-")]
        given = Counter(next(iter(after[e])) for e in own)
        assert given == Counter(next(iter(before[e])) for e in own)
    assert before != after
    for name in ("subject", "clip", "event", "trial", "start", "features"):
        np.testing.assert_array_equal(getattr(found, name), getattr(table, name))


def test_joint_clip_maps_clips_equally_for_everybody():
    table = rich_table()
    source = {next(iter(v)): e for e, v in by_event(table).items()}
    for scheme, equal in (("joint_clip", True), ("within_subject", False)):
        maps = {}
        for event, values in by_event(permuted_table(table, scheme, seed=1)).items():
            subject, clip = event.split("-")
            maps.setdefault(subject, {})[clip] = source[next(iter(values))].split("-")[1]
        assert all(m == maps["S00"] for m in maps.values()) is equal


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_seed_decides(scheme):
    table = rich_table()
    a, b, c = (permuted_table(table, scheme, seed).valence for seed in (0, 0, 1))
    assert (a == b).all()
    assert (a != c).any()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_split_of_the_table_fits_the_permuted_one(scheme):
    table = make_table()
    valence, label = table.valence.copy(), table.label.copy()
    valence[np.isin(table.event, ["S02-c3", "S02-c4"])] = np.nan
    label[table.event == "S02-c3"] = 2
    table = replace(table, valence=valence, label=label)
    split = make_split(table, SplitSettings("trial", n_folds=3))
    found = permuted_table(table, scheme, seed=0)
    np.testing.assert_array_equal(found.rated, table.rated)
    np.testing.assert_array_equal(found.label, table.label)
    for part, rows in fold_rows(found, split, 1).items():
        np.testing.assert_array_equal(rows, fold_rows(table, split, 1)[part])


def test_unknown_scheme_is_refused():
    with pytest.raises(InputError, match="within_subject or joint_clip"):
        permuted_table(make_table(), "window", 0)
