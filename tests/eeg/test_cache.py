import os
import time
from dataclasses import fields, replace
from threading import Lock

import numpy as np
import pytest

from neurogaze.artefacts import settings_hash
from neurogaze.eeg import cache
from neurogaze.eeg.cache import prepare, subject_file
from neurogaze.eeg.corpora import Dasps, Dreamer
from neurogaze.eeg.features import FeatureSettings, trial_features
from neurogaze.eeg.preprocessing import Preprocessing
from neurogaze.eeg.splits import evaluation_rows
from neurogaze.errors import InputError
from tests.eeg.toy import CHANNELS, ToyCorpus, make_trial
from tests.fixtures.eeg import write_dasps, write_dreamer

SETTINGS = FeatureSettings()
FIVE = FeatureSettings(bands="five")


def files(store):
    return {path.relative_to(store) for path in store.rglob("*") if path.is_file()}


def made(corpus, store, settings=SETTINGS):
    return prepare(corpus, settings, store, progress=False)


def small_dreamer(path, seed):
    return write_dreamer(path, seconds=(6.0, 9.0), baseline_seconds=5.0, seed=seed)


def test_rows_follow_subjects_trials_and_windows(tmp_path):
    corpus = ToyCorpus(n_subjects=2, n_clips=2)
    table = made(corpus, tmp_path)
    trials = [t for s in corpus.subjects() for t in corpus.trials(s)]
    expected = [trial_features(t, SETTINGS) for t in trials]
    np.testing.assert_array_equal(table.features, np.concatenate([e.values for e in expected]))
    assert table.trial.tolist() == [t.trial for t in trials for _ in range(5)]
    assert table.start.tolist() == [0, 2, 4, 6, 8] * 4
    assert table.valence.tolist() == [t.valence for t in trials for _ in range(5)]
    assert table.arousal.tolist() == [t.arousal for t in trials for _ in range(5)]
    assert (table.channels, table.bands) == (CHANNELS, ("theta", "alpha", "beta", "gamma"))
    assert (table.corpus, table.window, table.floors) == ("toy", 4.0, 0)
    assert table.settings_hash == settings_hash(SETTINGS)


def test_second_call_opens_nothing_and_says_the_same(tmp_path):
    corpus = ToyCorpus(n_subjects=2, n_clips=2)
    first = made(corpus, tmp_path)
    assert sorted(corpus.opened) == ["S00", "S01"]
    second = made(corpus, tmp_path)
    assert sorted(corpus.opened) == ["S00", "S01"]
    assert first.sha256 == second.sha256
    assert len(files(tmp_path)) == 2


CHANGES = [
    {"bands": "five"},
    {"window": 2.0},
    {"hop": 4.0},
    {"baseline": False},
    {"filter_order": 3},
    {"floor": 1e-9},
    {"filtering": "streaming"},
    {"filtering": "window", "zscore": "window"},
    {"zscore": "person"},
    {"baseline_mode": "average"},
    {"unit": "bits"},
    {"preprocessing": Preprocessing(reference="none")},
    {"preprocessing": Preprocessing(notch=())},
    {"preprocessing": Preprocessing(sfreq=100.0)},
    {"preprocessing": Preprocessing(crop_last=8.0)},
    {"filtering": "window"},
    {"filtering": "window", "preprocessing": Preprocessing(offset="keep")},
]


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_any_setting_changes_file_and_values(tmp_path, change):
    corpus = ToyCorpus(n_subjects=1, n_clips=1, baseline=True)
    first = made(corpus, tmp_path)
    before = files(tmp_path)
    second = made(corpus, tmp_path, replace(SETTINGS, **change))
    assert len(files(tmp_path)) == 2
    assert before < files(tmp_path)
    assert first.sha256 != second.sha256
    fresh = made(corpus, tmp_path / "fresh", replace(SETTINGS, **change))
    np.testing.assert_array_equal(second.features, fresh.features)
    different = first.features.shape != second.features.shape
    assert different or not np.array_equal(first.features, second.features)


def test_every_setting_is_in_the_list_of_changes():
    changed = {name for change in CHANGES for name in change}
    assert changed == {field.name for field in fields(FeatureSettings)}
    cleaned = [change["preprocessing"] for change in CHANGES if "preprocessing" in change]
    for field in fields(Preprocessing):
        assert any(getattr(c, field.name) != field.default for c in cleaned), field.name


def test_no_two_settings_share_a_file(tmp_path):
    corpus = ToyCorpus(n_subjects=1)
    settings = [SETTINGS, *(replace(SETTINGS, **change) for change in CHANGES)]
    assert len({subject_file(corpus, "S00", each) for each in settings}) == len(settings)


