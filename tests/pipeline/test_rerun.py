"""A second run skips everything; a changed setting reruns what depends on it, and nothing else."""

import shutil
from dataclasses import replace

import pytest

from neurogaze.eeg.splits import Split
from tests.pipeline.tiny import FACES, run_tiny, tiny_settings

TEACHERS = {"teacher-0", "teacher-1"}
FACE_SIDE = {"student", "evaluate-valid", "report"}


@pytest.fixture
def done(tiny_run):
    return tiny_run.run.parent


def ran(done, tmp_path, settings):
    """Names of the stages that a run under other settings carries out, on a copy."""
    folder = tmp_path / "copy"
    shutil.copytree(done, folder)
    pipeline = run_tiny(folder, settings)
    return {name for name, record in pipeline.stages.records.items() if not record.skipped}


def with_teacher(*args):
    settings = tiny_settings()
    return replace(
        settings, teacher=replace(settings.teacher, args=[*settings.teacher.args, *args])
    )


def with_student(*args):
    settings = tiny_settings()
    return replace(
        settings, student=replace(settings.student, args=[*settings.student.args, *args])
    )


def test_a_second_run_skips_everything(done, tmp_path):
    assert ran(done, tmp_path, tiny_settings()) == set()


def test_a_loss_weight_reruns_the_student_and_what_follows(done, tmp_path):
    changed = with_student("--model.loss.geo.weight=0.02")
    assert ran(done, tmp_path, changed) == FACE_SIDE


def test_eeg_preprocessing_reruns_all_but_the_faces(done, tmp_path):
    changed = with_teacher("--data.features.preprocessing.reference=none")
    assert ran(done, tmp_path, changed) == {"features", "grid", *TEACHERS, *FACE_SIDE}


def test_another_split_reruns_all_but_the_faces(done, tmp_path):
    changed = with_teacher("--data.split.seed=1")
    assert ran(done, tmp_path, changed) == {"features", "grid", *TEACHERS, *FACE_SIDE}
    split = Split.load(tmp_path / "copy" / "run" / "features" / "split.json")
    assert (split.seed, split.n_folds) == (1, 2)


def test_face_preprocessing_reruns_the_student_and_what_follows(done, tmp_path):
    assert ran(done, tmp_path, with_student("--data.preprocessing.size=40")) == FACE_SIDE


def test_another_grid_size_reruns_the_grid_and_what_follows(done, tmp_path):
    settings = tiny_settings()
    changed = replace(settings, consolidate=replace(settings.consolidate, size=3))
    assert ran(done, tmp_path, changed) == {"grid", *FACE_SIDE}


def test_other_test_faces_rerun_only_their_judgement(done, tmp_path):
    settings = tiny_settings()
    other = replace(settings.evaluate["valid"], args=[*FACES, "--data.corpus.seed=5"])
    changed = replace(settings, evaluate={"valid": other})
    assert ran(done, tmp_path, changed) == {"faces-valid", "evaluate-valid", "report"}


def test_another_title_rewrites_only_the_report(done, tmp_path):
    assert ran(done, tmp_path, tiny_settings(title="Another")) == {"report"}
