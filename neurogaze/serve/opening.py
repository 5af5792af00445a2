"""From files to everything that the page asks: the student, the detector and the explanation."""

from __future__ import annotations

import numpy as np

from neurogaze.deploy.detection import Detector
from neurogaze.deploy.recogniser import Recogniser
from neurogaze.faces.reading import FACE_SIZE
from neurogaze.serve.answering import Desk
from neurogaze.serve.explaining import open_explainer
from neurogaze.serve.settings import ServeSettings


def open_desk(recogniser: Recogniser, detector: Detector, settings: ServeSettings) -> Desk:
    """Put a student behind the page, and ask it once: the first person shall not wait for that.

    Args:
        recogniser: of `open_recogniser`.
        detector: of `open_detector`.
        settings: limits.

    Raises:
        InputError: for a model that cannot answer.
    """
    desk = Desk(recogniser, detector, open_explainer(recogniser), settings)
    nobody = np.zeros((1, FACE_SIZE, FACE_SIZE), dtype=np.uint8)
    recogniser.answers(nobody)
    if desk.explainer:
        desk.explainer.heat(nobody[0], 0)
    return desk
