"""A pipeline that cannot end does not begin: one line, before the first stage."""

from dataclasses import replace

import numpy as np
import pytest
import yaml

from neurogaze.affect import EMOTIONS
from neurogaze.artefacts import arrays_hash, canonical, write_npz
from neurogaze.endings import input_error
from neurogaze.errors import InputError
from neurogaze.faces.corpora.synthetic import SyntheticFaces
from neurogaze.pipeline.ensemble import load_ensemble
from neurogaze.pipeline.looking_ahead import look_ahead, parsed
from neurogaze.pipeline.run import Pipeline
from neurogaze.pipeline.settings import EvaluationSettings
from neurogaze.tasks.pins import LogitsPin
from tests.fixtures.faces import write_ferplus
from tests.pipeline.test_folded import CORPUS
from tests.pipeline.tiny import EXPERIMENTS, tiny_settings

DATA, ABLATIONS = EXPERIMENTS / "data", EXPERIMENTS / "ablations"
KD = {"kd": [str(ABLATIONS / "kd.yaml")]}


def looked(tmp_path, settings):
    return look_ahead(settings, tmp_path / "run", tmp_path / "store")


def refused(tmp_path, *words, **changes):
    """The settings are refused in one line with these words, and no stage was begun."""
    pipeline = Pipeline(replace(tiny_settings(), **changes), tmp_path / "run", tmp_path / "store")
    with pytest.raises(ValueError, match=r".") as caught:
        pipeline.run()
    text = str(input_error(caught.value))  # as the command line tells it
    assert all(word in text for word in words), text
    assert len(text.splitlines()) == 1
    assert not pipeline.stages.records
    assert not (tmp_path / "run").exists()


def test_a_good_one_says_what_its_students_take(tmp_path):
    arms = {"ce": [str(ABLATIONS / "ce.yaml")], "whole": []}
    needs = looked(tmp_path, replace(tiny_settings(), arms=arms)).needs
    assert {name: (n.grid, n.logits) for name, n in needs.items()} == {
        "ce": (False, False),
        "whole": (True, False),
    }


def test_an_arm_file_that_is_not_there(tmp_path):
    refused(tmp_path, "gone.yaml", "arms.B1", arms={"B1": [str(tmp_path / "gone.yaml")]})


