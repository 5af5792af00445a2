"""Formats of face corpora on disk: who writes a sound one, who reads it, and what is damaged."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from neurogaze.faces.corpora.affectnet import AffectNet
from neurogaze.faces.corpora.affectnet_8label import AffectNet8Label
from neurogaze.faces.corpora.ck import CkPlus
from neurogaze.faces.corpora.ckextended import CkExtended
from neurogaze.faces.corpora.ferplus import FerPlus
from neurogaze.faces.corpora.manifest import Manifest
from neurogaze.faces.corpora.rafdb import RafDb
from neurogaze.faces.images import FaceCorpus
from tests.fixtures.affectnet import write_affectnet, write_affectnet_8label
from tests.fixtures.ck import write_ckextended, write_ckplus
from tests.fixtures.faces import write_fer2013_csv, write_ferplus
from tests.fixtures.manifest import NAMES, write_manifest
from tests.fixtures.rafdb import write_rafdb

Writer = Callable[[Path], object]
Opener = Callable[[Path], FaceCorpus]

ferplus = partial(write_ferplus, n_train=8, n_valid=8)


def sheet(folder: Path) -> None:
    """`fer2013.csv` and the votes, in a folder of their own."""
    write_fer2013_csv(ferplus(folder / "pictures"), folder / "sheet")


def arrays(compressed: bool, folder: Path) -> None:
    """A manifest as an archive of arrays, deflated or plain, where damage goes deeper."""
    folder.mkdir()
    images = np.random.default_rng(0).integers(0, 256, (8, 48, 48), dtype=np.uint8)
    save = np.savez_compressed if compressed else np.savez
    people = np.array([f"p{i % 3}" for i in range(8)])
    save(folder / "set.npz", images=images, labels=np.arange(8), classes=NAMES, subject=people)


FACES: dict[str, tuple[Writer, Opener, str]] = {
    "ferplus_png": (ferplus, FerPlus, "FER2013Valid/*.png"),
    "ferplus_votes_csv": (ferplus, FerPlus, "fer2013new.csv"),
    "fer2013_csv": (sheet, lambda folder: FerPlus(folder / "sheet"), "sheet/fer2013.csv"),
    "affectnet_list_csv": (
        write_affectnet, AffectNet, "Manually_Annotated_file_lists/validation.csv"
    ),
    "affectnet_picture": (write_affectnet, AffectNet, "Manually_Annotated_Images/*/valid*"),
    "affectnet_exp_npy": (
        partial(write_affectnet_8label, n_train=1, n_valid=1), AffectNet8Label,
        "val_set/annotations/*_exp.npy",
    ),
    "rafdb_list": (write_rafdb, RafDb, "basic/EmoLabel/list_patition_label.txt"),
    "ckplus_landmarks": (write_ckplus, CkPlus, "Landmarks/*/*/S*_landmarks.txt"),
    "ckplus_emotion": (write_ckplus, CkPlus, "Emotion/*/*/S*_emotion.txt"),
    "ckextended_csv": (write_ckextended, CkExtended, "ckextended.csv"),
    "manifest_csv": (
        partial(write_manifest, n=8, split=False), lambda folder: Manifest(folder / "manifest.csv"),
        "manifest.csv",
    ),
    "manifest_npz": (partial(arrays, True), lambda folder: Manifest(folder / "set.npz"), "set.npz"),
    "manifest_plain_npz": (
        partial(arrays, False), lambda folder: Manifest(folder / "set.npz"), "set.npz"
    ),
}  # fmt: skip
"""Writer of a folder that does not exist yet, reader of it, and pattern of what is damaged."""
