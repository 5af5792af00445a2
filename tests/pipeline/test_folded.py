"""Folds pooled: every picture once, scores of all rows together."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from neurogaze.errors import InputError
from neurogaze.evaluation.results import read_rows
from neurogaze.faces.corpora.synthetic import SyntheticFaces
from neurogaze.pipeline import bench
from neurogaze.pipeline.bench import Job, run_bench, run_job
from neurogaze.pipeline.folded import pooled
from neurogaze.pipeline.settings import EvaluationSettings
from neurogaze.pipeline.stages import StageRecord
from tests.pipeline.test_bench import tiny_bench
from tests.pipeline.test_bench_grids import GRID

CORPUS = """class_path: FaceDataModule
init_args:
  batch_size: 16
  corpus:
    class_path: CrossValidated
    init_args:
      n_folds: 2
      of: {class_path: SyntheticFaces, init_args: {n_train: 40, n_valid: 24}}
"""


@pytest.fixture(scope="module")
def folded(tmp_path_factory):
    """A folder, and the settings of a bench of two folds."""
    folder = tmp_path_factory.mktemp("folded")
    (folder / "data.yaml").write_text(CORPUS)
    data = str(folder / "data.yaml")
    settings = replace(tiny_bench(folds=2), evaluate={"valid": EvaluationSettings(data)})
    flags = [arg for arg in settings.base.args if not arg.startswith("--data")]
    return folder, replace(settings, base=replace(settings.base, data=data, args=flags))


@pytest.fixture(scope="module")
def run(folded):
    folder, settings = folded
    run_bench(settings, folder / "run", folder / "store")
    return folder / "run"


def test_every_picture_of_both_splits_is_judged_once(run):
    frame = pd.read_parquet(run / "ce-seed0-valid" / "predictions.parquet")
    faces = SyntheticFaces(40, 24)
    own = [f"{part}:{i}" for part in ("train", "valid") for i in faces.load(part).ids]
    assert sorted(frame["id"]) == sorted(own)


def test_accuracy_is_that_of_all_rows(run):
    frame = pd.read_parquet(run / "geo-seed0-valid" / "predictions.parquet")
    chances = frame[[c for c in frame if c.startswith("p_")]]
    right = chances.columns.str[2:].to_numpy()[chances.to_numpy().argmax(axis=1)] == frame["label"]
    rows = read_rows(run / "geo-seed0-valid" / "results.jsonl")
    (row,) = [r for r in rows if r.metric == "accuracy"]
    assert row.value == pytest.approx(np.mean(right))
    assert (row.n, row.arm) == (64, "geo")
    assert "2 folds pooled" in row.protocol


def test_folds_are_trained_on_other_pictures(run):
    hashes = [
        json.loads((run / f"ce-seed0-fold{k}" / "stage.json").read_text())["inputs"]["faces"]
        for k in range(2)
    ]
    assert len(set(hashes)) == 2


def test_single_folds_are_told_nowhere(run):
    live = json.loads((run / "title.json").read_text())["stages"]
    assert "ce-seed0-valid" in live
    assert not [name for name in live if name.endswith("-valid") and "fold" in name]


def test_arms_are_compared_on_the_pooled_rows(run):
    (primary, *_) = json.loads((run / "contrasts" / "contrasts.json").read_text())["contrasts"]
    assert primary["n_images"] == 64


def test_a_picture_judged_twice_is_refused():
    frame = pd.DataFrame({"id": ["a", "b"]})
    with pytest.raises(InputError, match="1 pictures were judged twice, the first 'b'"):
        pooled([frame, pd.DataFrame({"id": ["c", "b"]})], "x")


def test_an_equal_pull_is_measured_on_what_the_fold_trains_on(folded, tmp_path, monkeypatch):
    """Not on fold 0 for all of them: its training pictures judge the others."""
    root, settings = folded
    arms = {"proto_random": 1}
    settings = replace(settings, arms=arms, equal_gradient=arms, grids=str(GRID), primary=[])
    asked = []
    monkeypatch.setattr(bench, "equal_weight", lambda args, *_: asked.append(args) or 0.12)
    monkeypatch.setattr(bench.Stages, "run", stubbed(bench.Stages.run))
    monkeypatch.setattr(bench, "pool_folds", lambda *_: None)
    run_job(Job(settings, tmp_path, root / "store", "proto_random", 0, equal_gradient=True))
    flags = [[arg for arg in args if ".fold=" in arg] for args in asked]
    assert flags == [["--data.corpus.fold=0"], ["--data.corpus.fold=1"]]


def stubbed(run):
    """Stages whose trainings and judgements leave empty results; weights are measured."""

    def named(self, name, settings, inputs, action, outputs):
        if name.endswith("-weight"):
            return run(self, name, settings, inputs, action, outputs)
        return StageRecord(name, "", dict.fromkeys(outputs, ""))

    return named
