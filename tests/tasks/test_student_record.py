"""What a checkpoint says of a student comes back as it was, or the checkpoint is refused."""

import pytest
import torch

from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError
from neurogaze.tasks.student_record import StudentRecord, read_record, record_entries

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
