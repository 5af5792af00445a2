"""A checkpoint is what its reader expects, or an error that names the file."""

import pytest

from neurogaze.errors import InputError
from neurogaze.tasks.loading import load_task
from neurogaze.tasks.student import StudentTask
from neurogaze.tasks.teacher import TeacherTask


def test_each_kind_loads_its_own_and_refuses_the_other(tiny_run):
    student = tiny_run.run / "student" / "last.ckpt"
    teacher = tiny_run.run / "teacher-0" / "best.ckpt"
    assert not load_task(student, StudentTask).training
    assert load_task(teacher, TeacherTask).provenance["fold"] == 0
    for path, kind in ((student, TeacherTask), (teacher, StudentTask)):
        with pytest.raises(InputError, match=path.name):
            load_task(path, kind)


def test_junk_and_absence_are_named(tmp_path):
    junk = tmp_path / "junk.ckpt"
    junk.write_bytes(b"junk")
    for path in (junk, tmp_path / "absent.ckpt"):
        with pytest.raises(InputError, match=rf"{path.name}: is no readable teacher checkpoint"):
            load_task(path, TeacherTask)
