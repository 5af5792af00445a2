"""Where the faces are: OpenCV's cascades or its YuNet network, or nothing to find at all.

The cascades ship inside the wheel of OpenCV 4; the network needs a file of 0.23 MB that its user
supplies. A detector may be called from several threads; it answers one after the other.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from neurogaze.artefacts import file_hash
from neurogaze.deploy.boxes import Box, Point, merged, scaled, shrunk
from neurogaze.deploy.cropping import grey
from neurogaze.deploy.eyes import NEIGHBOURS, SCALE_STEP, with_eyes
from neurogaze.errors import InputError

__all__ = ["Box", "Cropped", "Detector", "Haar", "YuNet", "open_detector"]

Kind = Literal["auto", "yunet", "haar", "cropped"]

FACE_CASCADE = "haarcascade_frontalface_default.xml"
EYE_CASCADE = "haarcascade_eye.xml"
INSTALL = "pip install neurogaze[deploy]"

LONGEST = 640
"""Longer side of the picture that is searched, pixels. The cascade then finds faces down to a 27th
of it; in larger pictures it sees faces in every texture, and the network, which was trained on
faces of up to 300 pixels (its model card), misses portraits."""

LEAST_FACE = 24
"""Window of the face cascade, pixels."""

MOST_OVERLAP = 0.4
"""Of two boxes (over the smaller one) that are two faces."""

LEAST_SCORE, YUNET_OVERLAP, MOST_FACES = 0.7, 0.3, 5000
"""Of the network: score from 0 to 1, intersection over union that is one face, candidates."""


class Detector(Protocol):
    """Finds faces.

    Attributes:
        name: as people choose it.
        identity: what its boxes depend on; of a model file, its content and not its name.
    """

    name: str
    identity: str

    def detect(self, rgb: NDArray[np.uint8]) -> list[Box]:
        """Faces of a picture `uint8 [H, W, 3]`, largest first; none is an answer too."""
        ...


class Cropped:
    """The picture is a face already: its largest square in the middle, as corpora are read."""

    name = identity = "cropped"

    def detect(self, rgb: NDArray[np.uint8]) -> list[Box]:
        """One box, of score 1."""
        height, width = rgb.shape[:2]
        side = min(height, width)
        left, top = round((width - side) / 2), round((height - side) / 2)
        return [Box(left, top, side, side, score=1.0, cropped=True)]


class Haar:
    """OpenCV's cascades of Haar features (Viola and Jones, 2001) for frontal faces and eyes.

    The score of a box is the sum of the last stage of the cascade (`levelWeights`), without upper
    bound. Eyes are given where one is found in each half of the upper part of the box.

    Raises:
        InputError: when OpenCV is missing, or its release holds no cascades.
    """

    name = identity = "haar"

    def __init__(self) -> None:
        self._faces, self._eyes = _cascade(FACE_CASCADE), _cascade(EYE_CASCADE)
        self._turn = threading.Lock()

    def detect(self, rgb: NDArray[np.uint8]) -> list[Box]:
        """Faces of `uint8 [H, W, 3]`, largest first."""
        full = grey(rgb)
        small = shrunk(full, LONGEST)
        if min(small.shape) < LEAST_FACE:
            return []
        with self._turn:
            found, _, weights = self._faces.detectMultiScale3(
                small, scaleFactor=SCALE_STEP, minNeighbors=NEIGHBOURS, outputRejectLevels=True
            )
            boxes = [
                Box(float(x), float(y), float(w), float(h), float(weight))
                for (x, y, w, h), weight in zip(found, np.ravel(weights), strict=True)
            ]
            ratio = full.shape[1] / small.shape[1], full.shape[0] / small.shape[0]
            kept = [scaled(box, *ratio) for box in merged(boxes, MOST_OVERLAP)]
            return [with_eyes(self._eyes, full, box) for box in kept]


class YuNet:
    """OpenCV's face network YuNet (Wu et al., 2023), from an ONNX file that its user supplies.

    Args:
        model: such as `face_detection_yunet_2023mar.onnx` of OpenCV's model zoo.

    Raises:
        InputError: when OpenCV is missing, or the file is missing or another model.
    """

    name = "yunet"

    def __init__(self, model: Path) -> None:
        self._network = _network(model)
        self.identity = f"{self.name} {file_hash(model)}"
        self._turn = threading.Lock()

    def detect(self, rgb: NDArray[np.uint8]) -> list[Box]:
        """Faces of `uint8 [H, W, 3]`, largest first; the score lies in 0..1."""
        small = shrunk(rgb, LONGEST)
        height, width = small.shape[:2]
        with self._turn:
            self._network.setInputSize((width, height))
            _, rows = self._network.detect(np.ascontiguousarray(small[..., ::-1]))
        ratio = rgb.shape[1] / width, rgb.shape[0] / height
        boxes = [scaled(_box_of(row), *ratio) for row in (() if rows is None else rows)]
        sized = [box for box in boxes if box.width > 0 and box.height > 0]
        return merged(sized, MOST_OVERLAP)


def open_detector(kind: Kind, model: Path | None) -> Detector:
    """The detector of a name; "auto" is the network where its file is given, else the cascades.

    Args:
        kind: its name.
        model: file of the network; None where there is none.

    Raises:
        InputError: for another name, a network without its file or a file without the network, and
            what the detectors raise.
    """
    if kind not in ("auto", "yunet", "haar", "cropped"):
        raise InputError("detector", f"is {kind!r}", "use auto, yunet, haar or cropped")
    if model is None and kind == "yunet":
        raise InputError("detector yunet", "needs its model file", "give the file, or use haar")
    if model is not None and kind in ("haar", "cropped"):
        raise InputError(model, f"is not used by the detector {kind}", "use yunet or leave it out")
    if model is not None:
        return YuNet(model)
    return Cropped() if kind == "cropped" else Haar()


def _box_of(row: NDArray[np.float32]) -> Box:
    """A row of the network: box, both eyes, nose, both corners of the mouth, score."""
    values = [float(value) for value in row]
    one: Point = (values[4], values[5])
    other: Point = (values[6], values[7])
    eyes = (one, other) if one <= other else (other, one)
    return Box(values[0], values[1], values[2], values[3], values[-1], eyes)


def _opencv() -> Any:
    try:
        import cv2
    except ImportError as error:
        raise InputError("opencv", f"cannot be loaded ({error})", INSTALL) from error
    return cv2


def _cascade(name: str) -> Any:
    """One of the cascades inside OpenCV's wheel."""
    cv2 = _opencv()
    where = f"opencv {cv2.__version__}"
    remedy = f"{INSTALL} (a wheel of version 4), or give a YuNet model file"
    folder = getattr(getattr(cv2, "data", None), "haarcascades", None)
    if (
        folder is None
        or not hasattr(cv2, "CascadeClassifier")
        or not (Path(folder) / name).exists()
    ):
        raise InputError(where, f"holds no {name}", remedy)
    cascade = cv2.CascadeClassifier(str(Path(folder) / name))
    if cascade.empty():
        raise InputError(where, f"cannot load {name}", remedy)
    return cascade


def _network(model: Path) -> Any:
    """The network of a file, tried once on an empty picture: any other model fails there."""
    cv2 = _opencv()
    remedy = "give face_detection_yunet_2023mar.onnx of OpenCV's model zoo"
    if not model.is_file():
        raise InputError(model, "there is no such file", remedy)
    try:
        network = cv2.FaceDetectorYN.create(
            str(model), "", (64, 64), LEAST_SCORE, YUNET_OVERLAP, MOST_FACES
        )
        network.detect(np.zeros((64, 64, 3), dtype=np.uint8))
    except (cv2.error, AttributeError) as error:
        raise InputError(model, "is no YuNet network that OpenCV can run", remedy) from error
    return network
