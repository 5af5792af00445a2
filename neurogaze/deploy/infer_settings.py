"""How a student is asked about pictures and videos."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from neurogaze.deploy.recogniser import BATCH
from neurogaze.deploy.targets import VIDEO
from neurogaze.errors import InputError


@dataclass(frozen=True)
class InferSettings:
    """What can be chosen about `neurogaze infer`, beside source, model and table.

    Args:
        every: judge every n-th frame of a video; those between repeat it.
        smoothing: weight of the past in the moving average over a video, 0 to below 1.
        batch_size: faces that the student is asked about at once, at most `recogniser.BATCH`, into
            which it divides more of them.
        seconds: stop a video or camera there; 0 goes on to its end.
        annotated: folder or `.mp4` for pictures with the answers drawn on them; None draws none.

    Raises:
        InputError: for a number out of range.
    """

    every: int = 1
    smoothing: float = 0.0
    batch_size: int = 32
    seconds: float = 0.0
    annotated: Path | None = None

    def __post_init__(self) -> None:
        for name in ("every", "batch_size"):
            if getattr(self, name) < 1:
                raise InputError(f"--{name}", f"is {getattr(self, name)}", "give 1 or more")
        if self.batch_size > BATCH:
            found = f"is {self.batch_size}, but a student is asked about {BATCH} faces at most"
            raise InputError("--batch_size", found, f"give {BATCH} or less")
        if not 0 <= self.smoothing < 1:
            found = f"is {self.smoothing}"
            raise InputError("--smoothing", found, "give 0 (none) to below 1, such as 0.8")
        if not (math.isfinite(self.seconds) and self.seconds >= 0):
            raise InputError("--seconds", f"is {self.seconds}", "give 0 (to the end) or more")

    def check_for_pictures(self) -> None:
        """Refuse what means nothing without time, before anything is written.

        Raises:
            InputError: naming the first such setting.
        """
        for name in ("every", "smoothing", "seconds"):
            if getattr(self, name) != getattr(PLAIN, name):
                raise InputError(f"--{name}", "is for videos and cameras", "leave it out")
        if self.annotated is not None and self.annotated.suffix.lower() == VIDEO:
            found = "is a video, but pictures are read"
            raise InputError(self.annotated, found, "name a folder")


PLAIN = InferSettings()
"""Every frame to its end, as the student says it."""
