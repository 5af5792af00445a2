"""Formats of recordings and faces: who writes a sound file, who reads it, and what is damaged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from neurogaze.eeg.corpora.custom import Custom
from neurogaze.eeg.corpora.dasps import Dasps, DaspsRaw
from neurogaze.eeg.corpora.deap import Deap
from neurogaze.eeg.corpora.deap_bdf import DeapBdf
from neurogaze.eeg.corpora.dreamer import Dreamer
from neurogaze.eeg.corpora.mahnob import MahnobHci
from neurogaze.eeg.corpora.seed import Seed
from neurogaze.eeg.recordings import Corpus
from neurogaze.faces.images import FaceCorpus
from tests.fixtures.custom import write_custom
from tests.fixtures.deap import write_deap, write_deap_bdf
from tests.fixtures.eeg import write_dasps, write_dasps_edf, write_dreamer
from tests.fixtures.mahnob import write_mahnob
from tests.fixtures.seed import write_seed
from tests.fuzz.face_formats import FACES


@dataclass(frozen=True)
class Format:
    """One kind of file.

    Args:
        write: writes a sound corpus into a folder that does not exist yet.
        open: makes a corpus of that folder.
        damaged: pattern of the files that are damaged, one at a time.
    """

    write: Callable[[Path], object]
    open: Callable[[Path], Corpus | FaceCorpus]
    damaged: str


def dreamer(compressed: bool, folder: Path) -> None:
    """`DREAMER.mat` of one person, deflated as released, or plain, where damage goes deeper."""
    folder.mkdir()
    path = folder / "DREAMER.mat"
    write_dreamer(path, n_subjects=1, seconds=(5.0,), baseline_seconds=5.0)
    if not compressed:
        from scipy.io import loadmat, savemat

        savemat(path, {"DREAMER": loadmat(path)["DREAMER"]})


FORMATS: dict[str, Format] = {
    "dreamer_mat": Format(partial(dreamer, True), Dreamer, "DREAMER.mat"),
    "dreamer_plain_mat": Format(partial(dreamer, False), Dreamer, "DREAMER.mat"),
    "dasps_mat": Format(
        partial(write_dasps, n_subjects=1, shape=(12, 256, 14)), Dasps, "*/S01.mat"
    ),
    "dasps_edf": Format(partial(write_dasps_edf, n_subjects=1, seconds=5), DaspsRaw, "*/S01.edf"),
    "mahnob_bdf": Format(
        partial(write_mahnob, n_subjects=1, n_clips=1, seconds=(5,), rest=2),
        MahnobHci,
        "Sessions/*/*.bdf",
    ),
    "mahnob_xml": Format(
        partial(write_mahnob, n_subjects=1, n_clips=1, seconds=(5,), rest=2),
        MahnobHci,
        "Sessions/*/session.xml",
    ),
    "deap_dat": Format(partial(write_deap, n_subjects=1, n_trials=1), Deap, "*/s01.dat"),
    "deap_bdf": Format(
        partial(write_deap_bdf, subjects=(1,), n_trials=2, clip_seconds=2.0), DeapBdf, "*/s01.bdf"
    ),
    "deap_csv": Format(
        partial(write_deap_bdf, subjects=(1,), n_trials=2, clip_seconds=2.0),
        DeapBdf,
        "*/participant_ratings.csv",
    ),
    "seed_mat": Format(
        partial(write_seed, n_subjects=1, n_sessions=1, seconds=(1.0,)), Seed, "*/*.mat"
    ),
    "seed_plain_mat": Format(
        partial(write_seed, n_subjects=1, n_sessions=1, seconds=(1.0,), compressed=False),
        Seed,
        "*/*.mat",
    ),
    "custom_fif": Format(partial(write_custom, n_subjects=1), Custom, "eeg/*.fif"),
    "custom_edf": Format(partial(write_custom, n_subjects=1, suffix=".edf"), Custom, "eeg/*.edf"),
    "custom_csv": Format(partial(write_custom, n_subjects=1), Custom, "ratings.csv"),
} | {name: Format(*made) for name, made in FACES.items()}
