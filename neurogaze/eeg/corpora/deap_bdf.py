"""DEAP as recorded: the BioSemi files of the same 32 people, 512 Hz, with their triggers.

Koelstra et al. (2012), IEEE Trans. Affective Computing 3(1). The files are those of
`data_original`; ratings lie in `participant_ratings.csv` of `metadata_csv`. People 1 to 22 were
recorded in Twente and 23 to 32 in Geneva, with the electrodes in another order.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from neurogaze.eeg.corpora.biosemi import centred
from neurogaze.eeg.corpora.deap import (
    GENEVA,
    deap_affect,
    deap_files,
    file_of,
    refuse_ratings,
)
from neurogaze.eeg.corpora.edf import edf_signals, refuse_units
from neurogaze.eeg.corpora.sources import Fingerprints, Identity, readable
from neurogaze.eeg.recordings import Corpus, Trial
from neurogaze.errors import InputError

if TYPE_CHECKING:
    from mne.io import BaseRaw

FOLDER, RATINGS_FILE, RATINGS_FOLDER = "data_original", "participant_ratings.csv", "metadata_csv"
STATUS_NAMES = ("Status", "")  # some files of Geneva leave the last signal without a name
TRIGGER_BITS = 0xFF  # the bits above tell the state of the amplifier and differ between people
CLIP_START, CLIP_END = 4, 5
CLIP_SECONDS, REST_SECONDS = 60.0, 5.0
RELEASE = f"supply the file as released in {FOLDER}"
RELEASE_TABLE = "supply the released table"
RATING_COLUMNS = ("Participant_id", "Trial", "Experiment_id", "Valence", "Arousal", "Dominance")
Rating = tuple[int, NDArray[np.float64]]
"""Number of the video, and valence, arousal and dominance on 1..9."""


class DeapBdf(Corpus):
    """Trials of DEAP before preprocessing: the clip from its trigger on, and 5 s of rest before.

    The people are those of `Deap`, under the same names, and so are the clips where ratings are at
    hand: videos were shown in an order of each person's own, which only the ratings tell. Without
    them every trial has a clip of its own and nobody's rating.

    Args:
        root: the folder `data_original` or its parent; None asks the environment variable
            NEUROGAZE_DEAP.
        ratings: `participant_ratings.csv`; None looks for it beside the recordings, in their
            parent, and in the folder `metadata_csv` of either.

    Raises:
        InputError: if the folder holds no recordings, or the named ratings are not there.
    """

    name = "deap_bdf"
    people = "deap"  # the same 32 people: never an independent corpus

    def __init__(self, root: Path | None = None, ratings: Path | None = None) -> None:
        self.files = deap_files(root, FOLDER, ".bdf")
        self.ratings_file = Path(ratings) if ratings else self._beside()
        if self.ratings_file and not self.ratings_file.is_file():
            raise InputError(self.ratings_file, "does not exist", f"name {RATINGS_FILE}")
        self._fingerprints = Fingerprints()

    def _beside(self) -> Path | None:
        """The ratings, where they lie near the recordings."""
        folder = next(iter(self.files.values())).parent
        places = [p / part for p in (folder, folder.parent) for part in (".", RATINGS_FOLDER)]
        return next((p / RATINGS_FILE for p in places if (p / RATINGS_FILE).is_file()), None)

    def subjects(self) -> tuple[str, ...]:
        """People by name: "s01" to "s32"."""
        return tuple(self.files)

    def trials(self, subject: str) -> Iterator[Trial]:
        """The clips of one person in the order of presentation.

        Raises:
            InputError: for a damaged file, missing electrodes or triggers, or ratings whose number
                is not that of the clips.
        """
        path = file_of(self.files, subject)
        with _opened(path) as raw:
            clips = _clips(path, raw)
            ratings: list[Rating | None] = [None] * len(clips)
            if self.ratings_file:
                ratings = [*_read_ratings(self.ratings_file).get(subject, [])]
            if len(ratings) != len(clips):
                found = f"has {len(clips)} clips and {len(ratings)} ratings"
                raise InputError(path, found, f"supply {RATINGS_FILE} of this release")
            for number, (clip, rating) in enumerate(zip(clips, ratings, strict=True), start=1):
                yield _trial(path, raw, subject, number, clip, rating)

    def identity(self, subject: str) -> Identity:
        """Name, size and hash of the person's file, and the hash of the ratings."""
        found = self._fingerprints.of(file_of(self.files, subject))
        if self.ratings_file:
            found["ratings"] = self._fingerprints.of(self.ratings_file)["sha256"]
        return found


