"""Fits that are killed and resumed, and what a fit's fingerprint takes notice of."""

import csv
import pickle
import shutil
import signal
from pathlib import Path

import pytest
import torch
import yaml

from neurogaze import training
from neurogaze.callbacks import EpochSeed
from neurogaze.cli import main
from neurogaze.errors import InputError
from neurogaze.tasks.teacher import TeacherTask
from tests.pipeline.tiny import EXPERIMENTS, STUDENT, TEACHER
from tests.prototypes.examples import example_grid

PARTS = ("state_dict", "optimizer_states", "lr_schedulers", "epoch", "global_step", "neurogaze")
PATIENCE = 2
EARLY = {
    "class_path": "EarlyStopping",
    "init_args": {"monitor": "val/ccc", "mode": "max", "patience": PATIENCE, "min_delta": 10.0},
}
"""No epoch improves by 10, so training stops `PATIENCE` epochs after the first."""


def teacher_args(folder: Path) -> list[str]:
    """A teacher with dropout that stops early, after three of six epochs."""
    override = folder / "early.yaml"
    override.write_text(yaml.safe_dump({"trainer": {"max_epochs": 6, "callbacks": [EARLY]}}))
    args = ["--config", str(EXPERIMENTS / "teacher.yaml"), "--config", str(override)]
    args += ["--data", str(EXPERIMENTS / "data" / "synthetic_eeg.yaml")]
    kept = [arg for arg in TEACHER if "max_epochs" not in arg]
    return [*args, *kept, "--data.batch_size=16", f"--data.store={folder / 'store'}"]


def student_args(folder: Path) -> list[str]:
    """A student with every part that has a state: averages, class means, dropout, prototypes."""
    grid = example_grid(size=3, dim=256)
    grid.save(folder / "grid.npz")
    configs = [EXPERIMENTS / "student.yaml", EXPERIMENTS / "students" / "cpu.yaml"]
    args = [word for path in configs for word in ("--config", str(path))]
    args += ["--data", str(EXPERIMENTS / "data" / "synthetic_faces.yaml"), *STUDENT]
    args += [f"--model.grid.path={folder / 'grid.npz'}", f"--model.grid.sha256={grid.sha256}"]
    return [*args, "--trainer.max_epochs=3", f"--data.store={folder / 'store'}"]


def fit_killed(args: list[str], epoch: int, monkeypatch) -> None:
    """A fit that dies as an epoch begins."""

    def die(self, trainer, module):
        if trainer.current_epoch == epoch:
            raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(EpochSeed, "on_train_epoch_start", die)
        with pytest.raises(RuntimeError, match="killed"):
            training.fit(args)


def same(first: dict, second: dict, path: str = "") -> None:
    """Bit-equal tensors and equal values at every depth."""
    assert type(first) is type(second), path
    if isinstance(first, dict):
        assert first.keys() == second.keys(), path
        for key in first:
            same(first[key], second[key], f"{path}/{key}")
    elif isinstance(first, list | tuple):
        assert len(first) == len(second), path
        for i, pair in enumerate(zip(first, second, strict=True)):
            same(*pair, f"{path}/{i}")
    elif isinstance(first, torch.Tensor):
        assert torch.equal(first, second), path
    else:
        assert first == second, path


def last(out: Path) -> dict:
    return torch.load(out / "last.ckpt", weights_only=True)


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    """Arguments, and the folder of an undisturbed fit."""
    folder = tmp_path_factory.mktemp("teacher")
    args = teacher_args(folder)
    training.fit([*args, f"--out={folder / 'whole'}"])
    return args, folder / "whole"


