"""A student on a data set: its own preprocessing, its classes by name, honest stamps."""

import copy

import numpy as np
import pytest
import torch
from scipy.special import softmax

from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError
from neurogaze.evaluation.metrics import face_scores
from neurogaze.evaluation.predictions import read_predictions
from neurogaze.evaluation.results import read_rows
from neurogaze.faces.corpora.synthetic import SyntheticFaces
from neurogaze.pipeline.judging import (
    SYNTHETIC_STAMP,
    View,
    evaluate_student,
    load_student,
    predict,
    student_context,
)
from neurogaze.prototypes.grid import PrototypeGrid

CONTEXT = {"experiment": "x", "arm": "student", "seed": 0, "code_version": "0"}


@pytest.fixture(scope="module")
def student(tiny_run):
    return load_student(tiny_run.run / "student" / "last.ckpt")


@pytest.fixture(scope="module")
def table():
    return SyntheticFaces(n_train=16, n_valid=40, domain=0.3).load("valid")


def test_probabilities_are_those_of_the_network(student, table):
    """Centre 44 of 48 pixels, in 0..1, minus 0.5, over 0.25, as the checkpoint says."""
    probabilities, embeddings = predict(student, table.images)
    pixels = table.images[:, 2:46, 2:46].astype(np.float32) / 255
    with torch.no_grad():
        out = student(torch.from_numpy((pixels[:, None] - 0.5) / 0.25))
    expected = softmax(out.logits.numpy().astype(np.float64), axis=1)
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)
    np.testing.assert_allclose(embeddings, out.embedding.numpy(), atol=1e-4)


def test_what_is_left_behind(student, table, tmp_path):
    rows = evaluate_student(student, table, tmp_path, CONTEXT)
    frame = read_predictions(tmp_path / "predictions.parquet", "face")
    assert frame["id"].tolist() == table.ids.tolist()
    assert frame["label"].tolist() == [EMOTIONS[i] for i in table.labels]
    probabilities, embeddings = predict(student, table.images)
    expected = face_scores(table.labels, probabilities)
    values = {row.metric: row.value for row in rows}
    for name, value in expected.items():
        assert values[name] == pytest.approx(float(value), abs=1e-9), name
    assert read_rows(tmp_path / "results.jsonl") == rows
    with np.load(tmp_path / "embeddings.npz") as stored:
        np.testing.assert_array_equal(stored["embedding"], embeddings.astype(np.float16))
        np.testing.assert_array_equal(stored["label"], table.labels)


def test_rows_say_where_they_come_from(student, table, tiny_run):
    found = student_context(student, table)
    assert found["dataset"] == table.dataset
    assert found["label_rule"] == table.rule
    assert found["split_hash"] == table.sha256
    assert found["protocol"] == "last epoch, averaged weights, one view"
    assert len(found["config_hash"]) == 64
    assert found["grid_hash"] == PrototypeGrid.load(tiny_run.run / "grid" / "grid.npz").sha256


def test_drawn_faces_are_stamped_and_notes_add_up(student, table, tmp_path):
    rows = evaluate_student(student, table, tmp_path, CONTEXT | {"note": "demo"})
    assert {row.note for row in rows} == {f"{SYNTHETIC_STAMP}; demo"}


def test_weights_of_real_faces_are_not_stamped(student, table):
    other = copy.copy(student)
    other.provenance = student.provenance | {"dataset": "ferplus"}
    assert student_context(other, table)["note"] == ""


def test_a_training_that_was_cut_short_is_stamped(student, table):
    other = copy.copy(student)
    other.epochs = (1, 2)
    assert student_context(other, table)["protocol"].startswith("epoch 1 of 2")


def test_a_missing_student_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.ckpt"):
        load_student(tmp_path / "none.ckpt")


def test_a_mirrored_set_has_the_same_mirrored_scores(tiny_run):
    """Averaging an image with its mirror cannot tell one from the other."""
    student = load_student(tiny_run.run / "student" / "last.ckpt")
    images = SyntheticFaces(n_train=64, n_valid=40).load("valid").images
    plain, _ = predict(student, images, View(flip=True))
    mirrored, _ = predict(student, images[:, :, ::-1].copy(), View(flip=True))
    np.testing.assert_allclose(plain, mirrored, atol=1e-6)
    alone, _ = predict(student, images)
    assert np.abs(alone - plain).max() > 1e-6
    assert student_context(student, SyntheticFaces(64, 40).load("valid"), View(flip=True))[
        "protocol"
    ].endswith("image and mirror")


def test_undone_weights_are_those_of_the_loss(student, table):
    """Probability ratios change by the inverse ratio of the class weights, and by nothing else."""
    plain, _ = predict(student, table.images)
    undone, _ = predict(student, table.images, View(undo_weights=True))
    weights = student.loss.ce.class_weight.double().numpy()
    assert weights.max() > 1.5 * weights.min()
    expected = plain / weights
    np.testing.assert_allclose(undone, expected / expected.sum(1, keepdims=True), rtol=1e-9)
