"""Means over seeds against scikit-learn and hand numbers, and the people they are drawn from."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from neurogaze.evaluation.metrics import concordance
from neurogaze.evaluation.over_seeds import mean_over_seeds, trial_frame
from neurogaze.evaluation.statistics import bootstrap_interval

CONTEXT = {"dataset": "toy", "experiment": "e", "arm": "a"}


def predictions(seed, n_subjects=6, n_trials=8, people="S"):
    draw = np.random.default_rng(seed)
    truth = np.random.default_rng(99).uniform(-1, 1, (n_subjects * n_trials, 2))
    rows = []
    for i, (v, a) in enumerate(truth):
        for w in range(2):
            noise = draw.normal(0, 0.5, 2)
            rows.append(
                {
                    "subject": f"{people}{i // n_trials}", "trial": f"t{i}", "start": 4.0 * w,
                    "valence": v, "arousal": a,
                    "valence_pred": v + noise[0], "arousal_pred": a + noise[1],
                    "valence_high": float(v > 0), "arousal_high": float(a > 0),
                    "valence_score": v + noise[0], "arousal_score": a + noise[1],
                    "valence_high_pred": 0.0, "arousal_high_pred": 0.0,
                    "valence_cut": 0.0, "arousal_cut": 0.0, "rule": "above",
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def test_the_mean_over_seeds_is_that_of_the_scores():
    frames = {s: predictions(s) for s in range(3)}
    rows = {r.metric: r for r in mean_over_seeds(frames, CONTEXT, resamples=50)}
    expected: dict[str, list[float]] = {"ccc": [], "balanced_accuracy": [], "auroc": [], "rmse": []}
    for frame in frames.values():
        means = frame.groupby(["subject", "trial"])[["arousal", "arousal_pred"]].mean()
        truth, guess = means["arousal"].to_numpy(), means["arousal_pred"].to_numpy()
        expected["ccc"].append(concordance(truth, guess))
        expected["rmse"].append(float(np.sqrt(np.mean((truth - guess) ** 2))))
        expected["balanced_accuracy"].append(balanced_accuracy_score(truth > 0, guess > 0))
        expected["auroc"].append(roc_auc_score(truth > 0, guess))
    for name, values in expected.items():
        row = rows[f"arousal_{name}_trial"]
        assert row.value == pytest.approx(np.mean(values), abs=1e-12)
        assert row.low < row.value < row.high
        assert row.n == 48


def test_other_people_a_seed_are_drawn_together():
    """Three corpora of other people give a narrower interval than three trainings on the same."""
    same = {s: predictions(0) for s in range(3)}
    other = {s: predictions(0, people=f"P{s}-") for s in range(3)}
    width = {}
    for name, frames in (("same", same), ("other", other)):
        row = mean_over_seeds(frames, CONTEXT, resamples=400)[0]
        width[name] = row.high - row.low
    assert width["other"] < 0.8 * width["same"]


@pytest.mark.parametrize("people", ["S", "other in every seed"])
def test_intervals_are_those_of_draws_scored_one_by_one(people):
    """Few people with few trials: some draws have one class, some leave out a whole seed."""
    seeds = range(3)
    names = {seed: f"{seed}" if people != "S" else people for seed in seeds}
    frames = {s: predictions(s, n_subjects=2, n_trials=2, people=names[s]) for s in seeds}
    trials = trial_frame(frames)
    seed, truth, said = (trials[c].to_numpy() for c in ("seed", "arousal", "arousal_pred"))
    one_class, gone = [], []

    def mean(score):
        def statistic(index):
            parts = [index[seed[index] == s] for s in seeds]
            gone.append(any(len(part) == 0 for part in parts))
            return np.mean([score(truth[part], said[part]) for part in parts if len(part)])

        return statistic

    def auroc(x, y):
        one_class.append(len(set(x > 0)) == 1)
        return 0.5 if one_class[-1] else roc_auc_score(x > 0, y)

    rows = {r.metric: r for r in mean_over_seeds(frames, CONTEXT, resamples=60)}
    for name, score in (("ccc", concordance), ("auroc", auroc)):
        groups = trials["subject"].to_numpy(str)
        expected = bootstrap_interval(mean(score), len(trials), groups, 0, 60)
        row = rows[f"arousal_{name}_trial"]
        assert (row.low, row.high) == pytest.approx(expected, abs=1e-12)
    assert any(one_class)
    assert any(gone) == (people != "S")


def test_scores_without_their_columns_are_left_out():
    frames = {0: predictions(0).drop(columns=["valence_pred", "arousal_pred"])}
    names = {r.metric for r in mean_over_seeds(frames, CONTEXT, resamples=20)}
    assert names == {f"{a}_{m}_trial" for a in ("valence", "arousal") for m in
                     ("balanced_accuracy", "auroc")}  # fmt: skip


def test_one_person_has_no_interval():
    frames = {s: predictions(s, n_subjects=1) for s in range(2)}
    rows = mean_over_seeds(frames, CONTEXT, resamples=20)
    assert len(rows) == 8
    assert {(row.low, row.high) for row in rows} == {(None, None)}


def unrated(frame, axis, trials):
    """Trials that have no rating of an axis, and of which something was said all the same."""
    frame = frame.copy()
    frame.loc[frame["trial"].isin(trials), [axis, f"{axis}_high"]] = np.nan
    return frame


def test_trials_without_a_rating_are_as_if_they_were_not_there():
    """All eight of one person among them, who is then not drawn either."""
    gone = ["t0", "t9", "t17", *(f"t{i}" for i in range(40, 48))]
    frames = {s: predictions(s) for s in range(3)}
    kept = {s: frame[~frame["trial"].isin(gone)] for s, frame in frames.items()}
    some = {s: unrated(frame, "valence", gone) for s, frame in frames.items()}
    whole, fewer, found = (
        {r.metric: r for r in mean_over_seeds(f, CONTEXT, resamples=60)}
        for f in (frames, kept, some)
    )
    assert len(found) == 8
    for name, row in found.items():
        expected = fewer if name.startswith("valence") else whole
        assert row == expected[name]
        assert row.n == (37 if name.startswith("valence") else 48)


def test_a_trial_without_a_rating_is_not_low():
    frames = {0: unrated(predictions(0), "arousal", [f"t{i}" for i in range(0, 48, 3)])}
    means = frames[0].groupby(["subject", "trial"]).mean(numeric_only=True)
    means = means[means["arousal_high"].notna()]
    rows = {r.metric: r for r in mean_over_seeds(frames, CONTEXT, resamples=20)}
    high, score = means["arousal_high"] > 0.5, means["arousal_score"]
    expected = {
        "balanced_accuracy": balanced_accuracy_score(high, score > 0),
        "auroc": roc_auc_score(high, score),
        "ccc": concordance(means["arousal"].to_numpy(), means["arousal_pred"].to_numpy()),
    }
    for name, value in expected.items():
        assert rows[f"arousal_{name}_trial"].value == pytest.approx(value, abs=1e-12)
        assert rows[f"arousal_{name}_trial"].n == 32


def test_a_window_without_a_rating_says_nothing_of_its_trial():
    """As `score_binary` and `score_va` have it."""
    frame = predictions(0)
    frame.loc[::5, ["valence", "valence_high"]] = np.nan
    said = mean_over_seeds({0: frame}, CONTEXT, resamples=20)
    rated = frame[frame["valence"].notna()]
    expected = mean_over_seeds({0: rated}, CONTEXT, resamples=20)
    valence = [row for row in said if row.metric.startswith("valence")]
    assert valence == [row for row in expected if row.metric.startswith("valence")]


def test_an_axis_that_nobody_rated_is_left_out():
    frame = predictions(0)
    frames = {0: unrated(frame, "valence", frame["trial"].unique())}
    names = {r.metric.split("_")[0] for r in mean_over_seeds(frames, CONTEXT, resamples=20)}
    assert names == {"arousal"}


def test_decisions_without_a_score_have_no_row():
    frames = {0: predictions(0).drop(columns=["valence_score"])}
    names = {r.metric for r in mean_over_seeds(frames, CONTEXT, resamples=20)}
    assert len(names) == 6
    assert not names & {"valence_balanced_accuracy_trial", "valence_auroc_trial"}
