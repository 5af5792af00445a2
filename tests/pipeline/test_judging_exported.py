"""An exported file is judged as its checkpoint is, and by what it carries itself."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from neurogaze.cli import main
from neurogaze.deploy.contract import contract_of
from neurogaze.deploy.onnx_export import export_onnx
from neurogaze.deploy.recogniser import open_recogniser
from neurogaze.evaluation.predictions import PROBABILITY_COLUMNS
from neurogaze.evaluation.results import read_rows
from neurogaze.faces.corpora.synthetic import SyntheticFaces
from neurogaze.pipeline.judging import load_student
from neurogaze.pipeline.judging_exported import UNSEEN_UNKNOWN, evaluate_exported, warm_up_note

FACES = ["--data.corpus.n_train=64", "--data.corpus.n_valid=40"]
CONTEXT = {"experiment": "e", "arm": "a", "seed": 0, "code_version": "0"}


@pytest.fixture(scope="module")
def exported(tiny_run, tmp_path_factory):
    """The student of the tiny run as a file."""
    task = load_student(tiny_run.run / "student" / "last.ckpt")
    path = tmp_path_factory.mktemp("exported") / "student.onnx"
    export_onnx(task, contract_of(task), path, progress=False)
    return path


def test_the_file_is_judged_as_its_checkpoint(exported, tiny_run, tmp_path, capsys):
    data = ["--data", "experiments/data/synthetic_faces.yaml", *FACES]
    words = ["evaluate", "--student", str(exported), *data, f"--data.store={tiny_run.store}"]
    assert main([*words, "--data.seed=5", "--out", str(tmp_path)]) == 0
    assert "student.onnx" in capsys.readouterr().out
    found = {(r.split, r.metric): r for r in read_rows(tmp_path / "results.jsonl")}
    expected = read_rows(tiny_run.run / "evaluate-valid" / "results.jsonl")
    compared = [row for row in expected if (row.split, row.metric) in found]
    assert {"accuracy", "macro_f1_8way", "ece"} <= {row.metric for row in compared}
    assert len({row.split for row in compared}) == len({row.split for row in expected})
    for row in compared:
        other = found[row.split, row.metric]
        assert other.value == pytest.approx(row.value, abs=1e-4, nan_ok=True), row.metric
        assert other.n == row.n
        assert other.split_hash == row.split_hash
        assert other.grid_hash == row.grid_hash
        assert other.seed == row.seed == 0, "that of the training, not of the data that judge"
    assert "exported, float32" in other.protocol
    assert "meaningless on people" in other.note


def test_its_own_temperature_is_used_once(exported, tmp_path):
    plain = open_recogniser(exported)
    warm = replace(plain, contract=replace(plain.contract, temperature=3.0))
    table = SyntheticFaces(64, 40).load("valid")
    rows = evaluate_exported(warm, table, tmp_path, CONTEXT)
    frame = pd.read_parquet(tmp_path / "predictions.parquet")
    logits = plain.answers(table.images).logits.astype(float) / 3.0
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(frame[list(PROBABILITY_COLUMNS)], chances, atol=1e-6)
    assert {row.metric: row.value for row in rows}["temperature"] == 3.0
    assert "T 3" in rows[0].protocol


@pytest.mark.parametrize("more", [["--flip", "true"], ["--temperature", "temperature.json"]])
def test_other_looks_are_refused(exported, tiny_run, more, capsys, tmp_path):
    data = ["--data", "experiments/data/synthetic_faces.yaml", *FACES]
    words = ["evaluate", "--student", str(exported), *data, *more, "--out", str(tmp_path)]
    assert main(words) == 2
    assert "student.onnx" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_warm_up_is_told_where_there_was_one(exported):
    contract = open_recogniser(exported).contract
    assert warm_up_note(contract) == ""
    warmed = {**contract.provenance, "init_from": {"sha256": "a" * 64}}
    assert warm_up_note(replace(contract, provenance=warmed)) == UNSEEN_UNKNOWN
