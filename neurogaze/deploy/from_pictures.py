"""A picture or a folder of pictures to a table; an interrupted run goes on where it stopped."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from neurogaze.artefacts import alone, settings_hash
from neurogaze.deploy.annotating import Annotator, annotator, drawn_rows
from neurogaze.deploy.batching import Shot, asked, in_groups
from neurogaze.deploy.contract import to_json
from neurogaze.deploy.detection import Detector
from neurogaze.deploy.folders import Found, find_pictures
from neurogaze.deploy.infer_settings import InferSettings
from neurogaze.deploy.journal import Entry, Journal, check_own, is_begun, journal_of, key_of
from neurogaze.deploy.looking import look, rows_of
from neurogaze.deploy.pictures import SUFFIXES, read_rgb
from neurogaze.deploy.recogniser import Recogniser
from neurogaze.deploy.rows import Place
from neurogaze.deploy.strokes import cells_of
from neurogaze.deploy.summary import Summary, Tally
from neurogaze.deploy.targets import check_fresh, place_of
from neurogaze.deploy.writing import table
from neurogaze.errors import InputError
from neurogaze.progress import tracked

SAVED_AS = "PNG or JPEG"
"""What a picture of a type that is not read should become."""

ESCAPED = re.compile(r"\\ud[89a-f][0-9a-f]{2}")
"""How a byte of a name that is no UTF-8 is written."""


@dataclass(frozen=True)
class Listed:
    """A picture that was found.

    Args:
        path: of the file.
        name: relative to the folder that is read, as rows give it.
        key: under which the journal keeps it; of the name as the disk has it.
        refused: why it cannot be followed; "" where it can.
    """

    path: Path
    name: str
    key: str
    refused: str = ""


def listed(source: Path) -> tuple[list[Listed], Found]:
    """Everything that gets a row, by name, and what was found, with all that is passed over.

    Raises:
        InputError: for a source that is not there or holds no picture.
    """
    found = find_pictures(source)
    named = [(path, "") for path in found.paths] + found.refused
    if not named and found.videos:
        held = f"holds no picture, but {found.videos:,} videos"
        raise InputError(source, held, "give each video by itself")
    if not named and found.others:
        held = f"holds no picture that is read, but {found.others:,} of other types"
        raise InputError(source, held, f"save them as {SAVED_AS}")
    if not named:
        raise InputError(source, "holds no picture", f"give files that end in {SUFFIXES}")
    folder = source if source.is_dir() else source.parent
    pictures = []
    for path, refused in sorted(named):
        name = path.relative_to(folder).as_posix()
        pictures.append(Listed(path, printable(name), key_of(name, path), refused))
    return pictures, found


def printable(name: str) -> str:
    r"""A name as text that every format can hold, though a disk may hold any bytes.

    No two names become one: a name that looks as if it were escaped has its backslashes doubled.

    >>> printable("caf\udce9.png")
    'caf\\udce9.png'
    """
    escaped = name.encode("utf-8", "backslashreplace").decode()
    if not ESCAPED.search(escaped):
        return name
    return name.replace("\\", "\\\\").encode("utf-8", "backslashreplace").decode()


def infer_pictures(
    source: Path,
    recogniser: Recogniser,
    detector: Detector,
    out: Path,
    settings: InferSettings,
    progress: bool,
) -> Summary:
    """Judge every face of every picture.

    Rows are kept in a journal beside the table while the run goes on; the table is made of it at
    the end, in the order of names. The hidden file that keeps other processes out stays: whoever
    removed it could leave two of them in, each with a lock of its own.

    Raises:
        InputError: for a bad source or settings, or where another process writes the same table.
    """
    begun = time.monotonic()
    settings.check_for_pictures()
    pictures, found = listed(source)
    if found.others:
        _say(f"{found.others:,} pictures of other types are passed over: save them as {SAVED_AS}")
    tally = Tally(out, "pictures", found.videos)
    path, lock = journal_of(out), out.with_name(f".{out.name}.lock")
    identity = _identity(source, recogniser, detector, settings)
    with alone(lock, out), _journal(path, identity, settings.annotated) as journal:
        reused = _taken_over(journal, pictures)
        try:
            with annotator(settings.annotated, cells=cells_of(recogniser.contract)) as pen:
                for todo in _left(journal, pictures):
                    _judge(todo, journal, recogniser, detector, settings, pen, progress)
        except KeyboardInterrupt:
            done = sum(picture.key in journal for picture in pictures)
            _say(f"{done:,} of {len(pictures):,} pictures are kept in {path}")
            raise
        with table(out) as written:
            for picture in pictures:
                entry = journal.entry(picture.key)
                tally.add(entry.rows, entry.failed)
                for row in entry.rows:
                    written.write(row)
        path.unlink()
    return tally.summary(time.monotonic() - begun, reused)


def _journal(path: Path, identity: dict[str, str], annotated: Path | None) -> Journal:
    """Open the journal; a folder of drawings that is not of the same run must be empty.

    Raises:
        InputError: for a file in its place that is no journal, and for a folder that is not empty.
    """
    check_own(path)
    if not is_begun(path, identity):
        check_fresh(annotated)
    return Journal(path, identity)


def _left(journal: Journal, pictures: Sequence[Listed]) -> tuple[list[Listed], list[Listed]]:
    """Pictures to judge: first those that failed before, then those that were never judged.

    They are kept apart, so that the others come in the groups of a run that nobody disturbed.
    """
    failed = [p for p in pictures if p.key in journal and not journal.settled(p.key)]
    return failed, [p for p in pictures if p.key not in journal]


def _judge(
    todo: Sequence[Listed],
    journal: Journal,
    recogniser: Recogniser,
    detector: Detector,
    settings: InferSettings,
    pen: Annotator,
    progress: bool,
) -> None:
    """Judge pictures group by group, and keep each group in the journal."""
    keys = iter([picture.key for picture in todo])  # one a shot, in their order
    with tracked(todo, "judging pictures", shown=progress and bool(todo)) as steps:
        shots = _shots(steps, recogniser, detector, settings.annotated is not None)
        for group in in_groups(shots, settings.batch_size):
            answers, entries = asked(group, recogniser, settings.batch_size), []
            for shot, said in zip(group, answers, strict=True):
                rows, trouble = drawn_rows(shot, rows_of(shot, said, recogniser.contract), pen)
                if trouble:
                    _say(f"{shot.place.file}: {trouble}")
                entries.append(Entry(next(keys), tuple(rows), bool(shot.trouble)))
            journal.add(entries)


def _shots(
    pictures: Iterable[Listed],
    recogniser: Recogniser,
    detector: Detector,
    keep: bool,
) -> Iterator[Shot]:
    for picture in pictures:
        place = Place(picture.name)
        if picture.refused:
            shot = Shot(place, trouble=f"cannot be judged: {picture.refused}")
        else:
            read = lambda path=picture.path: read_rgb(path)  # noqa: E731
            rule = recogniser.contract.crop
            shot = look(place, read, detector, rule, lambda boxes: range(len(boxes)), keep)
        if shot.trouble:
            _say(f"{picture.name}: {shot.trouble}")
        yield shot


def _identity(
    source: Path, recogniser: Recogniser, detector: Detector, settings: InferSettings
) -> dict[str, str]:
    """What rows and drawings depend on, beside the pictures."""
    annotated = settings.annotated and place_of(settings.annotated)
    return {
        "folder": settings_hash(printable(str(place_of(source)))),
        "model": settings_hash([to_json(recogniser.contract), recogniser.kind]),
        "detector": detector.identity,
        "settings": settings_hash(replace(settings, annotated=annotated)),
    }


def _taken_over(journal: Journal, pictures: Sequence[Listed]) -> int:
    """How many pictures are done already; says so, or that a journal was of no use."""
    reused = sum(journal.settled(picture.key) for picture in pictures)
    if journal.other:
        _say(f"{journal.path} was of another model, folder or settings: all is judged anew")
    elif reused:
        _say(f"going on from {journal.path}: {reused:,} of {len(pictures):,} pictures are done")
    return reused


def _say(line: str) -> None:
    print(line, file=sys.stderr)
