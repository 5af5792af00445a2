"""Face tables of noise, for tests that care for keys and not for faces."""

import numpy as np

from neurogaze.faces.images import FaceTable, pixel_groups


def drawn_table(n: int, seed: int = 0, size: int = 48, **changes) -> FaceTable:
    """`n` pictures of noise, labels going round."""
    images = np.random.default_rng(seed).integers(0, 256, (n, size, size), dtype=np.uint8)
    labels = np.arange(n, dtype=np.int64) % 8
    given = {
        "images": images,
        "ids": np.array([f"p{i}" for i in range(n)]),
        "labels": labels,
        "votes": np.eye(8, dtype=np.float32)[labels],
        "groups": pixel_groups(images),
        "dataset": "noise",
        "split": "train",
        "rule": "none",
    }
    return FaceTable(**given | changes)
