"""The student's task: pinned inputs, frozen prototypes, averaged weights, the contract."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from pytorch_lightning import Callback

from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError
from neurogaze.evaluation.metrics import accuracy, confusion_matrix, macro_f1_8way
from neurogaze.faces.preprocessing import FacePreprocessing, to_input
from neurogaze.losses.cross_entropy import CrossEntropy
from neurogaze.losses.logit_kd import LogitKD
from neurogaze.losses.objective import Objective
from neurogaze.losses.proto_kd import ProtoKD
from neurogaze.models.averaging import average_decay
from neurogaze.pipeline.judging import load_student
from neurogaze.prototypes.grid import PrototypeGrid
from neurogaze.tasks.optimisation import Optimisation
from neurogaze.tasks.pins import GridPin
from neurogaze.tasks.student import StudentTask
from tests.tasks.small import faces, pinned_grid, pinned_logits, small_student, trainer


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    faces(folder).prepare_data()
    return folder


def task(loss=None, **changes) -> StudentTask:
    torch.manual_seed(0)
    return StudentTask(small_student(), loss or Objective(), **changes)


def with_proto() -> Objective:
    return Objective(ce=CrossEntropy(), proto=ProtoKD())


def refused(made, store, match):
    with pytest.raises(InputError, match=match):
        trainer().fit(made, datamodule=faces(store))


def test_a_grid_with_another_hash_is_refused(tmp_path, store):
    pin = pinned_grid(tmp_path)
    other = pinned_grid(tmp_path, seed=1)
    made = task(with_proto(), grid=pin)
    refused(made, store, rf"grid\.npz.*{other.sha256}, not {pin.sha256}")


def test_a_grid_of_another_width_is_refused(tmp_path, store):
    refused(task(with_proto(), grid=pinned_grid(tmp_path, dim=16)), store, "16 values, not 8")


def test_a_grid_with_python_objects_is_refused(tmp_path, store):
    pin = pinned_grid(tmp_path)
    with np.load(pin.path) as stored:
        arrays = {name: stored[name] for name in stored.files}
    np.savez(pin.path, **arrays | {"counts": np.array([print] * 9, dtype=object)})
    refused(task(with_proto(), grid=pin), store, r"grid\.npz.*without running code")


def test_terms_without_their_inputs_are_refused(store):
    refused(task(with_proto()), store, r"model\.grid: is null.*loss\.proto")
    made = task(Objective(ce=CrossEntropy(), kd=LogitKD()))
    refused(made, store, r"model\.teacher_logits: is null.*loss\.kd")


def test_terms_of_weight_zero_need_nothing(store):
    loss = Objective(ce=CrossEntropy(), kd=LogitKD(weight=0.0), proto=ProtoKD(weight=0.0))
    run = trainer(limit_train_batches=1, limit_val_batches=0)
    run.fit(task(loss), datamodule=faces(store))
    assert set(run.callback_metrics) == {"train/ce", "train/loss"}


def test_logit_distillation_by_hand(tmp_path, store):
    """The first step, out of the untrained weights and the very batch that was seen."""
    data = faces(store)
    data.setup("fit")
    ids, draw = data.train.ids, np.random.default_rng(0)
    logits = draw.standard_normal((len(ids), 8)).astype(np.float32)
    shuffled = draw.permutation(len(ids))
    pin = pinned_logits(tmp_path, ids[shuffled], logits[shuffled])
    made = task(Objective(ce=CrossEntropy(), kd=LogitKD(weight=0.3)), teacher_logits=pin)
    untrained, seen = copy.deepcopy(made.student).train(), {}

    class Watch(Callback):
        def on_train_batch_start(self, trainer, module, batch, batch_idx):
            seen.update(batch)

    run = trainer(limit_train_batches=1, limit_val_batches=0, callbacks=[Watch()])
    run.fit(made, datamodule=data)
    with torch.no_grad():
        student = untrained(seen["image"]).logits.numpy()
    teacher = logits[seen["row"].numpy()]
    gap = (student - student.mean(1, keepdims=True)) - (teacher - teacher.mean(1, keepdims=True))
    logged = {k: float(v) for k, v in run.callback_metrics.items()}
    assert logged["train/kd"] == pytest.approx(0.3 * np.mean(gap**2), rel=1e-4)
    assert logged["train/loss"] == pytest.approx(logged["train/ce"] + logged["train/kd"], rel=1e-5)


@pytest.fixture
def averaged(tmp_path, store):
    """A student with a grid and averaged weights after two epochs, and its path of weights."""
    path = []

    class Watch(Callback):
        def on_train_batch_end(self, trainer, module, *_):
            path.append(module.student.classify.weight.detach().clone())

    made = task(
        with_proto(),
        grid=pinned_grid(tmp_path),
        ema_decay=0.5,
        optimisation=Optimisation(lr=1e-2),
    )
    path.append(made.student.classify.weight.detach().clone())
    data = faces(store)
    trainer(epochs=2, callbacks=[Watch()]).fit(made, datamodule=data)
    return made, path, data


def test_averaged_weights(averaged):
    """They follow in closed form, are what forward uses, and have batch norms of their own."""
    made, path, data = averaged
    expected = path[0]
    for step, weight in enumerate(path[1:], start=1):
        decay = average_decay(step, 0.5)
        expected = decay * expected + (1 - decay) * weight
    torch.testing.assert_close(made.averaged.classify.weight, expected)
    assert (made.averaged.classify.weight - made.student.classify.weight).abs().max() > 1e-4

    made.eval()
    images = to_input(torch.from_numpy(np.array(data.valid.images[:4])), FacePreprocessing())
    with torch.no_grad():
        torch.testing.assert_close(made(images).logits, made.averaged(images).logits)
        assert (made(images).logits - made.student(images).logits).abs().max() > 1e-4
        whole = to_input(torch.from_numpy(np.array(data.train.images)), FacePreprocessing())
        first = made.averaged.backbone.conv1[0](whole)
    norm = made.averaged.backbone.conv1[1]
    torch.testing.assert_close(norm.running_mean, first.mean(dim=(0, 2, 3)), rtol=1e-4, atol=1e-5)


def test_prototypes_are_frozen(averaged, tmp_path):
    made, _, _ = averaged
    grid = PrototypeGrid.load(tmp_path / "grid.npz")
    np.testing.assert_array_equal(made.prototypes.numpy(), grid.prototypes)
    np.testing.assert_allclose(made.centers.numpy(), grid.centers, rtol=1e-6)
    assert not made.prototypes.requires_grad
    assert made.prototypes.grad is None
    names = {name for name, _ in made.named_parameters()}
    assert not any("prototypes" in name or "centers" in name for name in names)
    assert made.provenance["grid_sha256"] == grid.sha256
    assert made.provenance["grid"] == grid.provenance


def test_averaged_weights_are_not_trained(store):
    made = task(ema_decay=0.5)
    run = trainer(limit_train_batches=1, limit_val_batches=0)
    run.fit(made, datamodule=faces(store))
    learned = {id(p) for group in run.optimizers[0].param_groups for p in group["params"]}
    assert learned == {id(p) for p in made.student.parameters()}
    assert all(p.grad is None for p in made.averaged.parameters())


def test_validation_scores_the_deployed_network(store):
    """Also in the curves of the last epoch, which show the network that is kept."""
    made, data = task(ema_decay=0.5), faces(store)
    run = trainer(epochs=2, limit_train_batches=2)
    run.fit(made, datamodule=data)
    logged = {k: float(v) for k, v in run.callback_metrics.items()}
    again = trainer().validate(made, datamodule=data, verbose=False)[0]
    assert {k: logged[k] for k in again} == pytest.approx(again, abs=1e-6)
    images = to_input(torch.from_numpy(np.array(data.valid.images)), FacePreprocessing())
    with torch.no_grad():
        guess = made.averaged.eval()(images).logits.argmax(1).numpy()
    counts = confusion_matrix(data.valid.labels, guess)
    assert logged["val/accuracy"] == pytest.approx((guess == data.valid.labels).mean(), abs=1e-6)
    assert logged["val/accuracy"] == pytest.approx(float(accuracy(counts)), abs=1e-6)
    assert logged["val/macro_f1_8way"] == pytest.approx(float(macro_f1_8way(counts)), abs=1e-6)


def test_other_preprocessing_than_that_of_the_checkpoint_is_refused(store):
    made = task()
    trainer(limit_train_batches=1, limit_val_batches=0).fit(made, datamodule=faces(store))
    other = faces(store)
    other.preprocessing = FacePreprocessing(size=48)
    for judge in (trainer().validate, trainer().test):
        with pytest.raises(InputError, match=r"data\.preprocessing: is .*48.*trained with .*44"):
            judge(made, datamodule=other, verbose=False)


def test_an_arm_without_the_term_has_no_grid(tmp_path, store):
    made = task(Objective(ce=CrossEntropy()), grid=pinned_grid(tmp_path))
    trainer(limit_train_batches=1, limit_val_batches=0).fit(made, datamodule=faces(store))
    assert made.prototypes.shape == (0, 8)
    assert "grid_sha256" not in made.provenance


def stored(tiny_run) -> dict:
    return torch.load(tiny_run.run / "student" / "last.ckpt", weights_only=True)


def test_checkpoint_holds_the_contract(tiny_run):
    record = stored(tiny_run)["neurogaze"]
    own = record["provenance"]
    assert record["labels"] == list(EMOTIONS)
    assert own["preprocessing"] == {"size": 44, "channels": 1, "mean": 0.5, "std": 0.25}
    assert own["dataset"] == "synthetic_faces"
    assert own["train"]["n"] == 64
    assert record["epochs"] == [2, 2]
    assert len(record["config_hash"]) == 64
    grid = PrototypeGrid.load(tiny_run.run / "grid" / "grid.npz")
    assert own["grid_sha256"] == grid.sha256


def test_prototypes_travel_in_the_checkpoint(tiny_run, tmp_path):
    """The grid's file is not needed any more: the path in the settings leads nowhere."""
    content = stored(tiny_run)
    gone = (tmp_path / "gone.npz").as_posix()
    content["hyper_parameters"]["grid"] = {"path": gone, "sha256": "0" * 64}
    torch.save(content, tmp_path / "x.ckpt")
    loaded = load_student(tmp_path / "x.ckpt")
    assert loaded.grid_pin == GridPin(gone, "0" * 64)
    assert not Path(gone).exists()
    grid = PrototypeGrid.load(tiny_run.run / "grid" / "grid.npz")
    np.testing.assert_array_equal(loaded.prototypes.numpy(), grid.prototypes)


def test_swapped_classes_are_refused_with_both_orders(tiny_run, tmp_path):
    content = stored(tiny_run)
    swapped = ["happiness", "neutral", *EMOTIONS[2:]]
    content["neurogaze"]["labels"] = swapped
    torch.save(content, tmp_path / "x.ckpt")
    with pytest.raises(InputError, match=r"x\.ckpt: has the class order") as caught:
        load_student(tmp_path / "x.ckpt")
    assert str(swapped) in str(caught.value)
    assert str(list(EMOTIONS)) in str(caught.value)


def test_a_teacher_is_no_student(tiny_run):
    with pytest.raises(InputError, match=r"best\.ckpt"):
        load_student(tiny_run.run / "teacher-0" / "best.ckpt")


def test_a_checkpoint_without_preprocessing_is_refused(tiny_run, tmp_path):
    content = stored(tiny_run)
    del content["neurogaze"]["provenance"]["preprocessing"]
    torch.save(content, tmp_path / "x.ckpt")
    with pytest.raises(InputError, match="how images were prepared"):
        load_student(tmp_path / "x.ckpt")
