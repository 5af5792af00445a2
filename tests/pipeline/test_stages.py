import json
import subprocess
import sys

import numpy as np
import pytest

from neurogaze.artefacts import write_npz
from neurogaze.errors import InputError
from neurogaze.pipeline.stages import Stages, content_hash


def write(value):
    def action(folder):
        write_npz(folder / "x.npz", {"x": np.full(3, value)})

    return action


def run(root, value=1.0, settings=None, inputs=None):
    stages = Stages(root)
    return stages.run("s", settings or {"value": value}, inputs or {}, write(value), ["x.npz"])


def test_a_finished_stage_is_skipped_and_a_changed_one_is_not(tmp_path):
    first = run(tmp_path)
    assert not first.skipped
    assert run(tmp_path).skipped
    assert not run(tmp_path, value=2.0).skipped
    assert not run(tmp_path, value=2.0, inputs={"before": "abc"}).skipped
    assert run(tmp_path, value=2.0, inputs={"before": "abc"}).skipped


def test_content_is_compared_not_bytes(tmp_path):
    write_npz(tmp_path / "a.npz", {"x": np.arange(5)})
    np.savez(tmp_path / "b.npz", x=np.arange(5))
    assert (tmp_path / "a.npz").read_bytes() != (tmp_path / "b.npz").read_bytes()
    assert content_hash(tmp_path / "a.npz") == content_hash(tmp_path / "b.npz")


@pytest.mark.parametrize("damage", ["altered", "truncated", "removed", "record"])
def test_a_damaged_artefact_is_made_again(tmp_path, damage):
    before = run(tmp_path)
    target = tmp_path / "s" / "x.npz"
    if damage == "altered":
        write_npz(target, {"x": np.zeros(3)})
    elif damage == "truncated":
        target.write_bytes(target.read_bytes()[:40])
    elif damage == "removed":
        target.unlink()
    else:
        (tmp_path / "s" / "stage.json").write_text("{")
    after = run(tmp_path)
    assert not after.skipped
    assert after.content == before.content


def test_a_folder_that_no_stage_began_is_refused_and_kept(tmp_path):
    (tmp_path / "s").mkdir()
    run(tmp_path)  # an empty one is taken
    (tmp_path / "mine" / "s").mkdir(parents=True)
    thesis = tmp_path / "mine" / "s" / "thesis.txt"
    thesis.write_text("years of work")
    with pytest.raises(InputError, match=r"s: holds thesis.txt, which no run made.*a new folder"):
        run(tmp_path / "mine")
    assert thesis.read_text() == "years of work"


def test_a_file_in_the_place_of_a_stage_is_refused(tmp_path):
    (tmp_path / "s").write_text("mine")
    with pytest.raises(InputError, match="is a file"):
        run(tmp_path)


def test_leftovers_of_other_settings_are_swept_away_and_own_ones_kept(tmp_path):
    def stop(folder):
        (folder / "last.ckpt").write_text("half")
        raise KeyboardInterrupt

    for value, kept in ((1.0, True), (2.0, False)):
        with pytest.raises(KeyboardInterrupt):
            Stages(tmp_path).run("s", {"value": 1.0}, {}, stop, [])
        seen = {}
        Stages(tmp_path).run(
            "s", {"value": value}, {}, lambda f, s=seen: s.update(n=(f / "last.ckpt").exists()), []
        )
        assert seen["n"] is kept
        (tmp_path / "s" / "stage.json").unlink()


def test_the_record_names_what_went_in(tmp_path):
    run(tmp_path, inputs={"features": "abc"})
    record = json.loads((tmp_path / "s" / "stage.json").read_text())
    assert record["inputs"] == {"features": "abc"}
    assert record["settings"] == {"value": 1.0}
    assert set(record["outputs"]) == {"x.npz"}


HOLDER = """
import sys, time
from pathlib import Path
from neurogaze.pipeline.stages import Stages

def action(folder):
    (folder / "x.txt").write_text("mine")
    print("begun", flush=True)
    sys.stdin.readline()

Stages(Path(sys.argv[1])).run("s", {"value": 1}, {}, action, ["x.txt"])
"""


def test_two_processes_never_carry_out_one_stage(tmp_path):
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "begun\n"
    with pytest.raises(InputError, match="another process"):
        Stages(tmp_path).run("s", {"value": 2}, {}, lambda folder: None, [])
    assert (tmp_path / "s" / "x.txt").read_text() == "mine"
    holder.communicate("\n", timeout=60)
    assert holder.returncode == 0
    assert Stages(tmp_path).run("s", {"value": 1}, {}, lambda folder: None, ["x.txt"]).skipped


def test_a_killed_process_leaves_its_stage_to_others(tmp_path):
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "begun\n"
    holder.kill()
    holder.communicate()
    assert not run(tmp_path).skipped
