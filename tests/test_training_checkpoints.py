"""A checkpoint is what it is called: the last epoch, or the best one of a score."""

import json

import pytest
import yaml

from neurogaze import training
from neurogaze.callbacks import refuse_overwritten
from neurogaze.errors import InputError
from tests.pipeline.tiny import EXPERIMENTS

PLAIN_STUDENT = [
    *("--config", str(EXPERIMENTS / "student.yaml")),
    *("--data", str(EXPERIMENTS / "data" / "synthetic_faces.yaml")),
    "--model.student.backbone=test_resnet",
]
SCORE = "--checkpoint.monitor=val/macro_f1_8way"
KEPT = ["--checkpoint.filename=best", "--checkpoint.save_last=true"]


@pytest.mark.parametrize("flags", [[SCORE], [SCORE, "--checkpoint.mode=max"]])
@pytest.mark.parametrize("by", ["command", "name", "look"])
def test_the_best_epoch_is_not_saved_as_the_last(tmp_path, flags, by):
    """Who resumes or judges `last.ckpt` would take one epoch for another; nothing is trained."""
    args = [*PLAIN_STUDENT, *flags, f"--out={tmp_path}"]
    run = {
        "command": lambda: training.build_cli(["fit", *args], run=True),
        "name": lambda: training.fit(args),
        "look": lambda: training.build_cli(args, run=False),
    }
    with pytest.raises(InputError, match=r"checkpoint\.monitor: is .*filename is last") as told:
        run[by]()
    assert "filename to best and checkpoint.save_last to true" in told.value.remedy
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "score",
    [
        *("val/macro_f1_8way", "val/accuracy", "val/accuracy_best", "val/balanced_accuracy_trial"),
        *("val/ccc", "val/ccc_arousal", "val/explained"),
    ],
)
def test_the_worst_epoch_is_not_kept_as_the_best(score):
    """Lightning takes the lowest value unless told otherwise."""
    args = [*PLAIN_STUDENT, *KEPT, f"--checkpoint.monitor={score}"]
    with pytest.raises(InputError, match=rf"checkpoint\.mode: is min, and {score} .*to max"):
        training.build_cli(args, run=False)


def test_a_training_does_not_stop_because_its_score_rises():
    watch = {"class_path": "EarlyStopping", "init_args": {"monitor": "val/accuracy"}}
    flag = f"--trainer.callbacks+={json.dumps(watch)}"
    with pytest.raises(InputError, match=r"EarlyStopping\.mode: is min, and val/accuracy .*to max"):
        training.build_cli([*PLAIN_STUDENT, flag], run=False)
    with pytest.raises(InputError, match=r"EarlyStopping\.mode"):
        training.build_cli(["fit", *PLAIN_STUDENT, flag], run=True)
    watch["init_args"]["mode"] = "max"
    flag = f"--trainer.callbacks+={json.dumps(watch)}"
    assert training.build_cli([*PLAIN_STUDENT, flag], run=False).trainer


@pytest.mark.parametrize("flags", [[], [SCORE, "--checkpoint.mode=max"], ["--checkpoint.mode=max"]])
def test_checkpoints_that_are_what_they_are_called(flags):
    kept = KEPT if SCORE in flags else []
    assert training.build_cli([*PLAIN_STUDENT, *kept, *flags], run=False).trainer
    loss = ["--checkpoint.monitor=train/loss", *KEPT]
    assert training.build_cli([*PLAIN_STUDENT, *loss], run=False).trainer


def test_the_checkpoints_of_every_experiment_are_what_they_are_called():
    found = [yaml.safe_load(path.read_text()) for path in sorted(EXPERIMENTS.rglob("*.yaml"))]
    kept = [part["checkpoint"] for part in found if isinstance(part, dict) and "checkpoint" in part]
    assert len(kept) >= 3
    for part in kept:
        refuse_overwritten(part.get("monitor"), part["filename"], part.get("mode", "min"))


def test_a_judged_training_may_have_been_kept_in_any_way(monkeypatch):
    """Only what trains is refused: an old configuration can still be validated."""
    monkeypatch.setattr(training.NeurogazeCLI, "_run_subcommand", lambda *_: None)
    watch = {"class_path": "EarlyStopping", "init_args": {"monitor": "val/accuracy"}}
    for flag in (SCORE, f"--trainer.callbacks+={json.dumps(watch)}"):
        assert training.build_cli(["validate", *PLAIN_STUDENT, flag], run=True).trainer


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"monitor": "val/accuracy", "filename": "best"}, r"checkpoint\.mode: is min, and val/acc"),
        ({"monitor": "val/accuracy", "filename": "last", "mode": "max"}, r"filename is last"),
    ],
)
def test_a_second_checkpoint_is_what_it_is_called_too(asked, said):
    second = {"class_path": "ModelCheckpoint", "init_args": asked}
    flag = f"--trainer.callbacks+={json.dumps(second)}"
    with pytest.raises(InputError, match=said):
        training.build_cli([*PLAIN_STUDENT, flag], run=False)