def test_a_further_person_is_computed_alone(tmp_path):
    first = made(ToyCorpus(n_subjects=2, n_clips=2), tmp_path)
    before = {name: (tmp_path / name).read_bytes() for name in files(tmp_path)}
    larger = ToyCorpus(n_subjects=3, n_clips=2)
    second = made(larger, tmp_path)
    assert larger.opened == ["S02"]
    assert {name: (tmp_path / name).read_bytes() for name in before} == before
    np.testing.assert_array_equal(second.features[: first.n_rows], first.features)


def test_edited_source_file_is_computed_anew(tmp_path):
    """The same name, size and time of change: the content alone tells."""
    source = small_dreamer(tmp_path / "DREAMER.mat", seed=0)
    stamp, size = source.stat(), source.stat().st_size
    before = made(Dreamer(source), tmp_path / "store")
    content = bytearray(source.read_bytes())
    content[20] ^= 1  # a letter of the free text in the header
    source.write_bytes(content)
    os.utime(source, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert source.stat().st_size == size
    old = files(tmp_path / "store")
    assert made(Dreamer(source), tmp_path / "store").sha256 == before.sha256
    assert len(files(tmp_path / "store") - old) == 2
    small_dreamer(source, seed=1)
    after = made(Dreamer(source), tmp_path / "store")
    assert after.sha256 != before.sha256
    assert after.sha256 == made(Dreamer(source), tmp_path / "fresh").sha256


def test_file_replaced_at_work_poisons_nothing(tmp_path):
    """A session hashes recording A, B takes its place, and A comes back."""
    root = write_dasps(tmp_path / "a", n_subjects=1, seed=1)
    path = root / "Raw data.mat" / "S01.mat"
    other = write_dasps(tmp_path / "b", n_subjects=1, seed=2) / "Raw data.mat" / "S01.mat"
    first, second = path.read_bytes(), other.read_bytes()
    at_work, store, short = Dasps(root), tmp_path / "store", replace(SETTINGS, window=2.0)
    made(at_work, store)
    path.write_bytes(second)
    made(at_work, store, short)
    path.write_bytes(first)
    stored, truth = (made(Dasps(root), place, short) for place in (store, tmp_path / "fresh"))
    assert stored.sha256 == truth.sha256


def test_file_replaced_while_it_is_read_is_refused(tmp_path):
    class Replaced(ToyCorpus):
        def trials(self, subject):
            yield from super().trials(subject)
            self.seeds[subject] = 1

    with pytest.raises(InputError, match=r"toy, subject S00: its source files changed while"):
        made(Replaced(n_subjects=1), tmp_path)
    assert files(tmp_path) == set()


@pytest.mark.parametrize(("window", "cut"), [(4.0, 4.0), (1.33, 170 / 128), (0.3, 38 / 128)])
def test_window_is_as_long_as_it_is_cut(tmp_path, window, cut):
    """So windows side by side do not overlap, and all of them are evaluated."""
    table = made(ToyCorpus(n_subjects=1), tmp_path, FeatureSettings(window=window, hop=window))
    assert table.window == cut
    assert len(evaluation_rows(table, np.arange(table.n_rows))) == table.n_rows


def test_a_whole_number_of_samples_leaves_the_window_as_it_was_set(tmp_path):
    settings = FeatureSettings(window=0.1 + 0.2, preprocessing=Preprocessing(sfreq=100.0))
    assert made(ToyCorpus(n_subjects=1), tmp_path, settings).window == 0.1 + 0.2


def test_names_too_long_for_a_file(tmp_path):
    class Long(ToyCorpus):
        def subjects(self):
            return ("x" * 300,)

        def trials(self, subject):
            yield make_trial(np.random.default_rng(0).normal(size=(4, 600)), subject=subject)

    assert made(Long(), tmp_path).subject.tolist() == ["x" * 300]


def test_threads_change_nothing(tmp_path):
    corpus = ToyCorpus(n_subjects=7, n_clips=2, baseline=True)
    content = []
    for workers in (1, 2, 5, None):
        store = tmp_path / str(workers)
        table = prepare(corpus, SETTINGS, store, progress=False, workers=workers)
        kept = {str(name): (store / name).read_bytes() for name in files(store)}
        content.append((table.sha256, kept))
    assert all(each == content[0] for each in content)
    assert len(content[0][1]) == 7


class Crowded(ToyCorpus):
    """Counts the people whose trials are being read, and waits for company."""

    inside, most = 0, 0
    lock = Lock()

    def trials(self, subject):
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        time.sleep(0.02)
        yield from super().trials(subject)
        with self.lock:
            self.inside -= 1


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_no_more_people_at_once_than_workers(tmp_path, workers):
    corpus = Crowded(n_subjects=8, n_clips=1)
    prepare(corpus, SETTINGS, tmp_path, progress=False, workers=workers)
    assert corpus.most == workers


@pytest.mark.parametrize("workers", [1, 3])
def test_failure_of_the_first_in_order_is_told_and_ends_the_work(tmp_path, workers):
    class Failing(ToyCorpus):
        def trials(self, subject):
            if subject in ("S04", "S05"):
                raise InputError(f"{subject}.mat", "is cut short", "copy it again")
            yield from super().trials(subject)

    corpus = Failing(n_subjects=60, n_clips=3)
    with pytest.raises(InputError, match=r"S04\.mat"):
        prepare(corpus, SETTINGS, tmp_path, progress=False, workers=workers)
    people = {path.name.split("-")[0] for path in files(tmp_path)}
    assert {"S00", "S01", "S02", "S03"} <= people
    assert not people & {"S04", "S05", "S59"}


def test_identity_of_one_person_recomputes_that_person_alone(tmp_path):
    corpus = ToyCorpus(n_subjects=3, n_clips=1)
    first = made(corpus, tmp_path)
    corpus.opened.clear()
    corpus.seeds["S01"] = 9
    second = made(corpus, tmp_path)
    assert corpus.opened == ["S01"]
    same = first.subject != "S01"
    np.testing.assert_array_equal(first.features[same], second.features[same])
    assert not np.array_equal(first.features[~same], second.features[~same])


def test_version_of_the_code_changes_the_file(tmp_path, monkeypatch):
    corpus = ToyCorpus(n_subjects=1, n_clips=1)
    made(corpus, tmp_path)
    monkeypatch.setattr(cache, "FEATURE_VERSION", 99)
    made(corpus, tmp_path)
    assert corpus.opened == ["S00", "S00"]


@pytest.mark.parametrize("damage", ["cut", "empty", "flip", "text"])
def test_damaged_file_is_computed_again(tmp_path, damage):
    corpus = ToyCorpus(n_subjects=1, n_clips=2)
    first = made(corpus, tmp_path)
    path = tmp_path / next(iter(files(tmp_path)))
    content = bytearray(path.read_bytes())
    middle = len(content) // 4
    content[middle] ^= 0xFF
    new = {"cut": content[:middle], "empty": b"", "flip": content, "text": b"not a zip"}[damage]
    path.write_bytes(new)
    assert made(corpus, tmp_path).sha256 == first.sha256
    assert corpus.opened == ["S00", "S00"]
    made(corpus, tmp_path)
    assert corpus.opened == ["S00", "S00"]


def test_interrupted_computation_leaves_nothing_of_that_person(tmp_path, monkeypatch):
    corpus = ToyCorpus(n_subjects=2, n_clips=2)
    real, calls = cache.trial_features, []

    def stops(trial, settings):
        calls.append(trial)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return real(trial, settings)

    monkeypatch.setattr(cache, "trial_features", stops)
    with pytest.raises(KeyboardInterrupt):
        prepare(corpus, SETTINGS, tmp_path, progress=False, workers=1)
    assert [path.name.split("-")[0] for path in files(tmp_path)] == ["S00"]
    corpus.opened.clear()
    assert made(corpus, tmp_path).n_rows == 20
    assert corpus.opened == ["S01"]


def test_interrupted_write_leaves_nothing(tmp_path, monkeypatch):
    def half(stream, array, **settings):
        stream.write(array.tobytes()[:100])
        raise KeyboardInterrupt

    monkeypatch.setattr("neurogaze.eeg.store.np.lib.format.write_array", half)
    with pytest.raises(KeyboardInterrupt):
        made(ToyCorpus(n_subjects=1, n_clips=1), tmp_path)
    assert files(tmp_path) == set()


def test_names_that_no_file_may_have(tmp_path):
    class Odd(ToyCorpus):
        def subjects(self):
            return ("../a/b",)

        def trials(self, subject):
            yield make_trial(np.random.default_rng(0).normal(size=(4, 600)), subject=subject)

    table = made(Odd(name="x/y"), tmp_path / "store")
    assert table.subject.tolist() == ["../a/b"]
    assert [path.parent for path in tmp_path.glob("store/*/*.npz")] == list(
        tmp_path.glob("store/x_y-*")
    )


def test_unrated_trials_are_nan(tmp_path):
    table = made(ToyCorpus(n_subjects=1, n_clips=1, rated=False), tmp_path)
    assert np.isnan(table.valence).all()
    assert np.isnan(table.arousal).all()
    assert not table.rated.any()


def test_delta_of_a_high_passed_corpus_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"toy.*4\.0 Hz.*delta.*faithful"):
        made(ToyCorpus(highpass=4.0), tmp_path, FIVE)
    assert made(ToyCorpus(n_subjects=1, highpass=4.0), tmp_path).bands[0] == "theta"
    assert made(ToyCorpus(n_subjects=1, highpass=0.5), tmp_path, FIVE).bands[0] == "delta"


