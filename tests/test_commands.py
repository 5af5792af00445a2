"""Commands as a person types them, on small synthetic data."""

import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from neurogaze.cli import main
from neurogaze.commands import experiments_folder, matching
from neurogaze.errors import InputError
from neurogaze.evaluation.predictions import read_predictions
from neurogaze.pipeline.eeg_bench import EegBench
from neurogaze.pipeline.run import Pipeline
from neurogaze.prototypes.grid import PrototypeGrid
from neurogaze.roots import Roots
from tests.pipeline.tiny import EXPERIMENTS, FACES, TEACHER

DATA = EXPERIMENTS / "data"
EEG = [arg for arg in TEACHER if arg.startswith("--data.")]


def run(*args) -> int:
    return main([str(arg) for arg in args])


def test_prepare_recordings(tmp_path, capsys):
    args = ["prepare", "--data", DATA / "synthetic_eeg.yaml", *EEG, f"--data.store={tmp_path}"]
    assert run(*args) == 0
    files = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.npz")}
    assert len(files) == 4, "one file a person"
    with np.load(next(iter(files))) as stored:
        assert stored["features"].shape == (12, 14, 4), "4 clips of 3 windows"
    assert str(tmp_path) in capsys.readouterr().out
    assert run(*args) == 0
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.npz")} == files


def test_prepare_faces(tmp_path):
    args = ["--data", DATA / "synthetic_faces.yaml", *FACES, f"--data.store={tmp_path}"]
    assert run("prepare", *args) == 0
    sizes = sorted(len(np.load(p)) for p in tmp_path.rglob("images.npy"))
    assert sizes == [40, 64]


def consolidate(tiny_run, out, *more):
    pattern = tiny_run.run / "teacher-*" / "best.ckpt"
    args = ["--data", DATA / "synthetic_eeg.yaml", *EEG, f"--data.store={tiny_run.store}"]
    options = [f"--teachers=[{pattern}]", f"--out={out}", "--permutations=2"]
    return run("consolidate", *args, *options, *more)


def test_consolidate_prints_the_hash_of_the_grid(tiny_run, tmp_path, capsys):
    """The grid of the pipeline comes out, by hand."""
    assert consolidate(tiny_run, tmp_path / "grid") == 0
    printed = re.search(r"sha256 ([0-9a-f]{64})", capsys.readouterr().out)[1]
    grid = PrototypeGrid.load(tmp_path / "grid" / "grid.npz", sha256=printed)
    assert printed == grid.sha256
    assert printed == PrototypeGrid.load(tiny_run.run / "grid" / "grid.npz").sha256
    assert {p.name for p in (tmp_path / "grid").iterdir()} == {
        *("grid.npz", "predictions.parquet", "results.jsonl", "topomaps.npz"),
        *("stability.json", "explained.npz"),
    }


def test_consolidate_with_support_and_settings(tiny_run, tmp_path):
    support = tmp_path / "support.yaml"
    support.write_text(
        "class_path: EEGDataModule\n"
        "init_args:\n"
        f"  store: {tiny_run.store}\n"
        "  corpus:\n"
        "    class_path: SyntheticEeg\n"
        "    init_args: {n_subjects: 3, n_clips: 2, seconds: 8.0, baseline_seconds: 4.0,\n"
        "                rated: false, seed: 1000}\n"
    )
    more = [f"--support=[{support}]", "--settings.size=3"]
    assert consolidate(tiny_run, tmp_path / "grid", *more) == 0
    grid = PrototypeGrid.load(tmp_path / "grid" / "grid.npz")
    assert grid.size == 3
    assert grid.counts.sum() == (4 * 4 + 3 * 2) * 3, "three windows a trial of eight seconds"


def test_consolidate_refuses_faces(tiny_run, tmp_path, capsys):
    faces = ["--data", DATA / "synthetic_faces.yaml"]
    teacher = tiny_run.run / "teacher-0" / "best.ckpt"
    assert run("consolidate", *faces, f"--teachers=[{teacher}]", f"--out={tmp_path}") == 2
    assert "is a FaceDataModule" in capsys.readouterr().err


def numbers(text):
    return re.findall(r"\d+\.\d+", text)


def test_evaluate_and_score_say_the_same(tiny_run, tmp_path, capsys):
    args = ["--data", DATA / "synthetic_faces.yaml", *FACES, f"--data.store={tiny_run.store}"]
    student = tiny_run.run / "student" / "last.ckpt"
    out = tmp_path / "judged"
    assert run("evaluate", "--student", student, *args, f"--out={out}") == 0
    judged = capsys.readouterr().out
    assert {p.name for p in out.iterdir()} == {
        *("predictions.parquet", "embeddings.npz", "results.jsonl")
    }
    assert run("score", out / "predictions.parquet") == 0
    scored = capsys.readouterr().out
    assert len(numbers(judged)) >= 6
    assert numbers(scored) == numbers(judged)
    frame = read_predictions(out / "predictions.parquet", "face")
    frame.to_csv(tmp_path / "theirs.csv", index=False)
    assert run("score", tmp_path / "theirs.csv", "--arm=theirs", "--note=LEAKY") == 0
    theirs = capsys.readouterr().out
    assert numbers(theirs) == numbers(judged)
    assert "theirs" in theirs
    assert "LEAKY" in theirs


