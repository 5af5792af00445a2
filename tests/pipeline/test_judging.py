"""A student on a data set: its own preprocessing, its classes by name, honest stamps."""

import copy
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.special import softmax
from sklearn.metrics import roc_auc_score

from neurogaze.affect import EMOTIONS
from neurogaze.deploy.contract import contract_of
from neurogaze.errors import InputError
from neurogaze.evaluation.metrics import face_scores
from neurogaze.evaluation.predictions import read_predictions
from neurogaze.evaluation.results import model_parts, read_rows
from neurogaze.faces.corpora.ferplus import FerPlus
from neurogaze.faces.corpora.manifest import Manifest
from neurogaze.faces.corpora.synthetic import SyntheticFaces
from neurogaze.faces.datamodule import FaceDataModule
from neurogaze.faces.folds import FaceFold
from neurogaze.faces.witnessed import seen_keys
from neurogaze.pipeline.judging import (
    SYNTHETIC_STAMP,
    UNMARKED,
    evaluate_student,
    face_frame,
    load_student,
    student_context,
)
from neurogaze.pipeline.trained_on import training_pictures
from neurogaze.pipeline.views import View, predict, training_shares
from neurogaze.prototypes.grid import PrototypeGrid
from neurogaze.tasks.face_warm_start import FaceWarmStart
from tests.fixtures.faces import write_ferplus
from tests.fixtures.manifest import write_manifest

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
    weights = contract_of(student).weights_sha256
    assert model_parts(found["config_hash"]) == (student.config_hash, weights)
    assert len(student.config_hash) == 64
    assert found["grid_hash"] == PrototypeGrid.load(tiny_run.run / "grid" / "grid.npz").sha256


def test_two_epochs_of_one_training_are_two_models(student, table):
    other = copy.deepcopy(student)
    with torch.no_grad():
        other.deployed.classify.bias += 1e-3
    one, two = (model_parts(student_context(s, table)["config_hash"]) for s in (student, other))
    assert one[0] == two[0]
    assert one[1] != two[1]


def test_drawn_faces_are_stamped_and_notes_add_up(student, table, tmp_path):
    rows = evaluate_student(student, table, tmp_path, CONTEXT | {"note": "demo"})
    assert {row.note for row in rows} == {f"{SYNTHETIC_STAMP}; demo"}


def test_weights_of_real_faces_are_not_stamped(student, table):
    other = copy.copy(student)
    other.provenance = student.provenance | {"train": {"identity": {"corpus": "ferplus"}}}
    assert student_context(other, table)["note"] == ""


def test_drawn_faces_are_stamped_whatever_their_corpus_is_called(student, table):
    other = copy.copy(student)
    other.provenance = student.provenance | {"dataset": "mine"}
    assert student_context(other, table)["note"] == SYNTHETIC_STAMP


def test_a_training_that_was_cut_short_is_stamped(student, table):
    other = copy.copy(student)
    other.epochs = (1, 2)
    assert student_context(other, table)["protocol"].startswith("epoch 1 of 2")


def test_a_missing_student_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.ckpt"):
        load_student(tmp_path / "none.ckpt")


def test_the_single_view_is_always_scored_too(student, table, tmp_path):
    view = View(flip=True)
    rows = evaluate_student(student, table, tmp_path, CONTEXT, view)
    named = evaluate_student(
        student, table, tmp_path, CONTEXT | {"arm": view.named("student")}, view
    )
    assert rows == named  # whether or not the caller has named the arm
    found = {(row.arm, row.protocol.split(", ", 2)[2]) for row in rows}
    assert found == {("student (image and mirror)", "image and mirror"), ("student", "one view")}
    alone = evaluate_student(student, table, tmp_path / "alone", CONTEXT)
    assert [row for row in rows if row.arm == "student"] == alone


def test_a_temperature_is_a_row_and_changes_no_decision(student, table, tmp_path):
    rows = evaluate_student(student, table, tmp_path, CONTEXT, View(temperature=2.0))
    values = {(row.arm, row.metric): row.value for row in rows}
    hot = "student (one view, T 2)"
    assert values[hot, "temperature"] == 2
    assert ("student", "temperature") not in values
    assert values[hot, "accuracy"] == values["student", "accuracy"]
    assert values[hot, "nll"] != values["student", "nll"]


def test_votes_people_and_twins_are_written_where_they_are_known(student, table):
    probabilities, _ = predict(student, table.images)
    first = face_frame(table, probabilities, table.take(np.arange(3)))
    assert first["twin"].tolist() == [True] * 3 + [False] * 37
    found = first[[f"v_{name}" for name in EMOTIONS]].to_numpy()
    np.testing.assert_allclose(found, table.votes, atol=1e-7)
    alone = replace(
        table,
        votes=np.eye(8, dtype=np.float32)[table.labels],
        subjects=np.array([f"s{i}" for i in range(40)]),
        sequences=np.array(["a"] * 40),
    )
    frame = face_frame(alone, probabilities)
    assert frame["subject"].tolist() == alone.subjects.tolist()
    assert frame["sequence"].tolist() == ["a"] * 40
    assert not {"twin", "v_fear"} & set(frame.columns)


def trained_on(student, data, **changes):
    """The tiny student, saying that it was trained on these pictures."""
    other = copy.copy(student)
    data.setup("fit")
    settings = student.provenance["settings"] | changes
    other.provenance = student.provenance | data.provenance | {"settings": settings}
    return other