def test_an_arm_file_that_says_something_else(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text("model: {init_args: {loss: {prot: null}}}\n")
    refused(tmp_path, "student-B1", "prot", arms={"B1": [str(path)]})


def test_a_data_set_that_nobody_knows(tmp_path):
    part = EvaluationSettings(str(tmp_path / "mars.yaml"))
    refused(tmp_path, "mars.yaml", "evaluate.mars", evaluate={"mars": part})
    (tmp_path / "mars.yaml").write_text("class_path: Martians\n")
    refused(tmp_path, "evaluate.mars", "Martians", evaluate={"mars": part})


def test_a_data_set_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.delenv("NEUROGAZE_CKPLUS48", raising=False)
    part = EvaluationSettings(str(DATA / "ckplus48.yaml"))
    refused(tmp_path, "NEUROGAZE_CKPLUS48", evaluate={"ck": part})
    monkeypatch.delenv("NEUROGAZE_MAHNOB", raising=False)
    refused(tmp_path, "NEUROGAZE_MAHNOB", support=[str(DATA / "mahnob.yaml")])


def test_another_number_of_images(tmp_path):
    refused(tmp_path, "has 64 images", "not 25060", expected_train=25060)
    part = replace(tiny_settings().evaluate["valid"], expected=3199)
    refused(tmp_path, "has 40 images", "not 3199", evaluate={"valid": part})


def test_pictures_that_its_students_will_learn_from(tmp_path):
    """An official split judges no student in folds; the fold that it is kept from does."""
    (tmp_path / "folds.yaml").write_text(CORPUS)
    settings, folds = tiny_settings(), str(tmp_path / "folds.yaml")
    flags = [arg for arg in settings.student.args if not arg.startswith("--data")]
    student = replace(settings.student, data=folds, args=flags)
    official = {"faces": replace(settings.evaluate["valid"], expected=None)}
    changes = {"student": student, "expected_train": None}
    said = "holds pictures that the student learned from", "but fold 0"
    refused(tmp_path, *said, evaluate=official, **changes)
    looked(tmp_path, replace(settings, evaluate={"faces": EvaluationSettings(folds)}, **changes))


def test_a_way_of_looking_that_there_is_not(tmp_path):
    part = tiny_settings().evaluate["valid"]
    student = tiny_settings().student
    large = replace(student, args=[*student.args, "--data.preprocessing.size=48"])
    ten = {"valid": replace(part, crops="ten")}
    refused(tmp_path, "48 x 48 for an input of 48", student=large, evaluate=ten)
    looked(tmp_path, replace(tiny_settings(), evaluate=ten))


def test_an_epoch_that_is_not_kept(tmp_path):
    refused(tmp_path, "keep: best", "filename", keep="best")


def test_logit_kd_without_logits(tmp_path):
    refused(tmp_path, "(kd)", "face_teacher", arms=KD)


def stored_logits(path, ids):
    arrays = {
        "ids": ids,
        "logits": np.zeros((len(ids), 8), np.float16),
        "labels": np.array(EMOTIONS),
        "dataset": np.array("synthetic_faces"),
    }
    write_npz(path, arrays)
    return LogitsPin(str(path), arrays_hash(arrays))


def test_stored_logits_must_know_every_training_image(tmp_path):
    ids = SyntheticFaces(64, 40).load("train").ids
    whole = stored_logits(tmp_path / "whole.npz", ids)
    found = looked(tmp_path, replace(tiny_settings(), arms=KD, face_teacher=whole))
    assert found.needs["kd"].logits
    part = stored_logits(tmp_path / "part.npz", ids[1:])
    refused(tmp_path, "part.npz", "no logits for 1 images", arms=KD, face_teacher=part)
    other = replace(whole, sha256=part.sha256)
    refused(tmp_path, "whole.npz", "content hash", arms=KD, face_teacher=other)


def test_an_ensemble_of_other_faces(tmp_path, monkeypatch):
    monkeypatch.setenv("NEUROGAZE_FERPLUS", str(write_ferplus(tmp_path / "fer", 96, 48).root))
    monkeypatch.delenv("NEUROGAZE_FERPLUS_VOTES", raising=False)
    ensemble = load_ensemble(EXPERIMENTS / "ensembles" / "ferplus_cpu.yaml")
    base = replace(ensemble.base, args=[*ensemble.base.args, "--data.batch_size=16"])
    file = tmp_path / "ensemble.yaml"
    for expected, words in ((28_559, ("has 99 pictures, not 28559",)), (None, ("64 images",))):
        file.write_text(
            yaml.safe_dump(canonical(replace(ensemble, base=base, expected_train=expected)))
        )
        refused(tmp_path, "ferplus", *words, arms=KD, face_teacher=str(file))


FACES, EEG = (str(DATA / f"synthetic_{name}.yaml") for name in ("faces", "eeg"))


def test_data_of_another_kind(tmp_path):
    """Told before any teacher is trained, wherever they stand."""
    base = tiny_settings()
    teacher, student = replace(base.teacher, args=[]), replace(base.student, args=[])
    faces, eeg = "is a FaceDataModule", "is an EEGDataModule"
    refused(tmp_path, "teacher.data", FACES, faces, teacher=replace(teacher, data=FACES))
    refused(tmp_path, "support", FACES, faces, support=[FACES])
    refused(tmp_path, "student.data", EEG, eeg, student=replace(student, data=EEG))
    part = EvaluationSettings(EEG)
    refused(tmp_path, "evaluate.mars", EEG, eeg, evaluate={"mars": part})


def test_a_task_of_another_kind(tmp_path):
    base = tiny_settings()
    teacher, student = replace(base.teacher, args=[]), replace(base.student, args=[])
    refused(tmp_path, "teacher: is a StudentTask", teacher=student)
    refused(tmp_path, "student: is a TeacherTask", student=teacher)


def test_an_unknown_flag_is_named_and_not_the_usage_before_it():
    with pytest.raises(InputError, match=r"arguments: --trainer\.max_epochss=1\)") as told:
        parsed("first point", ["--trainer.max_epochss=1"])
    assert "usage" not in str(told.value)
