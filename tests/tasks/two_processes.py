"""Trainings that two processes share, and the same by one; a program that is one of the two.

`python -m tests.tasks.two_processes FOLDER` with `LOCAL_RANK`, `MASTER_ADDR` and `MASTER_PORT` set,
as Lightning and torchrun set them.
"""

import json
import os
import sys
from pathlib import Path

import numpy as np
import torch
from pytorch_lightning import Callback, Trainer
from torch import distributed as dist
from torch import nn

from neurogaze import training
from neurogaze.affect import grid_centers
from neurogaze.faces.corpora.synthetic import SyntheticFaces
from neurogaze.faces.datamodule import FaceDataModule
from neurogaze.faces.preprocessing import to_input
from neurogaze.losses.cross_entropy import CrossEntropy
from neurogaze.losses.geometry import Geometry
from neurogaze.losses.seen import Seen
from tests.pipeline.tiny import EXPERIMENTS
from tests.tasks.small import pinned_grid, pinned_logits

BACKBONES = {"group_norm": "test_efficientnet_gn", "frozen_batch_norm": "test_efficientnet"}
N_TRAIN, N_VALID, BATCH, EVAL_BATCH, EPOCHS, WIDTH = 160, 41, 16, 8, 2, 8
"""20 steps; the last batch of a validation has one picture, and the second process none of it."""

OBJECTIVE = {
    "ce": {"weight": 1.0},
    "kd": {"weight": 0.3},
    "proto": {"weight": 0.12},
    "geo": {"weight": 0.5, "cap": 0.0, "start_epoch": 0.0, "end_epoch": 0.0},
}
"""All terms at work: the ramp is over, no class is under the cap, and D-Geo weighs much."""


class FrozenNorms(Callback):
    """Batch norms use their stored statistics in training."""

    def on_train_batch_start(self, trainer, pl_module, *args):
        for module in pl_module.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.eval()


def prepare(folder: Path) -> None:
    """Decode the faces; pin a grid and made-up logits of their teacher."""
    corpus = SyntheticFaces(N_TRAIN, N_VALID)
    data = FaceDataModule(corpus, batch_size=BATCH, store=folder / "store")
    data.prepare_data()
    data.setup("fit")
    logits = np.random.default_rng(0).standard_normal((N_TRAIN, 8)).astype(np.float32)
    pins = {
        "grid": pinned_grid(folder, dim=WIDTH),
        "teacher_logits": pinned_logits(folder, data.train.ids, logits),
    }
    named = {name: {"path": pin.path, "sha256": pin.sha256} for name, pin in pins.items()}
    (folder / "pins.json").write_text(json.dumps(named))


def plain(value) -> str:
    """A value as it is typed at the command line."""
    return value if isinstance(value, str) else json.dumps(value)


def arguments(folder: Path, name: str, processes: int) -> list[str]:
    """What `neurogaze fit` and `validate` are told."""
    student = {"backbone": BACKBONES[name], "embedding_dim": WIDTH, "stem": "imagenet"}
    model = json.loads((folder / "pins.json").read_text()) | {
        "student": student,
        "loss": OBJECTIVE,
        "optimisation": {"name": "sgd", "lr": 0.02, "weight_decay": 0.01},
    }
    trainer = {
        "max_epochs": EPOCHS,
        "accelerator": "cpu",
        "devices": processes,
        "strategy": "ddp" if processes > 1 else "auto",
        "enable_progress_bar": False,
        "callbacks": [{"class_path": f"{__name__}.FrozenNorms"}] if "frozen" in name else None,
    }
    data = {
        "corpus.n_train": N_TRAIN,
        "corpus.n_valid": N_VALID,
        "batch_size": BATCH,
        "eval_batch_size": EVAL_BATCH,
        "target": "votes",
        "augment.enabled": "false",
        "store": folder / "store",
    }
    words = ["--config", EXPERIMENTS / "student.yaml"]
    words += ["--data", EXPERIMENTS / "data" / "synthetic_faces.yaml"]
    words += [f"--data.{key}={value}" for key, value in data.items()]
    words += [f"--trainer.{key}={plain(value)}" for key, value in trainer.items()]
    words += [f"--model.{key}={json.dumps(value)}" for key, value in model.items()]
    words += [
        f"--out={folder / name / str(processes)}",
        "--checkpoint.monitor=val/accuracy",
        "--checkpoint.mode=max",
        "--checkpoint.filename=best",
        "--checkpoint.save_last=true",
    ]
    return [str(word) for word in words]


