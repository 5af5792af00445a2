"""What a person meets at the command line: help, one clear line an error, exit codes."""

import errno
import importlib
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from PIL import Image

from neurogaze import cli
from neurogaze.callbacks import WholeCheckpoints
from neurogaze.cli import main
from neurogaze.endings import EXTRAS, input_error, missing_extra
from tests.fixtures.eeg import write_dasps, write_dasps_edf, write_dreamer
from tests.fixtures.faces import write_ferplus
from tests.pipeline.tiny import EXPERIMENTS, FACES

DATA = EXPERIMENTS / "data"
FULL = Path("/dev/full")


def fails(capsys, args, *words):
    """Run a command that must fail with one line and exit code 2; the line holds the words."""
    code = main([str(a) for a in args])
    error = capsys.readouterr().err
    assert code == 2, error
    lines = [line for line in error.splitlines() if "error:" in line]
    assert len(lines) == 1, error
    assert "Traceback" not in error
    assert "Remedy:" in lines[0]
    for word in words:
        assert word in lines[0], lines[0]
    return lines[0]


@pytest.mark.parametrize(
    "name",
    [
        "fit",
        "demo",
        "run",
        "prepare",
        "consolidate",
        "evaluate",
        "score",
        "bench",
        "grids",
        "sweep",
        "report",
        "calibrate",
        "export",
        "infer",
        "explain",
        "card",
        "serve",
        "browser",
        "validate",
        "test",
    ],
)
def test_every_command_has_help(name, capsys):
    with pytest.raises(SystemExit) as stop:
        main([name, "--help"])
    assert stop.value.code == 0
    assert "usage" in capsys.readouterr().out.lower()


def test_the_command_lists_its_commands(capsys):
    assert main([]) == 0
    out = capsys.readouterr().out
    assert "consolidate" in out
    assert "Consolidate fold teachers" in out
    assert main(["--version"]) == 0


def test_unknown_command(capsys):
    fails(capsys, ["dream"], "dream", "consolidate")


def ended(*_):
    """A command that is ended by SIGTERM, and again while it puts its things away."""
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(60)
    finally:
        os.kill(os.getpid(), signal.SIGTERM)


def test_sigterm_leaves_as_an_interrupt_does(monkeypatch, capsys):
    """With the code that a shell has for it; the command ends in order, undisturbed by a second."""
    monkeypatch.setattr(cli, "_dispatch", ended)
    before = signal.getsignal(signal.SIGTERM)
    assert main(["bench"]) == 143
    assert capsys.readouterr().err == "interrupted; run the same command again to go on\n"
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_handler_of_sigterm_that_somebody_set_is_kept(monkeypatch):
    heard = []
    before = signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    try:
        monkeypatch.setattr(cli, "_dispatch", lambda *_: os.kill(os.getpid(), signal.SIGTERM) or 0)
        assert main(["bench"]) == 0
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == [signal.SIGTERM]


def python(words, stdout, **settings):
    """The command in a process of its own, whose output goes where it is told."""
    command = [sys.executable, "-m", "neurogaze", *words]
    return subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, text=True, **settings)


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("words", [["--help"], ["report", "--help"]])
def test_a_reader_who_leaves_is_no_error(words, unbuffered):
    """As in `neurogaze --help | head -0`; what argparse prints at once, it gives up itself."""
    reader, writer = os.pipe()
    os.close(reader)
    done = python(words, writer, env=os.environ | {"PYTHONUNBUFFERED": unbuffered})
    os.close(writer)
    assert done.stderr == ""
    assert done.returncode == (0 if unbuffered and words[0] == "report" else 128 + signal.SIGPIPE)


def test_another_broken_pipe_is_a_bug_and_shown(monkeypatch):
    def broken(*_):
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    monkeypatch.setattr(cli, "_dispatch", broken)
    monkeypatch.setattr(cli, "unread", lambda: False)
    with pytest.raises(BrokenPipeError):
        main(["bench"])


