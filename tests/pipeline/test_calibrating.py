"""The temperature of a student: from unseen pictures only, and for no other student."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.special import softmax

from neurogaze.affect import EMOTIONS
from neurogaze.artefacts import canonical
from neurogaze.cli import main
from neurogaze.errors import InputError
from neurogaze.evaluation.calibration import negative_log_likelihood
from neurogaze.evaluation.calibration_file import read_calibration
from neurogaze.evaluation.predictions import read_predictions
from neurogaze.evaluation.results import read_rows
from neurogaze.evaluation.soft_labels import row_jsd
from neurogaze.faces.corpora.synthetic import SyntheticFaces
from neurogaze.faces.datamodule import FaceDataModule
from neurogaze.faces.folds import FaceFold
from neurogaze.faces.witnessed import no_keys, seen_keys
from neurogaze.pipeline.calibrating import (
    TAUGHT,
    calibrate_student,
    calibrated,
    judged_pictures,
    observed_cells,
    unseen_slice,
)
from neurogaze.pipeline.judging import evaluate_student, load_student
from neurogaze.pipeline.stages import content_hash
from neurogaze.pipeline.views import View, opinion, predict
from neurogaze.tasks.student_record import WARMED_ON
from tests.pipeline.tiny import EXPERIMENTS

FOLD = FaceFold(n_folds=2, fold=1)
CONTEXT = ("experiment", "arm", "code_version")


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
    assert read_calibration(out, content_hash(checkpoint)) == found
    assert (found.abstain_below, found.abstain) == (0.0, {})
    assert out.with_name("risk_coverage.png").read_bytes()[:4] == b"\x89PNG"
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


@pytest.mark.parametrize(
    ("student", "out", "words"),
    [
        ("last.ckpt", "last.ckpt", "last.ckpt: is what is read"),
        ("last.ckpt", "link.ckpt", "link.ckpt: is what is read"),
        ("risk_coverage.png", "t.json", "risk_coverage.png: is what is read"),
        ("last.ckpt", "risk_coverage.png", "risk_coverage.png: is the name of the curve"),
    ],
)
def test_the_checkpoint_is_not_written_over(tmp_path, monkeypatch, capsys, student, out, words):
    monkeypatch.chdir(tmp_path)
    Path(student).write_text("weights")
    Path("link.ckpt").symlink_to(student)
    given = ["calibrate", f"--student={student}", f"--out={out}", "--data"]
    assert main([*given, str(EXPERIMENTS / "data" / "synthetic_faces.yaml")]) == 2
    assert f"{words}. Remedy: " in capsys.readouterr().err
    assert Path(student).read_text() == "weights"
    assert {path.name for path in tmp_path.iterdir()} == {student, "link.ckpt"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--out=folder"], "folder: is a folder"),
        (["--out=beside/t.json"], "beside/risk_coverage.png: is a folder"),
        (["--prior=-5"], "prior: is -5.0"),
        (["--prior=.nan"], "prior: is nan"),
        (["--prior=.inf"], "prior: is inf"),
    ],
)
def test_what_cannot_be_written_or_meant_is_told_before_any_work(
    tmp_path, monkeypatch, capsys, given, words
):
    monkeypatch.chdir(tmp_path)
    for folder in ("folder", "beside/risk_coverage.png"):
        Path(folder).mkdir(parents=True)
    Path("last.ckpt").write_text("no checkpoint, and nobody asks")
    given = ["calibrate", "--student=last.ckpt", *given, "--data"]
    assert main([*given, str(EXPERIMENTS / "data" / "synthetic_faces.yaml")]) == 2
    assert f"{words}. Remedy: " in capsys.readouterr().err


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
    said = {"held_out": canonical(FOLD), "train": {"sha256": module.train.sha256}}
    known = SimpleNamespace(provenance=said, warmed_on=no_keys(), init_from=None)
    assert unseen_slice(known, module) is module.dev
    groups = module.dev.groups.copy()
    groups[3] = module.train.groups[5]
    module.dev = replace(module.dev, groups=groups)
    with pytest.raises(InputError, match="shares groups with training"):
        unseen_slice(known, module)


def test_a_slice_that_the_warm_up_saw_is_refused(checkpoint, store, tmp_path):
    module = data(store)
    module.setup("fit")
    stored = torch.load(checkpoint, map_location="cpu", weights_only=True)
    torch.save(stored | {WARMED_ON: seen_keys([module.dev.take(np.arange(4))])}, tmp_path / "a")
    with pytest.raises(InputError, match=rf"saw 4 of {len(module.dev)}"):
        calibrate_student(tmp_path / "a", data(store))
    task = load_student(tmp_path / "a")
    allowed = (f"{module.dev.dataset}/{split}" for split in ("dev", "train", "train, dev slice"))
    task.init_from = SimpleNamespace(allow_seen=("dev", "train", *allowed))
    with pytest.raises(InputError, match="saw 4 of") as told:
        unseen_slice(task, data(store))  # whatever may judge, nothing may be chosen on it
    assert "allow_seen" not in told.value.remedy
    torch.save(stored | {WARMED_ON: seen_keys([module.train])}, tmp_path / "b")
    assert calibrate_student(tmp_path / "b", data(store)).n == len(module.dev)


def test_the_dev_slice_is_judged_by_name(checkpoint, store, tmp_path, tiny_run, capsys):
    module = data(store)
    module.setup("fit")
    args = [
        *("evaluate", "--data", str(EXPERIMENTS / "data" / "synthetic_faces.yaml")),
        *("--data.corpus.n_train=120", "--data.corpus.n_valid=40", "--data.batch_size=8"),
        *(f"--data.store={store}", "--data.held_out.n_folds=2", f"--out={tmp_path}"),
        *("--split=dev", "--prior=0.5"),
    ]
    assert main([*args, "--data.held_out.fold=1", f"--student={checkpoint}"]) == 0
    frame = read_predictions(tmp_path / "predictions.parquet", "face")
    assert frame["id"].tolist() == module.dev.ids.tolist()
    assert not frame["twin"].any()
    rows = read_rows(tmp_path / "results.jsonl")
    assert {row.split for row in rows} == {"train, dev slice"}
    assert {row.arm for row in rows} == {"student", "student (one view, prior 0.5)"}
    assert {row.split_hash for row in rows} == {module.dev.sha256}
    assert "train, dev slice" in capsys.readouterr().out
    assert main([*args, "--data.held_out.fold=0", f"--student={checkpoint}"]) == 2
    seen = tiny_run.run / "student" / "last.ckpt"
    assert main([*args, "--data.held_out.fold=1", f"--student={seen}"]) == 2
    assert "held out None in training" in capsys.readouterr().err


def test_a_slice_that_the_face_teacher_may_have_learned_from_is_said(checkpoint, store, tmp_path):
    """Members behind stored logits are trained on other folds than the slice of the student."""
    stored = torch.load(checkpoint, map_location="cpu", weights_only=True)
    stored["neurogaze"]["provenance"]["teacher_logits"] = {"sha256": "ab", "dataset": "x"}
    taught = tmp_path / "last.ckpt"
    torch.save(stored, taught)
    notes = []
    for path in (checkpoint, taught):
        task = load_student(path)
        table, train = judged_pictures(task, data(store), "dev")
        rows = evaluate_student(task, table, tmp_path, dict.fromkeys(CONTEXT, "x") | {"seed": 0})
        notes.append({row.note for row in rows})
        assert TAUGHT not in train.note
    assert all(TAUGHT in note for note in notes[1])
    assert not any(TAUGHT in note for note in notes[0])
    with pytest.warns(UserWarning, match=rf"train, dev slice.*{TAUGHT}"):
        calibrate_student(taught, data(store), out=tmp_path / "t.json")
    assert read_calibration(tmp_path / "t.json", content_hash(taught)).n == len(table)


def test_a_split_that_is_called_dev_is_itself(checkpoint, store):
    corpus = SyntheticFaces(16, 40)
    corpus.splits = ("train", "valid", "dev")
    own = SyntheticFaces(16, 40).load("valid")
    corpus.identity = lambda split: {"split": split}
    corpus.load = lambda split, progress=False: replace(own, split=split)
    module = FaceDataModule(corpus, store=store, held_out=FOLD)
    table, _ = judged_pictures(load_student(checkpoint), module, "dev")
    assert (table.split, table.sha256) == ("dev", own.sha256)


def test_votes_that_nobody_cast_fit_nothing(checkpoint, store, monkeypatch):
    module = data(store)
    module.setup("fit")
    module.dev = replace(module.dev, votes=np.eye(8, dtype=np.float32)[module.dev.labels])
    with pytest.raises(InputError, match="has no votes"):
        calibrate_student(checkpoint, module, "vote_jsd")


def test_a_threshold_keeps_to_the_risk_on_the_slice(checkpoint, store, tmp_path):
    module, out = data(store), tmp_path / "t.json"
    plain = calibrate_student(checkpoint, module, out=tmp_path / "plain.json")
    logits = opinion(load_student(checkpoint), module.dev.images).mean
    chances = softmax(logits / plain.temperature, axis=1)
    correct = chances.argmax(axis=1) == module.dev.labels
    wish = float(1 - correct.mean()) - 0.1
    found = calibrate_student(checkpoint, module, out=out, risk=wish, rule="empirical")
    answered = chances.max(axis=1) >= found.abstain_below
    assert 0 < answered.mean() < 1
    assert 1 - correct[answered].mean() <= wish
    assert found.abstain["coverage"] == pytest.approx(answered.mean())
    assert found.temperature == plain.temperature
    assert read_calibration(out, content_hash(checkpoint)).abstain["rule"] == "empirical"
    with pytest.raises(InputError, match=r"0\.001 is not reached"):
        calibrate_student(checkpoint, module, out=tmp_path / "none.json", risk=0.001)
    assert not (tmp_path / "none.json").exists()


def test_the_read_out_is_that_of_the_cosines(checkpoint, store, tmp_path):
    """The tiny student has a grid; what is fitted is what a deployed one would say."""
    module = data(store)
    found = calibrate_student(checkpoint, module, out=tmp_path / "t.json").va
    task = load_student(checkpoint)
    embedding = torch.from_numpy(opinion(task, module.dev.images).embedding).double()
    unit = torch.nn.functional.normalize(embedding, dim=1)
    cosines = (unit @ task.prototypes.double().T).numpy()
    va = softmax(cosines / found["temperature"], axis=1) @ task.centers.double().numpy()
    for name, mean in found["class_means"].items():
        own = module.dev.labels == EMOTIONS.index(name)
        np.testing.assert_allclose(va[own].mean(axis=0), mean, atol=1e-5)
    assert found["shown"] == (found["reason"] == "")
    assert set(found) >= {"temperature", "shown", "reason", "class_means", "correlation"}


def test_cells_are_known_only_while_the_grid_is_at_hand(checkpoint, tmp_path):
    task = load_student(checkpoint)
    seen = observed_cells(task)
    assert seen.dtype == bool
    assert seen.shape == (len(task.prototypes),)
    task.grid_pin = replace(task.grid_pin, path=str(tmp_path / "gone.npz"))
    assert observed_cells(task) is None


def test_the_command_says_what_it_found(checkpoint, store, tmp_path, capsys):
    out = tmp_path / "t.json"
    args = [
        *("calibrate", "--data", str(EXPERIMENTS / "data" / "synthetic_faces.yaml")),
        *("--data.corpus.n_train=120", "--data.corpus.n_valid=40", "--data.batch_size=8"),
        *(f"--data.store={store}", "--data.held_out.n_folds=2", "--data.held_out.fold=1"),
        *(f"--student={checkpoint}", f"--out={out}", "--risk=0.95", "--rule=empirical"),
    ]
    assert main(args) == 0
    said = capsys.readouterr().out
    for words in (
        "temperature ",
        "abstains below ",
        "prototype-space valence and arousal",
        str(out),
    ):
        assert words in said
