"""What the student's task does with its terms: their shares, and heads of their own."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from pytorch_lightning import Callback

from neurogaze import training
from neurogaze.affect import CLASS_ANCHORS, EMOTIONS
from neurogaze.faces.corpora.synthetic import SyntheticFaces
from neurogaze.faces.datamodule import FaceDataModule
from neurogaze.faces.mixing import MixSettings
from neurogaze.losses.cross_entropy import CrossEntropy
from neurogaze.losses.geometry import Geometry
from neurogaze.losses.objective import Objective
from neurogaze.losses.proto_kd import ProtoKD
from neurogaze.losses.va_head import VaHead
from neurogaze.pipeline.judging import load_student
from neurogaze.pipeline.views import opinion
from neurogaze.prototypes.grid import PrototypeGrid
from neurogaze.tasks import student
from neurogaze.tasks.optimisation import Optimisation
from neurogaze.tasks.student import StudentTask
from tests.tasks.small import faces, pinned_grid, small_student, trainer

EXPERIMENTS = Path(__file__).parents[2] / "experiments"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    faces(folder).prepare_data()
    return folder


def task(grid=None, dropout=0.0, **terms) -> StudentTask:
    torch.manual_seed(0)
    made = small_student(dropout=dropout)
    fast = Optimisation(lr=1e-2)
    return StudentTask(made, Objective(CrossEntropy(), **terms), grid=grid, optimisation=fast)


class Watch(Callback):
    """Keep the batches."""

    def __init__(self):
        self.batches = []

    def on_train_batch_start(self, trainer, module, batch, batch_idx):
        self.batches.append(batch)


def test_shares_are_those_of_the_step_by_the_chain_rule(tmp_path, store):
    """Gradients at the embedding, again from the untrained weights and the batch of the step."""
    pin = pinned_grid(tmp_path)
    made, watch = task(pin, proto=ProtoKD(logit_scale=5.0)), Watch()
    untrained = copy.deepcopy(made.student).train()
    run = trainer(limit_train_batches=1, limit_val_batches=0, callbacks=[watch])
    run.fit(made, datamodule=faces(store))
    with torch.no_grad():
        out = untrained(watch.batches[0]["image"])
    f, target = out.embedding.clone().requires_grad_(), watch.batches[0]["target"]

    weights = made.loss.ce.class_weight
    smooth = weights * (0.945 * target + 0.055 / 8)
    log_p = untrained.classify(f).log_softmax(1)
    (of_ce,) = torch.autograd.grad(-(smooth * log_p).sum() / smooth.sum(), f)

    grid = PrototypeGrid.load(Path(pin.path))
    anchors = torch.tensor([CLASS_ANCHORS[name] for name in EMOTIONS])
    apart = torch.cdist(anchors, torch.tensor(grid.centers).float())
    width = 2 / len(grid.centers) ** 0.5  # of a bin
    table = (-apart.square() / (2 * width**2)).softmax(1)
    cosine = torch.nn.functional.normalize(f, dim=1) @ torch.tensor(grid.prototypes).T
    cross = -(target @ table * (5 * cosine / 0.9).log_softmax(1)).sum(1).mean()
    (of_proto,) = torch.autograd.grad(0.12 * cross, f)

    expected = of_proto.norm() / (of_ce.norm() + of_proto.norm())
    logged = {k: float(v) for k, v in run.callback_metrics.items()}
    assert logged["train/share_proto"] == pytest.approx(expected.item(), rel=1e-3)
    assert logged["train/share_ce"] == pytest.approx(1 - expected.item(), rel=1e-3)
    assert set(logged) == {
        "train/ce", "train/proto", "train/loss", "train/share_ce", "train/share_proto",
    }  # fmt: skip


def every_kind(tmp_path, store):
    """A training with dropout, blended pictures, a grid, and D-Geo from the middle on."""
    terms = {"proto": ProtoKD(), "geo": Geometry(0.1), "va": VaHead(0.1, 8)}
    made = task(pinned_grid(tmp_path), dropout=0.3, **terms)
    corpus = SyntheticFaces(n_train=64, n_valid=40)
    mixing = MixSettings("mixup", probability=0.5)
    data = FaceDataModule(corpus, batch_size=16, store=store, mixing=mixing)
    run = trainer(epochs=2, limit_val_batches=0)
    run.fit(made, datamodule=data)
    return made, run.callback_metrics


def test_measuring_does_not_disturb_the_training(tmp_path, store, monkeypatch):
    monkeypatch.setattr(student, "GRADIENTS_EVERY", 1)
    measured, logged = every_kind(tmp_path, store)
    state = torch.get_rng_state()
    monkeypatch.setattr(student, "gradient_balance", lambda terms, embedding: {})
    plain, fewer = every_kind(tmp_path, store)
    shares = {f"train/share_{name}" for name in ("ce", "proto", "geo", "va")}
    assert set(logged) - set(fewer) == shares | {"train/cos_proto_geo"}
    assert float(sum(logged[name] for name in shares)) == pytest.approx(1.0, rel=1e-5)
    assert -1 <= float(logged["train/cos_proto_geo"]) <= 1
    assert torch.equal(torch.get_rng_state(), state)
    kept = plain.state_dict()
    assert kept["loss.geo.known"].all()
    for name, value in measured.state_dict().items():
        assert torch.equal(value, kept[name]), name


@pytest.mark.parametrize(("every", "readings"), [(2, [0, 2, 0, 2]), (50, [0, 0])])
def test_readings_are_seldom_but_in_every_epoch(tmp_path, store, monkeypatch, every, readings):
    seen, steps = [], []
    monkeypatch.setattr(student, "GRADIENTS_EVERY", every)
    monkeypatch.setattr(student, "gradient_balance", lambda *_: seen.append(steps[-1]) or {})

    class Count(Callback):
        def on_train_batch_start(self, trainer, module, batch, batch_idx):
            steps.append(batch_idx)

    made = task(pinned_grid(tmp_path), proto=ProtoKD())
    trainer(epochs=2, limit_val_batches=0, callbacks=[Count()]).fit(made, faces(store))
    assert seen == readings
    assert len(steps) == 8


@pytest.fixture(scope="module")
def with_head(store, tmp_path_factory):
    """A student of the command line that regresses anchors: its folder, and the trainer."""
    out = tmp_path_factory.mktemp("va")
    files = (EXPERIMENTS / "student.yaml", EXPERIMENTS / "ablations" / "ce.yaml")
    args = [word for path in files for word in ("--config", str(path))]
    args += ["--trainer.max_epochs=1", "--trainer.enable_progress_bar=false"]
    args += ["--model.student.backbone=resnet10t", "--model.student.embedding_dim=16"]
    args += ["--model.loss.va.weight=0.5", "--model.loss.va.embedding_dim=16"]
    corpus = "{class_path: SyntheticFaces, init_args: {n_train: 64, n_valid: 40}}"
    args += ["--data=FaceDataModule", f"--data.corpus={corpus}", "--data.batch_size=16"]
    return out, training.fit([*args, f"--data.store={store}", f"--out={out}"])


def test_the_head_is_trained_with_the_student(with_head):
    made = with_head[1].lightning_module
    learned = {id(p) for group in with_head[1].optimizers[0].param_groups for p in group["params"]}
    assert learned == {id(p) for p in [*made.student.parameters(), *made.loss.va.parameters()]}
    start = VaHead(embedding_dim=16)
    assert (made.loss.va.matrix.detach() - start.matrix).abs().max() > 1e-5
    assert (made.loss.va.bias.detach() - start.bias).abs().max() > 1e-5
    assert {"train/va", "train/share_va", "train/share_ce"} <= set(with_head[1].callback_metrics)


def test_the_head_travels_in_the_checkpoint_and_the_student_can_be_judged(with_head, store):
    made, loaded = with_head[1].lightning_module, load_student(with_head[0] / "last.ckpt")
    assert torch.equal(loaded.loss.va.matrix, made.loss.va.matrix)
    assert torch.equal(loaded.loss.va.bias, made.loss.va.bias)
    assert (loaded.loss.va.weight, loaded.loss.proto) == (0.5, None)
    data = faces(store)
    data.setup("fit")
    images = np.array(data.valid.images[:8])
    seen = opinion(loaded, images)
    assert seen.embedding.shape == (8, 16)
    np.testing.assert_array_equal(seen.mean, opinion(made.eval(), images).mean)


def test_a_head_of_weight_zero_is_not_trained(store):
    made = task(va=VaHead(0.0, 8))
    run = trainer(limit_train_batches=1, limit_val_batches=0)
    run.fit(made, datamodule=faces(store))
    learned = {id(p) for group in run.optimizers[0].param_groups for p in group["params"]}
    assert learned == {id(p) for p in made.student.parameters()}
    assert torch.equal(made.loss.va.matrix, VaHead(embedding_dim=8).matrix)


def test_a_checkpoint_from_before_the_head_loads(tiny_run, tmp_path):
    """Its settings do not name the slot at all."""
    content = torch.load(tiny_run.run / "student" / "last.ckpt", weights_only=True)
    assert content["hyper_parameters"]["loss"]["init_args"].pop("va") is None
    assert not any(name.startswith("loss.va") for name in content["state_dict"])
    torch.save(content, tmp_path / "x.ckpt")
    assert load_student(tmp_path / "x.ckpt").loss.va is None
