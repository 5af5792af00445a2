"""A student and a detector of the real shapes whose answers a test chooses."""

import io
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from neurogaze.affect import EMOTIONS, grid_centers
from neurogaze.deploy.boxes import Box
from neurogaze.deploy.contract import Contract, CropRule, VAReadout
from neurogaze.deploy.recogniser import Outputs, Recogniser
from neurogaze.faces.preprocessing import FacePreprocessing
from neurogaze.serve.answering import Desk
from neurogaze.serve.explaining import by_occlusion
from neurogaze.serve.settings import ServeSettings

HASH = "0123456789abcdef" * 4
CELL = 18
"""Cell whose prototype every pretended embedding lies at: valence .4, arousal .4."""
ONE_FACE = (Box(10, 10, 60, 60, 0.9),)
USUAL = ServeSettings()


@dataclass
class PretendDetector:
    """Finds the boxes that it is given, and remembers what it was shown."""

    boxes: list
    name: str = "pretend"

    def detect(self, rgb):
        assert rgb.dtype == np.uint8
        assert rgb.ndim == 3
        return list(self.boxes)


def run(images):
    """Happiness grows with the brightness of the middle; everything else is as likely."""
    logits = np.zeros((len(images), len(EMOTIONS)), dtype=np.float32)
    logits[:, 1] = images[:, 0, 14:30, 14:30].mean(axis=(1, 2))
    cosines = np.full((len(images), 25), -1.0, dtype=np.float32)
    cosines[:, CELL] = 1.0
    return Outputs(logits, np.ones((len(images), 4), dtype=np.float32), cosines)


def contract(**changes):
    """One with everything shown."""
    whole = Contract(
        labels=EMOTIONS,
        preprocessing=FacePreprocessing(),
        crop=CropRule(),
        va=VAReadout(0.05, True, ""),
        centers=tuple(map(tuple, grid_centers().tolist())),
        grid_sha256=HASH,
        prototypes_sha256=HASH,
        weights_sha256=HASH,
        provenance={"dataset": "synthetic_faces", "rule": "majority"},
    )
    return replace(whole, **changes)


def desk(boxes=ONE_FACE, settings=USUAL, **changes):
    """What a page asks, without a network and without OpenCV."""
    recogniser = Recogniser(contract(**changes), Path("secret/folder/student.onnx"), "onnx", run)
    return Desk(recogniser, PretendDetector(list(boxes)), by_occlusion(recogniser), settings)


def png_of(rgb):
    """`uint8 [H, W, 3]` as PNG."""
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "PNG")
    return file.getvalue()


def png(level=255, size=(100, 80)):
    """A plain picture, width by height."""
    return png_of(np.full((size[1], size[0], 3), level, dtype=np.uint8))
