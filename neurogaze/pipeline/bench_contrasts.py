"""What the runs of a bench say of its contrasts, and whether its grids can tell anything at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import pandas as pd

from neurogaze.evaluation.contrast_file import FILE, STATISTICS, write_contrasts
from neurogaze.evaluation.contrasts import Contrast, contrasts, corrected
from neurogaze.evaluation.equivalence import DESCRIPTIVE, LEAST_SEEDS, no_claim
from neurogaze.evaluation.predictions import TWIN, read_predictions
from neurogaze.evaluation.results import read_rows
from neurogaze.pipeline.arms import load_arm
from neurogaze.pipeline.bench_grids import EEG, of_eeg, open_grids
from neurogaze.pipeline.bench_settings import BenchSettings, rescaled
from neurogaze.pipeline.stages import Stages
from neurogaze.prototypes.testable import over_grids

BOOTSTRAP_SEED = 0
Run = tuple[str, int, str]
"""Arm, seed and folder of a training that is done."""


def compare(stages: Stages, settings: BenchSettings, runs: Sequence[Run]) -> None:
    """Stage: contrasts over the seeds that both of their arms have so far.

    They are on the twin-free part of one data set. Holm counts every secondary contrast that the
    file names, those still without a run included. The primary contrast is then told on every other
    data set and part as well, which describes it and tests nothing.
    """
    folders = {(arm, seed): folder for arm, seed, folder in runs}
    pairs = [pair for pair in settings.pairs if shared_seeds(folders, pair)]
    if not pairs or pairs[0] != settings.pairs[0]:  # nothing is told before the primary contrast is
        return
    used = {f"{f}-{d}" for f in folders.values() for d in settings.evaluate}
    inputs = {n: r.outputs["predictions.parquet"] for n, r in stages.records.items() if n in used}
    reasons = doubts(settings, runs)

    def action(folder: Path) -> None:
        family: list[Contrast] = []
        for pair in pairs:
            family += _on(stages.root, settings, folders, pair, settings.compared_on, True)
        family = [replace(c, primary=at == 0) for at, c in enumerate(family)]
        elsewhere: list[Contrast] = []
        for dataset, twin_free in product(settings.evaluate, (True, False)):
            if (dataset, twin_free) != (settings.compared_on, True):
                elsewhere += _on(stages.root, settings, folders, pairs[0], dataset, twin_free)
        told = [replace(c, primary=False, verdict=_described(c)) for c in elsewhere]
        corrected_family = corrected(family, len(settings.secondary))
        write_contrasts(folder / FILE, reasons, [*corrected_family, *told])

    what = {
        "pairs": pairs,
        "family": len(settings.secondary),
        "metric": settings.metric,
        "on": settings.compared_on,
        "statistics": STATISTICS,
    }
    stages.run("contrasts", what | {"reasons": reasons}, inputs, action, [FILE])


def _described(contrast: Contrast) -> str:
    """What stands in place of a verdict."""
    few = contrast.n_seeds < LEAST_SEEDS
    return no_claim(contrast.n_seeds) if few else DESCRIPTIVE


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
    found = contrasts(
        arms, pair, [], settings.metric, BOOTSTRAP_SEED, twin_free=twin_free and knows
    )
    first = next(folder for (arm, _), folder in folders.items() if arm == pair[0])
    rows = read_rows(root / f"{first}-{dataset}" / "results.jsonl")
    return [replace(c, label_rule=rows[0].label_rule) for c in found]


def doubts(settings: BenchSettings, runs: Sequence[Run]) -> list[str] | None:
    """Why the EEG grids that students saw cannot tell whether EEG helps; none: they can.

    Args:
        settings: of the bench.
        runs: trainings that are done. Those of an arm without a grid, which may have more seeds,
            say nothing of a grid.

    Returns:
        None where no arm has an EEG grid, or none was trained yet: the question does not arise.
    """
    kinds = {arm: load_arm(Path(settings.arms_folder), arm).grid for arm in settings.arms}
    kinds |= {rescaled(arm): kinds[arm] for arm in settings.equal_gradient}
    seeds = {seed for arm, seed, _ in runs if of_eeg(kinds[arm])}
    if settings.grids is None or EEG not in kinds.values() or not seeds:
        return None
    source = open_grids(Path(settings.grids))
    used = [s for s in sorted(seeds) if s in source.listed[EEG]] if source.listed else [0]
    return over_grids([source.reasons(seed) for seed in used])
