"""Session folders of MAHNOB-HCI: who watched which clip and what they felt, by `session.xml`."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from xml.etree import ElementTree

from neurogaze.eeg.corpora.sources import Identity, readable
from neurogaze.errors import InputError

XML_NAME = "session.xml"
FELT = ("feltVlnc", "feltArsl", "feltCtrl")
"""Attributes of valence, arousal and dominance."""
LOWEST_RATING, MIDDLE_RATING, HIGHEST_RATING = 1.0, 5.0, 9.0
RELEASE = "supply the session as released, or move its folder away"
NO_XML, NO_BDF, NO_RATINGS = f"no {XML_NAME}", "no .bdf file", "no felt ratings"
NO_STIMULUS, NO_CLIP = "no stimulus was shown (isStim 0)", "no clip can be found in the recording"
NO_REST = "less than 4 s of rest before the clip"


@dataclass(frozen=True)
class Session:
    """One session folder with a recording.

    Args:
        number: name of the folder, digits.
        bdf: the recording.
        xml: its description.
        described: name, size and hash of the description as it was when it was read.
        subject: person, "S" and the number of the release.
        clip: media file without its suffix; the session itself where none is named.
        ratings: valence, arousal and dominance on 1..9, or None where nobody rated; dominance may
            be missing alone.
    """

    number: str
    bdf: Path
    xml: Path
    described: Identity
    subject: str
    clip: str
    ratings: tuple[float, float, float | None] | None


class _NoDoctype(ElementTree.TreeBuilder):
    """Builder that refuses a document type, where entities that blow up would be declared."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise ValueError(f"declares the document type {name!r}, which no session does")


def find_sessions(folder: Path, unrated: bool) -> tuple[tuple[Session, ...], tuple[str, ...]]:
    """Sessions by number, and what was left out, each as "folder: reason". No BDF is opened.

    Args:
        folder: the folder `Sessions`; entries whose names are no numbers are passed over.
        unrated: keep sessions that nobody rated.

    Raises:
        InputError: for a damaged or contradictory description, or if no session is left.
    """
    numbered = [p for p in folder.iterdir() if re.fullmatch(r"[0-9]+", p.name) and p.is_dir()]
    sessions, skipped = [], []
    for place in sorted(numbered, key=lambda p: (int(p.name), p.name)):
        session = _session(place, unrated)
        if isinstance(session, Session):
            sessions.append(session)
        else:
            skipped.append(f"{place.name}: {session}")
    if not sessions:
        found = f"holds no session that can be used; {summary(skipped, len(numbered))}"
        raise InputError(folder, found, "point it at the folder Sessions of MAHNOB-HCI")
    return tuple(sessions), tuple(skipped)


def summary(skipped: Sequence[str], total: int) -> str:
    """How many session folders were left out and why, as one line."""
    reasons = Counter(entry.partition(": ")[2] for entry in skipped)
    told = ", ".join(f"{count} with {reason}" for reason, count in reasons.items())
    return f"{len(skipped)} of {total} session folders are left out" + (f": {told}" if told else "")


def _session(place: Path, unrated: bool) -> Session | str:
    """The session of a folder, or why it is left out."""
    bdf = _bdf(place)
    if bdf is None:
        return NO_BDF
    xml = place / XML_NAME
    if not xml.is_file():
        return NO_XML
    with readable(xml):
        content = xml.read_bytes()
    said, subject = _described(xml, content)
    if said.get("sessionId", place.name) != place.name:
        found = f"sessionId is {said['sessionId']!r} in folder {place.name!r}"
        raise InputError(xml, found, "a session that lies there twice would be counted twice")
    ratings = None if said.get("isStim") == "0" else _ratings(xml, said)
    if ratings is None and not unrated:
        return NO_STIMULUS if said.get("isStim") == "0" else NO_RATINGS
    clip = PureWindowsPath(said.get("mediaFile", "")).stem.strip()
    if ratings is not None and not clip:
        raise InputError(xml, "attribute 'mediaFile' is missing", RELEASE)
    return Session(
        number=place.name,
        bdf=bdf,
        xml=xml,
        described=_identity(xml, content),
        subject=subject,
        clip=clip or f"session{place.name}",
        ratings=ratings,
    )


def _identity(path: Path, content: bytes) -> Identity:
    """Name, size and hash of a file, from its bytes."""
    digest = hashlib.sha256(content).hexdigest()
    return {"file": path.name, "bytes": len(content), "sha256": digest}


def _bdf(place: Path) -> Path | None:
    """The recording of a session folder; clutter of the file system is passed over."""
    found = sorted(
        p for p in place.iterdir() if p.suffix.lower() == ".bdf" and not p.name.startswith(".")
    )
    if len(found) > 1:
        names = [p.name for p in found]
        raise InputError(place, f"holds more than one recording: {names}", "leave one of them")
    return found[0] if found else None


def _described(xml: Path, content: bytes) -> tuple[Mapping[str, str], str]:
    """Attributes of the session and the name of its person.

    Raises:
        InputError: for text that is no plain XML, or without the number of a person.
    """
    with readable(xml):
        parser = ElementTree.XMLParser(target=_NoDoctype())
        root = ElementTree.fromstring(content, parser)
    person = root.find("subject")
    number = "" if person is None else person.get("id", "").strip()
    if not re.fullmatch(r"[0-9]+", number):
        raise InputError(xml, f"the id of <subject> is {number!r}, not a number", RELEASE)
    return root.attrib, f"S{int(number)}"


def _ratings(xml: Path, said: Mapping[str, str]) -> tuple[float, float, float | None] | None:
    """Valence, arousal and dominance on 1..9, or None unless both of the first are stated."""
    valence, arousal, dominance = (_rating(xml, said, name) for name in FELT)
    if valence is None or arousal is None:
        return None
    return valence, arousal, dominance


def _rating(xml: Path, said: Mapping[str, str], name: str) -> float | None:
    text = said.get(name, "").strip()
    if not text:
        return None
    try:
        rating = float(text)
    except ValueError:
        rating = float("nan")
    if not LOWEST_RATING <= rating <= HIGHEST_RATING:
        raise InputError(xml, f"{name} is {text!r}, not a number from 1 to 9", RELEASE)
    return rating
