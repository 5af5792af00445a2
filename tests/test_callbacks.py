"""Seeds, curves, whole checkpoints, the saved configuration."""

import csv
from types import SimpleNamespace

import pytest
import torch
from pytorch_lightning.callbacks import EarlyStopping

from neurogaze.callbacks import (
    Curves,
    EpochSeed,
    RunningBest,
    SaveConfigBeside,
    WholeCheckpoints,
)


def draw_after(seed, epoch, batch=0, used=0, rank=0):
    """A number drawn in an epoch, after others have used the generator."""
    torch.manual_seed(99)
    torch.rand(used)
    trainer = SimpleNamespace(current_epoch=epoch, global_rank=rank)
    EpochSeed(seed).on_train_batch_start(trainer, None, None, batch)
    return torch.rand(3).tolist()


def test_an_epoch_depends_on_its_seed_and_number_and_process_alone():
    assert draw_after(0, 3, used=5) == draw_after(0, 3)
    three = range(3)
    draws = [draw_after(s, e, rank=r) for s in three for e in three for r in three]
    assert len({tuple(d) for d in draws}) == 27
    assert draw_after(0, 3, batch=1, used=5) != draw_after(0, 3, batch=1)


@pytest.mark.parametrize(("waited", "stops"), [(2, False), (3, True)])
def test_a_finished_early_stop_stops_again(waited, stops):
    callback = EarlyStopping("val/ccc", mode="max", patience=3)
    callback.wait_count = waited
    trainer = SimpleNamespace(callbacks=[callback, EpochSeed()], should_stop=False)
    EpochSeed().on_train_start(trainer, None)
    assert trainer.should_stop is stops


def epoch(number, first_process=True, **metrics):
    values = {name.replace("_", "/", 1): torch.tensor(v) for name, v in metrics.items()}
    return SimpleNamespace(
        current_epoch=number,
        global_step=4 * number,
        callback_metrics=values,
        is_global_zero=first_process,
    )


def read(path):
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_curves_hold_one_row_an_epoch(tmp_path):
    """A term that sets in late has empty fields before; an epoch done again replaces its row."""
    curves = Curves(str(tmp_path))
    curves.on_train_epoch_end(epoch(0, train_loss=2.0), None)
    curves.on_train_epoch_end(epoch(1, train_loss=9.0), None)
    curves.on_train_epoch_end(epoch(1, train_loss=1.5, train_geo=0.25), None)
    rows = read(tmp_path / "metrics.csv")
    assert list(rows[0]) == ["epoch", "step", "train/geo", "train/loss"]
    assert [r["epoch"] for r in rows] == ["0", "1"]
    assert [r["train/geo"] for r in rows] == ["", "0.25"]
    assert rows[1]["train/loss"] == "1.5"
    assert [p.name for p in tmp_path.iterdir()] == ["metrics.csv"]


def test_scores_stand_in_the_rows_of_validated_epochs_alone(tmp_path):
    """Lightning still tells those of an earlier epoch; a running best holds on."""
    curves = Curves(str(tmp_path))
    for number, validations in enumerate((0, 1, 0, 2)):
        curves.on_train_epoch_start(None, None)
        for _ in range(validations):
            curves.on_validation_end(SimpleNamespace(sanity_checking=False), None)
        values = {"val_ccc": 0.5, "val_ccc_best": 0.75, "train_loss": 2.0}
        curves.on_train_epoch_end(epoch(number, **values), None)
    rows = read(tmp_path / "metrics.csv")
    assert [r["val/ccc"] for r in rows] == ["", "0.5", "", "0.5"]
    assert [r["val/ccc_best"] for r in rows] == ["0.75"] * 4
    assert [r["train/loss"] for r in rows] == ["2.0"] * 4


def test_the_check_before_a_training_is_no_validation(tmp_path):
    curves = Curves(str(tmp_path))
    curves.on_validation_end(SimpleNamespace(sanity_checking=True), None)
    curves.on_train_epoch_end(epoch(0, val_ccc=0.5, train_loss=2.0), None)
    assert "val/ccc" not in read(tmp_path / "metrics.csv")[0]


def test_the_first_process_writes_the_curves(tmp_path):
    """The others keep them too: any of them may be asked for the state of a checkpoint."""
    curves = Curves(str(tmp_path))
    curves.on_train_epoch_end(epoch(0, first_process=False, train_loss=2.0), None)
    assert list(tmp_path.iterdir()) == []
    assert curves.state_dict() == {"rows": [{"epoch": 0, "step": 0, "train/loss": 2.0}]}


def test_curves_travel_in_the_checkpoint(tmp_path):
    first = Curves(str(tmp_path / "a"))
    first.on_train_epoch_end(epoch(0, train_loss=2.0), None)
    torch.save(first.state_dict(), tmp_path / "state")
    second = Curves(str(tmp_path / "b"))
    second.load_state_dict(torch.load(tmp_path / "state", weights_only=True))
    for curves in (first, second):
        curves.on_train_epoch_end(epoch(1, train_loss=1.0), None)
    texts = [(tmp_path / f / "metrics.csv").read_text() for f in "ab"]
    assert texts[0] == texts[1]
    assert len(texts[0].splitlines()) == 3


def test_the_running_best_never_falls_and_survives_a_restart():
    logged = []
    task = SimpleNamespace(log_dict=lambda values, **_: logged.append(values))
    best = RunningBest()
    for value in (0.25, 0.5, 0.125):
        best.on_train_epoch_end(epoch(0, val_macro_f1_8way=value, val_loss=value), task)
    resumed = RunningBest()
    resumed.load_state_dict(best.state_dict())
    resumed.on_train_epoch_end(epoch(3, val_macro_f1_8way=0.375, val_accuracy=0.75), task)
    name = "val/macro_f1_8way_best"
    assert [set(v) for v in logged[:3]] == [{name}] * 3
    assert [v[name] for v in logged] == [0.25, 0.5, 0.5, 0.5]
    assert logged[3]["val/accuracy_best"] == 0.75


def test_a_checkpoint_appears_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "last.ckpt"
    writer = WholeCheckpoints()
    writer.save_checkpoint({"epoch": 1}, path)

    def full(content, target):
        target.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OSError, match="disk full"):
        writer.save_checkpoint({"epoch": 2}, path)
    assert [p.name for p in tmp_path.iterdir()] == ["last.ckpt"]
    assert torch.load(path, weights_only=True) == {"epoch": 1}


@pytest.mark.parametrize(("stage", "written"), [("fit", True), ("validate", False)])
def test_the_configuration_is_saved_where_the_checkpoints_go(tmp_path, stage, written):
    parser = SimpleNamespace(dump=lambda config, **words: f"seed: {config['seed']}\n")
    saver = SaveConfigBeside(parser, {"seed": 3})
    told = []
    trainer = SimpleNamespace(
        checkpoint_callback=SimpleNamespace(dirpath=str(tmp_path)),
        loggers=[SimpleNamespace(log_hyperparams=told.append)],
    )
    saver.save_config(trainer, None, stage)
    assert told == [{"seed": 3}] * written
    assert [p.read_text() for p in tmp_path.glob("config.yaml")] == ["seed: 3\n"] * written
