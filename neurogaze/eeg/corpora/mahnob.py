"""MAHNOB-HCI: film clips, 32 BioSemi electrodes, ratings from 1 to 9, one folder a session.

Soleymani, Lichtenauer, Pun and Pantic (2012), IEEE Trans. Affective Computing 3(1); the release
needs an agreement. A recording spans the clip and 30 s before and after it; its rate is stated by
the file (256 Hz as released, 512 Hz in some copies).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np

from neurogaze.artefacts import settings_hash
from neurogaze.eeg.corpora.biosemi import Recording, read_biosemi, trigger_onsets
from neurogaze.eeg.corpora.deap import GENEVA
from neurogaze.eeg.corpora.mahnob_cut import MARGIN, SHORTEST_REST, Cut, clip_cut
from neurogaze.eeg.corpora.mahnob_sessions import (
    HIGHEST_RATING,
    MIDDLE_RATING,
    NO_CLIP,
    NO_REST,
    RELEASE,
    Session,
    find_sessions,
    summary,
)
from neurogaze.eeg.corpora.sources import Fingerprints, Identity, located
from neurogaze.eeg.montage import chosen_names
from neurogaze.eeg.recordings import Corpus, Trial
from neurogaze.errors import InputError

VARIABLE = "NEUROGAZE_MAHNOB"
FOLDER = "Sessions"


class MahnobHci(Corpus):
    """Trials of MAHNOB-HCI: a clip, the rest before it, and what the person said to have felt.

    A session folder without a recording or a description, without felt ratings, or in which no
    stimulus was shown is left out; `skipped` lists them and one warning counts them. A recording
    without usable triggers is cut 30 s from each end, with a warning; `trimmed` lists them. One
    that nobody rated and that holds no clip, or less than 4 s of rest before it, is left out with a
    warning too, and so is who has no other.

    Args:
        root: the folder `Sessions` or the one that holds it; None asks the environment variable
            NEUROGAZE_MAHNOB.
        unrated: also yield the sessions that nobody rated, as support without ratings.
        channels: electrodes wanted, in this order, picked before any average reference; None takes
            all 32. Beside a corpus of fewer electrodes, name those, or the two are referenced
            to other means. Case does not matter, and T3 means T7.

    Raises:
        InputError: if there is no such folder, for no electrode, or for one that is unknown or
            named twice.
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
        self.channels = GENEVA if channels is None else chosen_names(channels)
        self._fingerprints = Fingerprints()
        self._trimmed: list[str] = []
        self._left_out: list[str] = []

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
        people = {name: [s for s in sessions if s.subject == name] for name in names}
        return {name: own for name, own in people.items() if self._any_trial(own)}

    def _any_trial(self, sessions: list[Session]) -> bool:
        """Whether a person has a trial; only of who rated nothing are recordings opened for it."""
        return any(session.ratings is not None for session in sessions) or any(
            self._cut(session, read_biosemi(session.bdf, self.channels)) for session in sessions
        )

    @property
    def skipped(self) -> tuple[str, ...]:
        """Session folders left out so far, each as "folder: reason"."""
        return (*self._found[1], *self._left_out)

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
        """The clip of a recording; None, with a warning, where an unrated one cannot be used."""
        cut = clip_cut(recording.status, recording.sfreq)
        if session.ratings is None:
            short = cut is not None and cut.start < SHORTEST_REST * recording.sfreq
            if cut is None or short:
                self._leave_out(session, NO_REST if short else NO_CLIP)
                return None
        elif cut is None:
            seconds = len(recording.status) / recording.sfreq
            n_triggers = len(trigger_onsets(recording.status))
            found = f"{n_triggers} triggers in {seconds:.1f} s enclose no clip"
            raise InputError(session.bdf, found, RELEASE)
        if cut.found_by == "margin":
            _remember(self._trimmed, _unit(session))
            told = f"has no pair of triggers; {MARGIN:.0f} s are cut off each end"
            warnings.warn(f"{session.bdf}: {told}", stacklevel=3)
        return cut

    def _leave_out(self, session: Session, reason: str) -> None:
        """Leave an unrated session out; warns once an object."""
        if _remember(self._left_out, f"{session.number}: {reason}"):
            warnings.warn(f"{session.bdf}: left out, {reason}", stacklevel=4)

    def identity(self, subject: str) -> Identity:
        """Number, size and hash of the person's recordings and descriptions, and the electrodes.

        Descriptions are those that were read, also where the file was edited since.
        All 32 are not named, so that features stored before there was a choice keep their names.
        """
        prints: dict[str, Identity] = {}
        for session in self._of(subject):
            prints[self._place(session.bdf)] = self._fingerprints.of(session.bdf)
            prints[self._place(session.xml)] = session.described
        size = sum(int(each["bytes"]) for each in prints.values())
        known: Identity = {"files": len(prints), "bytes": size, "sha256": settings_hash(prints)}
        return known if self.channels == GENEVA else known | {"channels": " ".join(self.channels)}

    def _place(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()


def _remember(entries: list[str], entry: str) -> bool:
    """Whether the entry was new."""
    if entry in entries:
        return False
    entries.append(entry)
    return True


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
