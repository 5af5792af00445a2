from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from neurogaze.eeg.splits import SplitSettings, make_split
from neurogaze.errors import InputError
from neurogaze.evaluation import baselines
from neurogaze.evaluation.binary import score_binary
from neurogaze.evaluation.chance import (
    band_of,
    few_note,
    logistic_chance,
    permuted_events,
    permuted_table,
    prediction_band,
    refit_note,
    ridge_predictions,
    simulated_chance,
    teacher_chance,
)
from neurogaze.evaluation.metrics import concordance
from neurogaze.evaluation.scoring import score_va
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
        assert band[f"{axis}_ccc_trial"] == pytest.approx((expected, expected), abs=1e-8)


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
        low, high = band[f"{axis}_ccc_trial"]
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
            inside += band[f"{axis}_ccc_trial"][0] <= reached <= band[f"{axis}_ccc_trial"][1]
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
    assert all(np.isfinite(simulated_chance(table, split, 3, progress=False)["valence_ccc_trial"]))


def test_unknown_scheme_is_refused():
    table = make_table()
    with pytest.raises(InputError, match="within_subject or joint_clip"):
        simulated_chance(table, make_split(table, LOSO), scheme="window")


SETTINGS = [
    LOSO,
    TRIAL,
    SplitSettings("loso_clip"),
    SplitSettings("window", allow_leaky=True),
]


def per_trial(rows):
    return {row.metric: row.value for row in rows if row.metric.endswith("_trial")}


@pytest.mark.parametrize("rule", ["median", "above", "at_least"])
@pytest.mark.parametrize("settings", SETTINGS, ids=lambda s: s.protocol)
def test_one_permutation_scores_as_the_arm_itself_would(settings, rule):
    table = make_table(n_subjects=5, signal=0.5)
    split = make_split(table, settings)
    band = simulated_chance(table, split, 1, "within_subject", 9, progress=False, rule=rule)
    frame = baselines.ridge(permuted_table(table, "within_subject", 9), split, rule)
    expected = per_trial([*score_va(frame, {}), *score_binary(frame, {})])
    assert {name: low for name, (low, _) in band.items()} == pytest.approx(expected, abs=1e-9)
    without = simulated_chance(table, split, 1, "within_subject", 9, progress=False)
    assert without == {n: limits for n, limits in band.items() if n in without}
    assert len(without) == 6


def test_signal_lies_outside_every_band_on_the_good_side():
    table = make_table(n_subjects=8, signal=1.5)
    split = make_split(table, LOSO)
    frame = baselines.ridge(table, split, "median")
    reached = per_trial([*score_va(frame, {}), *score_binary(frame, {})])
    band = simulated_chance(table, split, 100, progress=False, rule="median")
    assert set(band) == set(reached)
    for name, (low, high) in band.items():
        assert reached[name] < low if "rmse" in name else reached[name] > high


def test_logistic_chance_is_the_arm_itself_on_exchanged_ratings():
    table = make_table(n_subjects=4, n_clips=6, signal=1.5)
    split = make_split(table, SplitSettings("trial", n_folds=3))
    band = logistic_chance(table, split, "median", 3, "within_subject", seed=1, progress=False)
    seeds = np.random.SeedSequence(1).generate_state(3).tolist()
    values = []
    for seed in seeds:
        exchanged = permuted_table(table, "within_subject", seed)
        frame = baselines.predict("logistic", exchanged, split, "median")
        values.append(per_trial(score_binary(frame, {}))["valence_auroc_trial"])
    assert band["valence_auroc_trial"] == pytest.approx((min(values), max(values)))
    rows = score_binary(baselines.predict("logistic", table, split, "median"), {})
    assert per_trial(rows)["valence_auroc_trial"] > band["valence_auroc_trial"][1]


def test_refits_of_a_teacher_give_students_prediction_interval():
    """By hand: mean 0, s 1, t(.995, 2 degrees) = 9.925, sqrt(1 + 1/3)."""
    values = [{"a": -1.0, "b": 1.0}, {"a": 0.0, "b": 3.0}, {"a": 1.0}]
    (name, band), *more = teacher_chance(values).items()
    assert (name, more) == ("a", [])
    assert band == pytest.approx((-11.460, 11.460), abs=1e-3)
    assert refit_note(3) == "99 % prediction band of 3 refits"
    with pytest.raises(InputError, match="no spread"):
        teacher_chance(values[:1])


def test_the_prediction_band_holds_the_next_value_99_times_in_100():
    draw = np.random.default_rng(0).standard_normal((4000, 9))
    bands = np.array([prediction_band(row[:8]) for row in draw])
    held = (bands[:, 0] < draw[:, 8]) & (draw[:, 8] < bands[:, 1])
    assert held.mean() == pytest.approx(0.99, abs=0.006)


@pytest.mark.parametrize(("n", "covered"), [(20, 19 / 21), (200, 0.99), (1000, 0.99)])
def test_what_few_permutations_say_of_themselves_is_so(n, covered):
    """The ends of a band of n normal values hold the next one so often, as SciPy counts it."""
    draw = np.random.default_rng(0)
    low, high = np.transpose([band_of(draw.standard_normal(n)) for _ in range(2000)])
    held = np.mean(norm.cdf(high) - norm.cdf(low))
    assert held == pytest.approx(covered, abs=0.002)
    assert bool(few_note(n)) == (held < 0.95)
