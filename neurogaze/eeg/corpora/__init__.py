"""Corpora of EEG recordings: two on disk, and one of people who do not exist."""

from neurogaze.eeg.corpora.dasps import Dasps, DaspsRaw
from neurogaze.eeg.corpora.dreamer import Dreamer
from neurogaze.eeg.corpora.synthetic import SyntheticEeg

__all__ = ["Dasps", "DaspsRaw", "Dreamer", "SyntheticEeg"]