class Listed(ToyCorpus):
    """Trials given as a list for each subject."""

    listed: dict = {}  # noqa: RUF012

    def subjects(self):
        return tuple(self.listed)

    def trials(self, subject):
        yield from self.listed[subject]


def listed(**trials):
    corpus = Listed()
    corpus.listed = trials
    return corpus


def test_people_that_do_not_fit_together_are_refused(tmp_path):
    x = np.random.default_rng(0).normal(size=(4, 600))
    here = make_trial(x, subject="A")
    other = make_trial(x[:2], subject="B", event="e1", trial="t1", channels=("O1", "O2"))
    with pytest.raises(InputError, match=r"trial t1.*'O1', 'O2'"):
        made(listed(A=[here], B=[other]), tmp_path)
    with pytest.raises(InputError, match=r"event 'e0' belongs to 'A' and 'B'"):
        made(listed(A=[here], B=[make_trial(x, subject="B", trial="t1")]), tmp_path / "events")
    with pytest.raises(InputError, match=r"subject C.*has no trial"):
        made(listed(C=[]), tmp_path)
    with pytest.raises(InputError, match="has no subject"):
        made(listed(), tmp_path)


def test_a_name_of_two_trials_is_refused(tmp_path):
    draw = np.random.default_rng(0)
    twice = [said(draw, "t0"), said(draw, "t0")]
    for _ in ("computed", "stored"):
        with pytest.raises(InputError, match="two trials are named 't0', of 'A' and 'A'"):
            made(listed(A=twice), tmp_path)
    other = make_trial(draw.normal(size=(4, 600)), subject="B", event="e1")
    with pytest.raises(InputError, match="two trials are named 't0', of 'A' and 'B'"):
        made(listed(A=twice[:1], B=[other]), tmp_path / "people")


