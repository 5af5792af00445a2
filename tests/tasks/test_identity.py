"""The network learns who somebody is, and its rating head learns nothing."""

import numpy as np
import pytest
import torch
from pytorch_lightning import Trainer
from torch.utils.data import DataLoader

from neurogaze.errors import InputError
from neurogaze.models.teacher import Teacher
from neurogaze.tasks.identity import IdentityTask
from neurogaze.tasks.optimisation import Optimisation

CHANNELS = ("AF3", "F7", "O1", "O2")


def batches():
    """Three people who differ by a shift of one electrode each; rows 0 to 47 of a table."""
    draw = np.random.default_rng(0)
    people = np.repeat([0, 1, 2], 16)
    features = draw.standard_normal((48, 4, 2)).astype(np.float32) * 0.3
    features[np.arange(48), people] += 2.0
    order = draw.permutation(48)
    columns = {"features": torch.from_numpy(features), "row": torch.arange(48)}
    parts = [{k: v[order[i : i + 12]] for k, v in columns.items()} for i in range(0, 48, 12)]
    return parts, torch.from_numpy(people), columns["features"]


def task(people):
    torch.manual_seed(0)
    teacher = Teacher(CHANNELS, n_bands=2, branches="electrodes", embedding_dim=16, dropout=0.0)
    return IdentityTask(teacher, people, Optimisation(name="adamw", lr=3e-3), noise=0.1)


def test_people_are_told_apart_and_the_rating_head_stays(tmp_path):
    parts, people, features = batches()
    trained = task(people)
    before = {k: v.clone() for k, v in trained.teacher.state_dict().items()}
    trainer = Trainer(
        max_epochs=8, logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, accelerator="cpu", default_root_dir=tmp_path,
    )  # fmt: skip
    trainer.fit(trained, train_dataloaders=DataLoader(parts, batch_size=None))
    with torch.inference_mode():
        guess = trained.eval()(features).argmax(dim=1)
    assert (guess == people).float().mean() > 0.95
    after = trained.teacher.state_dict()
    assert torch.equal(after["head.weight"], before["head.weight"])
    assert not torch.equal(after["fuse.0.weight"], before["fuse.0.weight"])


def test_the_loss_of_knowing_nothing_is_the_log_of_the_people():
    parts, people, _ = batches()
    fresh = task(people).eval()
    torch.nn.init.zeros_(fresh.head.weight)
    torch.nn.init.zeros_(fresh.head.bias)
    assert fresh.training_step(parts[0], 0).item() == pytest.approx(np.log(3), abs=1e-6)


def test_one_person_cannot_be_told_apart():
    with pytest.raises(InputError, match="1 to tell apart"):
        task(torch.tensor([0, 0, -1]))