@pytest.mark.skipif(not FULL.exists(), reason="needs a device that is full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_to_a_full_disk_is_one_line(unbuffered):
    with FULL.open("w") as full:
        done = python(["--help"], full, env=os.environ | {"PYTHONUNBUFFERED": unbuffered})
    assert done.returncode == 2
    assert done.stderr.startswith("neurogaze --help: error: disk: No space left on device. Remedy:")
    assert done.stderr.count("\n") == 1


def text(path):
    path.write_text("x" * 2**20)


def array(path):
    np.save(path, np.zeros(2**17))


def checkpoint(path):
    WholeCheckpoints().save_checkpoint({"weights": torch.zeros(2**18)}, path)


@pytest.mark.parametrize("write", [text, array, checkpoint])
def test_a_write_for_which_there_is_no_room_is_one_line(write, monkeypatch, capsys, tmp_path):
    """Of such an error the system names no file, NumPy no reason, and PyTorch another one."""
    monkeypatch.setattr(cli, "_dispatch", lambda *_: write(tmp_path / "big.npy"))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, before[1]))
    try:
        line = fails(capsys, ["bench"], "disk: ", "make room, and repeat the command")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert line.count("\n") == 0
    if write is checkpoint:
        assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO])
def test_errors_of_a_full_disk_are_told_and_no_others(number):
    assert input_error(OSError(number, os.strerror(number))).found == os.strerror(number)
    assert input_error(OSError(errno.EPIPE, "Broken pipe")) is None
    assert input_error(OSError("something else")) is None


@pytest.mark.parametrize("gone", sorted(EXTRAS))
def test_a_module_of_an_extra_is_told_with_what_brings_it(gone, monkeypatch):
    """However a library wraps it; other modules, and other errors, are bugs and stay so."""
    monkeypatch.setitem(sys.modules, gone, None)
    with pytest.raises(ModuleNotFoundError) as missing:
        importlib.import_module(f"{gone}.inner")
    for error in (missing.value, RuntimeError("wrapped")):
        error.__cause__ = None if error is missing.value else missing.value
        told = missing_extra(error)
        assert gone in told.where
        assert told.remedy == f"pip install 'neurogaze[{EXTRAS[gone]}]'"
    assert missing_extra(ModuleNotFoundError("x", name="neurogaze.onnx")) is None
    assert missing_extra(ModuleNotFoundError("x")) is None
    assert missing_extra(ImportError("x", name=gone)) is None


