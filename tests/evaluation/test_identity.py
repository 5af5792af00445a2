"""Who is it? Features with a fingerprint tell, features without do not."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from neurogaze.eeg.splits import evaluation_rows
from neurogaze.errors import InputError
from neurogaze.evaluation.identity import identity_beliefs, subject_accuracy
from tests.eeg.toy import make_table


def by_metric(table):
    rows = subject_accuracy(table, {"arm": "subject_probe", "protocol": "loso"})
    return {(row.metric, row.arm): row for row in rows}


def test_fingerprints_are_recognised_and_noise_is_not():
    table = make_table(n_subjects=8, n_features=(8, 4))
    rows = by_metric(table)
    for level in ("window", "trial"):
        reached = rows[f"subject_accuracy_{level}", "subject_probe"]
        chance = rows[f"subject_accuracy_{level}", "chance (1/people)"]
        assert reached.low > chance.value == 1 / 8
        assert "5 folds" in reached.protocol
    assert rows["subject_accuracy_trial", "subject_probe"].n == len(np.unique(table.trial))
    noise = np.random.default_rng(0).normal(size=table.features.shape).astype(np.float32)
    found = by_metric(replace(table, features=noise))["subject_accuracy_trial", "subject_probe"]
    assert found.value < 0.3


def test_a_trait_of_a_trial_is_no_fingerprint():
    """Each event has its own mark; only a leak between windows of an event could use it."""
    table = make_table(n_subjects=5)
    _, code = np.unique(table.event, return_inverse=True)
    marks = np.random.default_rng(1).normal(size=(code.max() + 1, 4, 2))[code] * 10
    found = by_metric(replace(table, features=marks.astype(np.float32)))
    assert found["subject_accuracy_trial", "subject_probe"].value < 0.45


def test_beliefs_come_from_the_other_events():
    table = make_table(n_subjects=4)
    rows, beliefs = identity_beliefs(table)
    assert rows.tolist() == evaluation_rows(table, np.arange(table.n_rows)).tolist()
    flat = table.features.reshape(table.n_rows, -1).astype(float)
    test = np.isin(table.clip, ["c0", "c5"])
    x = (flat - flat[~test].mean(0)) / flat[~test].std(0)
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
    model.fit(x[~test], table.subject[~test])
    mine = test[rows]
    expected = model.predict_log_proba(x[rows[mine]])
    np.testing.assert_allclose(beliefs[mine], expected, atol=1e-8)


def test_people_who_cannot_be_told_apart_are_refused():
    table = make_table(n_subjects=3)
    with pytest.raises(InputError, match="two or more"):
        identity_beliefs(table.take(table.subject == "S00"))
    with pytest.raises(InputError, match="single rating event"):
        identity_beliefs(make_table(n_clips=1))
