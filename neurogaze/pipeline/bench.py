"""Arms x seeds: the same student under named overrides, one stage each, resumable.

Several small trainings run side by side, each in a process of its own with its share of the cores;
one that fails is told at the end and loses nothing of the others.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console

import neurogaze
from neurogaze import training
from neurogaze.artefacts import write_json
from neurogaze.errors import InputError
from neurogaze.faces.store import prepare as prepare_faces
from neurogaze.pipeline.arms import Arm, load_arm
from neurogaze.pipeline.bench_ahead import (
    grids_of,
    logits_of,
    prepare_pictures,
    refuse_untrainable,
)
from neurogaze.pipeline.bench_contrasts import compare
from neurogaze.pipeline.bench_grids import EEG, pinned
from neurogaze.pipeline.bench_settings import BenchSettings, rescaled
from neurogaze.pipeline.equal_gradient import equal_weight
from neurogaze.pipeline.folded import pool_folds
from neurogaze.pipeline.judging import evaluate_student, load_student, training_pictures
from neurogaze.pipeline.processes import Failure, processes, run_all
from neurogaze.pipeline.settings import EvaluationSettings
from neurogaze.pipeline.stages import StageRecord, Stages
from neurogaze.pipeline.steps import expect, report_stage, resumable_fit
from neurogaze.prototypes.grid import PrototypeGrid

JUDGED = ["predictions.parquet", "embeddings.npz", "results.jsonl"]


@dataclass(frozen=True)
class Job:
    """One arm under one seed.

    Args:
        settings: of the bench.
        root: folder of the bench.
        store: folder of decoded images.
        arm: file of the arm.
        seed: of the training.
        equal_gradient: whether the weight of Proto-KD is rescaled.
        fold: of a cross-validated corpus; None: no fold, or all of them.
        alone: whether no other training runs beside it, so that it may show a bar.
    """

    settings: BenchSettings
    root: Path
    store: Path
    arm: str
    seed: int
    equal_gradient: bool = False
    alone: bool = True
    fold: int | None = None

    @property
    def name(self) -> str:
        """The arm as tables have it."""
        return rescaled(self.arm) if self.equal_gradient else self.arm

    @property
    def stage(self) -> str:
        """Folder of its training."""
        kind = "-equal" if self.equal_gradient else ""
        fold = "" if self.fold is None else f"-fold{self.fold}"
        return f"{self.arm}{kind}-seed{self.seed}{fold}"


def jobs_of(settings: BenchSettings, root: Path, store: Path) -> list[Job]:
    """Every training of a bench in the order it is done: arms of most seeds first, seed by seed."""
    arms = [(arm, False, n) for arm, n in settings.arms.items()]
    arms += [(arm, True, n) for arm, n in settings.equal_gradient.items()]
    ranked = sorted((-n, seed, at) for at, (_, _, n) in enumerate(arms) for seed in range(n))
    alone = processes(settings.workers, len(ranked)) == 1
    return [
        Job(settings, root, store, arms[at][0], seed, arms[at][1], alone) for _, seed, at in ranked
    ]


def run_bench(
    settings: BenchSettings, root: Path, store: Path, console: Console | None = None
) -> Path:
    """Train and judge every arm and seed that is not done; return the report's path.

    Raises:
        InputError: before the first training, when an arm lacks a file; at the end, when some
            training failed: the others, and a report of them, stand.
    """
    stages = Stages(root, console)
    jobs = jobs_of(settings, root, store)
    refuse_untrainable(settings, [(job.arm, job.seed, job.equal_gradient) for job in jobs])
    prepare_pictures(settings, store)
    failed: dict[str, Failure] = {}
    finished: list[Job] = []
    size = processes(settings.workers, len(jobs))
    for at, (job, outcome) in enumerate(run_all(run_job, jobs, size), start=1):
        if isinstance(outcome, Failure):
            failed[job.stage] = outcome
        else:
            finished.append(job)
            stages.records |= {record.name: record for record in outcome}
        said = "failed" if job.stage in failed else "done"
        stages.console.print(f"{job.name}, seed {job.seed}: {said} ({at} of {len(jobs)})")
    page = _told(stages, settings, sorted(finished, key=jobs.index)) if finished else None
    if failed or page is None:
        raise _failure(settings, failed, len(jobs), page)
    return page


def _told(stages: Stages, settings: BenchSettings, finished: Sequence[Job]) -> Path:
    """Stages: contrasts and report of what is there."""
    compare(stages, settings, [(job.name, job.seed, job.stage) for job in finished])
    inputs = {name: record.content for name, record in stages.records.items()}
    return report_stage(stages, settings.title, inputs)


def _failure(
    settings: BenchSettings, failed: Mapping[str, Failure], n_jobs: int, page: Path | None
) -> InputError:
    """The error that names every training that failed."""
    found = "; ".join(f"{stage}: {failure.said}" for stage, failure in failed.items())
    where = "nothing could be reported" if page is None else f"the others are reported in {page}"
    return InputError(
        settings.name,
        f"{len(failed)} of {n_jobs} trainings failed ({found})",
        f"mend the cause and repeat the command; {where}",
    )


def run_job(job: Job) -> list[StageRecord]:
    """Stages of one arm and seed: fit, then one evaluation a data set; or so for every fold."""
    stages = Stages(job.root, Console(stderr=True, quiet=not job.alone))
    args = arguments(job, load_arm(Path(job.settings.arms_folder), job.arm), stages)
    if not job.settings.folds:
        _train_and_judge(stages, job, args)
    else:
        folds = [replace(job, fold=k) for k in range(job.settings.folds)]
        for fold in folds:
            _train_and_judge(stages, fold, [*args, f"--data.corpus.fold={fold.fold}"])
        pool_folds(stages, job.stage, [fold.stage for fold in folds], job.settings.compared_on)
    return list(stages.records.values())


def _train_and_judge(stages: Stages, job: Job, args: list[str]) -> None:
    """Stages of one training."""
    cli = training.build_cli(args, run=False)
    quiet = [] if job.alone else ["--trainer.enable_progress_bar=false"]
    trained = stages.run(
        job.stage,
        training.settings_of(cli),
        _faces(cli.datamodule),
        lambda folder: resumable_fit([*args, *quiet], folder),
        ["last.ckpt", "metrics.csv"],
    )
    for dataset, part in job.settings.evaluate.items():
        _judge(stages, job, dataset, part, trained.outputs["last.ckpt"])


def arguments(job: Job, arm: Arm, stages: Stages) -> list[str]:
    """Command line of a training: base, arm, seed, grid, weight and stored logits."""
    base = job.settings.base
    fit = replace(base, config=[*base.config, *arm.config])
    flags = [f"--seed_everything={job.seed}", f"--data.store={job.store}"]
    args = [*fit.arguments(), *arm.flags(job.seed), *flags]
    if arm.grid:
        args.append(_grid(job, arm.grid))
    if job.equal_gradient:
        args.append(f"--model.loss.proto.weight={_rescaled_weight(stages, job, arm, args)}")
    if arm.logits:
        pin = json.dumps(asdict(logits_of(job.settings)))
        args.append(f"--model.teacher_logits={pin}")
    return args


def _grid(job: Job, kind: str) -> str:
    """Flag that pins the grid of an arm."""
    pin = pinned(grids_of(job.settings, kind), kind, job.seed, job.root / "grids")
    return f"--model.grid={json.dumps(asdict(pin))}"


def _rescaled_weight(stages: Stages, job: Job, arm: Arm, args: Sequence[str]) -> float:
    """Stage: the weight of Proto-KD at which the grid of an arm pulls as hard as the EEG's."""
    source, folder = grids_of(job.settings, arm.grid), job.root / "grids"
    kinds = [pinned(source, kind, job.seed, folder) for kind in (EEG, arm.grid)]
    cli = training.build_cli(args, run=False)

    def action(out: Path) -> None:
        reference, grid = (PrototypeGrid.load(Path(pin.path)) for pin in kinds)
        write_json(out / "weight.json", {"weight": equal_weight(args, reference, grid)})

    pins = {"eeg": kinds[0].sha256, "grid": kinds[1].sha256}
    name, inputs = f"{job.stage}-weight", pins | _faces(cli.datamodule)
    stages.run(name, training.settings_of(cli), inputs, action, ["weight.json"])
    return float(json.loads((job.root / name / "weight.json").read_text())["weight"])


