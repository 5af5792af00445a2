"""A picture or a folder of pictures to a table; an interrupted run goes on where it stopped."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import replace
from pathlib import Path

from neurogaze.artefacts import alone, settings_hash
from neurogaze.deploy.batching import Shot, asked, in_groups
from neurogaze.deploy.contract import to_json
from neurogaze.deploy.detection import Detector
from neurogaze.deploy.drawings import Annotator, annotator, drawing_of, drawn_rows
from neurogaze.deploy.infer_settings import InferSettings
from neurogaze.deploy.journal import Entry, Journal, check_own, is_begun, journal_of
from neurogaze.deploy.listing import SAVED_AS, Listed, listed, printable
from neurogaze.deploy.looking import look, rows_of
from neurogaze.deploy.pictures import read_rgb
from neurogaze.deploy.recogniser import Recogniser
from neurogaze.deploy.rows import FaceRow, Place
from neurogaze.deploy.strokes import cells_of
from neurogaze.deploy.summary import Summary, Tally
from neurogaze.deploy.targets import check_fresh, place_of
from neurogaze.deploy.writing import table
from neurogaze.progress import tracked


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
        done = _done(journal, pictures, settings.annotated)
        _tell(journal, len(done), len(pictures))
        try:
            with annotator(settings.annotated, cells=cells_of(recogniser.contract)) as pen:
                for todo in _left(journal, pictures, done):
                    _judge(todo, journal, recogniser, detector, settings, pen, progress)
        except KeyboardInterrupt:
            kept = sum(picture.key in journal for picture in pictures)
            _say(f"{kept:,} of {len(pictures):,} pictures are kept in {path}")
            raise
        with table(out) as written:
            for picture in pictures:
                entry = journal.entry(picture.key)
                tally.add(entry.rows, entry.failed)
                for row in entry.rows:
                    written.write(row)
        path.unlink()
    return tally.summary(time.monotonic() - begun, len(done))


def _journal(path: Path, identity: dict[str, str], annotated: Path | None) -> Journal:
    """Open the journal; a folder of drawings that is not of the same run must be empty.

    Raises:
        InputError: for a file in its place that is no journal, and for a folder that is not empty.
    """
    check_own(path)
    if not is_begun(path, identity):
        check_fresh(annotated)
    return Journal(path, identity)


def _done(journal: Journal, pictures: Sequence[Listed], annotated: Path | None) -> set[str]:
    """Keys of the pictures that were judged, and whose drawings are there still."""
    return {
        picture.key
        for picture in pictures
        if journal.settled(picture.key)
        and (annotated is None or drawing_of(annotated, FaceRow(picture.name)).is_file())
    }


def _left(
    journal: Journal, pictures: Sequence[Listed], done: Set[str]
) -> tuple[list[Listed], list[Listed]]:
    """Pictures to judge: first those to be judged again, then those that were never judged.

    They are kept apart, so that the others come in the groups of a run that nobody disturbed.
    """
    again = [p for p in pictures if p.key in journal and p.key not in done]
    return again, [p for p in pictures if p.key not in journal]


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


def _tell(journal: Journal, done: int, pictures: int) -> None:
    """Say how many pictures are done already, or that a journal was of no use."""
    if journal.other:
        _say(f"{journal.path} was of another model, folder or settings: all is judged anew")
    elif done:
        _say(f"going on from {journal.path}: {done:,} of {pictures:,} pictures are done")


def _say(line: str) -> None:
    print(line, file=sys.stderr)