@pytest.mark.parametrize(
    ("gone", "call"),
    [
        ("onnx", ["infer", "face.png", "--model", "any.onnx"]),
        ("onnx", ["card", "any.onnx", "--results", "none.jsonl"]),
        ("onnx", ["export", "{checkpoint}"]),
        ("cv2", ["infer", "film.mp4", "--model", "{checkpoint}", "--detector", "cropped"]),
        ("cv2", ["infer", "face.png", "--model", "{checkpoint}", "--detector", "haar"]),
        ("fastapi", ["serve", "--model", "{checkpoint}", "--port", "0"]),
        ("uvicorn", ["serve", "--model", "{checkpoint}", "--port", "0"]),
    ],
)
def test_without_the_extra_deploy_one_line_says_what_to_install(
    gone, call, tiny_run, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    for name in ("face.png", "film.mp4", "any.onnx"):
        (tmp_path / name).write_bytes(b"never looked at")
    monkeypatch.setitem(sys.modules, gone, None)
    checkpoint = str(tiny_run.run / "student" / "last.ckpt")
    line = fails(capsys, [word.replace("{checkpoint}", checkpoint) for word in call])
    assert "pip install" in line
    assert "neurogaze[deploy]" in line
    assert capsys.readouterr().out == ""  # such as the address of a page that never comes


def test_unknown_flag_and_key_leave_with_code_2(capsys, tmp_path):
    with pytest.raises(SystemExit) as stop:
        main(["demo", "--outt", str(tmp_path)])
    assert stop.value.code == 2
    assert "--outt" in capsys.readouterr().err
    bad = tmp_path / "x.yaml"
    bad.write_text("name: x\ntitel: y\n")
    fails(capsys, ["run", bad], "x.yaml")


def test_missing_pipeline_file(capsys, tmp_path):
    fails(capsys, ["run", tmp_path / "none.yaml"], "none.yaml")


def test_missing_data_root(capsys, tmp_path, monkeypatch):
    monkeypatch.delenv("NEUROGAZE_DASPS", raising=False)
    monkeypatch.delenv("NEUROGAZE_FERPLUS", raising=False)
    store = f"--data.store={tmp_path}"
    fails(capsys, ["prepare", "--data", DATA / "dasps.yaml", store], "NEUROGAZE_DASPS")
    fails(capsys, ["prepare", "--data", DATA / "ferplus.yaml", store], "NEUROGAZE_FERPLUS")
    gone = tmp_path / "gone"
    roots = ["--roots.dasps", gone]
    fails(capsys, ["prepare", "--data", DATA / "dasps.yaml", store, *roots], "gone")


def test_truncated_mat(capsys, tmp_path):
    path = tmp_path / "DREAMER.mat"
    write_dreamer(path, n_subjects=2)
    path.write_bytes(path.read_bytes()[:5000])
    args = ["--roots.dreamer", path, f"--data.store={tmp_path}"]
    fails(capsys, ["prepare", "--data", DATA / "dreamer.yaml", *args], "DREAMER.mat")


def dasps(tmp_path):
    write_dasps(tmp_path / "dasps", n_subjects=2)
    write_dasps_edf(tmp_path / "dasps", n_subjects=2, seconds=12)
    return tmp_path / "dasps"


def prepare_dasps(root, tmp_path, name="dasps"):
    args = ["--roots.dasps", root, f"--data.store={tmp_path / 'store'}"]
    return ["prepare", "--data", DATA / f"{name}.yaml", *args]


def test_hdf5_without_labels(capsys, tmp_path):
    root = dasps(tmp_path)
    target = next(root.rglob("S01.mat"))
    with h5py.File(target, "a") as file:
        del file["labels"]
    fails(capsys, prepare_dasps(root, tmp_path), "S01.mat", "labels")


def test_truncated_hdf5(capsys, tmp_path):
    root = dasps(tmp_path)
    target = next(root.rglob("S01.mat"))
    target.write_bytes(target.read_bytes()[:3000])
    fails(capsys, prepare_dasps(root, tmp_path), "S01.mat")


def test_nan_channel(capsys, tmp_path):
    root = dasps(tmp_path)
    with h5py.File(next(root.rglob("S01.mat")), "a") as file:
        file["data"][0, :, 3] = np.nan
    fails(capsys, prepare_dasps(root, tmp_path), "S01.mat", "FC5", "NaN")


def test_unknown_electrode(capsys, tmp_path):
    args = ["fit", "--config", EXPERIMENTS / "teacher.yaml"]
    args += ["--data", DATA / "synthetic_eeg.yaml", f"--data.store={tmp_path}"]
    fails(capsys, [*args, '--model.teacher.channels=["AF3","Q9"]'], "Q9")


def ferplus(tmp_path):
    write_ferplus(tmp_path / "ferplus", n_train=40, n_valid=24)
    return tmp_path / "ferplus"


def prepare_ferplus(root, tmp_path, *more):
    args = ["--roots.ferplus", root, f"--data.store={tmp_path / 'store'}"]
    return ["prepare", "--data", DATA / "ferplus.yaml", *args, *more]


def test_an_image_that_is_none(capsys, tmp_path):
    root = ferplus(tmp_path)
    images = sorted(root.rglob("FER2013Train/*.png"))
    for image in images:
        image.write_bytes(b"no image")
    strict = "--data.corpus.strict=true"
    fails(capsys, prepare_ferplus(root, tmp_path, strict), ".png")


def test_a_corrupt_image_is_skipped_by_default(capsys, tmp_path):
    root = ferplus(tmp_path)
    assert main([str(a) for a in prepare_ferplus(root, tmp_path)]) == 0
    for image in sorted(root.rglob("FER2013Train/*.png"))[:3]:
        image.write_bytes(b"no image")
    assert main([str(a) for a in prepare_ferplus(root, tmp_path)]) == 0


def test_csv_with_missing_columns(capsys, tmp_path):
    root = ferplus(tmp_path)
    votes = root / "fer2013new.csv"
    lines = votes.read_text().splitlines()
    votes.write_text("\n".join(line.rsplit(",", 2)[0] for line in lines) + "\n")
    fails(capsys, prepare_ferplus(root, tmp_path), "fer2013new.csv", "NF")


def test_score_refuses_a_file_without_probabilities(capsys, tmp_path):
    path = tmp_path / "p.csv"
    path.write_text("id,dataset,split,label,group\na,x,valid,happiness,g\n")
    fails(capsys, ["score", path], "p.csv", "p_neutral")


def test_report_of_nothing(capsys, tmp_path):
    fails(capsys, ["report", tmp_path / "gone"], "gone")


@pytest.mark.parametrize("name", ["data", "data.corpus"])
def test_a_seed_below_0_is_refused(name, capsys, tmp_path):
    store = f"--data.store={tmp_path}"
    args = ["--data", DATA / "synthetic_faces.yaml", *FACES, store, f"--{name}.seed=-1"]
    fails(capsys, ["prepare", *args], f"--{name}.seed: is -1", "choose 0 or more")


def test_evaluate_refuses_what_is_no_student(capsys, tmp_path):
    path = tmp_path / "x.ckpt"
    path.write_bytes(b"junk")
    args = ["--data", DATA / "synthetic_faces.yaml", *FACES[:2], f"--data.store={tmp_path}"]
    fails(capsys, ["evaluate", "--student", path, *args], "x.ckpt")


def test_debug_shows_the_traceback(tmp_path):
    args = [sys.executable, "-m", "neurogaze", "report", str(tmp_path / "gone")]
    plain = subprocess.run(args, capture_output=True, text=True)
    debug = subprocess.run([*args, "--debug"], capture_output=True, text=True)
    assert plain.returncode == 2
    assert "Traceback" not in plain.stderr
    assert "Traceback" in debug.stderr


def test_wrong_size_image_is_named(capsys, tmp_path):
    root = ferplus(tmp_path)
    for image in sorted(root.rglob("FER2013Train/*.png")):
        Image.new("L", (20, 20)).save(image)
    fails(capsys, prepare_ferplus(root, tmp_path, "--data.corpus.strict=true"), ".png")


def test_a_sweep_is_told_how_to_run_on_wandb_and_trains_nothing(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = EXPERIMENTS / "sweeps" / "geo_weight.yaml"
    assert main(["sweep", str(path)]) == 0
    out = capsys.readouterr().out
    assert f"wandb sweep {path}" in out
    assert f"neurogaze sweep {path} --local" in out
    assert not [*tmp_path.iterdir()]


def test_a_switch_may_stand_alone(capsys, tmp_path):
    """Before a file, at the end, or with its value: `--local` is read alike."""
    bad, out = tmp_path / "x.yaml", f"--out={tmp_path}"
    bad.write_text(
        "{method: random, metric: {name: a}, command: [neurogaze, fit, '${args}'],"
        " parameters: {a: {min: 0.1, max: 1.0}}}"
    )
    for words in (["--local", bad], [bad, "--local"], [bad, "--local", "true", out]):
        fails(capsys, ["sweep", *words], "no end of trials", "--trials 20")
    assert main(["sweep", str(bad), "--local", "false"]) == 0


def test_a_command_may_stand_alone():
    """`neurogaze demo`, the first command of the README, has no words after it."""
    from neurogaze.cli import _spelled
    from neurogaze.face_commands import sweep

    assert _spelled(sweep, []) == []
    assert _spelled(sweep, ["--local"]) == ["--local=true"]
    assert _spelled(sweep, ["--local", "false"]) == ["--local", "false"]