def _faces(data: Any) -> dict[str, str]:
    """Content hashes of the images of a training; they can change while no setting does."""
    splits = {"faces": "train", "valid": "valid"}
    return {k: prepare_faces(data.corpus, split, data.store).sha256 for k, split in splits.items()}


def _judge(stages: Stages, job: Job, dataset: str, part: EvaluationSettings, weights: str) -> None:
    """Stage: one arm and seed on one data set."""
    fold = [] if job.fold is None else [f"--data.corpus.fold={job.fold}"]
    flags = [f"--data.store={job.store}", *part.args, *fold]
    data: Any = training.load_data(["--data", part.data, *flags])
    table = prepare_faces(data.corpus, part.split, data.store, progress=False)
    expect(part.expected, table)
    view = part.view()
    context = {
        "experiment": job.settings.name,
        "arm": view.named(job.name),
        "seed": job.seed,
        "code_version": neurogaze.__version__,
        "note": job.settings.note,
    }

    def action(folder: Path) -> None:
        task = load_student(job.root / job.stage / "last.ckpt")
        evaluate_student(task, table, folder, context, view, training_pictures(task, data))

    inputs = {"student": weights, "faces": table.sha256}
    what = context | {"view": view}
    stages.run(f"{job.stage}-{dataset}", what, inputs, action, JUDGED)