def test_score_takes_recordings_too(tiny_run, capsys):
    assert run("score", tiny_run.run / "grid" / "predictions.parquet") == 0
    assert "ccc" in capsys.readouterr().out.lower()


def test_evaluate_refuses_recordings(tiny_run, capsys):
    student = tiny_run.run / "student" / "last.ckpt"
    assert run("evaluate", "--student", student, "--data", DATA / "synthetic_eeg.yaml") == 2
    assert "is an EEGDataModule" in capsys.readouterr().err


@pytest.mark.parametrize("only", ["classifiers: {net: [net.yaml]}", "baselines: [ridge]"])
def test_a_bench_of_recordings_needs_no_teacher(monkeypatch, tmp_path, only):
    """What it compares tells it from a bench of students; nothing is run."""
    seen = []
    monkeypatch.setattr(EegBench, "run", lambda self: seen.append(self) or tmp_path / "page.html")
    (tmp_path / "b.yaml").write_text(f"name: x\ntitle: y\ndata: d.yaml\n{only}\n")
    assert run("bench", tmp_path / "b.yaml", f"--out={tmp_path / 'out'}") == 0
    assert list(seen[0].settings.classifiers) == (["net"] if "net" in only else [])
    assert seen[0].stages.root == tmp_path / "out"


def test_report_of_a_run(tiny_run, tmp_path, capsys):
    shutil.copytree(tiny_run.run, tmp_path / "run", ignore=shutil.ignore_patterns("report"))
    assert run("report", tmp_path / "run") == 0
    page = tmp_path / "run" / "report" / "report.html"
    assert f"report: {page.resolve()}" in capsys.readouterr().out
    text = page.read_text()
    assert "data:image/png;base64" in text
    assert run("report", tmp_path / "run", f"--out={tmp_path / 'other'}") == 0
    assert (tmp_path / "other" / "report.html").exists()


def test_patterns_match_in_order(tmp_path, monkeypatch):
    for name in ("b", "a", "c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "best.ckpt").touch()
    (tmp_path / "a" / "last.ckpt").touch()
    found = matching([str(tmp_path / "*" / "best.ckpt")])
    assert found == [tmp_path / name / "best.ckpt" for name in "abc"]
    monkeypatch.chdir(tmp_path / "b")
    assert matching(["best.ckpt"]) == [Path("best.ckpt")]
    assert [p.resolve() for p in matching(["../[ac]/best.ckpt"])] == [found[0], found[2]]
    one, two = str(tmp_path / "c" / "best.ckpt"), str(tmp_path / "a" / "*.ckpt")
    assert matching([one, two]) == [found[2], found[0], tmp_path / "a" / "last.ckpt"]
    with pytest.raises(InputError, match=r"no file matches '.*none\*'"):
        matching([one, str(tmp_path / "none*")])


@pytest.mark.parametrize("pattern", ["", ".", "/", "//", "**.ckpt", "/**x"])
def test_a_pattern_of_no_file_is_refused(pattern):
    with pytest.raises(InputError, match="--teachers: "):
        matching([pattern])


def test_run_takes_roots_and_changes(monkeypatch, tmp_path):
    """The words of the documents reach the pipeline; nothing is run."""
    seen = {}

    def begun(self):
        seen["settings"], seen["root"] = self.settings, self.root
        return tmp_path / "report.html"

    monkeypatch.setattr(Pipeline, "run", begun)
    for name in ("DREAMER", "CKEXTENDED"):
        monkeypatch.setenv(f"NEUROGAZE_{name}", "before")
    file = EXPERIMENTS / "pipelines" / "dreamer_mahnob_ferplus.yaml"
    words = ["--roots.dreamer", tmp_path / "D.mat", "--roots.ckextended", tmp_path / "ck"]
    words += ["--change+", "student.args=[--trainer.max_epochs=12]", "--change+", "keep=last"]
    words += ["--change+", "face_teacher={path: ../l.npz, sha256: ab}"]
    words += ["--change+", "evaluate.ckplus={data: ../data/ckextended.yaml}"]
    assert run("run", file, *words, f"--out={tmp_path / 'out'}") == 0
    assert os.environ["NEUROGAZE_DREAMER"] == str(tmp_path / "D.mat")
    settings = seen["settings"]
    assert settings.student.args == ["--trainer.max_epochs=12"]
    assert settings.keep == "last"
    assert settings.face_teacher.sha256 == "ab"
    assert settings.evaluate["ckplus"].data.endswith("data/ckextended.yaml")
    assert settings.evaluate["ckplus"].expected is None
    assert list(settings.arms) == ["B0", "B1", "B2", "B3"]
    assert seen["root"] == tmp_path / "out"


def test_roots_go_to_the_environment(monkeypatch):
    for name in ("DREAMER", "DASPS", "FERPLUS", "FERPLUS_VOTES"):
        monkeypatch.setenv(f"NEUROGAZE_{name}", "before")
    Roots(dasps=Path("d"), ferplus_votes=Path("v.csv")).export()
    assert os.environ["NEUROGAZE_DASPS"] == "d"
    assert os.environ["NEUROGAZE_FERPLUS_VOTES"] == "v.csv"
    assert os.environ["NEUROGAZE_DREAMER"] == os.environ["NEUROGAZE_FERPLUS"] == "before"


def test_experiments_lie_beside_the_package():
    assert experiments_folder() == EXPERIMENTS
