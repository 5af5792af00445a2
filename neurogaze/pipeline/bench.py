"""Arms x seeds: the same student under named overrides, one stage each, resumable.

Several small trainings run side by side, each in a process of its own with its share of the cores;
one that fails is told at the end and loses nothing of the others. A bench may take several
sittings; each tells what there is by then.
"""

from __future__ import annotations

import json
import time
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
from neurogaze.pipeline.equal_gradient import MEASURED_ON, equal_weight
from neurogaze.pipeline.folded import pool_folds
from neurogaze.pipeline.judging import evaluate_student, load_student
from neurogaze.pipeline.processes import Failure, processes, run_all
from neurogaze.pipeline.settings import EvaluationSettings
from neurogaze.pipeline.stages import StageRecord, Stages
from neurogaze.pipeline.steps import expect, go_on, planned, report_stage
from neurogaze.pipeline.trained_on import training_pictures
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
        until: when the sitting ends, seconds since the epoch; later no training is begun. None: it
            has no end.
    """

    settings: BenchSettings
    root: Path
    store: Path
    arm: str
    seed: int
    equal_gradient: bool = False
    alone: bool = True
    fold: int | None = None
    until: float | None = None

    @property
    def late(self) -> bool:
        """Whether the sitting is over."""
        return self.until is not None and time.time() >= self.until

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


class NotBegun(Exception):
    """A training that waits for another sitting."""


def jobs_of(
    settings: BenchSettings, root: Path, store: Path, until: float | None = None
) -> list[Job]:
    """Every training of a bench in the order it is done: arms of most seeds first, seed by seed."""
    arms = [(arm, False, n) for arm, n in settings.arms.items()]
    arms += [(arm, True, n) for arm, n in settings.equal_gradient.items()]
    ranked = sorted((-n, seed, at) for at, (_, _, n) in enumerate(arms) for seed in range(n))
    alone = processes(settings.workers, len(ranked)) == 1
    return [
        Job(settings, root, store, arms[at][0], seed, arms[at][1], alone, until=until)
        for _, seed, at in ranked
    ]


def run_bench(
    settings: BenchSettings,
    root: Path,
    store: Path,
    console: Console | None = None,
    minutes: float | None = None,
) -> Path | None:
    """Train and judge every arm and seed that is not done; return the report's path.

    Args:
        settings: of the bench.
        root: its folder.
        store: folder of decoded images.
        console: where progress is told.
        minutes: after so many no training is begun; what runs is ended, and what there is is told.
            0: nothing is trained. None: all that is not done.

    Returns:
        The page; None where a sitting ended before a training was done.

    Raises:
        InputError: at once, for minutes below 0; before the first training, when an arm lacks a
            file or an evaluation cannot be carried out; at the end, when some training failed: the
            others, and a report of them, stand.
    """
    if minutes is not None and not minutes >= 0:  # also what is no number
        remedy = "give 0 to tell what there is, or a number above 0"
        raise InputError("--minutes", f"is {minutes:g}", remedy)
    until = None if minutes is None else time.time() + 60 * minutes
    stages = Stages(root, console)
    jobs = jobs_of(settings, root, store, until)
    refuse_untrainable(settings, [(job.arm, job.seed, job.equal_gradient) for job in jobs])
    prepare_pictures(settings, store)
    found = _outcomes(stages, jobs, processes(settings.workers, len(jobs)))
    failed = {job.stage: said for job, said in found if isinstance(said, Failure)}
    finished = [job for job, said in found if not isinstance(said, Failure) and said]
    waiting = len(jobs) - len(failed) - len(finished)
    page = (
        _told(stages, settings, sorted(finished, key=jobs.index), len(jobs)) if finished else None
    )
    if waiting:
        said = f"{waiting} of {len(jobs)} trainings wait for another sitting: repeat the command"
        stages.console.print(said)
    if failed or (page is None and not waiting):
        raise _failure(settings, failed, len(jobs), page)
    return page


def _outcomes(
    stages: Stages, jobs: Sequence[Job], size: int
) -> list[tuple[Job, list[StageRecord] | Failure]]:
    """Do what there is to do and say so, one line a job; a job that was not begun has no record."""
    found = []
    for at, (job, outcome) in enumerate(run_all(run_job, jobs, size), start=1):
        found.append((job, outcome))
        if isinstance(outcome, Failure):
            said = "failed"
        else:
            stages.records |= {record.name: record for record in outcome}
            said = "done" if outcome else "waits"
        stages.console.print(f"{job.name}, seed {job.seed}: {said} ({at} of {len(jobs)})")
    return found


def _told(stages: Stages, settings: BenchSettings, finished: Sequence[Job], planned: int) -> Path:
    """Stages: contrasts and report of what is there; the title says how much that is."""
    compare(stages, settings, [(job.name, job.seed, job.stage) for job in finished])
    inputs = {name: record.content for name, record in stages.records.items()}
    share = f" ({len(finished)} of {planned} trainings)" if len(finished) < planned else ""
    return report_stage(stages, settings.title + share, inputs)


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
    """Stages of one arm and seed: fit, then one evaluation a data set; or so for every fold.

    Returns:
        Their records; none where the sitting was over before the training was.
    """
    stages = Stages(job.root, Console(stderr=True, quiet=not job.alone))
    try:
        _carry_out(stages, job)
    except NotBegun:
        return []
    return list(stages.records.values())


def _carry_out(stages: Stages, job: Job) -> None:
    """Stages of one arm and seed.

    Raises:
        NotBegun: when one of its trainings is not done and the sitting is over.
    """
    if not job.settings.folds:
        _train_and_judge(stages, job)
    else:
        folds = [replace(job, fold=k) for k in range(job.settings.folds)]
        for fold in folds:
            _train_and_judge(stages, fold)
        pool_folds(stages, job.stage, [fold.stage for fold in folds], job.settings.compared_on)


def _train_and_judge(stages: Stages, job: Job) -> None:
    """Stages of one training."""
    args = arguments(job, load_arm(Path(job.settings.arms_folder), job.arm), stages)
    fit = planned(args, job.root / job.stage)
    settings, faces = training.settings_of(fit), _faces(training.data_of(fit))
    fit.draws_bar = job.alone
    if job.late and stages.held(job.stage, settings, faces) is None:
        raise NotBegun
    trained = stages.run(
        job.stage,
        settings,
        faces,
        lambda folder: go_on(fit, folder),
        ["last.ckpt", "metrics.csv"],
    )
    for dataset, part in job.settings.evaluate.items():
        _judge(stages, job, dataset, part, trained.outputs["last.ckpt"])


def arguments(job: Job, arm: Arm, stages: Stages) -> list[str]:
    """Command line of a training: base, arm, seed, fold, grid, weight and stored logits."""
    base = job.settings.base
    fit = replace(base, config=[*base.config, *arm.config])
    flags = [f"--seed_everything={job.seed}", f"--data.store={job.store}"]
    args = [*fit.arguments(), *arm.flags(job.seed), *flags, *_fold(job)]
    if arm.grid:
        args.append(_grid(job, arm.grid))
    if job.equal_gradient:
        args.append(f"--model.loss.proto.weight={_rescaled_weight(stages, job, arm, args)}")
    if arm.logits:
        pin = json.dumps(asdict(logits_of(job.settings)))
        args.append(f"--model.teacher_logits={pin}")
    return args


def _fold(job: Job) -> list[str]:
    """Flag of the fold that is held out; none where the corpus is taken as it is."""
    return [] if job.fold is None else [f"--data.corpus.fold={job.fold}"]


def _grid(job: Job, kind: str) -> str:
    """Flag that pins the grid of an arm."""
    pin = pinned(grids_of(job.settings, kind), kind, job.seed, job.root / "grids")
    return f"--model.grid={json.dumps(asdict(pin))}"


def _rescaled_weight(stages: Stages, job: Job, arm: Arm, args: Sequence[str]) -> float:
    """Stage: the weight of Proto-KD at which the grid of an arm pulls as hard as the EEG's."""
    source, folder = grids_of(job.settings, arm.grid), job.root / "grids"
    kinds = [pinned(source, kind, job.seed, folder) for kind in (EEG, arm.grid)]
    fit = training.plan(args)

    def action(out: Path) -> None:
        reference, grid = (PrototypeGrid.load(Path(pin.path)) for pin in kinds)
        write_json(out / "weight.json", {"weight": equal_weight(args, reference, grid)})

    pins = {"eeg": kinds[0].sha256, "grid": kinds[1].sha256}
    name, inputs = f"{job.stage}-weight", pins | _faces(training.data_of(fit))
    what = training.settings_of(fit) | {"measured_on": MEASURED_ON}
    stages.run(name, what, inputs, action, ["weight.json"])
    return float(json.loads((job.root / name / "weight.json").read_text())["weight"])


def _faces(data: Any) -> dict[str, str]:
    """Content hashes of the images of a training; they can change while no setting does."""
    splits = {"faces": "train", "valid": "valid"}
    return {k: prepare_faces(data.corpus, split, data.store).sha256 for k, split in splits.items()}


def _judge(stages: Stages, job: Job, dataset: str, part: EvaluationSettings, weights: str) -> None:
    """Stage: one arm and seed on one data set."""
    flags = [f"--data.store={job.store}", *part.args, *_fold(job)]
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
        train = training_pictures(task, data, part.split)
        evaluate_student(task, table, folder, context, view, train)

    inputs = {"student": weights, "faces": table.sha256}
    what = context | {"view": view}
    stages.run(f"{job.stage}-{dataset}", what, inputs, action, JUDGED)
