from dataclasses import replace

import numpy as np
import pytest

from neurogaze.eeg.splits import SplitSettings, make_split
from neurogaze.errors import InputError
from neurogaze.evaluation.chance import permuted_events, ridge_predictions, simulated_chance
from neurogaze.evaluation.metrics import concordance
from tests.eeg.toy import make_table
from tests.evaluation.test_ridge import sklearn_predictions, trial_means

LOSO, TRIAL = SplitSettings(), SplitSettings("trial")


def test_one_permutation_is_the_whole_procedure_on_exchanged_ratings():
    table = make_table(signal=0.5)
    split = make_split(table, LOSO)
    band = simulated_chance(table, split, 1, "within_subject", seed=4, progress=False)

    _, first, code = np.unique(table.event, return_index=True, return_inverse=True)
    source = permuted_events(
        table.subject[first], table.clip[first], "within_subject", np.random.default_rng(4)
    )
    va = np.stack([table.valence, table.arousal], axis=1)[first][source][code]
    guess = sklearn_predictions(table, split, shuffled=va)
    kept = np.isfinite(guess[:, 0])
    for j, axis in enumerate(("valence", "arousal")):
        expected = concordance(
            trial_means(table.trial[kept], va[kept, j]),
            trial_means(table.trial[kept], guess[kept, j]),
        )
        assert band[axis] == pytest.approx((expected, expected), abs=1e-8)


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


@pytest.mark.parametrize("scheme", ["within_subject", "joint_clip"])
@pytest.mark.parametrize("settings", [LOSO, TRIAL], ids=["loso", "trial"])
def test_signal_lies_above_the_band(settings, scheme):
    table = make_table(n_subjects=8, signal=1.5)
    split = make_split(table, settings)
    result = ridge_predictions(table, split)
    band = simulated_chance(table, split, 100, scheme, progress=False)
    for j, axis in enumerate(("valence", "arousal")):
        names = table.trial[result.rows]
        reached = concordance(
            trial_means(names, result.truth[:, j]), trial_means(names, result.prediction[:, j])
        )
        low, high = band[axis]
        assert low < high < reached


def test_without_signal_the_result_lies_inside_the_band():
    inside = 0
    for seed in range(8):
        table = make_table(n_subjects=8, seed=seed)
        split = make_split(table, TRIAL)
        result = ridge_predictions(table, split)
        band = simulated_chance(table, split, 100, progress=False)
        names = table.trial[result.rows]
        for j, axis in enumerate(("valence", "arousal")):
            reached = concordance(
                trial_means(names, result.truth[:, j]), trial_means(names, result.prediction[:, j])
            )
            inside += band[axis][0] <= reached <= band[axis][1]
    assert inside >= 15


def test_band_is_a_function_of_the_seed():
    table = make_table()
    split = make_split(table, LOSO)
    a, b, c = (simulated_chance(table, split, 5, seed=s, progress=False) for s in (0, 0, 1))
    assert a == b != c


def test_unrated_rows_and_constant_features_do_no_harm():
    table = make_table(signal=0.5)
    valence, features = table.valence.copy(), table.features.copy()
    valence[table.event == "S02-c3"] = np.nan
    features[:, 0, 0] = 7
    table = replace(table, valence=valence, features=features)
    split = make_split(table, LOSO)
    result = ridge_predictions(table, split)
    assert np.isfinite(result.prediction).all()
    assert "S02-c3" not in table.event[result.rows]
    assert all(np.isfinite(simulated_chance(table, split, 3, progress=False)["valence"]))


def test_unknown_scheme_is_refused():
    table = make_table()
    with pytest.raises(InputError, match="within_subject or joint_clip"):
        simulated_chance(table, make_split(table, LOSO), scheme="window")
