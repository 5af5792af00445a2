"""MAHNOB-HCI: film clips, 32 BioSemi electrodes, ratings from 1 to 9, one folder a session.

Soleymani, Lichtenauer, Pun and Pantic (2012), IEEE Trans. Affective Computing 3(1); the release
needs an agreement. A recording spans the clip and 30 s before and after it; its rate is stated by
the file (256 Hz as released, 512 Hz in some copies).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurogaze.artefacts import settings_hash
from neurogaze.eeg.corpora.biosemi import Recording, level_span, read_biosemi, trigger_onsets
from neurogaze.eeg.corpora.deap import GENEVA
from neurogaze.eeg.corpora.mahnob_sessions import (
    HIGHEST_RATING,
    MIDDLE_RATING,
    NO_CLIP,
    RELEASE,
    Session,
    find_sessions,
    summary,
)
from neurogaze.eeg.corpora.sources import Fingerprints, Identity, located
from neurogaze.eeg.montage import canonical_names
from neurogaze.eeg.recordings import Corpus, Trial
from neurogaze.errors import InputError

VARIABLE = "NEUROGAZE_MAHNOB"
FOLDER = "Sessions"
MARGIN = 30.0
"""Seconds recorded before the clip, and again after it."""
SHORTEST_CLIP = 4.0
"""Seconds; triggers closer together than this enclose no clip (the shortest clip lasts 34 s)."""


@dataclass(frozen=True)
class Cut:
    """Where the clip lies in a recording.

    Args:
        start: first sample of the clip; rest comes before it.
        stop: first sample after the clip.
        found_by: "triggers", "level" (first and last sample of a raised trigger) or "margin".
    """

    start: int
    stop: int
    found_by: str


def clip_cut(status: NDArray[np.int64], sfreq: float) -> Cut | None:
    """Find the clip: from first to last trigger, else where a trigger is up, else between margins.

    Args:
        status: `[samples]`, trigger inputs.
        sfreq: sampling rate, Hz.

    Returns:
        The first of the three with rest before it and at least `SHORTEST_CLIP`, or None.

    >>> clip_cut(np.repeat([0, 16, 0, 16, 0], [30, 1, 49, 1, 30]), 10.0)
    Cut(start=30, stop=80, found_by='triggers')
    """
    onsets = trigger_onsets(status).tolist()
    margin = round(MARGIN * sfreq)
    candidates = [
        Cut(onsets[0], onsets[-1], "triggers") if len(onsets) > 1 else None,
        Cut(*level_span(status), "level"),
        Cut(margin, len(status) - margin, "margin"),
    ]
    for cut in candidates:
        if cut is not None and cut.start > 0 and cut.stop - cut.start >= SHORTEST_CLIP * sfreq:
            return cut
    return None


class MahnobHci(Corpus):
    """Trials of MAHNOB-HCI: a clip, the rest before it, and what the person said to have felt.

    A session folder without a recording or a description, without felt ratings, or in which no
    stimulus was shown is left out; `skipped` lists them and one warning counts them. A recording
    without usable triggers is cut 30 s from each end, with a warning; `trimmed` lists them.

    Args:
        root: the folder `Sessions` or the one that holds it; None asks the environment variable
            NEUROGAZE_MAHNOB.
        unrated: also yield the sessions that nobody rated, as support without ratings.
        channels: electrodes wanted, in this order, picked before any average reference; None takes
            all 32. Beside a corpus of fewer electrodes, name those, or the two are referenced
            to other means. Case does not matter, and T3 means T7.

    Raises:
        InputError: if there is no such folder, or for an unknown electrode.
    """

    name = "mahnob_hci"

    def __init__(
        self,
        root: Path | None = None,
        unrated: bool = False,
        channels: tuple[str, ...] | None = None,
    ) -> None:
        place = located(root, VARIABLE, f"the folder {FOLDER} or the one that holds it")
        self.folder = place / FOLDER if (place / FOLDER).is_dir() else place
        if not self.folder.is_dir():
            raise InputError(self.folder, "is no folder", f"name the folder {FOLDER}")
        self.unrated = unrated
        self.channels = GENEVA if channels is None else canonical_names(channels)
        self._fingerprints = Fingerprints()
        self._trimmed: list[str] = []
        self._without_clip: list[str] = []

    @cached_property
    def _found(self) -> tuple[tuple[Session, ...], tuple[str, ...]]:
        """Sessions, and what was left out; warns once an object."""
        sessions, skipped = find_sessions(self.folder, self.unrated)
        if skipped:
            told = summary(skipped, len(sessions) + len(skipped))
            warnings.warn(f"{self.folder}: {told}", stacklevel=3)
        return sessions, skipped

    @cached_property
    def _people(self) -> dict[str, list[Session]]:
        """Sessions of each person, both in numerical order."""
        sessions = self._found[0]
        names = sorted({s.subject for s in sessions}, key=lambda name: int(name[1:]))
        return {name: [s for s in sessions if s.subject == name] for name in names}

    @property
    def skipped(self) -> tuple[str, ...]:
        """Session folders left out so far, each as "folder: reason"."""
        return (*self._found[1], *self._without_clip)

    @property
    def trimmed(self) -> tuple[str, ...]:
        """Trials read so far whose recording had no usable triggers."""
        return tuple(self._trimmed)

    def subjects(self) -> tuple[str, ...]:
        """People by number: "S1", "S2", ...; no recording is opened."""
        return tuple(self._people)

    def trials(self, subject: str) -> Iterator[Trial]:
        """The sessions of one person by number; each recording is opened once.

        Raises:
            InputError: for an unknown person, or a recording that is damaged, lacks electrodes or
                holds no clip.
        """
        for session in self._of(subject):
            recording = read_biosemi(session.bdf, self.channels)
            cut = self._cut(session, recording)
            if cut is not None:
                yield _trial(session, recording, cut, self.channels)

    def _of(self, subject: str) -> list[Session]:
        if subject not in self._people:
            raise InputError(self.folder, f"subject {subject!r} is not in it", "see subjects()")
        return self._people[subject]

    def _cut(self, session: Session, recording: Recording) -> Cut | None:
        """The clip of a recording; None, with a warning, where an unrated one holds none."""
        cut = clip_cut(recording.status, recording.sfreq)
        if cut is None:
            seconds = len(recording.status) / recording.sfreq
            n_triggers = len(trigger_onsets(recording.status))
            if session.ratings is not None:
                found = f"{n_triggers} triggers in {seconds:.1f} s enclose no clip"
                raise InputError(session.bdf, found, RELEASE)
            _remember(self._without_clip, f"{session.number}: {NO_CLIP}")
            warnings.warn(f"{session.bdf}: left out, {NO_CLIP}", stacklevel=3)
        elif cut.found_by == "margin":
            _remember(self._trimmed, _unit(session))
            told = f"has no pair of triggers; {MARGIN:.0f} s are cut off each end"
            warnings.warn(f"{session.bdf}: {told}", stacklevel=3)
        return cut

    def identity(self, subject: str) -> Identity:
        """Number, size and hash of the person's recordings and descriptions, and the electrodes.

        All 32 are not named, so that features stored before there was a choice keep their names.
        """
        files = [path for s in self._of(subject) for path in (s.bdf, s.xml)]
        prints = {p.relative_to(self.folder).as_posix(): self._fingerprints.of(p) for p in files}
        size = sum(int(each["bytes"]) for each in prints.values())
        known: Identity = {"files": len(files), "bytes": size, "sha256": settings_hash(prints)}
        return known if self.channels == GENEVA else known | {"channels": " ".join(self.channels)}


def _remember(entries: list[str], entry: str) -> None:
    if entry not in entries:
        entries.append(entry)


def _unit(session: Session) -> str:
    return f"{session.subject}/session{session.number}"


def _trial(session: Session, recording: Recording, cut: Cut, channels: tuple[str, ...]) -> Trial:
    """The clip as a trial, and what comes before it as its baseline."""
    ratings = session.ratings or (None, None, None)
    scaled = [
        None if r is None else (r - MIDDLE_RATING) / (HIGHEST_RATING - MIDDLE_RATING)
        for r in ratings
    ]
    return Trial(
        eeg=np.ascontiguousarray(recording.volts[:, cut.start : cut.stop]),
        sfreq=recording.sfreq,
        channels=channels,
        corpus=MahnobHci.name,
        subject=session.subject,
        clip=session.clip,
        event=_unit(session),
        trial=_unit(session),
        source=session.bdf,
        baseline=np.ascontiguousarray(recording.volts[:, : cut.start]),
        valence=scaled[0],
        arousal=scaled[1],
        dominance=scaled[2],
        raw_rating=tuple(r for r in ratings if r is not None) or None,
    )
