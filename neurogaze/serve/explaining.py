"""Which way of explaining fits a model file: gradients for a checkpoint, occlusion for the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from einops import rearrange
from numpy.typing import NDArray

from neurogaze.deploy.recogniser import Recogniser
from neurogaze.errors import InputError
from neurogaze.explain.gradcam import grad_cam, on_template
from neurogaze.explain.occlusion import occlusion_map
from neurogaze.faces.preprocessing import to_input
from neurogaze.faces.reading import FACE_SIZE
from neurogaze.models.student import Student
from neurogaze.tasks.loading import load_task
from neurogaze.tasks.student import StudentTask

Face = NDArray[np.uint8]

NOTHING = "Nothing in this face raises this score."
COARSE = "Brighter parts raised this score more; the map is as coarse as the network’s last stage."


class Heat(NamedTuple):
    """Which parts of a face count for a score.

    Attributes:
        map: `float64 [48, 48]` in 0..1, over the face; all 0 where nothing counts.
        note: how to read it, one sentence.
    """

    map: NDArray[np.float64]
    note: str


@dataclass(frozen=True)
class Explainer:
    """One way of showing which parts of a face count for the score of an emotion.

    Args:
        name: of the method, as the page calls it.
        heat: of a grey face `uint8 [48, 48]`, for the index of an emotion.
    """

    name: str
    heat: Callable[[Face, int], Heat]


def open_explainer(recogniser: Recogniser) -> Explainer:
    """Grad-CAM where the file holds a network that has one; the occlusion map anywhere else."""
    if recogniser.kind == "checkpoint":
        explainer = by_gradients(recogniser)
        try:
            explainer.heat(np.zeros((FACE_SIZE, FACE_SIZE), dtype=np.uint8), 0)
            return explainer
        except InputError:  # such as a vision transformer, whose last stage makes no map
            pass
    return by_occlusion(recogniser)


def by_gradients(recogniser: Recogniser) -> Explainer:
    """Grad-CAM of the network in a checkpoint."""
    student: Student = load_task(recogniser.path, StudentTask).deployed
    preparation = recogniser.contract.preprocessing

    def heat(face: Face, emotion: int) -> Heat:
        images = to_input(rearrange(torch.from_numpy(face.copy()), "h w -> 1 h w"), preparation)
        found = grad_cam(student, images, torch.tensor([emotion]))
        return _heat(on_template(found)[0].double().numpy(), COARSE)

    return Explainer("Grad-CAM", heat)


def by_occlusion(recogniser: Recogniser) -> Explainer:
    """How much probability is lost where a patch of the face is covered."""

    def predict(faces: Face) -> NDArray[np.floating]:
        return recogniser.answers(faces).probabilities

    def heat(face: Face, emotion: int) -> Heat:
        lost = occlusion_map(predict, face, emotion)
        most = f"{100 * lost.max():.1f}"
        return _heat(lost, f"Covering the brightest part costs this score {most} points of 100.")

    return Explainer("occlusion map", heat)


def _heat(values: NDArray[np.float64], note: str) -> Heat:
    """Values above 0 over the largest of them."""
    raised = np.clip(np.nan_to_num(values), 0.0, None)
    most = float(raised.max())
    return Heat(raised / most, note) if most > 0 else Heat(raised, NOTHING)
