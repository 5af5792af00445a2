"""The demonstration of leakage, at reduced size."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from neurogaze.eeg.cache import prepare
from neurogaze.eeg.features import PAPER_CODE
from neurogaze.eeg.splits import fold_rows, make_split
from neurogaze.errors import InputError
from neurogaze.evaluation.results import read_rows
from neurogaze.pipeline.held_out import protocol_name
from neurogaze.pipeline.leakage import (
    NETWORK,
    SETTINGS,
    LeakageSettings,
    corpora,
    demonstrate,
    protocols,
    run_leakage,
)
from neurogaze.pipeline.leakage_tables import SPAN, TARGET, sound_band
from neurogaze.pipeline.null_signal import labellings
from neurogaze.pipeline.recognisers import Transformer

SMALL = LeakageSettings(n_clips=16, seconds=8.0, permutations=200, epochs=0)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def scores(store):
    """Scores of the quick classifiers by table, protocol and name."""
    found = demonstrate(store, 0, SMALL, progress=False)
    return {(s.table, s.split.protocol, s.classifier): s for s in found}


@pytest.mark.parametrize("classifier", ["1-NN", "linear"])
@pytest.mark.parametrize("protocol", ["trial", "loso", "loso_clip"])
def test_without_affect_sound_splits_find_none(scores, protocol, classifier):
    score = scores["a", protocol, classifier]
    assert score.n == 6 * 16 * 5
    assert score.verdict("within_subject") == "inside"


def test_without_affect_the_leaky_split_finds_it_all_and_so_does_chance(scores):
    score = scores["a", "window", "1-NN"]
    assert score.accuracy > 0.95
    assert sound_band(scores.values(), "1-NN", "within_subject").verdict(score.accuracy) == "above"
    assert score.bands["within_subject"].low > 0.95


@pytest.mark.parametrize("classifier", ["1-NN", "linear", "clip prior (no EEG)"])
def test_clips_that_people_share_are_recognised_until_they_are_held_out(scores, classifier):
    loso, both = scores["b", "loso", classifier], scores["b", "loso_clip", classifier]
    assert loso.verdict("within_subject") == "above"
    assert loso.verdict("joint_clip") == "inside"  # the clip is all that it knows
    assert both.verdict("joint_clip") == "inside"
    assert loso.accuracy > both.accuracy


def test_the_network_learns_recordings_by_heart(store):
    table = prepare(corpora(0, SMALL)["a"], PAPER_CODE, store, progress=False)
    few = table.take(np.isin(table.subject, ["F0-01", "F0-02"]))
    rows = fold_rows(few, make_split(few, protocols(0)["window"]), 0)
    labels = labellings(few, TARGET, "within_subject", 0, seed=0)
    guess = Transformer(epochs=30)(few.features, labels, rows["train"], rows["test"])
    assert (guess == labels[rows["test"]]).mean() > 0.95


def test_a_band_needs_a_spread():
    for bad in ({"refits": 1}, {"permutations": 0}):
        with pytest.raises(InputError, match="tell no spread"):
            LeakageSettings(**bad)


@pytest.fixture(scope="module")
def run(store, tmp_path_factory):
    """A run with the network, as small as it goes."""
    tiny = LeakageSettings(
        n_subjects=3, n_clips=4, seconds=6.0, permutations=20, refits=2, epochs=2
    )
    out = tmp_path_factory.mktemp("leakage")
    return run_leakage(out, store, 0, tiny, progress=False), read_rows(out / "results.jsonl")


def test_every_score_stands_beside_its_bands(run):
    page, rows = run
    text = page.read_text()
    scores = [row for row in rows if not row.arm.startswith("chance")]
    bands = [row for row in rows if row.arm.startswith("chance")]
    assert len(scores) == 4 * 3 + 2 * 4
    assert len(bands) == 4 * 3 + 2 * 4 * 2
    assert text.count("\n| ") == len(scores) + 2 * 2
    for row in scores:
        assert f"| {row.protocol} | {row.arm} | {row.value:.3f} | [" in text
    for row in bands:
        assert f"[{row.low:.3f}, {row.high:.3f}]" in text
        refitted = "refits of the classifier itself" in row.note
        assert refitted != ("RBTransformer" in row.arm and "LEAKY" in row.protocol)
        assert ("LEAKY" in row.note) == ("LEAKY" in row.protocol)
    assert SPAN in text
    assert {(row.metric, row.label_rule) for row in rows} == {
        ("valence_accuracy_window", "valence, 2 classes, at_least")
    }


def test_the_tables_in_the_documents_are_those_of_the_command(store):
    """The quick classifiers at full size; another linear algebra may turn a window or two."""
    text = (Path(__file__).parent.parent.parent / "docs" / "protocols.md").read_text()
    printed = re.findall(
        r"^\| (\w+, \d+ folds[^|]*) \| ([^|]+) \| ([.0-9]+) \| \[", text, re.MULTILINE
    )
    found = demonstrate(store, 0, replace(SETTINGS, permutations=1, epochs=0), progress=False)
    quick = [row for row in printed if row[1] != NETWORK]
    assert len(printed) == 4 * 3 + 2 * 4
    for score, (protocol, classifier, accuracy) in zip(found, quick, strict=True):
        assert (protocol, classifier) == (protocol_name(score.split), score.classifier)
        assert float(accuracy) == pytest.approx(score.accuracy, abs=0.006)
