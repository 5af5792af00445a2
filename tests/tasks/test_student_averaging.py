"""The mean of epochs in training: the numpy mean, what is deployed, and what a resume keeps."""

import numpy as np
import pytest
import torch
from pytorch_lightning import Callback
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint

from neurogaze.errors import InputError
from neurogaze.faces.preprocessing import FacePreprocessing, to_input
from neurogaze.losses.objective import Objective
from neurogaze.tasks.optimisation import Optimisation
from neurogaze.tasks.student import StudentTask
from tests.tasks.small import faces, small_student, trainer

EPOCHS, START, FIRST = 4, 0.5, 2


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    faces(folder).prepare_data()
    return folder


def task(**changes) -> StudentTask:
    torch.manual_seed(0)
    settings = {"swa_start": START, "optimisation": Optimisation(lr=1e-2)}
    return StudentTask(small_student(), Objective(), **settings | changes)


class Saved(Callback):
    """Weights at the end of each epoch, and what the average was when it was validated."""

    def __init__(self, folder=None, stop_after=None):
        self.path, self.validated, self.running = [], [], []
        self.folder, self.stop_after = folder, stop_after

    def on_validation_end(self, trainer, module):
        self.validated.append(parameters(module.averaged))
        self.running.append(module.averaged.backbone.conv1[1].running_mean.clone())

    def on_train_epoch_end(self, trainer, module):
        self.path.append(parameters(module.student))
        if self.folder is not None and trainer.current_epoch == self.stop_after:
            trainer.save_checkpoint(self.folder / "stopped.ckpt")
            trainer.should_stop = True


def parameters(network):
    return np.concatenate([p.detach().numpy().ravel().copy() for p in network.parameters()])


@pytest.fixture(scope="module")
def whole(store):
    made, saved = task(), Saved()
    trainer(EPOCHS, callbacks=[saved]).fit(made, datamodule=faces(store))
    return made, saved


def test_the_average_is_the_mean_of_the_saved_weights(whole):
    made, saved = whole
    np.testing.assert_allclose(
        parameters(made.averaged), np.mean(saved.path[FIRST:], axis=0), rtol=1e-4, atol=1e-6
    )
    assert np.abs(parameters(made.averaged) - saved.path[-1]).max() > 1e-3


def test_every_epoch_is_judged_with_its_own_weights(whole):
    """Before the mean starts, the network itself; then the mean up to and with this epoch."""
    _, saved = whole
    for epoch, validated in enumerate(saved.validated):
        taken = saved.path[min(epoch, FIRST) if epoch >= FIRST else epoch : epoch + 1]
        np.testing.assert_allclose(validated, np.mean(taken, axis=0), rtol=1e-4, atol=1e-6)


