"""Bytes of a picture to what the page shows of it: pure, with no web server in sight."""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from einops import rearrange
from numpy.typing import NDArray

from neurogaze.affect import CLASS_ANCHORS, EMOTIONS
from neurogaze.deploy.boxes import Box
from neurogaze.deploy.contract import VAReadout
from neurogaze.deploy.cropping import crop_faces
from neurogaze.deploy.detection import Detector
from neurogaze.deploy.pictures import Limits, read_rgb
from neurogaze.deploy.recogniser import Answers, Recogniser
from neurogaze.errors import InputError
from neurogaze.explain.sentence import sentence
from neurogaze.faces.preprocessing import WHITE
from neurogaze.faces.reading import FACE_SIZE
from neurogaze.report.html import RESEARCH_USE
from neurogaze.serve.explaining import Explainer
from neurogaze.serve.settings import ServeSettings

NAME = "the picture"
"""What a picture is called in errors; it has no file here."""
DIGITS = 4
SHORT_HASH = 12

SURENESS = (
    (0.25, "sure"),
    (0.50, "fairly sure"),
    (0.75, "unsure"),
    (math.inf, "close to a guess"),
)
"""Entropy over its maximum, and what it is called below that."""

NO_GRID = "This model carries no prototype grid, so it has no valence and arousal."
NOT_FITTED = "The valence and arousal read-out of this model was not fitted, so it is not shown."
TOO_UNSURE = "no answer (too unsure)"


@dataclass(frozen=True, eq=False)
class Desk:
    """What the page asks.

    Args:
        recogniser: the student.
        detector: finds faces.
        explainer: shows where the student looked; None where the page offers no such picture.
        settings: limits.
    """

    recogniser: Recogniser
    detector: Detector
    explainer: Explainer | None
    settings: ServeSettings

    def picture(self, data: bytes) -> dict[str, Any]:
        """Find and judge the faces of a picture, as JSON values.

        Raises:
            InputError: for bytes that are no picture within the limits.
        """
        limits = Limits(pixels=self.settings.pixels, bytes=self.settings.body_bytes)
        rgb = read_rgb(data, limits, NAME)
        found = self.detector.detect(rgb)
        boxes = found[: self.settings.faces]
        crops = crop_faces(rgb, boxes, self.recogniser.contract.crop)
        answers = self.recogniser.answers(crops)
        height, width = rgb.shape[:2]
        return {
            "width": width,
            "height": height,
            "found": len(found),
            "faces": [
                box_values(box) | face_values(answers, row) | {"crop": as_text(crops[row])}
                for row, box in enumerate(boxes)
            ],
        }

    def explanation(self, data: bytes, emotion: str) -> dict[str, Any]:
        """Which parts of a face count for an emotion.

        Args:
            data: the grey levels of a face as `picture` gave them, row by row.
            emotion: whose score is explained.

        Raises:
            InputError: for another number of bytes, an unknown emotion or no explainer.
        """
        if self.explainer is None:
            raise InputError(NAME, "cannot be explained", "serve a checkpoint or an ONNX file")
        if len(data) != FACE_SIZE**2:
            raise InputError(NAME, f"has {len(data)} bytes", f"send {FACE_SIZE**2}")
        if emotion not in EMOTIONS:
            raise InputError("the emotion", "is unknown", f"use one of {', '.join(EMOTIONS)}")
        face = rearrange(np.frombuffer(data, np.uint8), "(h w) -> h w", h=FACE_SIZE)
        heat = self.explainer.heat(face, EMOTIONS.index(emotion))
        levels = np.rint(heat.map * WHITE).astype(np.uint8)
        return {"heat": as_text(levels), "note": heat.note}

    def facts(self, reports: bool) -> dict[str, Any]:
        """What the page says of the model, and what it offers."""
        contract = self.recogniser.contract
        return {
            "model": self.recogniser.path.name,
            "emotions": list(EMOTIONS),
            "anchors": [[name, *place] for name, place in CLASS_ANCHORS.items()],
            "centers": [list(center) for center in contract.centers],
            "stamp": contract.stamp,
            "facts": model_facts(self.recogniser, self.detector),
            "explainer": self.explainer.name if self.explainer else "",
            "va": why_no_va(contract.va, bool(contract.centers)),
            "max_entropy": round(math.log(len(EMOTIONS)), DIGITS),
            "limits": {"bytes": self.settings.body_bytes, "faces": self.settings.faces},
            "reports": reports,
            "notice": RESEARCH_USE,
        }