def test_a_fit_by_name_is_that_of_the_command(teacher, tmp_path):
    """Weights, curves, configuration beside them and its hash."""
    args, whole = teacher
    training.build_cli(["fit", *args, f"--out={tmp_path}"], run=True)
    for part in PARTS:
        same(last(whole)[part], last(tmp_path)[part], part)
    assert (tmp_path / "metrics.csv").read_text() == (whole / "metrics.csv").read_text()
    assert last(whole)["neurogaze"]["config_hash"]
    first, second = (yaml.safe_load((f / "config.yaml").read_text()) for f in (whole, tmp_path))
    told_to_resume = {"ckpt_path": None, "weights_only": None}
    assert first | told_to_resume | {"out": str(tmp_path)} == second


@pytest.mark.parametrize("epoch", [1, 2])
def test_a_resumed_teacher_is_the_same_to_the_bit(teacher, tmp_path, monkeypatch, epoch):
    """Dropout, batch order, optimiser, the count of the early stop."""
    args, whole = teacher
    out = tmp_path / "out"
    fit_killed([*args, f"--out={out}"], epoch, monkeypatch)
    assert last(out)["epoch"] == epoch - 1
    training.fit([*args, f"--out={out}"], resume=out / "last.ckpt")
    assert last(whole)["epoch"] == PATIENCE
    for part in PARTS:
        same(last(whole)[part], last(out)[part], part)
    assert (out / "metrics.csv").read_text() == (whole / "metrics.csv").read_text()
    best = [torch.load(f / "best.ckpt", weights_only=True)["state_dict"] for f in (whole, out)]
    same(*best)


@pytest.mark.slow
def test_a_resumed_student_is_the_same_to_the_bit(tmp_path, monkeypatch):
    """Averaged weights, running class means, momentum, augmentation, dropout, prototypes."""
    args, whole, out = student_args(tmp_path), tmp_path / "whole", tmp_path / "out"
    training.fit([*args, f"--out={whole}"])
    fit_killed([*args, f"--out={out}"], 1, monkeypatch)
    training.fit([*args, f"--out={out}"], resume=out / "last.ckpt")
    state = last(whole)["state_dict"]
    names = " ".join(state)
    for part in ("averaged.", "loss.geo.means", "prototypes", "student."):
        assert part in names
    assert float(state["loss.geo.means"].abs().max()) > 0
    for part in PARTS:
        same(last(whole)[part], last(out)[part], part)
    text = (whole / "metrics.csv").read_text()
    assert (out / "metrics.csv").read_text() == text
    assert len(text.splitlines()) == 4
    assert "train/geo" in text
    other = [f"--out={tmp_path / 'other'}", "--data.corpus.seed=5"]
    with pytest.raises(InputError, match=r"other data: .*differ"):
        training.fit([*args, *other], resume=whole / "last.ckpt")


def test_a_training_does_not_go_on_with_people_it_held_out(teacher, tmp_path):
    """Its record would still call them held out, and a grid would be made of them."""
    args, whole = teacher
    with pytest.raises(InputError, match=r"other data: fold, .*test_units.* differ.*train anew"):
        training.fit([*args, "--data.fold=1", f"--out={tmp_path}"], resume=whole / "last.ckpt")
    assert not (tmp_path / "last.ckpt").exists()


def test_a_training_that_goes_on_has_the_hash_of_its_own_settings(teacher, tmp_path):
    args, whole = teacher
    longer = [*args, "--trainer.callbacks=null", "--trainer.max_epochs=4", f"--out={tmp_path}"]
    training.fit(longer, resume=whole / "last.ckpt")
    assert last(tmp_path)["epoch"] == 3
    hashes = [last(out)["neurogaze"]["config_hash"] for out in (whole, tmp_path)]
    assert all(hashes)
    assert hashes[0] != hashes[1]


