"""What a checkpoint says of a student comes back as it was, or the checkpoint is refused."""

import pytest
import torch

from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError
from neurogaze.faces.corpora.synthetic import SyntheticFaces
from neurogaze.tasks.student_record import (
    StudentRecord,
    grid_entries,
    read_record,
    record_entries,
    trained_on_drawings,
)
from tests.prototypes.examples import example_grid

RECORD = StudentRecord(
    (3, 9), "abc", {"preprocessing": {"size": 44}}, torch.ones(2, 16, dtype=torch.uint8)
)


def test_what_is_written_is_read():
    found = read_record({"state_dict": {}} | record_entries(RECORD))
    assert found[:3] == RECORD[:3]
    assert torch.equal(found.warmed_on, RECORD.warmed_on)


def test_the_names_that_others_read():
    entries = record_entries(RECORD)
    assert set(entries) == {"neurogaze", "neurogaze_warmed_on"}
    said = entries["neurogaze"]
    assert (said["kind"], said["labels"], said["epochs"]) == ("student", list(EMOTIONS), [3, 9])


def test_an_older_checkpoint_knows_less():
    """Before there were warm-ups, and hashes of configurations."""
    entries = record_entries(RECORD)
    del entries["neurogaze_warmed_on"], entries["neurogaze"]["config_hash"]
    found = read_record(entries)
    assert (found.config_hash, tuple(found.warmed_on.shape)) == ("", (0, 16))
    assert found.provenance == RECORD.provenance


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"kind": "teacher"}, "holds 'teacher', not a student"),
        ({"labels": list(EMOTIONS[::-1])}, "has the class order"),
        ({"provenance": {}}, "how images were prepared"),
    ],
)
def test_what_is_no_student_of_ours_is_refused(changes, match):
    entries = record_entries(RECORD)
    with pytest.raises(InputError, match=match):
        read_record({"neurogaze": entries["neurogaze"] | changes})


def test_a_checkpoint_of_something_else_is_refused():
    with pytest.raises(InputError, match="holds None"):
        read_record({"state_dict": {}})


GRID = example_grid(size=3, dim=8)


def with_grid(rows=GRID.prototypes, places=GRID.centers, **changes):
    """A checkpoint with a grid, as it was trained or changed."""
    said = RECORD.provenance | grid_entries(GRID) | changes
    known = {name: value for name, value in said.items() if value is not None}
    state = {"prototypes": torch.tensor(rows), "centers": torch.tensor(places).float()}
    return {"state_dict": state} | record_entries(RECORD._replace(provenance=known))


def test_a_grid_is_held_on_to():
    found = read_record(with_grid()).provenance
    assert found["grid_sha256"] == GRID.sha256
    assert found["grid"] == GRID.provenance


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"grid_sha256": "f" * 64}, "does not fit its seal: hash .ffff"),
        ({"grid_sha256": None}, "does not fit its seal"),
        ({"grid": {"corpus": "another"}}, "does not fit its seal"),
        ({"grid_seal": None}, "does not fit its seal"),
        ({"places": GRID.centers[::-1].copy()}, "does not fit its seal"),
        ({"rows": GRID.prototypes[::-1].copy()}, "holds the prototypes"),
        ({"prototypes_sha256": "f" * 64}, "holds the prototypes .* not ffff"),
        ({"prototypes_sha256": None}, "holds the prototypes .* not None"),
    ],
)
def test_another_grid_than_that_of_the_training_is_refused(changes, match):
    with pytest.raises(InputError, match=match):
        read_record(with_grid(**changes))


def test_an_older_checkpoint_has_no_hash_to_compare():
    content = with_grid(prototypes_sha256=None, grid_seal=None, grid_sha256="f" * 64)
    assert read_record(content).provenance["grid_sha256"] == "f" * 64


def test_drawings_are_told_by_the_corpus_not_by_its_name():
    drawn = {"dataset": "mine", "train": {"identity": SyntheticFaces(8, 8).identity("train")}}
    assert trained_on_drawings(drawn)
    assert not trained_on_drawings({"dataset": "synthetic_faces", "train": {"identity": {}}})
    assert not trained_on_drawings({})
