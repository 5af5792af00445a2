"""Plans of figures: one for each part, with names that are files."""

from dataclasses import replace
from typing import Any

import numpy as np

from neurogaze.evaluation.contrast_file import ContrastFile
from neurogaze.prototypes.stability import Stability
from neurogaze.report import gallery
from neurogaze.report.inputs import discover
from tests.report.test_contrast_tables import PRIMARY


def test_every_part_has_its_figure(run_folder):
    plans = list(gallery.plans(discover(run_folder)))
    names = [plan.name for plan in plans]
    assert len(set(names)) == len(names)
    assert set(names) == {
        "va-grid-synthetic",
        "grid-grid",
        "atlas-grid",
        "cells-grid",
        "saliency-grid",
        "attention-grid",
        "topomaps-grid",
        "confusion-evaluate-other-synthetic-faces-other",
        "confusion-evaluate-valid-synthetic-faces-valid",
        "reliability-evaluate-other-synthetic-faces-other",
        "reliability-evaluate-valid-synthetic-faces-valid",
        "risk-coverage-evaluate-other-synthetic-faces-other",
        "risk-coverage-evaluate-valid-synthetic-faces-valid",
        "embedding-evaluate-other",
        "embedding-evaluate-valid",
        "learning-student",
    }


def test_captions_say_perceived_expression_and_name_the_grid(run_folder):
    inputs = discover(run_folder)
    captions = {plan.name: plan.caption for plan in gallery.plans(inputs)}
    assert "perceived expression" in captions["confusion-evaluate-valid-synthetic-faces-valid"]
    assert inputs.grids["grid"].sha256 in captions["grid-grid"]


def test_pictures_of_another_grid_are_not_planned(run_folder):
    """A record of 9 cells says nothing of a grid of 25, and a teacher may lack attention."""
    inputs = discover(run_folder)
    other = replace(inputs.stability["grid"], cells=Stability(*np.zeros((3, 9))))
    alone = replace(inputs.explained["grid"], cell_features=np.zeros((9, 14, 4)), attention=None)
    changed = replace(inputs, stability={"grid": other}, explained={"grid": alone})
    names = {plan.name for plan in gallery.plans(changed)}
    assert {"grid-grid", "saliency-grid"} <= names
    assert not {"atlas-grid", "cells-grid", "attention-grid"} & names


def test_nothing_planned_for_nothing(tmp_path):
    assert list(gallery.plans(discover(tmp_path))) == []


def test_a_classifier_has_no_picture_of_predicted_ratings(run_folder):
    inputs = discover(run_folder)
    (place, frame), *_ = inputs.eeg.items()
    decided = frame.assign(valence_pred=np.nan, arousal_pred=np.nan)
    names = {plan.name for plan in gallery.plans(replace(inputs, eeg={place: decided}))}
    assert not any(name.startswith("va-") for name in names)


def test_names_that_become_one_file_name_are_numbered(run_folder):
    inputs = discover(run_folder)
    (log,) = inputs.logs.values()
    places = ("ce+proto", "ce_proto", "анна", "борис", "ce-proto-2")
    parts = ("grids", "eeg", "topomaps", "explained", "faces", "embeddings")
    none: dict[str, Any] = {part: {} for part in parts}
    logs = dict.fromkeys(places, log)
    assert [plan.name for plan in gallery.plans(replace(inputs, **none, logs=logs))] == [
        "learning-ce-proto",
        "learning-ce-proto-2",
        "learning",
        "learning-2",
        "learning-ce-proto-2-2",
    ]


def test_a_caption_of_contrasts_says_over_what_the_interval_is(tmp_path):
    own = replace(PRIMARY, split="valid, other faces each seed")
    files = {name: ContrastFile((), (c,)) for name, c in (("crossed", PRIMARY), ("own", own))}
    plans = gallery.plans(replace(discover(tmp_path), contrasts=files))
    captions = [plan.caption for plan in plans]
    assert "the crossed bootstrap over seeds and units" in captions[0]
    assert "a bootstrap over seeds, each of which has faces of its own" in captions[1]
    assert "crossed" not in captions[1]
