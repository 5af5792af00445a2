"""Recordings to report: what is made, what is skipped, what is made again."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from neurogaze.artefacts import write_npz
from neurogaze.eeg.splits import Split, SplitSettings, make_split
from neurogaze.faces.corpora.synthetic import SyntheticFaces
from neurogaze.pipeline.looking_ahead import TEACHER, look_ahead
from neurogaze.pipeline.run import Pipeline
from neurogaze.pipeline.steps import grid_sha256
from neurogaze.prototypes.grid import PrototypeGrid
from tests.pipeline.tiny import tiny_settings

STAGES = [
    *("features", "teacher-0", "teacher-1", "grid", "faces-train", "student"),
    *("faces-valid", "evaluate-valid", "report"),
]


def again(root, store, settings=None):
    """Run once more; names of the stages that were not skipped."""
    pipeline = Pipeline(settings or tiny_settings(), root, store)
    pipeline.run()
    return [name for name, record in pipeline.stages.records.items() if not record.skipped]


@pytest.fixture
def copied(tiny_run, tmp_path):
    shutil.copytree(tiny_run.run, tmp_path / "elsewhere")
    return tmp_path / "elsewhere"


def test_every_stage_leaves_a_record(tiny_run):
    assert list(tiny_run.records) == STAGES
    for name in STAGES:
        record = json.loads((tiny_run.run / name / "stage.json").read_text())
        assert record["name"] == name
        assert record["outputs"] == tiny_run.records[name].outputs
    assert "Demo" in (tiny_run.run / "report" / "report.html").read_text()


def test_stages_depend_on_the_content_of_earlier_ones(tiny_run):
    def inputs(name):
        return json.loads((tiny_run.run / name / "stage.json").read_text())["inputs"]

    records = tiny_run.records
    assert inputs("teacher-1") == {"features": records["features"].content}
    assert inputs("grid") == {
        name: records[name].content for name in ("features", "teacher-0", "teacher-1")
    }
    assert inputs("student") == {
        "faces": records["faces-train"].content,
        "valid": SyntheticFaces(64, 40).load("valid").sha256,
        "grid": records["grid"].outputs["grid.npz"],
    }
    assert inputs("evaluate-valid")["student"] == records["student"].outputs["last.ckpt"]


def test_a_moved_run_is_still_done(copied, tiny_run):
    assert again(copied, tiny_run.store) == []


def test_a_change_of_the_student_leaves_the_grid_alone(copied, tiny_run):
    settings = tiny_settings()
    args = [*settings.student.args, "--model.loss.proto.weight=0.5"]
    settings = replace(settings, student=replace(settings.student, args=args))
    assert again(copied, tiny_run.store, settings) == ["student", "evaluate-valid", "report"]


def test_an_altered_grid_is_made_again_and_nothing_after_it(copied, tiny_run):
    """The same grid comes out, so what depends on it still holds."""
    path = copied / "grid" / "grid.npz"
    before = grid_sha256(path)
    with np.load(path) as stored:
        arrays = {name: stored[name] for name in stored.files}
    write_npz(path, arrays | {"counts": arrays["counts"] + 1})
    assert again(copied, tiny_run.store) == ["grid"]
    assert grid_sha256(path) == before


def test_the_student_is_pinned_to_the_grid(tiny_run):
    config = (tiny_run.run / "student" / "config.yaml").read_text()
    assert PrototypeGrid.load(tiny_run.run / "grid" / "grid.npz").sha256 in config


def test_faithful_trains_one_teacher(tiny_run, monkeypatch):
    settings = tiny_settings()
    chosen = replace(settings.consolidate, mode="faithful", fold=1)
    pipeline = Pipeline(replace(settings, consolidate=chosen), tiny_run.run, tiny_run.store)
    rated = look_ahead(settings, tiny_run.run, tiny_run.store).data[TEACHER]
    trained = []
    monkeypatch.setattr(pipeline, "_fit", lambda name, *_: trained.append(name))
    monkeypatch.setattr(
        pipeline, "features", lambda name, *_, **__: replace(tiny_run.records[name], name=name)
    )
    assert [p.parent.name for p in pipeline.teachers(rated)] == trained == ["teacher-1"]


def teachers_of(settings, root, store):
    """Names and inputs of the teachers of a pipeline that trains none, and its split."""
    pipeline, asked = Pipeline(settings, root, store), {}
    pipeline._fit = lambda name, _args, inputs, _weights: asked.setdefault(name, inputs)
    pipeline.teachers(look_ahead(settings, root, store).data[TEACHER])
    return asked, Split.load(root / "features" / "split.json")


def test_the_split_of_a_file_is_that_of_the_run(tiny_run, tmp_path):
    """Its folds are counted, and teachers depend on what the file says, wherever it lies."""
    settings, file = tiny_settings(), tmp_path / "own.json"
    args = [*settings.teacher.args, f"--data.split_file={file}"]
    settings = replace(settings, teacher=replace(settings.teacher, args=args))
    data = look_ahead(tiny_settings(), tmp_path / "run", tiny_run.store).data[TEACHER]
    data.setup()
    plans = [make_split(data.table, SplitSettings(n_folds=n, seed=3)) for n in (4, 3)]
    found = []
    for plan in plans:
        plan.save(file)
        asked, split = teachers_of(settings, tmp_path / "run", tiny_run.store)
        assert split == plan
        assert list(asked) == [f"teacher-{fold}" for fold in range(plan.n_folds)]
        found.append(asked["teacher-0"])
    assert found[0] != found[1]
