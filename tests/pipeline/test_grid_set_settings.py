"""Files of sets of grids: the order of what they ask for, and what is refused at once."""

from dataclasses import replace

import pytest

from neurogaze.errors import InputError
from neurogaze.pipeline.grid_set_settings import load_grid_set
from tests.pipeline.tiny import EXPERIMENTS

PLACE = EXPERIMENTS / "grids"


def settings(**changes):
    return replace(load_grid_set(PLACE / "synthetic.yaml"), **changes)


def test_grids_of_the_eeg_come_first_whatever_the_file_begins_with():
    asked = {"rawde": [1], "null": [0], "eeg": [1, 0, 1]}
    found = settings(seeds=asked).grids
    assert found == [("eeg", 1), ("eeg", 0), ("null", 0), ("rawde", 1)]


def test_the_set_of_dasps_has_ten_of_the_eeg_and_trains_as_its_bench():
    dasps = load_grid_set(PLACE / "dasps.yaml")
    assert dasps.seeds["eeg"] == list(range(10))
    assert all((PLACE / path).exists() for path in (*dasps.teacher.config, dasps.teacher.data))
    assert "--trainer.max_epochs=8" in dasps.teacher.args


@pytest.mark.parametrize(
    ("seeds", "message"),
    [
        ({"null": [0]}, "name no eeg grid"),
        ({"eeg": []}, "name no eeg grid"),
        ({"eeg": [0], "rawde": [0, 3]}, r"rawde \[3\] would be placed"),
        ({"eeg": [0], "subject": [1]}, r"subject \[1\] would be placed"),
    ],
)
def test_what_cannot_be_made_is_refused_before_anything_is(seeds, message):
    with pytest.raises(InputError, match=message):
        settings(seeds=seeds)


def test_one_teacher_for_everybody_is_refused():
    with pytest.raises(InputError, match=r"'faithful'.*use crossfit"):
        settings(consolidate=replace(settings().consolidate, mode="faithful"))


def test_an_unknown_kind_is_refused(tmp_path):
    text = (PLACE / "synthetic.yaml").read_text().replace("rawde: [0]", "oracle: [0]")
    (tmp_path / "x.yaml").write_text(text)
    with pytest.raises(InputError, match="oracle"):
        load_grid_set(tmp_path / "x.yaml")
