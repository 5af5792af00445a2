"""The recordings hold the marks that were put in, and no affect."""

from itertools import combinations

import numpy as np
import pytest

from neurogaze.eeg.cache import prepare
from neurogaze.eeg.corpora.fingerprints import Fingerprints
from neurogaze.eeg.features import PAPER_CODE
from neurogaze.eeg.recordings import EPOC
from neurogaze.errors import InputError


def trials(corpus):
    return [trial for subject in corpus.subjects() for trial in corpus.trials(subject)]


def high(corpus, axis="valence"):
    """Whether each person (row) rates each clip (column) high."""
    found = [getattr(trial, axis) >= 0 for trial in trials(corpus)]
    return np.reshape(found, (corpus.n_subjects, corpus.n_clips))


def log_power(trial):
    """Log power of each electrode, [14]: a crude fingerprint."""
    return np.log(np.var(trial.eeg.astype(float), axis=1))


def test_trials_look_like_recordings():
    corpus = Fingerprints(n_subjects=2, n_clips=4, seconds=3.0, baseline_seconds=2.0)
    found = trials(corpus)
    assert {(t.eeg.shape, t.baseline.shape) for t in found} == {((14, 384), (14, 256))}
    assert {(t.channels, t.sfreq, t.eeg.dtype.name) for t in found} == {(EPOC, 128.0, "float32")}
    assert [t.event for t in found[:2]] == ["F0-01/clip01", "F0-01/clip02"]
    microvolts = 1e6 * np.median([t.eeg.std() for t in found])
    assert 3 < microvolts < 50
    for trial in found:
        assert trial.raw_rating == (2 * trial.valence + 3, 2 * trial.arousal + 3)
        assert set(trial.raw_rating) <= {1, 2, 3, 4, 5}


@pytest.mark.parametrize("ratings", ["independent", "clip"])
@pytest.mark.parametrize("axis", ["valence", "arousal"])
def test_half_of_each_persons_ratings_are_high(ratings, axis):
    corpus = Fingerprints(n_subjects=5, n_clips=16, seconds=0.5, ratings=ratings)
    assert (high(corpus, axis).sum(axis=1) == 8).all()


def test_people_agree_about_clips_only_where_ratings_go_with_the_clip():
    sizes = {"n_subjects": 12, "n_clips": 16, "seconds": 0.5}
    of_clip = high(Fingerprints(**sizes, ratings="clip"))
    consensus = of_clip.mean(axis=0) > 0.5
    assert consensus.sum() == 8
    assert ((of_clip == consensus).mean(axis=1) == 0.875).all()
    alone = high(Fingerprints(**sizes))
    agreement = [(a == b).mean() for a, b in combinations(alone, 2)]
    assert 0.4 < np.mean(agreement) < 0.6


def test_samples_do_not_depend_on_ratings():
    sizes = {"n_subjects": 2, "n_clips": 4, "seconds": 1.0}
    one, other = (trials(Fingerprints(**sizes, ratings=r)) for r in ("independent", "clip"))
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a.eeg, b.eeg)
        np.testing.assert_array_equal(a.baseline, b.baseline)
    assert [t.valence for t in one] != [t.valence for t in other]


def spread(marks):
    """Mean distance between vectors of log power."""
    return np.mean([np.abs(a - b).mean() for a, b in combinations(marks, 2)])


def test_marks_are_of_recordings_or_shared_by_who_watches_the_clip():
    marks = {}
    for kind in ("trial", "clip"):
        corpus = Fingerprints(n_subjects=6, n_clips=6, seconds=8.0, fingerprint=kind)
        powers = np.array([log_power(t) - log_power_rest(t) for t in trials(corpus)])
        marks[kind] = powers.reshape(6, 6, 14)
    by_clip = {k: np.mean([spread(m[:, c]) for c in range(6)]) for k, m in marks.items()}
    by_person = {k: np.mean([spread(m[s]) for s in range(6)]) for k, m in marks.items()}
    assert by_clip["clip"] < 0.5 * by_person["clip"]
    assert by_clip["trial"] == pytest.approx(by_person["trial"], rel=0.25)


def log_power_rest(trial):
    return np.log(np.var(trial.baseline.astype(float), axis=1))


def test_the_recipe_is_all_there_is(tmp_path):
    corpus = Fingerprints(n_subjects=2, n_clips=2, seconds=5.0)
    first = prepare(corpus, PAPER_CODE, tmp_path / "a", progress=False)
    again = prepare(corpus, PAPER_CODE, tmp_path / "b", progress=False)
    assert first.sha256 == again.sha256
    assert first.rated.all()
    seen = {str(corpus.identity(corpus.subjects()[0]))}
    for change in (
        {"seed": 1},
        {"n_clips": 4},
        {"seconds": 6.0},
        {"baseline_seconds": 0.0},
        {"fingerprint": "clip"},
        {"ratings": "clip"},
        {"agreement": 0.9},
    ):
        other = Fingerprints(**({"n_subjects": 2, "n_clips": 2, "seconds": 5.0} | change))
        seen.add(str(other.identity(other.subjects()[0])))
    assert len(seen) == 8


@pytest.mark.parametrize(
    "bad",
    [
        {"n_subjects": 0},
        {"n_clips": 3},
        {"seconds": 0.0},
        {"seconds": 0.001},
        {"seconds": 0.1},
        {"seconds": float("inf")},
        {"seconds": float("nan")},
        {"baseline_seconds": -1.0},
        {"baseline_seconds": 0.05},
        {"baseline_seconds": float("nan")},
        {"baseline_seconds": float("inf")},
        {"agreement": 0.4},
        {"seed": -1},
        {"fingerprint": "none"},
        {"ratings": "none"},
    ],
)
def test_numbers_out_of_range_are_refused(bad):
    with pytest.raises(InputError, match="Fingerprints"):
        Fingerprints(**bad)


def test_unknown_person_is_refused():
    with pytest.raises(InputError, match="no subject 'X'"):
        next(Fingerprints().trials("X"))