def test_batch_norms_fit_the_mean_whenever_it_is_judged(whole, store):
    made, saved = whole
    data = faces(store)
    data.setup("fit")
    images = to_input(torch.from_numpy(np.array(data.train.images)), FacePreprocessing())
    with torch.no_grad():
        first = made.averaged.backbone.conv1[0](images)
    expected = first.mean(dim=(0, 2, 3))
    norm = made.averaged.backbone.conv1[1]
    torch.testing.assert_close(norm.running_mean, expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(saved.running[-1], expected, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(made.student.backbone.conv1[1].running_mean, expected, rtol=1e-3)


@pytest.mark.parametrize("stop_after", [0, 2])
def test_a_resumed_training_keeps_the_average(whole, store, tmp_path, stop_after):
    trainer(EPOCHS, callbacks=[Saved(tmp_path, stop_after)]).fit(task(), datamodule=faces(store))
    again = task()
    trainer(EPOCHS).fit(
        again, datamodule=faces(store), ckpt_path=tmp_path / "stopped.ckpt", weights_only=False
    )
    for (name, value), other in zip(
        whole[0].state_dict().items(), again.state_dict().values(), strict=True
    ):
        assert torch.equal(value, other), name


def test_no_setting_adds_a_tensor_to_the_weights(store):
    """So that students saved before there was a mean of epochs, or a warm-up, still load."""
    made = task(swa_start=None, ema_decay=0.5)
    network = set(small_student().state_dict())
    own = {n.split(".", 1)[1] for n in made.state_dict() if n.startswith(("student.", "averaged."))}
    assert own == network
    assert set(made.state_dict()) == set(task().state_dict())
    assert set(made.state_dict()) > set(task(swa_start=None).state_dict())


def test_two_averages_are_refused():
    with pytest.raises(InputError, match="keep one average"):
        task(ema_decay=0.9)


@pytest.mark.parametrize("average", [{"ema_decay": 0.5}, {"swa_start": 0.0}])
def test_a_validation_amid_the_last_epoch_leaves_that_at_its_end(store, average):
    """Batch norms fit the weights that are kept, not those of half an epoch before."""
    made, data = task(**{"swa_start": None} | average), faces(store)
    trainer(1, val_check_interval=0.5).fit(made, datamodule=data)
    images = to_input(torch.from_numpy(np.array(data.train.images)), FacePreprocessing())
    with torch.no_grad():
        first = made.averaged.backbone.conv1[0](images)
    found = made.averaged.backbone.conv1[1].running_mean
    torch.testing.assert_close(found, first.mean(dim=(0, 2, 3)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("callback", [ModelCheckpoint, EarlyStopping])
def test_a_moving_average_is_not_selected_by_a_score(store, tmp_path, callback):
    writes = callback is ModelCheckpoint
    watching = callback(
        monitor="val/accuracy", mode="max", **{"dirpath": tmp_path} if writes else {}
    )
    more = {"callbacks": [watching], "enable_checkpointing": writes, "limit_train_batches": 1}
    made = task(swa_start=None, ema_decay=0.5)
    with pytest.raises(InputError, match=r"ema_decay: is 0\.5, and .*monitor is 'val/accuracy'"):
        trainer(1, **more).fit(made, datamodule=faces(store))
    trainer(1, **more).fit(task(), datamodule=faces(store))


class Steps(Callback):
    """The network after each step of the optimiser."""

    def __init__(self):
        self.after = {}

    def on_train_batch_end(self, trainer, module, *_):
        self.after[trainer.global_step] = parameters(module.student)


@pytest.mark.parametrize("k", [1, 2])
def test_a_moving_average_counts_steps_not_the_batches_of_a_step(store, k):
    """The published recursion, once a step of the optimiser, from the first weights on."""
    made, steps = task(swa_start=None, ema_decay=0.9), Steps()
    expected = parameters(made.student)
    settings = {"accumulate_grad_batches": k, "limit_val_batches": 0, "callbacks": [steps]}
    trainer(2, **settings).fit(made, datamodule=faces(store))
    assert max(steps.after) == 8 // k
    for step in range(1, 8 // k + 1):
        decay = min(0.9, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * steps.after[step]
    np.testing.assert_allclose(parameters(made.averaged), expected, atol=1e-5)


class OutOfTime(Callback):
    """Ends a training as the timer of `max_time` does, after six steps."""

    def on_train_batch_end(self, trainer, module, *_):
        trainer.should_stop = trainer.global_step == 6


@pytest.mark.parametrize("ended", [{"max_steps": 6}, {"callbacks": [OutOfTime()]}])
def test_a_moving_average_that_is_cut_short_has_its_own_batch_norms(store, ended):
    made, data = task(swa_start=None, ema_decay=0.5), faces(store)
    ran = trainer(3, limit_val_batches=0, **ended)
    ran.fit(made, datamodule=data)
    assert ran.global_step == 6
    images = to_input(torch.from_numpy(np.array(data.train.images)), FacePreprocessing())
    with torch.no_grad():
        first = made.averaged.backbone.conv1[0](images)
    found = made.averaged.backbone.conv1[1].running_mean
    torch.testing.assert_close(found, first.mean(dim=(0, 2, 3)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("ended", [{"max_steps": 3}, {"max_time": {"seconds": 60}}])
def test_a_mean_of_epochs_is_not_cut_short(store, ended):
    """Before its first epoch ended, the network deployed would be the untrained one."""
    with pytest.raises(InputError, match=rf"swa_start: is 0\.5, .*{next(iter(ended))} may end"):
        trainer(2, **ended).fit(task(), datamodule=faces(store))


def test_a_training_without_a_last_epoch_is_refused(store):
    """The ramp of D-Geo, the mean of weights and the record of a student count epochs."""
    with pytest.raises(InputError, match=r"trainer\.max_epochs: is -1, .* counts epochs"):
        trainer(-1, max_steps=3).fit(task(swa_start=None, ema_decay=0.5), datamodule=faces(store))
