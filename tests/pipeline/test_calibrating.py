"""The temperature of a student: from unseen pictures only, and for no other student."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.special import softmax

from neurogaze.artefacts import canonical
from neurogaze.errors import InputError
from neurogaze.evaluation.calibration import negative_log_likelihood
from neurogaze.evaluation.soft_labels import row_jsd
from neurogaze.faces.corpora.synthetic import SyntheticFaces
from neurogaze.faces.datamodule import FaceDataModule
from neurogaze.faces.folds import FaceFold
from neurogaze.pipeline.calibrating import (
    calibrate_student,
    calibrated,
    read_calibration,
    unseen_slice,
)
from neurogaze.pipeline.judging import load_student
from neurogaze.pipeline.stages import content_hash
from neurogaze.pipeline.views import View, opinion, predict

FOLD = FaceFold(n_folds=2, fold=1)


def data(store, fold=FOLD, n_train=120, **changes):
    corpus = SyntheticFaces(n_train, 40)
    return FaceDataModule(corpus, batch_size=8, store=store, held_out=fold, **changes)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def checkpoint(tiny_run, store, tmp_path_factory):
    """The tiny student, saying that it was trained beside this fold."""
    stored = torch.load(
        tiny_run.run / "student" / "last.ckpt", map_location="cpu", weights_only=True
    )
    module = data(store)
    module.setup("fit")
    stored["neurogaze"]["provenance"] |= {
        "held_out": canonical(FOLD),
        "train": {"sha256": module.train.sha256},
    }
    path = tmp_path_factory.mktemp("student") / "last.ckpt"
    torch.save(stored, path)
    return path


@pytest.mark.parametrize("objective", ["nll", "vote_jsd"])
def test_the_file_says_what_it_was_fitted_on(checkpoint, store, tmp_path, objective):
    module = data(store)
    out = tmp_path / "t.json"
    found = calibrate_student(checkpoint, module, objective, out=out)
    assert read_calibration(out) == found
    assert json.loads(out.read_text())["objective"] == objective
    assert found.n == len(module.dev)
    assert found.dev_sha256 == module.dev.sha256
    assert found.checkpoint == content_hash(checkpoint)
    assert found.held_out == {"n_folds": 2, "fold": 1, "seed": 0}
    logits = opinion(load_student(checkpoint), module.dev.images).mean
    for temperature, value in ((1.0, found.before), (found.temperature, found.after)):
        chances = softmax(logits / temperature, axis=1)
        expected = (
            negative_log_likelihood(module.dev.labels, chances)
            if objective == "nll"
            else row_jsd(module.dev.votes, chances).mean()
        )
        assert value == pytest.approx(expected, rel=1e-6)
    assert found.after < found.before


def test_it_lies_beside_the_checkpoint_and_is_taken_into_the_view(checkpoint, store):
    view = View(flip=True)
    found = calibrate_student(checkpoint, data(store), view=view)
    hot = calibrated(view, checkpoint, checkpoint.with_name("temperature.json"))
    assert hot == replace(view, temperature=found.temperature)
    student, images = load_student(checkpoint), SyntheticFaces(16, 16).load("valid").images
    expected = softmax(opinion(student, images, view).mean / found.temperature, axis=1)
    np.testing.assert_allclose(predict(student, images, hot)[0], expected, rtol=1e-9)


def test_another_view_or_other_weights_are_refused(checkpoint, store, tmp_path, tiny_run):
    out = tmp_path / "t.json"
    calibrate_student(checkpoint, data(store), out=out)
    with pytest.raises(InputError, match=r"another view .*flip=False"):
        calibrated(View(flip=True), checkpoint, out)
    with pytest.raises(InputError, match="other weights"):
        calibrated(View(), tiny_run.run / "student" / "last.ckpt", out)
    with pytest.raises(InputError, match="cannot be read"):
        calibrated(View(), tmp_path / "none.ckpt", out)


def test_a_student_that_saw_the_slice_is_refused(checkpoint, store, tiny_run):
    seen = tiny_run.run / "student" / "last.ckpt"
    with pytest.raises(InputError, match="held out None in training"):
        calibrate_student(seen, data(store))
    with pytest.raises(InputError, match="no dev slice"):
        calibrate_student(checkpoint, data(store, fold=None))
    with pytest.raises(InputError, match=r"'fold': 1.* not .*'fold': 0"):
        calibrate_student(checkpoint, data(store, fold=FaceFold(n_folds=2, fold=0)))
    with pytest.raises(InputError, match="other pictures"):
        calibrate_student(checkpoint, data(store, n_train=128))


def test_a_twin_on_both_sides_is_refused(store):
    module = data(store)
    module.setup("fit")
    known = {"held_out": canonical(FOLD), "train": {"sha256": module.train.sha256}}
    assert unseen_slice(known, module) is module.dev
    groups = module.dev.groups.copy()
    groups[3] = module.train.groups[5]
    module.dev = replace(module.dev, groups=groups)
    with pytest.raises(InputError, match="shares groups with training"):
        unseen_slice(known, module)


def test_votes_that_nobody_cast_fit_nothing(checkpoint, store, monkeypatch):
    module = data(store)
    module.setup("fit")
    module.dev = replace(module.dev, votes=np.eye(8, dtype=np.float32)[module.dev.labels])
    with pytest.raises(InputError, match="has no votes"):
        calibrate_student(checkpoint, module, "vote_jsd")


@pytest.mark.parametrize("text", ["{}", "[]", "no", '{"temperature": 2}'])
def test_a_file_that_holds_no_temperature_is_named(tmp_path, text):
    path = tmp_path / "t.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"t\.json"):
        read_calibration(path)
