"""Arms of a pipeline: their names, what they take, which epoch of them is judged."""

from dataclasses import replace

import pytest

from neurogaze import training
from neurogaze.errors import InputError
from neurogaze.pipeline.students import (
    Needs,
    checkpoints,
    kept_note,
    needs_of,
    pins,
    refuse_unkept,
    refuse_unsupplied,
    student_arms,
)
from neurogaze.tasks.pins import GridPin, LogitsPin
from tests.pipeline.tiny import EXPERIMENTS, tiny_settings

ABLATIONS = EXPERIMENTS / "ablations"


def arms(**files):
    named = {arm: [str(ABLATIONS / f"{f}.yaml") for f in given] for arm, given in files.items()}
    return student_arms(replace(tiny_settings(), arms=named))


def test_one_student_keeps_its_names():
    (only,) = student_arms(tiny_settings())
    assert (only.name, only.stage, only.evaluation("valid")) == (
        *("student", "student"),
        "evaluate-valid",
    )
    assert only.fit == tiny_settings().student


def test_arms_have_stages_of_their_own():
    first, second = arms(B0=["ce"], B1=["ce", "kd"])
    assert (first.name, first.stage) == ("B0", "student-B0")
    assert second.evaluation("ckplus") == "evaluate-B1-ckplus"
    base = tiny_settings().student
    assert second.fit.config == [
        *base.config,
        *(str(ABLATIONS / f"{f}.yaml") for f in ("ce", "kd")),
    ]
    assert (second.fit.data, second.fit.args) == (base.data, base.args)


def test_needs_follow_the_terms():
    found = {}
    for arm in arms(ce=["ce"], kd=["ce", "kd"], proto=["no_geo"], full=["kd"]):
        found[arm.name] = needs_of(training.build_cli(arm.fit.arguments(), run=False).model)
    assert found == {
        "ce": Needs(grid=False, logits=False),
        "kd": Needs(grid=False, logits=True),
        "proto": Needs(grid=True, logits=False),
        "full": Needs(grid=True, logits=True),
    }


def test_a_term_of_weight_0_and_logits_pinned_already_take_nothing():
    (arm,) = arms(full=["kd"])
    more = ["--model.loss.proto.weight=0", *pins(None, LogitsPin("l.npz", "ab"))]
    task = training.build_cli([*arm.fit.arguments(), *more], run=False).model
    assert needs_of(task) == Needs(grid=False, logits=False)


def test_pins_are_what_the_command_line_reads():
    (arm,) = arms(full=["kd"])
    given = GridPin("a b/grid.npz", "cd"), LogitsPin("l.npz", "ab")
    task = training.build_cli([*arm.fit.arguments(), *pins(*given)], run=False).model
    assert (task.grid_pin, task.logits_pin) == given
    assert pins(None, None) == []


LAST = {"filename": "last", "monitor": None, "save_last": None}
BEST = {"filename": "best", "monitor": "val/macro_f1_8way", "save_last": True}


def test_what_a_training_leaves():
    assert checkpoints({"checkpoint": LAST}) == ["last.ckpt"]
    assert checkpoints({"checkpoint": BEST}) == ["last.ckpt", "best.ckpt"]


def test_a_score_is_monitored_but_the_last_epoch_not_kept():
    """A parsed configuration is without what is null, whichever key that is."""
    (only,) = student_arms(tiny_settings())
    flags = ["--checkpoint.monitor=val/macro_f1_8way", "--checkpoint.filename=best"]
    config = training.parse_fit([*only.fit.arguments(), *flags, "--checkpoint.save_last=null"])
    assert "monitor" in config["checkpoint"]
    assert "save_last" not in config["checkpoint"]
    assert checkpoints(config) == ["last.ckpt"]
    with pytest.raises(InputError, match="'save_last': None"):
        refuse_unkept("best", "student", config)


@pytest.mark.parametrize("change", [{"filename": "top"}, {"monitor": None}, {"save_last": False}])
def test_an_epoch_that_nobody_keeps_is_not_judged(change):
    refuse_unkept("last", "student", {"checkpoint": LAST})
    refuse_unkept("best", "student", {"checkpoint": BEST})
    with pytest.raises(InputError, match="keep: best, student-B0"):
        refuse_unkept("best", "student-B0", {"checkpoint": BEST | change})


def test_rows_say_where_an_epoch_was_chosen():
    assert kept_note("last", {"held_out": {"n_folds": 10}}) == ""
    assert kept_note("best", {"held_out": {"n_folds": 10}}).endswith("the dev slice")
    assert kept_note("best", {"held_out": None}).endswith("the official validation split")


def test_a_term_without_logits_is_refused():
    needs = {"B0": Needs(True, False), "B1": Needs(False, True)}
    refuse_unsupplied(needs, "ensemble.yaml")
    refuse_unsupplied({"B0": needs["B0"]}, None)
    with pytest.raises(InputError, match=r"\(B1\)"):
        refuse_unsupplied(needs, None)
