"""The mean of every arm over its seeds, beside what it reaches by chance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import get_args

import numpy as np
from rich.progress import track

from neurogaze.artefacts import settings_hash
from neurogaze.eeg.folds import Split
from neurogaze.eeg.table import FeatureTable
from neurogaze.evaluation.binary import label_rule
from neurogaze.evaluation.chance import (
    Band,
    Scheme,
    few_note,
    logistic_chance,
    refit_note,
    simulated_chance,
    teacher_chance,
)
from neurogaze.evaluation.metrics import VA_AXES
from neurogaze.evaluation.over_seeds import mean_over_seeds
from neurogaze.evaluation.predictions import read_predictions
from neurogaze.evaluation.results import ResultRow, noted, read_rows, write_rows
from neurogaze.evaluation.scoring import CONTEXT_DEFAULTS
from neurogaze.pipeline.eeg_settings import Condition, EegBenchSettings, context_of
from neurogaze.pipeline.held_out import chance_rows
from neurogaze.pipeline.stages import Stages

PREDICTIONS, SCORES = "predictions.parquet", "results.jsonl"
REFIT_PREDICTIONS, REFIT_SCORES = "exchanged.parquet", "exchanged.jsonl"
"""What a pass leaves; on exchanged ratings under names that no report takes for results."""


def pass_folder(condition: Condition, arm: str, refit: int | None) -> str:
    """Name of the stage of one arm over all folds."""
    label = f"seed{condition.seed}" if refit is None else f"chance{refit:02d}"
    return f"{condition.prefix}{arm}-{label}"


def summarise(stages: Stages, settings: EegBenchSettings, conditions: Sequence[Condition]) -> None:
    """Stage: means over seeds and bands of chance, one condition after another.

    Args:
        stages: of the bench; every pass is done.
        settings: of the bench.
        conditions: condition by condition, all seeds of one together.
    """
    what = context_of(settings, conditions[0], "summary") | {
        "seeds": settings.seeds,
        "permutations": settings.permutations,
        "scheme": settings.scheme,
        "rule": settings.rule,
    }
    inputs = {name: record.content for name, record in stages.records.items()}
    n_seeds = len(settings.seeds)

    def action(folder: Path) -> None:
        rows: list[ResultRow] = []
        for first in range(0, len(conditions), n_seeds):
            same = conditions[first : first + n_seeds]
            for arm in track([*settings.baselines, *settings.arms], "Intervals"):
                rows += _means(stages.root, settings, same, arm)
            rows += _chances(stages.root, settings, same[0])
        write_rows(folder / SCORES, rows)

    stages.run("summary", what, inputs, action, [SCORES])


def _means(
    root: Path, settings: EegBenchSettings, conditions: Sequence[Condition], arm: str
) -> list[ResultRow]:
    """Mean scores of an arm over the seeds of one condition."""
    frames, hashes = {}, []
    for condition in conditions:
        seed = condition.seed
        trained = root / pass_folder(condition, arm, None)
        simple = root / f"{condition.prefix}baselines-seed{seed}" / f"{arm}.parquet"
        if arm in settings.arms:
            frames[seed] = read_predictions(trained / PREDICTIONS)
            hashes += [row.config_hash for row in read_rows(trained / SCORES)[:1]]
        else:
            frames[seed] = read_predictions(simple)
    counted = f"mean of {len(frames)} seed{'s' if len(frames) > 1 else ''}"
    context = context_of(settings, conditions[0], f"{arm} ({counted})")
    if hashes:
        context["config_hash"] = settings_hash(hashes)
    return mean_over_seeds(frames, context | {"dataset": conditions[0].table.corpus})


def _chances(root: Path, settings: EegBenchSettings, condition: Condition) -> list[ResultRow]:
    """Chance of the linear arms by permutation, and of every trained arm by its refits."""
    table, split = condition.table, condition.split
    n = len(np.unique(table.trial[table.rated]))
    context = CONTEXT_DEFAULTS | context_of(settings, condition, "") | {"dataset": table.corpus}
    rules = _label_rules(root, settings, condition)
    rows = []
    few = noted(few_note(settings.permutations), context["note"])
    for arm, scheme, band in _linear_bands(settings, table, split):
        name = f"chance of {arm} (99 % band, {scheme})"
        rows += chance_rows(band, context | {"note": few}, n, rules, arm=name)
    for arm, count in settings.refits.items():
        folders = [root / pass_folder(condition, arm, k) for k in range(count)]
        values = [_values(read_rows(folder / REFIT_SCORES)) for folder in folders]
        note = noted(refit_note(count), context["note"])
        band = teacher_chance(values)
        name = f"chance of {arm} ({settings.scheme})"
        rows += chance_rows(band, context | {"note": note}, n, rules, arm=name)
    return rows


def _linear_bands(
    settings: EegBenchSettings, table: FeatureTable, split: Split
) -> Iterator[tuple[str, Scheme, Mapping[str, Band]]]:
    """Bands of ridge and of logistic regression; what one reaches by chance is not the other's.

    The scheme of the bench comes first.
    """
    count, rule = settings.permutations, settings.rule
    for scheme in sorted(get_args(Scheme), key=lambda scheme: scheme != settings.scheme):
        if "ridge" in settings.baselines:
            yield "ridge", scheme, simulated_chance(table, split, count, scheme, rule=rule)
        if "logistic" in settings.baselines:
            yield "logistic", scheme, logistic_chance(table, split, rule, count, scheme)


def _label_rules(root: Path, settings: EegBenchSettings, condition: Condition) -> dict[str, str]:
    """Rule and class balance of each axis, as the predictions state them."""
    folder = root / f"{condition.prefix}baselines-seed{condition.seed}"
    frame = read_predictions(folder / f"{settings.baselines[0]}.parquet")
    return {axis: label_rule(frame, axis) for axis in VA_AXES}


def _values(rows: Sequence[ResultRow]) -> dict[str, float]:
    """Scores per trial by name."""
    return {row.metric: row.value for row in rows if row.metric.endswith("_trial")}
