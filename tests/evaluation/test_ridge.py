from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from neurogaze.eeg.splits import SplitSettings, evaluation_rows, fold_rows, make_split
from neurogaze.errors import InputError
from neurogaze.evaluation.baselines import predict
from neurogaze.evaluation.chance import ridge_predictions
from neurogaze.evaluation.metrics import concordance
from tests.eeg.toy import make_table

ALPHAS = 10.0 ** np.arange(7)
LOSO, TRIAL = SplitSettings(), SplitSettings("trial")


def trial_means(trial, values):
    return np.stack([values[trial == name].mean(axis=0) for name in np.unique(trial)])


def sklearn_predictions(table, split, shuffled=None):
    """The same procedure in plain words: every fold, every penalty, scikit-learn."""
    flat = table.features.reshape(table.n_rows, -1).astype(float)
    va = np.stack([table.valence, table.arousal], axis=1) if shuffled is None else shuffled
    guess = np.full((table.n_rows, 2), np.nan)
    for k in range(split.n_folds):
        rows = fold_rows(table, split, k)
        stop, test = (evaluation_rows(table, rows[part]) for part in ("stop", "test"))
        scaler = StandardScaler().fit(flat[rows["train"]])
        x = scaler.transform(flat)
        for j in (0, 1):
            models = [Ridge(a).fit(x[rows["train"]], va[rows["train"], j]) for a in ALPHAS]
            truth = trial_means(table.trial[stop], va[stop, j])
            scores = [
                concordance(truth, trial_means(table.trial[stop], m.predict(x[stop])))
                for m in models
            ]
            guess[test, j] = models[int(np.argmax(scores))].predict(x[test])
    return guess


@pytest.mark.parametrize("settings", [LOSO, TRIAL], ids=["loso", "trial"])
def test_predictions_are_those_of_scikit_learn(settings):
    table = make_table(signal=0.5)
    split = make_split(table, settings)
    result = ridge_predictions(table, split)
    expected = sklearn_predictions(table, split)
    assert result.rows.tolist() == np.flatnonzero(np.isfinite(expected[:, 0])).tolist()
    assert result.rows.tolist() == evaluation_rows(table, np.arange(table.n_rows)).tolist()
    np.testing.assert_allclose(result.prediction, expected[result.rows], atol=1e-8)
    np.testing.assert_array_equal(result.truth[:, 0], table.valence[result.rows])
    np.testing.assert_array_equal(result.truth[:, 1], table.arousal[result.rows])


@pytest.mark.parametrize("name", ["majority", "clip_prior", "ridge", "logistic"])
def test_windows_with_a_class_alone_are_no_ground_for_baselines_of_ratings(name):
    table = make_table()
    nan = np.where(table.trial == table.trial[0], np.nan, table.valence)
    label = np.where(table.trial == table.trial[0], 1, -1)
    mixed = replace(table, valence=nan, label=label)
    split = make_split(mixed, SplitSettings(n_folds=3))
    with pytest.raises(InputError, match="have a class but no valence"):
        predict(name, mixed, split, "median")
