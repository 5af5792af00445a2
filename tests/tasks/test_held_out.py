"""Weights are never tested on those they know, whatever route the knowledge took."""

from types import SimpleNamespace

import pytest

from neurogaze.artefacts import canonical
from neurogaze.eeg.recordings import EPOC
from neurogaze.eeg.targets import ClassTarget
from neurogaze.errors import InputError
from neurogaze.models.rbtransformer import RBTransformer
from neurogaze.models.teacher import Teacher
from neurogaze.tasks.classifier import ClassifierTask
from neurogaze.tasks.held_out import (
    checkpoint_record,
    refuse_known,
    refuse_other_features,
    refuse_warmed_on,
)
from neurogaze.tasks.pretraining import PretrainingTask
from neurogaze.tasks.teacher import TeacherTask

OWN = {
    "corpus": "a", "people": "a", "unit": "subject", "protocol": "loso", "fold": 0,
    "train_units": ["P1"], "stop_units": ["P2"], "test_units": ["P3"],
    "settings_hash": "x", "features": {"window": 4},
}  # fmt: skip


def test_its_own_test_fold_and_other_people_are_allowed():
    refuse_known(OWN, OWN)
    refuse_known({}, OWN)
    refuse_known(OWN, OWN | {"corpus": "b", "people": "b", "test_units": ["P1"]})


def test_another_corpus_of_the_same_people_is_no_way_round():
    with pytest.raises(InputError, match=r"knows \['P1'\]"):
        refuse_known(OWN, OWN | {"corpus": "a, raw", "test_units": ["P1"]})


def test_weights_that_know_events_are_not_tested_on_people():
    own = OWN | {"unit": "event", "protocol": "trial", "train_units": ["P1/c1"]}
    with pytest.raises(InputError, match=r"trained under trial .it knows events., not loso"):
        refuse_known(own, OWN | {"test_units": ["P1"]})


@pytest.mark.parametrize("unit", ["P1", "P2"])
def test_people_learned_from_or_stopped_on_are_refused(unit):
    with pytest.raises(InputError, match=rf"knows \['{unit}'\] of test fold 4"):
        refuse_known(OWN, OWN | {"fold": 4, "test_units": ["P3", unit]})


def test_a_known_clip_is_refused_even_of_somebody_new():
    own = OWN | {"train_clips": ["c1"], "stop_clips": ["c2"], "test_clips": ["c3"]}
    refuse_known(own, own)
    asked = own | {"train_clips": ["c3"], "test_clips": ["c1"]}
    with pytest.raises(InputError, match=r"knows \['c1'\]"):
        refuse_known(own, asked)


def test_other_features_are_refused():
    refuse_other_features(OWN, OWN)
    refuse_other_features({}, OWN)
    with pytest.raises(InputError, match=r"'window': 2.*trained with.*'window': 4"):
        refuse_other_features(OWN, OWN | {"settings_hash": "y", "features": {"window": 2}})


def test_a_warm_up_on_other_people_is_allowed():
    refuse_warmed_on(OWN | {"people": "b"}, OWN | {"test_units": ["P1"]})
    refuse_warmed_on(OWN, OWN | {"corpus": "a, raw"})


@pytest.mark.parametrize("unit", ["subject", "subject x clip"])
def test_a_warm_up_on_people_of_the_test_fold_is_refused(unit):
    asked = OWN | {"corpus": "a, raw", "unit": unit, "test_units": ["P3", "P2"]}
    with pytest.raises(InputError, match=r"warmed up on \['P2'\] of test fold 0.*exclude"):
        refuse_warmed_on(OWN, asked)


@pytest.mark.parametrize(("unit", "protocol"), [("event", "trial"), ("window", "window")])
def test_a_warm_up_on_the_same_people_fits_no_protocol_within_people(unit, protocol):
    asked = OWN | {"unit": unit, "protocol": protocol, "test_units": ["P1-c1"]}
    with pytest.raises(InputError, match=f"protocol {protocol} holds nobody out"):
        refuse_warmed_on(OWN, asked)


@pytest.mark.parametrize("unit", ["P1", "P2"])
def test_people_of_the_warm_up_are_not_tested_either(unit):
    """Trained on other people since, the weights still know those that they started from."""
    own = OWN | {"corpus": "b", "people": "b", "init_from": {"sha256": "x", **OWN}}
    refuse_known(own, OWN)
    with pytest.raises(InputError, match=rf"checkpoint: started from .* on \['{unit}'\] of test"):
        refuse_known(own, OWN | {"corpus": "a, raw", "test_units": ["P3", unit]})


def task_of(kind):
    teacher = Teacher(branches="electrodes")
    if kind == "classifier":
        return ClassifierTask(RBTransformer(14, 2), ClassTarget("valence"))
    return {"teacher": TeacherTask, "pretrained": PretrainingTask}[kind](teacher)


def record_of(task, kind, provenance):
    record = checkpoint_record(kind, EPOC, "old settings", provenance)
    return {"neurogaze": record | {"target": canonical(getattr(task, "target", None))}}


@pytest.mark.parametrize("kind", ["teacher", "pretrained", "classifier"])
@pytest.mark.parametrize("fn", [None, "fit", "validate", "test"])
def test_only_a_training_that_goes_on_keeps_what_its_data_say(kind, fn):
    """Whoever judges a checkpoint asks it; whoever trains on goes on with the same people."""
    task = task_of(kind)
    task._trainer = fn and SimpleNamespace(state=SimpleNamespace(fn=fn))
    task.provenance, task.config_hash = dict(OWN), "new settings"
    task.on_load_checkpoint(record_of(task, kind, OWN | {"test_units": ("P3",)}))
    assert task.config_hash == ("new settings" if fn == "fit" else "old settings")
    other = record_of(task, kind, OWN | {"fold": 1, "test_units": ["P1"]})
    if fn == "fit":
        with pytest.raises(InputError, match="other data: fold, test_units differ"):
            task.on_load_checkpoint(other)
    else:
        task.on_load_checkpoint(other)
        assert task.provenance["fold"] == 1