def test_an_early_stop_is_not_trained_past(teacher, tmp_path, monkeypatch):
    """Six epochs are allowed; the third was the last, and stays so when resumed."""
    args, whole = teacher
    out = tmp_path / "out"
    shutil.copytree(whole, out)
    steps = []
    monkeypatch.setattr(TeacherTask, "on_train_batch_start", lambda *_: steps.append(1))
    trainer = training.fit([*args, f"--out={out}"], resume=out / "last.ckpt")
    assert steps == []
    assert trainer.global_step == last(whole)["global_step"]
    same(last(whole)["state_dict"], last(out)["state_dict"])
    same(
        {k: v.cpu() for k, v in trainer.lightning_module.state_dict().items()},
        dict(last(whole)["state_dict"]),
    )
    assert (out / "metrics.csv").read_text() == (whole / "metrics.csv").read_text()


SPARSE = [
    *("--trainer.callbacks=null", "--trainer.max_epochs=4", "--trainer.check_val_every_n_epoch=2"),
    *("--checkpoint.monitor=null", "--checkpoint.filename=last", "--checkpoint.save_last=null"),
]
"""Every other epoch is validated, and none chosen."""


@pytest.fixture(scope="module")
def sparse(teacher, tmp_path_factory):
    """Arguments, and the text of the curves of an undisturbed fit."""
    args, out = [*teacher[0], *SPARSE], tmp_path_factory.mktemp("sparse")
    training.fit([*args, f"--out={out}"])
    return args, (out / "metrics.csv").read_text()


def test_epochs_without_validation_have_no_scores(sparse):
    rows = list(csv.DictReader(sparse[1].splitlines()))
    assert [bool(row["val/ccc"]) for row in rows] == [False, True, False, True]
    assert all(row["train/loss"] for row in rows)


@pytest.mark.parametrize("epoch", [2, 3])
def test_a_resumed_fit_has_the_same_scores_in_the_same_rows(sparse, tmp_path, monkeypatch, epoch):
    """Whether it goes on from an epoch that was validated or from one that was not."""
    args = [*sparse[0], f"--out={tmp_path}"]
    fit_killed(args, epoch, monkeypatch)
    training.fit(args, resume=tmp_path / "last.ckpt")
    assert (tmp_path / "metrics.csv").read_text() == sparse[1]


def test_a_checkpoint_that_would_run_code_is_refused(teacher, tmp_path):
    args, whole = teacher
    content = last(whole) | {"surprise": Path("x")}
    torch.save(content, tmp_path / "last.ckpt")
    with pytest.raises(pickle.UnpicklingError, match="Weights only load failed"):
        training.fit([*args, f"--out={tmp_path}"], resume=tmp_path / "last.ckpt")


def test_another_seed_is_another_training(teacher, tmp_path):
    args, whole = teacher
    training.fit([*args, f"--out={tmp_path}", "--seed_everything=1", "--trainer.max_epochs=1"])
    other = torch.load(tmp_path / "last.ckpt", weights_only=True)["state_dict"]
    key = "teacher.head.weight"
    assert not torch.equal(other[key], last(whole)["state_dict"][key])


def test_an_interrupted_fit_leaves_with_130(teacher, tmp_path, monkeypatch, capsys):
    """Lightning would leave with code 1 and keep later interrupts from being heard."""
    args, _ = teacher
    handler = signal.getsignal(signal.SIGINT)

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(EpochSeed, "on_train_epoch_start", interrupt)
    assert main(["fit", *args, f"--out={tmp_path}"]) == 130
    assert "run the same command again" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGINT) is handler


def test_a_run_keeps_its_configuration(teacher):
    _, whole = teacher
    config = yaml.safe_load((whole / "config.yaml").read_text())
    assert config["trainer"]["max_epochs"] == 6
    assert config["data"]["init_args"]["corpus"]["init_args"]["n_subjects"] == 4


FIT = [
    *("--config", str(EXPERIMENTS / "student.yaml")),
    *("--data", str(EXPERIMENTS / "data" / "ferplus.yaml")),
    "--model.student.backbone=resnet10t",
]
PIN = "--model.grid.sha256=" + "a" * 64