def fitted(folder: Path, name: str, processes: int) -> dict:
    """Train; return how far the running means of the classes have come."""
    trainer = training.fit(arguments(folder, name, processes))
    geo = trainer.lightning_module.loss.geo
    save_spread(trainer, folder / name / str(processes) / "spread.ckpt")
    return {"means": geo.means.tolist(), "known": geo.known.tolist()}


def save_spread(trainer: Trainer, path: Path) -> None:
    """Save the network with logits centred over the faces to judge, so that it names many classes.

    After 20 steps it would name one alone, and be judged alike whatever was judged twice.
    """
    task, data = trainer.lightning_module.eval(), trainer.datamodule
    images = to_input(torch.from_numpy(np.array(data.valid.images)), data.preprocessing)
    with torch.no_grad():
        task.student.classify.bias -= task(images).logits.mean(0)
    trainer.save_checkpoint(path)


def validated(folder: Path, name: str, processes: int) -> dict[str, float]:
    """Judge one and the same checkpoint: that of the training by two."""
    pin = f"--ckpt_path={folder / name / '2' / 'spread.ckpt'}"
    args = ["validate", *arguments(folder, name, processes), pin, "--weights_only=true"]
    found = training.build_cli(args, run=True).trainer.callback_metrics
    return {key: float(value) for key, value in found.items()}


def steps(rank: int, ranks: int) -> dict:
    """Two steps of CE and D-Geo on this share of made-up batches: losses, gradients, class means.

    Only the first half of a batch has happiness and fear, and only the second contempt: no process
    could find the means, variances and weights of the whole by itself.
    """
    draw = torch.Generator().manual_seed(5)
    layer = torch.randn(6, 12, generator=draw).double().requires_grad_()
    ce, geo = CrossEntropy(), Geometry(cap=0.05, start_epoch=0.0, end_epoch=0.0)
    ce.set_class_counts(torch.tensor([50, 40, 9, 7, 5, 3, 2, 1]))
    label = torch.tensor([1, 1, 1, 6, 2, 0, 2, 3, 2, 2, 7, 7, 0, 4, 4, 5])
    lam = torch.where(torch.arange(16) % 5 == 4, 0.6, 1.0)
    found: dict[str, list] = {"losses": [], "gradients": []}
    own = slice(rank * 16 // ranks, (rank + 1) * 16 // ranks)
    for _ in range(2):
        rows = torch.randn(16, 6, generator=draw).double()
        votes = torch.rand(16, 8, generator=draw).double().softmax(1)
        told = rows[own] @ layer
        seen = Seen(
            logits=told[:, :8],
            embedding=told,
            label=label[own],
            target=votes[own],
            centers=torch.from_numpy(grid_centers(5)),
            lam=lam[own],
        )
        loss = ce(seen) + geo(seen)
        (gradient,) = torch.autograd.grad(loss, layer)
        found["losses"].append(loss.item())
        found["gradients"].append(gradient.tolist())
    return found | {"means": geo.means.tolist()}


def renames(below: Path) -> list[str]:
    """List that grows with every file put in its place below a folder by this process."""
    seen: list[str] = []

    def watch(event: str, args: tuple) -> None:
        if event == "os.rename" and str(args[1]).startswith(str(below)):
            seen.append(Path(args[1]).name)

    sys.addaudithook(watch)
    return seen


def main(folder: Path) -> None:
    """Do this process's part of everything and write down what it found."""
    rank, written = int(os.environ["LOCAL_RANK"]), renames(folder)
    found: dict = {"fits": {name: fitted(folder, name, 2) for name in BACKBONES}}
    found["scores"] = {name: validated(folder, name, 2) for name in BACKBONES}
    found["steps"] = steps(dist.get_rank(), dist.get_world_size())
    found["written"] = written
    (folder / f"{rank}.json").write_text(json.dumps(found))
    dist.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
