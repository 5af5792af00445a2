"""A student on spoiled pictures: what is predicted, what is kept, and what is not done twice."""

import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from einops import rearrange
from rich.console import Console
from torch import nn

from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError
from neurogaze.evaluation.metrics import face_scores
from neurogaze.evaluation.predictions import face_arrays, read_predictions
from neurogaze.evaluation.results import read_rows
from neurogaze.faces.corpora.synthetic import SyntheticFaces
from neurogaze.faces.corruptions import CORRUPTIONS, SEVERITIES, corrupt
from neurogaze.faces.preprocessing import FacePreprocessing, to_input
from neurogaze.faces.witnessed import no_keys, seen_keys
from neurogaze.models.student import StudentOutput
from neurogaze.pipeline import robustness as module
from neurogaze.pipeline.robustness import CONDITIONS, METRICS, robustness, stress_student
from neurogaze.pipeline.views import PLAIN, View, predict

CONTEXT = {"experiment": "stress", "arm": "student", "seed": 0, "code_version": "0", "note": "toy"}
PREPARED = {"size": 44, "channels": 1, "mean": 0.5, "std": 0.25}
CORPUS = SyntheticFaces(n_train=16, n_valid=40)


class Nearest(nn.Module):
    """Knows some pictures by heart and takes the class of the nearest; never wrong on those."""

    averaged, config_hash, epochs = None, "hash", (1, 1)
    init_from, warmed_on = None, no_keys()
    device = torch.device("cpu")
    loss = SimpleNamespace(ce=None)

    def __init__(self, table, sharpness=1.0):
        super().__init__()
        known = to_input(torch.from_numpy(np.array(table.images)), FacePreprocessing(**PREPARED))
        self.register_buffer("known", rearrange(known, "n 1 h w -> n (h w)"))
        self.register_buffer("label", torch.from_numpy(np.array(table.labels)))
        self.sharpness = sharpness
        self.provenance = {"preprocessing": PREPARED, "dataset": "toy"}
        self.seen = 0

    @property
    def deployed(self):
        return self

    def forward(self, images):
        self.seen += len(images)
        flat = rearrange(images, "b 1 h w -> b (h w)")
        away = torch.cdist(flat, self.known)
        logits = [
            -away[:, self.label == i].min(dim=1).values if (self.label == i).any()
            else torch.full((len(flat),), -99.0)
            for i in range(len(EMOTIONS))
        ]  # fmt: skip
        return StudentOutput(self.sharpness * torch.stack(logits, dim=1), flat)


@pytest.fixture(scope="module")
def table():
    return CORPUS.load("valid")


@pytest.fixture(scope="module")
def finished(table, tmp_path_factory):
    folder = tmp_path_factory.mktemp("stress")
    baseline = Nearest(table.take(np.arange(0, 40, 4)))
    return folder, stress_student(Nearest(table), table, folder, CONTEXT, baseline=baseline)


def value(rows, condition, metric, arm="student"):
    (found,) = [
        row for row in rows
        if (row.experiment, row.metric, row.arm) == (f"stress: {condition}", metric, arm)
    ]  # fmt: skip
    return found


def test_every_condition_has_its_predictions_and_rows(finished, table):
    folder, rows = finished
    task = Nearest(table)
    for kind, severity in CONDITIONS:
        frame = read_predictions(folder / f"{kind}-{severity}" / "corrupted.parquet", "face")
        images = corrupt(table.images, table.ids, kind, severity, 0)
        truth, chances = face_arrays(frame)
        np.testing.assert_allclose(chances, predict(task, images)[0], atol=1e-6)
        assert frame["id"].tolist() == table.ids.tolist()
        scores = face_scores(truth, chances)
        for metric in METRICS:
            row = value(rows, f"{kind} {severity}", metric)
            assert row.value == pytest.approx(scores[metric])
            assert row.low <= row.value <= row.high
            assert (row.n, row.note, row.split) == (40, "toy", "valid")
    assert len(CONDITIONS) == len(CORRUPTIONS) * len(SEVERITIES) == 25


def test_clean_pictures_are_an_ordinary_evaluation(finished):
    folder, rows = finished
    assert value(rows, "clean", "accuracy").value == 1.0
    plain = {row.metric: row for row in read_rows(folder / "clean" / "results.jsonl")}
    assert plain["accuracy"].value == 1.0
    assert plain["accuracy"].experiment == "stress"
    assert (folder / "clean" / "predictions.parquet").exists()


def test_means_follow_from_the_conditions(finished):
    _, rows = finished
    means, ratios = {}, {}
    for kind in CORRUPTIONS:
        own = [value(rows, f"{kind} {s}", "accuracy").value for s in SEVERITIES]
        other = [value(rows, f"{kind} {s}", "accuracy", "baseline").value for s in SEVERITIES]
        means[kind] = np.mean(own)
        ratios[kind] = (5 - sum(own)) / (5 - sum(other))
        assert value(rows, kind, "mean_corruption_accuracy").value == pytest.approx(means[kind])
        assert value(rows, kind, "relative_drop").value == pytest.approx(1 - means[kind])
        assert value(rows, kind, "mean_corruption_error").value == pytest.approx(ratios[kind])
    overall = np.mean(list(means.values()))
    assert value(rows, "all", "mean_corruption_accuracy").value == pytest.approx(overall)
    assert value(rows, "all", "mean_corruption_error").value == pytest.approx(
        np.mean(list(ratios.values()))
    )
    assert 0.3 < overall < 0.99


