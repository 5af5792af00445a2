"""Where data sets lie on this machine."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Roots:
    """Where the data sets lie; null leaves it to the environment variable named.

    Args:
        dreamer: `DREAMER.mat` or its folder (NEUROGAZE_DREAMER).
        dasps: folder of DASPS (NEUROGAZE_DASPS).
        mahnob: folder of MAHNOB-HCI that holds `Sessions` (NEUROGAZE_MAHNOB).
        deap: folder of DEAP (NEUROGAZE_DEAP).
        seed: folder of SEED that holds `Preprocessed_EEG` (NEUROGAZE_SEED).
        custom: folder of recordings with a table of ratings (NEUROGAZE_CUSTOM).
        ferplus: folder that holds FER2013Train and FER2013Valid (NEUROGAZE_FERPLUS).
        ferplus_votes: `fer2013new.csv` (NEUROGAZE_FERPLUS_VOTES).
        affectnet: AffectNet, first release with lists (NEUROGAZE_AFFECTNET).
        affectnet_8label: AffectNet, 8-label release (NEUROGAZE_AFFECTNET_8LABEL).
        affectnet_folders: AffectNet in class folders (NEUROGAZE_AFFECTNET_FOLDERS).
        affectnet_mini: the selection with `labels.csv` (NEUROGAZE_AFFECTNET_MINI).
        ckplus: CK+ as released (NEUROGAZE_CKPLUS).
        ckplus48: CK+48 (NEUROGAZE_CKPLUS48).
        ckextended: folder of `ckextended.csv` (NEUROGAZE_CKEXTENDED).
        rafdb: RAF-DB (NEUROGAZE_RAFDB).
        manifest: table of images of your own, CSV or NPZ (NEUROGAZE_MANIFEST).
    """

    dreamer: Path | None = None
    dasps: Path | None = None
    mahnob: Path | None = None
    deap: Path | None = None
    seed: Path | None = None
    custom: Path | None = None
    ferplus: Path | None = None
    ferplus_votes: Path | None = None
    affectnet: Path | None = None
    affectnet_8label: Path | None = None
    affectnet_folders: Path | None = None
    affectnet_mini: Path | None = None
    ckplus: Path | None = None
    ckplus48: Path | None = None
    ckextended: Path | None = None
    rafdb: Path | None = None
    manifest: Path | None = None

    def export(self) -> None:
        """Set the environment variables of the roots that are given."""
        for name, path in asdict(self).items():
            if path is not None:
                os.environ[f"NEUROGAZE_{name.upper()}"] = str(path)
