"""Jobs side by side: whatever becomes of one, the others come to their end."""

import os
import signal
import time
from pathlib import Path

import pytest

from neurogaze.errors import InputError
from neurogaze.pipeline.processes import KILLED, Failure, failure_of, run_all


def work(job):
    """Do what the job names; `once` dies the first time only."""
    kind, folder = job
    with (Path(folder) / "begun").open("a") as stream:
        stream.write(f"{kind}\n")
    if kind == "leaves":
        raise SystemExit(2)
    if kind == "fails":
        raise InputError("here", "is wrong", "mend it")
    if kind == "dies" or (kind == "once" and not (Path(folder) / "died").exists()):
        (Path(folder) / "died").touch()
        time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGKILL)
    return f"{kind} done"


def outcomes(kinds, folder, size):
    return {job[0]: out for job, out in run_all(work, [(k, str(folder)) for k in kinds], size)}


def test_an_error_stops_no_other(tmp_path):
    found = outcomes(["leaves", "fails", "ends"], tmp_path, 1)
    assert found["leaves"] == Failure("SystemExit: 2")
    assert found["fails"].said.startswith("InputError: here: is wrong")
    assert found["ends"] == "ends done"


def test_a_killed_process_takes_none_of_its_neighbours_along(tmp_path):
    kinds = ["a", "dies", "once", "leaves", "b", "c"]
    found = outcomes(kinds, tmp_path, 2)
    assert found == {
        "dies": Failure(KILLED),
        "leaves": Failure("SystemExit: 2"),
        **{kind: f"{kind} done" for kind in ("a", "b", "c", "once")},
    }
    begun = (tmp_path / "begun").read_text().split()
    assert begun.count("dies") == 2


def test_an_interrupt_is_no_failure(tmp_path):
    def interrupted(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(run_all(interrupted, [0], 1))


def leave():
    """Leave as a parser does, over an error of its own."""
    try:
        raise TypeError("no such key")
    except TypeError:
        raise SystemExit(2)  # noqa: B904


def test_an_error_is_one_line():
    assert failure_of(ValueError("two\n  lines")) == Failure("ValueError: two lines")
    with pytest.raises(SystemExit) as left:
        leave()
    assert failure_of(left.value) == Failure("SystemExit: 2 (no such key)")