@pytest.fixture
def parsed(tmp_path, monkeypatch):
    """What a fit of a student on FER+ would be; nothing of FER+ is at hand."""
    for name in ("FERPLUS", "FERPLUS_VOTES"):
        monkeypatch.delenv(f"NEUROGAZE_{name}", raising=False)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty2").mkdir()

    def parse(*args: str):
        return training.parse_fit([*FIT, *args])

    return parse


def test_places_are_not_part_of_a_fit(parsed, tmp_path):
    plain = parsed("--model.grid.path=a.npz", PIN)
    moved = parsed(
        "--model.grid.path=elsewhere/b.npz",
        PIN,
        f"--out={tmp_path / 'out'}",
        f"--data.store={tmp_path / 'store'}",
        f"--data.corpus.root={tmp_path / 'empty'}",
        f"--data.corpus.votes={tmp_path / 'empty' / 'fer2013new.csv'}",
    )
    assert moved == plain
    assert str(tmp_path) not in str(moved)


def test_a_split_counts_by_its_content_and_not_by_its_place(tmp_path):
    """The content is an input of the stages that train."""
    args = ["--config", str(EXPERIMENTS / "teacher.yaml")]
    args += ["--data", str(EXPERIMENTS / "data" / "synthetic_eeg.yaml")]
    one, other = (training.parse_fit([*args, f"--data.split_file={p}"]) for p in ("a", tmp_path))
    assert one == other


def test_whatever_shapes_the_result_is_part_of_a_fit(parsed):
    plain = parsed("--model.grid.path=a.npz", PIN)
    for changed in (
        ["--model.grid.sha256=" + "b" * 64],
        ["--model.loss.proto.weight=0.2"],
        ["--model.loss.geo.margin=0.4"],
        ["--model.optimisation.lr=0.1"],
        ["--model.student.dropout=0.1"],
        ["--data.preprocessing.size=48"],
        ["--data.augment.flip=0.1"],
        ["--data.target=votes"],
        ["--data.corpus.rule=plurality8"],
        ["--data.batch_size=64"],
        ["--trainer.max_epochs=7"],
        ["--seed_everything=3"],
    ):
        assert parsed("--model.grid.path=a.npz", PIN, *changed) != plain, changed


def test_the_seed_reaches_data_and_epochs():
    cli = training.build_cli(
        [
            *("--config", str(EXPERIMENTS / "student.yaml")),
            *("--data", str(EXPERIMENTS / "data" / "synthetic_faces.yaml")),
            "--seed_everything=7",
            "--model.student.backbone=resnet10t",
        ],
        run=False,
    )
    assert cli.datamodule.seed == 7
    (callback,) = [c for c in cli.trainer.callbacks if isinstance(c, EpochSeed)]
    assert callback.seed == 7


def test_load_data_takes_a_file_and_flags():
    path = str(EXPERIMENTS / "data" / "synthetic_faces.yaml")
    data = training.load_data(["--data", path, "--data.batch_size=8", "--data.corpus.domain=0.5"])
    assert isinstance(data, training.FaceDataModule)
    assert data.batch_size == 8
    assert data.corpus.domain == 0.5
    with pytest.raises(SystemExit) as stop:
        training.load_data(["--data", path, "--data.batchsize=8"])
    assert stop.value.code == 2


def test_a_bar_that_is_not_drawn_is_no_setting(tmp_path):
    """A checkpoint has the same hash whatever was trained beside it."""
    args = [arg for arg in teacher_args(tmp_path) if "progress_bar" not in arg]
    hashes, bars = [], []
    for drawn in (True, False):
        cli = training.plan([*args, f"--out={tmp_path / 'out'}"])
        cli.draws_bar = drawn
        cli.build()
        cli.before_fit()
        hashes.append(cli.model.config_hash)
        bars.append(cli.trainer.progress_bar_callback is not None)
    assert hashes[0] == hashes[1]
    assert bars == [True, False]
