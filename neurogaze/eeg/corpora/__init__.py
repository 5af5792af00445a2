"""Corpora of EEG recordings: those on disk, and one of people who do not exist."""

from neurogaze.eeg.corpora.custom import Custom
from neurogaze.eeg.corpora.dasps import Dasps, DaspsRaw
from neurogaze.eeg.corpora.deap import Deap
from neurogaze.eeg.corpora.deap_bdf import DeapBdf
from neurogaze.eeg.corpora.dreamer import Dreamer
from neurogaze.eeg.corpora.latent import LatentEeg
from neurogaze.eeg.corpora.mahnob import MahnobHci
from neurogaze.eeg.corpora.seed import Seed
from neurogaze.eeg.corpora.synthetic import SyntheticEeg

__all__ = [
    "Custom",
    "Dasps",
    "DaspsRaw",
    "Deap",
    "DeapBdf",
    "Dreamer",
    "LatentEeg",
    "MahnobHci",
    "Seed",
    "SyntheticEeg",
]
