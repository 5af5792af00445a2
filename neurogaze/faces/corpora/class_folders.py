"""One folder a class, with pictures in it: how many corpora are passed on."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from neurogaze.faces.corpora.classes import Codes, folder_labels
from neurogaze.faces.corpora.labelled import Listed
from neurogaze.faces.corpora.places import folders_in, pictures_in
from neurogaze.faces.labels import DROPPED


def list_classes(folder: Path, codes: Codes) -> Listed:
    """Pictures of every class folder, by name.

    Args:
        folder: holds one folder a class, all numbered or all named; its own name begins the ids.
        codes: what a number means.

    Raises:
        InputError: when the folders are not classes, as `folder_labels`.
    """
    meaning = folder_labels(folder, folders_in(folder), codes)
    pictures = {name: pictures_in(folder / name) for name in meaning}
    kept = {name: files for name, files in pictures.items() if meaning[name] != DROPPED}
    files = [f"{name}/{file}" for name, listed in kept.items() for file in listed]
    labels = [meaning[name] for name, listed in kept.items() for _ in listed]
    left_out = Counter({codes.name(n): len(f) for n, f in pictures.items() if n not in kept and f})
    return Listed(
        folder=folder,
        files=tuple(files),
        ids=tuple(f"{folder.name}/{file}" for file in files),
        labels=np.array(labels, dtype=np.int64),
        left_out=left_out,
    )
