"""Trainings of a second or two: little data, small networks, a silent trainer."""

import numpy as np
from pytorch_lightning import Trainer

from neurogaze.affect import EMOTIONS
from neurogaze.artefacts import arrays_hash, write_npz
from neurogaze.eeg.corpora.synthetic import SyntheticEeg
from neurogaze.eeg.datamodule import EEGDataModule
from neurogaze.eeg.splits import SplitSettings
from neurogaze.faces.corpora.synthetic import SyntheticFaces
from neurogaze.faces.datamodule import FaceDataModule
from neurogaze.models.student import Student
from neurogaze.models.teacher import Teacher
from neurogaze.tasks.pins import GridPin, LogitsPin
from tests.prototypes.examples import example_grid


def small_student(width=8, **changes) -> Student:
    return Student("resnet10t", embedding_dim=width, stem="imagenet", **changes)


def small_teacher(**changes) -> Teacher:
    return Teacher(branches="electrodes", embedding_dim=16, **changes)


def faces(store) -> FaceDataModule:
    corpus = SyntheticFaces(n_train=64, n_valid=40)
    return FaceDataModule(corpus, batch_size=16, store=store)


def recordings(store, fold=0) -> EEGDataModule:
    """Five people in five folds: three to train on, one to stop, one held out."""
    corpus = SyntheticEeg(n_subjects=5, n_clips=4, seconds=8, baseline_seconds=4)
    return EEGDataModule(corpus, split=SplitSettings(), fold=fold, batch_size=32, store=store)


def trainer(epochs=1, **changes) -> Trainer:
    quiet = {
        "accelerator": "cpu",
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "num_sanity_val_steps": 0,
    }
    return Trainer(max_epochs=epochs, **quiet | changes)


def pinned_grid(folder, dim=8, seed=0) -> GridPin:
    """A made-up grid on disk."""
    grid = example_grid(size=3, dim=dim, seed=seed)
    grid.save(folder / "grid.npz")
    return GridPin((folder / "grid.npz").as_posix(), grid.sha256)


def pinned_logits(
    folder, ids, logits, labels=EMOTIONS, dataset="synthetic_faces", groups=None
) -> LogitsPin:
    """Logits on disk, and the pin that fits them."""
    arrays = {
        "ids": np.asarray(ids),
        "logits": np.asarray(logits),
        "labels": np.array(labels),
        "dataset": np.array(dataset),
    }
    if groups is not None:
        arrays["groups"] = groups
    write_npz(folder / "logits.npz", arrays)
    return LogitsPin((folder / "logits.npz").as_posix(), arrays_hash(arrays))
