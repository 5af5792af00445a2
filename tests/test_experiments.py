"""Every YAML under `experiments/` is carried out, at a size of seconds; globbed, not listed.

Those of the room `teachers` are in `tests/tasks/test_teacher_files.py`.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from neurogaze import training
from neurogaze.affect import EMOTIONS
from neurogaze.artefacts import arrays_hash, canonical, write_npz
from neurogaze.faces.corpora.ferplus import FerPlus
from neurogaze.faces.folds import FaceFold
from neurogaze.faces.unlabelled import FaceSource
from neurogaze.faces.witnessed import seen_rows
from neurogaze.pipeline.arms import load_arm
from neurogaze.pipeline.bench import run_bench
from neurogaze.pipeline.bench_grids import open_grids
from neurogaze.pipeline.bench_settings import load_bench
from neurogaze.pipeline.control_settings import load_control
from neurogaze.pipeline.eeg_bench import EegBench
from neurogaze.pipeline.eeg_settings import load_eeg_bench
from neurogaze.pipeline.ensemble import Ensemble, load_ensemble
from neurogaze.pipeline.grid_set import GridSet
from neurogaze.pipeline.grid_set_index import TABLE
from neurogaze.pipeline.grid_set_settings import load_grid_set
from neurogaze.pipeline.positive_control import run_control
from neurogaze.pipeline.run import Pipeline
from neurogaze.pipeline.settings import load_pipeline, top_keys
from neurogaze.pipeline.sweep import run_sweep
from neurogaze.pipeline.sweep_settings import load_sweep
from neurogaze.prototypes.grid import PrototypeGrid
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
from tests.pipeline.published import check_published
from tests.pipeline.sized import made_up_index
from tests.pipeline.tiny import EXPERIMENTS, FACES, STUDENT, TEACHER
from tests.pipeline.tiny_control import small_control

FILES = sorted(p.relative_to(EXPERIMENTS) for p in EXPERIMENTS.rglob("*.yaml"))
WARM_UP = Path("students") / "warm_up.yaml"
ROOMS = {
    *(".", "data", "teachers", "students", "ablations"),
    *("pipelines", "bench", "ensembles", "grids", "arms", "sweeps", "grids/pins"),
    "controls",
}
QUICK = ["--trainer.max_epochs=1", "--trainer.enable_progress_bar=false"]
QUICK_TEACHER = [*QUICK, "--model.teacher.map_size=8"]
QUICK_STUDENT = [
    *QUICK,
    "--trainer.precision=32-true",
    "--model.student.backbone=test_resnet",
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
        "latent_eeg": ["--data.corpus.n_subjects=3", "--data.corpus.n_clips=2"],
        "latent_faces": ["--data.corpus.n_train=4", "--data.corpus.n_valid=2"],
    }.get(corpus, [])


@pytest.fixture(scope="session")
def roots(tmp_path_factory):
    """Folders in the true formats, and the environment variables that point at them."""
    root = tmp_path_factory.mktemp("roots")
    write_dasps(root / "dasps", n_subjects=4)
    write_dasps_edf(root / "dasps", n_subjects=4, seconds=30)
    write_dreamer(root / "DREAMER.mat", n_subjects=4)
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
    return [[], *([str(f)] for f in FILES if str(f.parent) == "students" and f != WARM_UP)]


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


def test_every_ablation_is_part_of_an_arm():
    """Arms are trained one by one in `tests/pipeline/test_bench.py`."""
    used = {
        Path(file).name
        for arm in FILES
        if str(arm.parent) == "arms"
        for file in load_arm(EXPERIMENTS / "arms", arm.stem).config
    }
    assert {f.name for f in FILES if str(f.parent) == "ablations"} <= used


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


@pytest.mark.parametrize("path", [f for f in FILES if str(f.parent) == "grids/pins"], ids=str)
def test_pinned_grid(path):
    pin = yaml.safe_load((EXPERIMENTS / path).read_text())
    PrototypeGrid.load(EXPERIMENTS.parent / pin["path"], sha256=pin["sha256"], dim=256)


def some_logits(path: Path) -> list[str]:
    """Flags that pin made-up logits of the training pictures of FER+."""
    table = FerPlus().load("train")
    logits = np.random.default_rng(0).normal(size=(len(table.ids), 8)).astype(np.float16)
    names = {"labels": np.array(EMOTIONS), "dataset": np.array(table.dataset)}
    arrays = {"ids": table.ids, "logits": logits, **names}
    write_npz(path, arrays)
    pin = {"path": path, "sha256": arrays_hash(arrays)}
    return [f"--model.teacher_logits.{name}={value}" for name, value in pin.items()]


@pytest.mark.parametrize("path", [f for f in FILES if str(f.parent) == "sweeps"], ids=str)
def test_sweep(path, tmp_path):
    """One trial, as `neurogaze sweep --local` runs it; grids are those that are committed."""
    (tmp_path / "experiments").symlink_to(EXPERIMENTS)
    flags = [*QUICK_STUDENT, "--data.held_out.n_folds=4", f"--data.store={tmp_path / 'store'}"]
    if path.stem == "kd":
        flags += some_logits(tmp_path / "logits.npz")
    sweep = load_sweep(EXPERIMENTS / path)
    sweep = replace(sweep, words=(*sweep.words, *flags))
    page = run_sweep(sweep, tmp_path / "out", trials=1)
    assert "1 of 1 trials" in page.read_text()


def test_teacher(tmp_path):
    args = ["--config", str(EXPERIMENTS / "teacher.yaml")]
    args += ["--data", str(EXPERIMENTS / "data" / "synthetic_eeg.yaml"), *TEACHER]
    training.fit([*args, f"--out={tmp_path / 'out'}", f"--data.store={tmp_path / 'store'}"])
    assert (tmp_path / "out" / "best.ckpt").exists()


def small_ensemble(path):
    """An ensemble file at a size of seconds."""
    settings = load_ensemble(path)
    base = replace(settings.base, args=[*settings.base.args, *QUICK_STUDENT])
    parts = {n: replace(part, expected=None) for n, part in settings.evaluate.items()}
    return replace(settings, base=base, evaluate=parts, folds=2, expected_train=None)


@pytest.mark.slow
@pytest.mark.parametrize("path", [f for f in FILES if str(f.parent) == "ensembles"], ids=str)
def test_ensemble(path, tmp_path):
    settings = small_ensemble(EXPERIMENTS / path)
    page = Ensemble(settings, tmp_path / "run", tmp_path / "store").run()
    assert "ensemble" in page.with_name("results.md").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("path", [f for f in FILES if str(f.parent) == "grids"], ids=str)
def test_grid_set(path, tmp_path):
    """The fixture of DASPS leaves one person a fold to train on, who cannot be told apart.

    The other kinds of the synthetic set are made in `tests/pipeline/test_grid_set.py`.
    """
    settings = load_grid_set(EXPERIMENTS / path)
    synthetic = "synthetic" in settings.teacher.data
    args = [*TEACHER, "--data.corpus.n_subjects=6"]
    if not synthetic:
        args = [*QUICK_TEACHER, "--data.split.n_folds=2", "--trainer.precision=32-true"]
    kinds = ("eeg", "subject") if synthetic else ("eeg", "null", "untrained", "rawde")
    settings = replace(
        settings,
        teacher=replace(settings.teacher, args=args),
        seeds={kind: settings.seeds[kind][:1] for kind in kinds},
        consolidate=replace(settings.consolidate, min_subjects=1),
        permutations=2,
        workers=1,
    )
    index = GridSet(settings, tmp_path / "run", tmp_path / "store").run()
    table = index.with_name(TABLE).read_text()
    assert all(f"| {kind} | 0 |" in table for kind in settings.seeds)


def small_pipeline(path, folder):
    """A pipeline file at a size of seconds; its ensemble, if any, as a file in the folder."""
    settings = load_pipeline(EXPERIMENTS / path)
    synthetic = "synthetic" in settings.teacher.data
    teacher = TEACHER if synthetic else ["--data.split.n_folds=2", *QUICK_TEACHER]
    student = STUDENT if synthetic else QUICK_STUDENT
    if settings.keep == "best":  # a fold of the fixture must hold every emotion
        student = [*student, "--data.held_out.n_folds=2"]
    faces = FACES if synthetic else ["--data.batch_size=16"]
    parts = {n: replace(p, args=faces, expected=None) for n, p in settings.evaluate.items()}
    teacher_of_faces = settings.face_teacher
    if isinstance(teacher_of_faces, str):
        ensemble = small_ensemble(Path(teacher_of_faces))
        teacher_of_faces = str(folder / "ensemble.yaml")
        Path(teacher_of_faces).write_text(yaml.safe_dump(canonical(ensemble)))
    return replace(
        settings,
        teacher=replace(settings.teacher, args=teacher),
        student=replace(settings.student, args=student),
        evaluate=parts,
        face_teacher=teacher_of_faces,
        expected_train=None,
        permutations=10,
    )


@pytest.mark.slow
@pytest.mark.parametrize("path", [f for f in FILES if str(f.parent) == "pipelines"], ids=str)
def test_pipeline(path, tmp_path, request):
    """That of the demo paints its report, that of the paper draws it."""
    if path.stem != "demo":
        drawn = path.stem == "dreamer_mahnob_ferplus"
        request.getfixturevalue("unpainted" if drawn else "undrawn")
    settings, run, store = small_pipeline(path, tmp_path), tmp_path / "run", tmp_path / "store"
    page = Pipeline(settings, run, store).run()
    text = page.read_text()
    assert "data:image/png;base64" in text
    assert "sha" in text.lower()
    if path.stem == "dreamer_mahnob_ferplus":
        check_published(run, store, n_folds=2)
        second = Pipeline(settings, run, store)
        second.run()
        again = [name for name, record in second.stages.records.items() if not record.skipped]
        assert not again


def benches(eeg: bool) -> list[Path]:
    """Bench files of EEG teachers, or of students."""
    files = [f for f in FILES if str(f.parent) == "bench"]
    return [f for f in files if ("teachers" in top_keys(EXPERIMENTS / f)) == eeg]


def to_be_made(settings) -> bool:
    """Whether a bench waits for grids that a user makes under `runs/`; none are committed there."""
    path = Path(settings.grids or "").resolve()
    return path.parent.parent == EXPERIMENTS.parent.resolve() / "runs" and not path.exists()


@pytest.mark.slow
@pytest.mark.parametrize("path", benches(eeg=False), ids=str)
def test_bench(path, tmp_path, request):
    """The arms of the primary contrast under one seed; all arms are in `test_bench.py`.

    Grids that are still to be made are random ones here. One bench draws its report.
    """
    drawn = path.stem == "ferplus_primary_cpu"
    request.getfixturevalue("unpainted" if drawn else "undrawn")
    settings = load_bench(EXPERIMENTS / path)
    if to_be_made(settings):
        (tmp_path / "grids").mkdir()
        grid = PrototypeGrid.load(EXPERIMENTS / "artefacts" / "dasps_grid" / "grid.npz")
        arms = (load_arm(Path(settings.arms_folder), arm) for arm in settings.arms)
        kinds = tuple(dict.fromkeys(arm.grid for arm in arms if arm.grid))
        settings = replace(settings, grids=str(made_up_index(tmp_path / "grids", grid, kinds)))
    drawn = "synthetic" in settings.base.data
    args, faces = (STUDENT, FACES) if drawn else (QUICK_STUDENT, [])
    parts = {
        name: replace(part, args=[*part.args, *faces], expected=None)
        for name, part in settings.evaluate.items()
    }
    arms = settings.primary or list(settings.arms)
    settings = replace(
        settings,
        base=replace(settings.base, args=[*settings.base.args, *args]),
        evaluate=parts,
        arms=dict.fromkeys(arms, 1),
        secondary=[],
        equal_gradient={},
        folds=min(settings.folds, 2),
        workers=1,
    )
    page = run_bench(settings, tmp_path / "run", tmp_path / "store")
    table = page.with_name("results.md").read_text().replace("\\_", "_")
    assert all(arm in table for arm in settings.arms)


@pytest.mark.parametrize("path", benches(eeg=False), ids=str)
def test_a_bench_has_the_grids_and_logits_it_names(path):
    """Committed files, by hash, for every seed of every arm."""
    settings = load_bench(EXPERIMENTS / path)
    if to_be_made(settings):
        pytest.skip("its grids are to be made first, as the head of the file says")
    if settings.logits is not None:
        with np.load(settings.logits.path, allow_pickle=False) as stored:
            assert arrays_hash({n: stored[n] for n in stored.files}) == settings.logits.sha256
    for name, n_seeds in settings.arms.items():
        arm = load_arm(Path(settings.arms_folder), name)
        assert not arm.logits or settings.logits is not None, name
        if arm.grid:
            source = open_grids(Path(settings.grids), settings.class_means)
            for seed in range(n_seeds):
                assert source.grid(arm.grid, seed).dim == 256


@pytest.mark.slow
@pytest.mark.usefixtures("unpainted")
@pytest.mark.parametrize("path", benches(eeg=True), ids=str)
def test_bench_of_teachers(path, tmp_path):
    settings = load_eeg_bench(EXPERIMENTS / path)
    synthetic = "synthetic" in settings.data
    flags = ["--data.split.n_folds=2", *(TEACHER[:4] if synthetic else [])]
    first = dict(list(settings.conditions.items())[:1])
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


@pytest.mark.slow
@pytest.mark.usefixtures("unpainted")
@pytest.mark.parametrize("path", [f for f in FILES if str(f.parent) == "controls"], ids=str)
def test_control(path, tmp_path):
    settings = small_control(load_control(EXPERIMENTS / path))
    world = next(iter(settings.worlds))
    settings = replace(settings, worlds={world: settings.worlds[world]})
    page = run_control(settings, tmp_path / "run", tmp_path / "store")
    told = page.read_text().replace("\\", "")
    trained = {*settings.arms} - {*settings.worlds[world].without}
    assert all(f"| {arm} |" in told for arm in trained)
    assert "Insensitive" in told  # one seed claims nothing


def test_overrides_are_short():
    for path in FILES:
        if str(path.parent) == "ablations":
            lines = [x for x in Path(EXPERIMENTS / path).read_text().splitlines() if x.strip()]
            assert len(lines) <= 6, path
