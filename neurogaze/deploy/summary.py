"""What a run did, counted as its rows go by, and told in a few lines."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from neurogaze.deploy.contract import MEANINGLESS
from neurogaze.deploy.rows import FaceRow
from neurogaze.deploy.smoothing import FlipCounter, Flips, flips_per_minute

SOME_FAILED = 1
"""Exit code of a run that went on over files that could not be read."""

MEGABYTE = 1e6
KIBIBYTE = 1024
NAMED = 5
"""Faces whose flips are told one by one."""

WORDS = "Labels are perceived expressions; valence and arousal are prototype-space, not measured."


@dataclass(frozen=True)
class Summary:
    """Figures of one run.

    Args:
        out: the table.
        what: was read: "pictures" or "frames".
        seen: pictures or frames, with those that could not be read or did not come.
        faces: rows with a face.
        no_face: pictures or frames without one.
        found: pictures or frames with one face or more.
        unreadable: pictures or frames that could not be read, with those that are missing.
        missing: frames that a recording which broke off had promised.
        undrawn: pictures or frames whose annotated twin could not be written.
        videos: files in a folder that were passed over, for each is read by itself.
        abstained: faces without a label.
        reused: pictures that an interrupted run had done.
        seconds: that the run took.
        memory: most bytes that the process held, since it began.
        generated: the student saw drawn faces only.
        flips: of every face in a video.
    """

    out: Path
    what: str
    seen: int = 0
    faces: int = 0
    no_face: int = 0
    found: int = 0
    unreadable: int = 0
    missing: int = 0
    undrawn: int = 0
    videos: int = 0
    abstained: int = 0
    reused: int = 0
    seconds: float = 0.0
    memory: int = 0
    generated: bool = False
    flips: tuple[Flips, ...] = ()

    @property
    def exit_code(self) -> int:
        """0, or 1 when something could not be read or drawn."""
        return SOME_FAILED if self.unreadable or self.undrawn else 0

    @property
    def found_share(self) -> float:
        """Of the pictures or frames that could be read, those with a face; 0 of none."""
        read = self.found + self.no_face
        return self.found / read if read else 0.0

    @property
    def rate(self) -> float:
        """Pictures or frames a second, without those that were done before or did not come."""
        judged = self.seen - self.missing - self.reused
        return judged / self.seconds if self.seconds > 0 else 0.0

    def told(self) -> str:
        """The figures for people, ending in the name of the table."""
        lines = [
            f"{self.seen:,} {self.what}: {self.faces:,} faces, {self.no_face:,} without a face, "
            f"{self.unreadable:,} unreadable, {self.abstained:,} faces without a sure label",
            f"a face was found in {self.found_share:.1%} of the {self.what} that could be read",
            f"{self.rate:,.1f} {self.what}/s over {self.seconds:,.1f} s, "
            f"peak memory {self.memory / MEGABYTE:,.0f} MB",
        ]
        if self.reused:
            lines.append(f"{self.reused:,} {self.what} were done before and taken over")
        if self.undrawn:
            lines.append(f"{self.undrawn:,} {self.what} could not be drawn: see their notes")
        if self.videos:
            lines.append(f"{self.videos:,} videos were passed over: give each by itself")
        if self.flips:
            lines.append(_flips_told(self.flips))
        lines += [WORDS] + [f"This student is {MEANINGLESS}."] * self.generated
        return "\n".join([*lines, str(self.out)])


def _flips_told(flips: Sequence[Flips]) -> str:
    longest = sorted(flips, key=lambda f: (-f.seconds, f.face))[:NAMED]
    each = ", ".join(f"#{f.face} {f.per_minute:.1f} over {f.seconds:.1f} s" for f in longest)
    more = ", ..." if len(flips) > NAMED else ""
    return f"label flips a minute: {flips_per_minute(flips):.1f} ({each}{more})"


class Tally:
    """Counts rows into a summary."""

    def __init__(self, out: Path, what: str, videos: int = 0) -> None:
        self._summary = Summary(out, what, videos=videos)
        self._flips = FlipCounter()

    def add(self, rows: Sequence[FaceRow], failed: bool = False) -> None:
        """Take in all rows of one picture or frame."""
        s, faces = self._summary, [row for row in rows if row.face is not None]
        self._summary = replace(
            s,
            seen=s.seen + 1,
            faces=s.faces + len(faces),
            no_face=s.no_face + (not faces and not failed),
            found=s.found + bool(faces),
            unreadable=s.unreadable + failed,
            undrawn=s.undrawn + any(row.undrawn for row in rows),
            abstained=s.abstained + sum(bool(row.abstained) for row in faces),
            generated=s.generated or any(row.generated for row in rows),
        )
        for row in faces:
            self._flips.add(row)

    def broke_off(self, missing: int) -> None:
        """Count frames that a recording had promised and did not give."""
        s = self._summary
        self._summary = replace(
            s,
            seen=s.seen + missing,
            unreadable=s.unreadable + missing,
            missing=s.missing + missing,
        )

    def summary(self, seconds: float, reused: int = 0) -> Summary:
        """The figures so far."""
        flips, memory = self._flips.flips(), peak_memory()
        return replace(self._summary, seconds=seconds, reused=reused, flips=flips, memory=memory)


def peak_memory() -> int:
    """Most bytes that this process held since it began; 0 where the system does not say."""
    try:
        import resource
    except ImportError:  # not on Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * KIBIBYTE