@pytest.mark.parametrize("held_out", [None, FaceFold(n_folds=2, fold=1)])
@pytest.mark.parametrize("target", ["majority", "votes"])
def test_training_pictures_tell_an_old_checkpoint_its_prior(student, tmp_path, held_out, target):
    data = FaceDataModule(SyntheticFaces(120, 40), batch_size=8, store=tmp_path, held_out=held_out)
    old = trained_on(student, data, target=target)
    known = ("target_shares", "class_counts")
    record = {k: v for k, v in old.provenance["train"].items() if k not in known}
    old.provenance |= {"train": record}
    images = data.valid.images
    with pytest.raises(InputError, match="share of each class among its training targets"):
        predict(old, images, View(prior=0.5))
    assert len(training_pictures(old, FaceDataModule(data.corpus, store=tmp_path), "valid")) == 120
    one_hot = np.eye(8)[data.train.labels]
    expected = (one_hot if target == "majority" else data.train.votes).mean(axis=0)
    np.testing.assert_allclose(training_shares(old), expected, rtol=1e-5)
    assert np.isfinite(predict(old, images, View(prior=0.5))[0]).all()


def test_other_pictures_of_the_same_name_mark_no_twins(student, tmp_path):
    own = FaceDataModule(SyntheticFaces(64, 40), store=tmp_path)
    assert len(training_pictures(student, own, "valid")) == 64
    other = FaceDataModule(SyntheticFaces(65, 40), store=tmp_path)
    assert training_pictures(student, other, "valid") is None
    elsewhere = FaceDataModule(SyntheticFaces(64, 40, domain=0.3), store=tmp_path)
    assert training_pictures(student, elsewhere, "valid") is None


def test_fer_plus_can_be_judged_without_its_training_pictures(student, tmp_path):
    votes = write_ferplus(tmp_path / "fer", 64, 40).votes
    data = FaceDataModule(FerPlus(tmp_path / "fer", votes), batch_size=16, store=tmp_path / "store")
    task = trained_on(student, data)
    strict = FerPlus(tmp_path / "fer", votes, rule="votes", strict=True)  # both are as in training
    asked = FaceDataModule(strict, store=tmp_path / "store")
    train = training_pictures(task, asked, "valid")
    assert (train.rule, train.sha256) == ("majority", data.train.sha256)
    marked = evaluate_student(task, data.valid, tmp_path / "a", CONTEXT, train=train)
    assert UNMARKED not in marked[0].note
    shutil.rmtree(tmp_path / "fer" / "FER2013Train")
    assert training_pictures(task, asked, "valid") is None
    rows = evaluate_student(task, data.valid, tmp_path / "b", CONTEXT | {"note": "x"})
    assert {row.note for row in rows} == {f"{UNMARKED}; x"}
    assert "twin" not in read_predictions(tmp_path / "b" / "predictions.parquet", "face")


def test_fer_plus_with_another_file_in_training_is_another_set(student, tmp_path):
    votes = write_ferplus(tmp_path / "fer", 64, 40).votes
    data = FaceDataModule(FerPlus(tmp_path / "fer", votes), batch_size=16, store=tmp_path / "store")
    task = trained_on(student, data)
    path = next((tmp_path / "fer" / "FER2013Train").iterdir())
    path.write_bytes(path.read_bytes() + b"0")
    assert training_pictures(task, data, "valid") is None


def test_a_manifest_without_training_rows_can_be_judged(student, tmp_path):
    """Every manifest has the same name unless told otherwise."""
    first, second = (write_manifest(tmp_path / n, split=n == "a") for n in "ab")
    task = trained_on(student, FaceDataModule(Manifest(first), batch_size=8, store=tmp_path / "s"))
    other = FaceDataModule(Manifest(second), store=tmp_path / "s")
    assert training_pictures(task, other, "valid") is None
    rows = evaluate_student(task, Manifest(second).load("valid"), tmp_path / "out", CONTEXT)
    assert {row.note for row in rows} == {UNMARKED}


def warmed(student, seen, allowed=()):
    """The tiny student, saying that its warm-up saw a table."""
    other = copy.copy(student)
    other.init_from = FaceWarmStart("x.ckpt", "0" * 64, allow_seen=allowed)
    other.warmed_on = seen_keys([seen])
    return other


def test_pictures_that_the_warm_up_saw_judge_only_where_that_is_allowed(student, table, tmp_path):
    seen = table.take(np.arange(3))
    with pytest.raises(InputError, match="saw 3 of 40 pictures"):
        evaluate_student(warmed(student, seen), table, tmp_path, CONTEXT)
    assert not list(tmp_path.iterdir())
    where = f"{table.dataset}/valid"
    rows = evaluate_student(warmed(student, seen, (where,)), table, tmp_path, CONTEXT)
    assert all("warm-up saw 3 of 40" in row.note for row in rows)
    rest = evaluate_student(warmed(student, seen), table.take(np.arange(3, 40)), tmp_path, CONTEXT)
    assert not any("warm-up" in row.note for row in rest)


def test_a_class_left_out_of_training_is_judged_as_unknown(student, table, tmp_path):
    other = copy.copy(student)
    settings = student.provenance["settings"] | {"without": "happiness"}
    other.provenance = student.provenance | {"settings": settings}
    rows = {row.metric: row for row in evaluate_student(other, table, tmp_path, CONTEXT)}
    probabilities, _ = predict(student, table.images)
    unknown = table.labels == EMOTIONS.index("happiness")
    row = rows["open_auroc_max_probability"]
    assert row.value == pytest.approx(roc_auc_score(unknown, -probabilities.max(axis=1)))
    assert row.n == unknown.sum()
    assert "trained without happiness" in row.note
    plain = evaluate_student(student, table, tmp_path, CONTEXT)
    assert not any(row.metric.startswith("open_") for row in plain)
