"""Jobs side by side: whatever becomes of one, the others come to their end."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from rich.progress import track

from neurogaze.artefacts import alone, write_json
from neurogaze.errors import InputError
from neurogaze.pipeline.processes import KILLED, Failure, failure_of, run_all

ROOT = Path(__file__).parents[2]
PATIENCE = 60
SECONDS = 10
"""In which everything has to be gone; on an idle machine it is a tenth of a second."""

HELD = ("a", "b")
NUMBERS = list(range(20_000))
COMMAND = """
import signal, sys
from pathlib import Path
from neurogaze import cli
from tests.pipeline.test_processes import hold_all

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may start us deaf to it
cli._dispatch = lambda name, words: hold_all(Path(words[0]))
sys.exit(cli.main(["bench", sys.argv[1]]))
"""
STUBS = {
    "torch": "class cuda: is_available = lambda: False\ndef set_num_threads(n): pass",
    "pytorch_lightning": "",
    "timm": "",
}
"""Stand in for what takes a process seconds to import and has no part here."""


def work(job):
    """Do what the job names; `once` dies the first time only."""
    kind, folder = job
    with (Path(folder) / "begun").open("a") as stream:
        stream.write(f"{kind}\n")
    if kind == "leaves":
        raise SystemExit(2)
    if kind == "environment":
        return os.environ.get("NEUROGAZE_TOLD")
    if kind == "bar":
        return sum(1 for _ in track(range(3), "a bar"))
    if kind == "fails":
        raise InputError("here", "is wrong", "mend it")
    if kind == "dies" or (kind == "once" and not (Path(folder) / "died").exists()):
        (Path(folder) / "died").touch()
        time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGKILL)
    return f"{kind} done"


def hold(job):
    """Write one file over and over, lock in hand, until it is told to come to its end."""
    name, folder = job
    with alone(folder / "locks" / name, folder / name):
        until = time.monotonic() + PATIENCE
        while not (folder / "go").exists() and time.monotonic() < until:
            write_json(folder / f"{name}.json", NUMBERS)
        write_json(folder / f"{name}.json", "done")


def hold_all(folder):
    """What a command does with its jobs: none of them may fail."""
    came = [outcome for _, outcome in run_all(hold, [(name, folder) for name in HELD], len(HELD))]
    return int(came != [None, None])


@pytest.fixture
def command(tmp_path):
    """Starts the command on a folder; what it leaves running is killed at the end."""
    stubs, started = tmp_path / "stubs", []
    stubs.mkdir()
    for name, said in STUBS.items():
        (stubs / f"{name}.py").write_text(said)

    def start(folder):
        started.append(
            subprocess.Popen(
                [sys.executable, "-c", COMMAND, str(folder)],
                cwd=ROOT,
                env=os.environ | {"PYTHONPATH": str(stubs)},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        )
        return started[-1]

    yield start
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def written(folder):
    """What the whole files of a folder say; one that is cut short is no JSON."""
    return {path.stem: json.loads(path.read_text()) for path in folder.glob("[!.]*.json")}


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


def test_a_process_has_the_environment_of_now(tmp_path, monkeypatch):
    """Not that of the day on which the first one was begun."""
    for told in ("first", "second"):
        monkeypatch.setenv("NEUROGAZE_TOLD", told)
        assert outcomes(["environment", "a"], tmp_path, 2)["environment"] == told


@pytest.mark.parametrize("size", [1, 2])
def test_only_one_process_draws_bars(tmp_path, capfd, size):
    """Bars of several would be drawn over one another."""
    assert outcomes(["bar"], tmp_path, size) == {"bar": 3}
    assert ("a bar" in "".join(capfd.readouterr())) == (size == 1)


def test_an_interrupt_is_no_failure(tmp_path):
    def interrupted(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(run_all(interrupted, [0], 1))


@pytest.mark.parametrize(
    ("how", "code"),
    [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)],
)
def test_no_process_outlives_a_command_that_is_stopped(command, tmp_path, how, code):
    """The pipe of its output closes when the last process that could write there is gone."""
    folder = tmp_path / "bench"
    folder.mkdir()
    stopped, until = command(folder), time.monotonic() + PATIENCE
    while written(folder).keys() != set(HELD) and time.monotonic() < until:
        time.sleep(0.01)
    stopped.send_signal(how)
    _, said = stopped.communicate(timeout=SECONDS)
    assert stopped.returncode == code, said
    if how != signal.SIGKILL:
        assert said == "interrupted; run the same command again to go on\n"
    assert written(folder) == dict.fromkeys(HELD, NUMBERS)
    (folder / "go").touch()
    again = command(folder)
    _, said = again.communicate(timeout=PATIENCE)
    assert again.returncode == 0, said
    assert written(folder) == dict.fromkeys(HELD, "done")


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