def test_a_second_call_predicts_nothing(finished, table):
    folder, rows = finished
    task, baseline = Nearest(table), Nearest(table.take(np.arange(0, 40, 4)))
    assert stress_student(task, table, folder, CONTEXT, baseline=baseline) == rows
    assert (task.seen, baseline.seen) == (0, 0)


def test_a_stopped_run_goes_on_with_what_it_lacks(finished, table, tmp_path):
    folder, rows = finished
    shutil.copytree(folder, tmp_path / "run")
    for name in ("noise-2", "summary"):
        shutil.rmtree(tmp_path / "run" / name)
    (tmp_path / "run" / "jpeg-4" / "corrupted.parquet").write_bytes(b"cut short")
    task, baseline = Nearest(table), Nearest(table.take(np.arange(0, 40, 4)))
    assert stress_student(task, table, tmp_path / "run", CONTEXT, baseline=baseline) == rows
    assert (task.seen, baseline.seen) == (2 * len(table), 0)


def test_rows_carry_the_seed_of_their_own_training(table, tmp_path):
    task, baseline = Nearest(table), Nearest(table.take(np.arange(0, 40, 4)))
    task.provenance = dict(task.provenance) | {"settings": {"seed": 3}}
    baseline.provenance = dict(baseline.provenance) | {"settings": {"seed": 8}}
    rows = stress_student(task, table, tmp_path, CONTEXT | {"seed": 3}, baseline=baseline)
    assert {(row.arm, row.seed) for row in rows} == {("student", 3), ("baseline", 8)}


@pytest.mark.parametrize("which", ["student", "baseline"])
def test_pictures_that_a_warm_up_saw_are_refused(which, table, tmp_path):
    students = {"student": Nearest(table), "baseline": Nearest(table)}
    students[which].warmed_on = seen_keys([table.take(np.arange(2))])
    with pytest.raises(InputError, match="saw 2 of 40"):
        stress_student(students["student"], table, tmp_path, CONTEXT, baseline=students["baseline"])
    assert sum(one.seen for one in students.values()) == 0


class Stop(Exception):
    pass


def test_nothing_half_written_is_left_of_a_run_that_died(table, tmp_path, monkeypatch):
    task, calls = Nearest(table), []

    def dying(*args):
        calls.append(args)
        if len(calls) == 4:
            raise Stop
        return predict(*args)

    monkeypatch.setattr(module, "predict", dying)
    with pytest.raises(Stop):
        stress_student(task, table, tmp_path, CONTEXT)
    done = sorted(path.parent.name for path in tmp_path.rglob("stage.json"))
    assert done == ["clean", "noise-1", "noise-2", "noise-3"]
    assert not [path for path in tmp_path.rglob("*") if ".aside" in path.name]
    assert not list((tmp_path / "noise-4").glob("corrupted*"))


@pytest.mark.parametrize("changed", ["weights", "seed", "view"])
def test_another_question_is_asked_anew(changed, finished, table, tmp_path):
    folder, rows = finished
    shutil.copytree(folder, tmp_path / "run")
    task = Nearest(table)
    if changed == "weights":
        task.known += 0.1
    view = View(flip=True) if changed == "view" else PLAIN
    found = stress_student(task, table, tmp_path / "run", CONTEXT, view, int(changed == "seed"))
    views = 2 if changed == "view" else 1
    clean = 0 if changed == "seed" else len(table)
    assert task.seen == views * (len(CONDITIONS) * len(table) + clean)
    arm = "student (image and mirror)" if changed == "view" else "student"
    assert {row.arm for row in found} == {arm}
    one, other = (value(r, "noise 3", "ece", a) for r, a in ((rows, "student"), (found, arm)))
    assert one.value != other.value


def test_the_command_leaves_a_report(table, tmp_path, monkeypatch):
    students = {"a.ckpt": Nearest(table), "b.ckpt": Nearest(table.take(np.arange(0, 40, 4)))}
    monkeypatch.setattr(module, "load_student", lambda path: students[path.name])
    data = SimpleNamespace(corpus=CORPUS, store=tmp_path / "store", seed=0)
    console = Console(file=(tmp_path / "said.txt").open("w"))
    out, a, b = tmp_path / "stress", tmp_path / "a.ckpt", tmp_path / "b.ckpt"
    page = robustness(a, data, "valid", out, baseline=b, console=console)
    assert page == out / "report" / "report.html"
    about = json.loads((out / "title.json").read_text())
    assert about["title"] == "Robustness on synthetic_faces (valid)"
    assert {"clean", "noise-1", "occlusion-5", "baseline-jpeg-3", "summary"} <= set(about["stages"])
    rows = read_rows(out / "summary" / "robustness.jsonl")
    assert value(rows, "all", "mean_corruption_error").value > 0