def _read_ratings(path: Path) -> dict[str, list[Rating]]:
    """Ratings of each person in the order of presentation."""
    with readable(path), path.open(encoding="utf-8-sig", newline="") as stream:
        table = csv.DictReader(stream)
        missing = [name for name in RATING_COLUMNS if name not in (table.fieldnames or ())]
        if missing:
            raise InputError(path, f"columns {missing} are missing", RELEASE_TABLE)
        rows = [[float(row[name]) for name in RATING_COLUMNS] for row in table]
    for row in rows:
        _refuse_fractions(path, row)
    people: dict[str, list[Rating]] = {}
    for person, _, video, *rating in sorted(rows):
        refuse_ratings(path, np.array(rating))
        with readable(path):
            people.setdefault(f"s{int(person):02d}", []).append((int(video), np.array(rating)))
    return people


def _refuse_fractions(path: Path, row: list[float]) -> None:
    """Refuse a row whose numbers of person, trial or video are no whole numbers."""
    for name, value in zip(RATING_COLUMNS[:3], row[:3], strict=True):
        if not value.is_integer():
            raise InputError(path, f"{name} is {value}, no whole number", RELEASE_TABLE)


def _opened(path: Path) -> BaseRaw:
    """The recording, its samples not yet read; channels are known to be there, at one rate."""
    import mne

    signals = edf_signals(path)
    names = [signal.label for signal in signals]
    missing = [name for name in GENEVA if name not in names]
    if missing or not any(name in names for name in STATUS_NAMES):
        raise InputError(path, f"signals {missing or 'Status'} are missing from {names}", RELEASE)
    refuse_units(path, (signal for signal in signals if signal.label in GENEVA))
    rates = {signal.rate for signal in signals}
    if len(rates) > 1:
        raise InputError(path, f"signals have rates {sorted(rates)} Hz", RELEASE)
    with readable(path):
        return mne.io.read_raw_bdf(path, stim_channel=None, preload=False, verbose="ERROR")


def _clips(path: Path, raw: BaseRaw) -> list[tuple[int, int]]:
    """First sample and end of each clip: at most a minute, ended by the trigger that says so."""
    place = next(raw.ch_names.index(name) for name in STATUS_NAMES if name in raw.ch_names)
    with readable(path):
        status = np.asarray(raw.get_data(picks=[place])[0])
        codes = status.astype(np.int64) & TRIGGER_BITS
    changes = np.flatnonzero(np.diff(codes)) + 1
    starts = changes[codes[changes] == CLIP_START]
    ends = np.append(changes[codes[changes] == CLIP_END], len(codes))
    if not len(starts):
        raise InputError(path, f"Status holds no trigger {CLIP_START}", RELEASE)
    longest = round(CLIP_SECONDS * raw.info["sfreq"])
    stops = np.minimum(starts + longest, ends[np.searchsorted(ends, starts)])
    return list(zip(starts.tolist(), stops.tolist(), strict=True))


def _trial(
    path: Path,
    raw: BaseRaw,
    subject: str,
    number: int,
    clip: tuple[int, int],
    rating: Rating | None,
) -> Trial:
    """One clip; electrodes are picked by name, so their order in the file does not matter."""
    start, stop = clip
    sfreq = float(raw.info["sfreq"])
    first = max(0, start - round(REST_SECONDS * sfreq))
    with readable(path):
        volts = centred(np.asarray(raw.get_data(picks=list(GENEVA), start=first, stop=stop)))
    video = f"clip{rating[0]:02d}" if rating else f"{subject}-shown{number:02d}"
    unit = f"{subject}/{video}"
    valence, arousal, dominance = deap_affect(rating[1]) if rating else (None, None, None)
    return Trial(
        eeg=np.ascontiguousarray(volts[:, start - first :]),
        sfreq=sfreq,
        channels=GENEVA,
        corpus=DeapBdf.name,
        subject=subject,
        clip=video,
        event=unit,
        trial=unit,
        source=path,
        baseline=np.ascontiguousarray(volts[:, : start - first]),
        valence=valence,
        arousal=arousal,
        dominance=dominance,
        raw_rating=tuple(rating[1].tolist()) if rating else None,
    )
