"""Checkpoints to a folder with a grid: which are taken, which refused, and what is left behind."""

import json
from dataclasses import replace

import numpy as np
import pytest

from neurogaze import training
from neurogaze.affect import cell_index
from neurogaze.errors import InputError
from neurogaze.evaluation.predictions import read_predictions
from neurogaze.evaluation.results import read_rows
from neurogaze.pipeline.consolidating import consolidate_teachers, grid_stability
from neurogaze.pipeline.embedding import load_teacher
from neurogaze.prototypes.consolidate import ConsolidateSettings
from neurogaze.prototypes.grid import PrototypeGrid
from neurogaze.prototypes.placed import Placed
from neurogaze.prototypes.stability import bootstrap_stability
from tests.pipeline.tiny import EXPERIMENTS, TEACHER

COARSE = ConsolidateSettings(size=2)
CONTEXT = {"experiment": "x", "arm": "teacher", "seed": 0, "code_version": "0", "grid_hash": ""}


def tiny_data(tiny_run):
    path = str(EXPERIMENTS / "data" / "synthetic_eeg.yaml")
    flags = [arg for arg in TEACHER if arg.startswith("--data.")]
    return training.load_data(["--data", path, f"--data.store={tiny_run.store}", *flags])


def test_the_order_of_the_checkpoints_says_nothing(tiny_run, tmp_path):
    made = PrototypeGrid.load(tiny_run.run / "grid" / "grid.npz")
    paths = [tiny_run.run / f"teacher-{number}" / "best.ckpt" for number in (1, 0)]
    settings = ConsolidateSettings(mode="crossfit", size=5, bins="predicted")
    grid = consolidate_teachers(
        paths, tiny_data(tiny_run), [], settings, tmp_path, CONTEXT, permutations=2
    )
    np.testing.assert_array_equal(grid.prototypes, made.prototypes)
    assert grid.sha256 == made.sha256
    assert len(read_predictions(tmp_path / "predictions.parquet", "eeg")) > 0
    assert {row.grid_hash for row in read_rows(tmp_path / "results.jsonl")} == {grid.sha256}


def test_two_teachers_of_one_fold_are_refused(tiny_run, tmp_path):
    path = tiny_run.run / "teacher-0" / "best.ckpt"
    again = tiny_run.run / "teacher-0" / "last.ckpt"
    with pytest.raises(InputError, match=r"last\.ckpt: is fold 0, as is .*best\.ckpt"):
        consolidate_teachers(
            [path, again], tiny_data(tiny_run), [], COARSE, tmp_path / "out", CONTEXT
        )
    assert not (tmp_path / "out").exists()


def test_crossfit_needs_every_fold(tiny_run, tmp_path):
    path = tiny_run.run / "teacher-1" / "best.ckpt"
    with pytest.raises(InputError, match="--teachers: fold 0 is missing"):
        consolidate_teachers([path], tiny_data(tiny_run), [], COARSE, tmp_path / "out", CONTEXT)


def test_faithful_needs_one_teacher(tiny_run, tmp_path):
    """The grid, and the scores beside it, are of the people whom this fold held out."""
    path = tiny_run.run / "teacher-1" / "best.ckpt"
    settings = replace(COARSE, mode="faithful", fold=1)
    grid = consolidate_teachers(
        [path], tiny_data(tiny_run), [], settings, tmp_path, CONTEXT, permutations=20
    )
    held_out = set(load_teacher(path).provenance["test_units"])
    frame = read_predictions(tmp_path / "predictions.parquet", "eeg")
    assert set(frame["subject"]) == held_out
    assert grid.counts.sum() == len(held_out) * 4 * 3
    trials = {r.arm: r.n for r in read_rows(tmp_path / "results.jsonl") if "trial" in r.metric}
    assert trials == dict.fromkeys(["teacher", "ridge", "chance (99 % band)"], len(held_out) * 4)


def test_people_who_were_trained_on_are_refused(tiny_run, tmp_path):
    data = tiny_data(tiny_run)
    data.split = replace(data.split, protocol="trial")
    path = tiny_run.run / "teacher-1" / "best.ckpt"
    with pytest.raises(InputError, match="'trial' trains on the people it tests"):
        consolidate_teachers([path], data, [], COARSE, tmp_path / "out", CONTEXT)


def placed(n=120):
    rng = np.random.default_rng(0)
    unit = rng.standard_normal((n, 4))
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    who = np.array([f"p{i % 5}" for i in range(n)])
    fold, corpus = np.arange(n) % 2, np.full(n, "toy")
    return Placed(unit, rng.uniform(-1, 0.2, (n, 2)), who, corpus, fold, np.arange(n), np.zeros(0))


def test_the_stability_record_is_json_with_a_value_or_null_a_cell():
    where = placed()
    record = json.loads(json.dumps(grid_stability(where, ConsolidateSettings()), allow_nan=False))
    direct = bootstrap_stability(where.unit, cell_index(where.va), where.subject, 5)
    for name in ("cosine", "low", "high"):
        values = [np.nan if value is None else value for value in record[name]]
        np.testing.assert_array_equal(values, getattr(direct, name))
    assert record["cosine"][24] is None
    assert [row["size"] for row in record["sizes"]] == [3, 5, 7, 9]
    assert record["sizes"][1]["observed"] == len(set(cell_index(where.va).tolist()))