def box_values(box: Box) -> dict[str, Any]:
    """A detected box as JSON values, pixels of the upright picture."""
    sides = (box.left, box.top, box.width, box.height)
    return {"box": [round(float(v), 1) for v in sides], "score": round(float(box.score), DIGITS)}


def face_values(answers: Answers, row: int) -> dict[str, Any]:
    """One row of answers as JSON values; what is not shown is null."""
    emotion, abstained = EMOTIONS[answers.label[row]], bool(answers.abstained[row])
    entropy = float(answers.entropy[row])
    va, cell = pair(answers.va[row]), int(answers.nearest[row])
    return {
        "label": None if abstained else emotion,
        "leading": emotion,
        "title": TOO_UNSURE if abstained else emotion,
        "confidence": round(float(answers.confidence[row]), DIGITS),
        "probabilities": [round(float(p), DIGITS) for p in answers.probabilities[row]],
        "entropy": round(entropy, DIGITS),
        "sureness": sureness(entropy),
        "va": va,
        "anchored": pair(answers.anchored[row]),
        "nearest": None if va is None else list(answers.contract.centers[cell]),
        "sentence": plain_sentence(answers, row),
    }


def plain_sentence(answers: Answers, row: int) -> str:
    """What is perceived in a face, for everybody, and what that does not mean."""
    valence, arousal = map(float, answers.va[row])
    return sentence(
        answers.probabilities[row],
        va=(valence, arousal),
        abstained=bool(answers.abstained[row]),
        generated=answers.contract.generated,
    )


def sureness(entropy: float) -> str:
    """An entropy of eight probabilities, in nats, in words.

    >>> sureness(0.0), sureness(math.log(8))
    ('sure', 'close to a guess')
    """
    share = entropy / math.log(len(EMOTIONS))
    return next(words for below, words in SURENESS if share < below)


def pair(va: NDArray[np.float64]) -> list[float] | None:
    """Valence and arousal as JSON values, null where they are not shown."""
    return None if np.isnan(va).any() else [round(float(value), DIGITS) for value in va]


def as_text(pixels: NDArray[np.uint8]) -> str:
    """Grey levels, row by row, in base 64."""
    return base64.b64encode(np.ascontiguousarray(pixels).tobytes()).decode("ascii")


def why_no_va(readout: VAReadout | None, grid: bool) -> str:
    """Why valence and arousal are not shown; "" where they are."""
    if readout is None:
        return NOT_FITTED if grid else NO_GRID
    return readout.reason


def model_facts(recogniser: Recogniser, detector: Detector) -> list[tuple[str, str]]:
    """Names and values that identify a model, for its table."""
    contract, said = recogniser.contract, recogniser.contract.provenance
    threshold, fitted = contract.abstain_below, bool(contract.calibration)
    return [
        ("file", f"{recogniser.path.name} ({recogniser.kind}, {contract.precision})"),
        ("weights SHA-256", contract.weights_sha256[:SHORT_HASH]),
        ("grid SHA-256", contract.grid_sha256[:SHORT_HASH] or "no grid"),
        ("trained on", str(said.get("dataset", "not said"))),
        ("label rule", str(said.get("rule", "not said"))),
        ("temperature", f"{contract.temperature:.3f}" if fitted else "1 (not fitted)"),
        ("no answer below", f"{threshold:.2f}" if threshold else "never: it always answers"),
        ("face detector", detector.name),
        ("version", contract.version),
    ]
