"""Every YAML under `experiments/` is carried out, at a size of seconds; globbed, not listed.

Those of the room `teachers` are in `tests/tasks/test_teacher_files.py`.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from neurogaze import training
from neurogaze.faces.corpora.ferplus import FerPlus
from neurogaze.faces.folds import FaceFold
from neurogaze.faces.unlabelled import FaceSource
from neurogaze.faces.witnessed import seen_rows
from neurogaze.pipeline.bench import load_bench, run_bench
from neurogaze.pipeline.eeg_bench import EegBench
from neurogaze.pipeline.eeg_settings import load_eeg_bench
from neurogaze.pipeline.ensemble import Ensemble, load_ensemble
from neurogaze.pipeline.run import Pipeline
from neurogaze.pipeline.settings import load_pipeline, top_keys
from tests.fixtures.affectnet import (
    write_affectnet,
    write_affectnet_8label,
    write_affectnet_folders,
    write_affectnet_mini,
)
from tests.fixtures.ck import write_ckextended, write_ckplus, write_ckplus48
from tests.fixtures.custom import write_custom
from tests.fixtures.deap import write_deap, write_deap_bdf
from tests.fixtures.eeg import write_dasps, write_dasps_edf, write_dreamer
from tests.fixtures.faces import write_ferplus
from tests.fixtures.mahnob import write_mahnob
from tests.fixtures.manifest import write_manifest
from tests.fixtures.rafdb import write_rafdb
from tests.fixtures.seed import write_seed
from tests.pipeline.tiny import EXPERIMENTS, FACES, STUDENT, TEACHER

FILES = sorted(p.relative_to(EXPERIMENTS) for p in EXPERIMENTS.rglob("*.yaml"))
WARM_UP = Path("students") / "warm_up.yaml"
ROOMS = {".", "data", "teachers", "students", "ablations", "pipelines", "bench", "ensembles"}
QUICK = ["--trainer.max_epochs=1", "--trainer.enable_progress_bar=false"]
QUICK_TEACHER = [*QUICK, "--model.teacher.map_size=8"]
QUICK_STUDENT = [
    *QUICK,
    "--trainer.precision=32-true",
    "--model.student.backbone=resnet10t",
    "--model.student.stem=imagenet",
    "--data.batch_size=16",
]


def small(corpus: str) -> list[str]:
    """Flags that make a generated corpus small; corpora on disk come from small fixtures."""
    return {
        "synthetic_eeg": TEACHER[:4],
        "synthetic_eeg_support": TEACHER[:4],
        "synthetic_eeg_snr": TEACHER[:4],
        "synthetic_faces": FACES[:2],
        "synthetic_faces_shifted": FACES[:2],
    }.get(corpus, [])


@pytest.fixture(scope="session")
def roots(tmp_path_factory):
    """Folders in the true formats, and the environment variables that point at them."""
    root = tmp_path_factory.mktemp("roots")
    write_dasps(root / "dasps", n_subjects=4)
    write_dasps_edf(root / "dasps", n_subjects=4, seconds=30)
    write_dreamer(root / "DREAMER.mat", n_subjects=3)
    write_ferplus(root / "ferplus", n_train=96, n_valid=48)
    write_mahnob(root / "mahnob")
    write_deap(root / "deap", n_trials=1)
    write_deap_bdf(root / "deap", n_trials=1)
    write_seed(root / "seed")
    write_custom(root / "custom")
    write_ckplus(root / "ckplus")
    write_ckplus48(root / "ckplus48")
    write_ckextended(root / "ckextended")
    write_affectnet(root / "affectnet")
    write_affectnet_8label(root / "affectnet_8label")
    write_affectnet_folders(root / "affectnet_folders")
    write_affectnet_mini(root / "affectnet_mini")
    write_rafdb(root / "rafdb")
    tests_only = ("ckplus", "ckplus48", "ckextended")
    affectnets = ("affectnet", "affectnet_8label", "affectnet_folders", "affectnet_mini")
    return {
        f"NEUROGAZE_{n.upper()}": str(root / n) for n in (*tests_only, *affectnets, "rafdb")
    } | {
        "NEUROGAZE_MANIFEST": str(write_manifest(root / "manifest")),
        "NEUROGAZE_MAHNOB": str(root / "mahnob"),
        "NEUROGAZE_DEAP": str(root / "deap"),
        "NEUROGAZE_SEED": str(root / "seed"),
        "NEUROGAZE_CUSTOM": str(root / "custom"),
        "NEUROGAZE_DASPS": str(root / "dasps"),
        "NEUROGAZE_DREAMER": str(root / "DREAMER.mat"),
        "NEUROGAZE_FERPLUS": str(root / "ferplus"),
    }


@pytest.fixture(autouse=True)
def _environment(roots, monkeypatch, tmp_path):
    for name, value in roots.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)


def test_every_file_lies_in_a_room_that_is_tested():
    assert {str(path.parent) for path in FILES} == ROOMS
    assert len(FILES) >= 12


@pytest.mark.parametrize("path", [f for f in FILES if str(f.parent) == "data"], ids=str)
def test_data(path, tmp_path):
    args = ["--data", str(EXPERIMENTS / path), f"--data.store={tmp_path}", *small(path.stem)]
    data = training.load_data(args)
    data.prepare_data()
    assert any(tmp_path.iterdir())


def overrides() -> list:
    rooms = ("students", "ablations")
    return [[], *([str(f)] for f in FILES if str(f.parent) in rooms and f != WARM_UP)]


@pytest.mark.parametrize("files", overrides(), ids=lambda f: f[0] if f else "student.yaml")
def test_student_and_every_override(files, tmp_path):
    configs = ["student.yaml", *files, "ablations/no_proto.yaml"]  # no grid at hand here
    args = [w for c in configs for w in ("--config", str(EXPERIMENTS / c))]
    args += ["--data", str(EXPERIMENTS / "data" / "synthetic_faces.yaml"), *FACES]
    out = tmp_path / "out"
    trainer = training.fit(
        [*args, *QUICK_STUDENT, f"--out={out}", f"--data.store={tmp_path / 'store'}"]
    )
    assert trainer.current_epoch == 1
    assert {"last.ckpt", "config.yaml", "metrics.csv"} <= {p.name for p in out.iterdir()}


def test_warm_up_without_labels(tmp_path):
    """On the fixture of FER+; what the configuration leaves out is left out."""
    args = ["--config", str(EXPERIMENTS / WARM_UP), *QUICK_STUDENT, "--model.width=32"]
    flags = [f"--out={tmp_path / 'out'}", f"--data.store={tmp_path / 'store'}"]
    run = training.fit([*args, *flags])
    record = run.lightning_module.provenance
    left = [(part["split"], part["rule"]) for part in record["leave_out"]]
    assert left == [("valid", "plurality8"), ("train", "majority"), ("train", "votes")]
    assert record["missing"] == [{"dataset": "ferplus", "split": "test"}]
    held_out, place = FaceFold(n_folds=10), tmp_path / "store"  # as the files of FER+ have it
    for rule in ("majority", "votes"):
        dev = FaceSource(FerPlus(rule=rule), held_out=held_out).table(place)
        assert len(dev) > 0
        assert not seen_rows(run.datamodule.seen, dev).any()
    assert (tmp_path / "out" / "last.ckpt").exists()


def test_teacher(tmp_path):
    args = ["--config", str(EXPERIMENTS / "teacher.yaml")]
    args += ["--data", str(EXPERIMENTS / "data" / "synthetic_eeg.yaml"), *TEACHER]
    training.fit([*args, f"--out={tmp_path / 'out'}", f"--data.store={tmp_path / 'store'}"])
    assert (tmp_path / "out" / "best.ckpt").exists()


@pytest.mark.parametrize("path", [f for f in FILES if str(f.parent) == "ensembles"], ids=str)
def test_ensemble(path, tmp_path):
    settings = load_ensemble(EXPERIMENTS / path)
    base = replace(settings.base, args=[*settings.base.args, *QUICK_STUDENT])
    parts = {n: replace(part, expected=None) for n, part in settings.evaluate.items()}
    settings = replace(settings, base=base, evaluate=parts, folds=2, expected_train=None)
    page = Ensemble(settings, tmp_path / "run", tmp_path / "store").run()
    assert "ensemble" in page.with_name("results.md").read_text()


@pytest.mark.parametrize("path", [f for f in FILES if str(f.parent) == "pipelines"], ids=str)
def test_pipeline(path, tmp_path):
    settings = load_pipeline(EXPERIMENTS / path)
    synthetic = "synthetic" in settings.teacher.data
    teacher = TEACHER if synthetic else ["--data.split.n_folds=2", *QUICK_TEACHER]
    student = STUDENT if synthetic else QUICK_STUDENT
    settings = replace(
        settings,
        teacher=replace(settings.teacher, args=teacher),
        student=replace(settings.student, args=student),
        evaluate={
            name: replace(
                part, args=FACES if synthetic else ["--data.batch_size=16"], expected=None
            )
            for name, part in settings.evaluate.items()
        },
        expected_train=None,
        permutations=10,
    )
    page = Pipeline(settings, tmp_path / "run", tmp_path / "store").run()
    text = page.read_text()
    assert "data:image/png;base64" in text
    assert "sha" in text.lower()


def benches(eeg: bool) -> list[Path]:
    """Bench files of EEG teachers, or of students."""
    files = [f for f in FILES if str(f.parent) == "bench"]
    return [f for f in files if ("teachers" in top_keys(EXPERIMENTS / f)) == eeg]


@pytest.mark.parametrize("path", benches(eeg=False), ids=str)
def test_bench(path, tmp_path):
    settings = load_bench(EXPERIMENTS / path)
    drawn = "synthetic" in settings.base.data
    args, faces = (STUDENT, FACES) if drawn else (QUICK_STUDENT, [])
    parts = {
        name: replace(part, args=faces, expected=None) for name, part in settings.evaluate.items()
    }
    base = replace(settings.base, args=args)
    settings = replace(settings, base=base, evaluate=parts, seeds=settings.seeds[:1])
    page = run_bench(settings, tmp_path / "run", tmp_path / "store")
    table = page.with_name("results.md").read_text()
    assert all(arm in table for arm in settings.arms)


@pytest.mark.parametrize("path", benches(eeg=True), ids=str)
def test_bench_of_teachers(path, tmp_path):
    settings = load_eeg_bench(EXPERIMENTS / path)
    synthetic = "synthetic" in settings.data
    flags = ["--data.split.n_folds=2", *(TEACHER[:4] if synthetic else [])]
    first = dict(list(settings.conditions.items())[:2])
    settings = replace(
        settings,
        conditions={name: [*flags, *own] for name, own in first.items()},
        args=[*QUICK, "--trainer.precision=32-true"],
        seeds=settings.seeds[:1],
        permutations=2,
        refits=dict.fromkeys(list(settings.refits)[:1], 2),
        workers=1,
    )
    page = EegBench(settings, tmp_path / "run", tmp_path / "store").run()
    table = page.with_name("results.md").read_text()
    assert all(f"| {arm} |" in table for arm in settings.arms)


def test_overrides_are_short():
    for path in FILES:
        if str(path.parent) == "ablations":
            lines = [x for x in Path(EXPERIMENTS / path).read_text().splitlines() if x.strip()]
            assert len(lines) <= 6, path