def test_a_baseline_for_some_trials_only_is_refused(tmp_path):
    draw = np.random.default_rng(0)
    rest = draw.normal(size=(4, 600))
    rested, plain = said(draw, "t0", baseline=rest), said(draw, "t1")
    with pytest.raises(InputError, match=r"subject A: of the trials \['t0', 't1'\] only one"):
        made(listed(A=[rested, plain]), tmp_path)
    people = listed(A=[rested], B=[replace(plain, subject="B", event="e1")])
    for _ in ("computed", "stored"):
        with pytest.raises(InputError, match=r"corpus toy: of the trials \['t0', 't1'\] only one"):
            made(people, tmp_path)
    without = replace(SETTINGS, baseline=False)
    assert made(people, tmp_path, without).n_rows == made(people, tmp_path, without).n_rows == 2


def said(draw, trial, **rating):
    return make_trial(draw.normal(size=(4, 600)), subject="A", trial=trial, **rating)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"valence": 1.0, "arousal": 0.0}, {"valence": -1.0, "arousal": 0.0}),
        ({"valence": 1.0, "arousal": 0.0}, {"valence": 1.0, "arousal": 0.5}),
        ({"valence": 1.0, "arousal": 0.0}, {"valence": 1.0, "arousal": 0.0, "dominance": 0.0}),
        ({"label": 0}, {"label": 2}),
    ],
)
def test_an_event_of_two_ratings_is_refused(tmp_path, one, other):
    draw = np.random.default_rng(0)
    corpus = listed(A=[said(draw, "t0", **one), said(draw, "t1", **other)])
    told = r"corpus toy: trials \['t0', 't1'\] of rating event 'e0' differ"
    for _ in ("computed", "stored"):
        with pytest.raises(InputError, match=told):
            made(corpus, tmp_path)


def test_an_event_may_have_one_rating_and_trials_without(tmp_path):
    draw, rating = np.random.default_rng(0), {"valence": 1.0, "arousal": 0.0}
    trials = [said(draw, "t0"), said(draw, "t1", **rating), said(draw, "t2", **rating)]
    assert made(listed(A=trials), tmp_path).rated.tolist() == [False, True, True]
