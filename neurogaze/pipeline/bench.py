"""Arms x seeds: the same student under named overrides, one stage each, resumable."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rich.console import Console

import neurogaze
from neurogaze import training
from neurogaze.faces.store import prepare as prepare_faces
from neurogaze.pipeline.judging import evaluate_student, load_student, training_pictures
from neurogaze.pipeline.run import expect, grid_sha256, report_stage, resumable_fit
from neurogaze.pipeline.settings import EvaluationSettings, FitSettings, read_settings
from neurogaze.pipeline.stages import Stages


@dataclass(frozen=True)
class BenchSettings:
    """Arms compared under one budget.

    Args:
        name: folder of the bench, under `runs/`.
        title: heading of the report; names the data as really used.
        base: the student every arm starts from.
        arms: override files by arm; an empty list is the base itself.
        seeds: each arm is trained once a seed.
        evaluate: data sets by name.
        grid: prototype grid for arms with a Proto-KD term; null where none has.
    """

    name: str
    title: str
    base: FitSettings
    arms: dict[str, list[str]]
    evaluate: dict[str, EvaluationSettings]
    seeds: list[int] = field(default_factory=lambda: [0])
    grid: str | None = None


def load_bench(path: Path) -> BenchSettings:
    """Read a bench file; paths in it are relative to the file, but for the grid's.

    Raises:
        InputError: when it cannot be read, or a key is missing, unknown or of the wrong type.
    """
    settings = read_settings(path, BenchSettings)
    folder = path.parent
    return replace(
        settings,
        base=settings.base.relative_to(folder),
        arms={k: [(folder / f).as_posix() for f in v] for k, v in settings.arms.items()},
        evaluate={k: v.relative_to(folder) for k, v in settings.evaluate.items()},
    )


def run_bench(
    settings: BenchSettings, root: Path, store: Path, console: Console | None = None
) -> Path:
    """Train and judge every arm and seed that is not done; return the report's path."""
    stages = Stages(root, console)
    for seed in settings.seeds:
        for arm, overrides in settings.arms.items():
            _run_arm(settings, stages, store, arm, overrides, seed)
    inputs = {name: record.content for name, record in stages.records.items()}
    return report_stage(stages, settings.title, inputs)


def _run_arm(
    settings: BenchSettings,
    stages: Stages,
    store: Path,
    arm: str,
    overrides: Sequence[str],
    seed: int,
) -> None:
    """Stages of one arm and seed: fit, then one evaluation a data set."""
    fit = replace(settings.base, config=[*settings.base.config, *overrides])
    args = [*fit.arguments(), f"--seed_everything={seed}", f"--data.store={store}"]
    if settings.grid is not None:
        pin = {"path": settings.grid, "sha256": grid_sha256(Path(settings.grid))}
        args.append(f"--model.grid={json.dumps(pin)}")
    config = training.parse_fit(args)
    name = f"{arm}-seed{seed}"
    inputs = _faces(args)

    outputs = ["last.ckpt", "metrics.csv"]
    trained = stages.run(name, config, inputs, lambda f: resumable_fit(args, f), outputs)
    context = {
        "experiment": settings.name,
        "arm": arm,
        "seed": seed,
        "code_version": neurogaze.__version__,
    }
    for dataset, part in settings.evaluate.items():
        _judge(stages, store, part, name, dataset, trained.outputs["last.ckpt"], context)


def _faces(args: Sequence[str]) -> dict[str, str]:
    """Content hashes of the images of a training; they can change while no setting does."""
    data: Any = training.build_cli(args, run=False).datamodule
    splits = {"faces": "train", "valid": "valid"}
    return {k: prepare_faces(data.corpus, split, data.store).sha256 for k, split in splits.items()}


def _judge(
    stages: Stages,
    store: Path,
    part: EvaluationSettings,
    name: str,
    dataset: str,
    weights: str,
    context: dict[str, Any],
) -> None:
    data: Any = training.load_data(["--data", part.data, f"--data.store={store}", *part.args])
    table = prepare_faces(data.corpus, part.split, data.store, progress=False)
    expect(part.expected, table)
    view = part.view()
    context = context | {"arm": view.named(context["arm"])}

    def action(folder: Path) -> None:
        task = load_student(stages.root / name / "last.ckpt")
        evaluate_student(task, table, folder, context, view, training_pictures(task, data))

    outputs = ["predictions.parquet", "embeddings.npz", "results.jsonl"]
    inputs = {"student": weights, "faces": table.sha256}
    what = context | {"view": view}
    stages.run(f"{name}-{dataset}", what, inputs, action, outputs)
