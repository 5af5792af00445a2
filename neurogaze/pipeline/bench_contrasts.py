"""What the runs of a bench say of its contrasts, and whether its grids can tell anything at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from neurogaze.evaluation.contrast_file import FILE, write_contrasts
from neurogaze.evaluation.contrasts import Contrast, contrasts, corrected
from neurogaze.evaluation.predictions import TWIN, read_predictions
from neurogaze.pipeline.arms import load_arm
from neurogaze.pipeline.bench_grids import EEG, open_grids
from neurogaze.pipeline.bench_settings import BenchSettings
from neurogaze.pipeline.stages import Stages
from neurogaze.prototypes.testable import over_grids

BOOTSTRAP_SEED = 0

Run = tuple[str, int, str]
"""Arm, seed and folder of a training that is done."""


def compare(stages: Stages, settings: BenchSettings, runs: Sequence[Run]) -> None:
    """Stage: contrasts over the seeds that both of their arms have so far.

    The first family is that of the file, on the twin-free part of one data set. The primary
    contrast is then told on every other data set and part as well; Holm counts all but the primary.
    """
    folders = {(arm, seed): folder for arm, seed, folder in runs}
    pairs = [pair for pair in settings.pairs if shared_seeds(folders, pair)]
    if not pairs or pairs[0] != settings.pairs[0]:  # nothing is told before the primary contrast is
        return
    used = {f"{f}-{d}" for f in folders.values() for d in settings.evaluate}
    inputs = {n: r.outputs["predictions.parquet"] for n, r in stages.records.items() if n in used}
    seeds = sorted({seed for _, seed, _ in runs})
    reasons = doubts(settings, seeds)

    def action(folder: Path) -> None:
        found: list[Contrast] = []
        for pair in pairs:
            found += _on(stages.root, settings, folders, pair, settings.compared_on, True)
        for dataset in settings.evaluate:
            for twin_free in (True, False):
                if (dataset, twin_free) != (settings.compared_on, True):
                    found += _on(stages.root, settings, folders, pairs[0], dataset, twin_free)
        others = [replace(contrast, primary=False) for contrast in found[1:]]
        write_contrasts(folder / FILE, reasons, corrected([found[0], *others]))

    what = {"pairs": pairs, "metric": settings.metric, "on": settings.compared_on}
    stages.run("contrasts", what | {"reasons": reasons}, inputs, action, [FILE])


def shared_seeds(folders: Mapping[tuple[str, int], str], pair: tuple[str, str]) -> list[int]:
    """Seeds that both arms of a contrast were trained with, in rising order."""
    first, second = ({seed for arm, seed in folders if arm == name} for name in pair)
    return sorted(first & second)


def _on(
    root: Path,
    settings: BenchSettings,
    folders: Mapping[tuple[str, int], str],
    pair: tuple[str, str],
    dataset: str,
    twin_free: bool,
) -> list[Contrast]:
    """One contrast on one data set; none where it does not know twins and they are asked out."""
    arms: dict[str, dict[int, pd.DataFrame]] = {
        arm: {
            seed: read_predictions(root / f"{folders[arm, seed]}-{dataset}" / "predictions.parquet")
            for seed in shared_seeds(folders, pair)
        }
        for arm in pair
    }
    knows = all(TWIN in frame for by_seed in arms.values() for frame in by_seed.values())
    if twin_free and not knows and dataset != settings.compared_on:
        return []
    return contrasts(arms, pair, [], settings.metric, BOOTSTRAP_SEED, twin_free=twin_free and knows)


def doubts(settings: BenchSettings, seeds: Sequence[int]) -> list[str] | None:
    """Why the grids of a bench cannot tell whether EEG helps; none: they can.

    Returns:
        None where no arm has an EEG grid, so that the question does not arise.
    """
    arms = [load_arm(Path(settings.arms_folder), arm) for arm in settings.arms]
    if settings.grids is None or not any(arm.grid == EEG for arm in arms):
        return None
    source = open_grids(Path(settings.grids))
    used = [s for s in seeds if s in source.listed[EEG]] if source.listed else [0]
    return over_grids([source.reasons(seed) for seed in used])
