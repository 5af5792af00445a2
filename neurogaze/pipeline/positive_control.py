"""Positive control: worlds in which it is known whether EEG helps, from recordings to a verdict.

Under every seed and world recordings are made, teachers trained on them and consolidated to a grid,
and students trained on pictures of the same world with that grid, controls and the true structure.
A bench in which the truth itself does not help cannot say that EEG does not.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
from rich.console import Console

import neurogaze
from neurogaze.artefacts import write_json, written_aside
from neurogaze.errors import InputError
from neurogaze.evaluation.contrast_file import (
    FILE,
    STATISTICS,
    ContrastFile,
    read_contrasts,
    write_contrasts,
)
from neurogaze.evaluation.nested import nested_contrasts
from neurogaze.evaluation.predictions import read_predictions
from neurogaze.evaluation.results import read_rows, write_rows
from neurogaze.evaluation.scoring import TWIN_FREE
from neurogaze.pipeline.bench_grids import GridSource
from neurogaze.pipeline.control_grids import CHECKS, WorldGrids, checks, world_grids
from neurogaze.pipeline.control_settings import ControlSettings
from neurogaze.pipeline.control_students import (
    PREDICTIONS,
    SCORES,
    Run,
    term_of,
    train_and_judge,
)
from neurogaze.pipeline.processes import STOPPED, Failure, failure_of, processes, run_all
from neurogaze.pipeline.stages import StageRecord, Stages
from neurogaze.prototypes.testable import over_grids
from neurogaze.report.control_tables import Term, Told, WorldFound, told_control

BOOTSTRAP_SEED = 0
TABLE = "control.md"
KEPT = ("macro_f1_8way", "accuracy")
"""Scores in the result rows of the whole control; each run keeps all of its own. No picture of a
made-up world has a twin, so that the part without twins is the whole."""


REST = 9
"""Times as long as a telling took, the next one waits: it reads every prediction there is."""


@dataclass(frozen=True)
class SeedJob:
    """All worlds and arms under one seed.

    Args:
        settings: of the control.
        root: its folder.
        store: folder of cached features and pictures.
        seed: of everything.
    """

    settings: ControlSettings
    root: Path
    store: Path
    seed: int


@dataclass(frozen=True)
class SeedDone:
    """What came of a seed.

    Args:
        runs: trainings that were judged.
        records: stages.
        failed: what failed, by name.
    """

    runs: list[Run]
    records: dict[str, StageRecord]
    failed: dict[str, Failure]


def run_control(
    settings: ControlSettings, root: Path, store: Path, console: Console | None = None
) -> Path:
    """Carry out every seed that is not done; return the path of the summary.

    What there is is told on the way, in a tenth of the time at most, and after the last seed.

    Raises:
        InputError: at once when the arm that knows the truth cannot be trained; at the end, when
            something failed: the rest, and a summary of it, stand.
    """
    stages, term = Stages(root, console), term_of(settings)
    jobs = [SeedJob(settings, root, store, seed) for seed in settings.seeds]
    runs: list[Run] = []
    failed: dict[str, Failure] = {}
    size, due = processes(settings.workers, len(jobs)), 0.0
    for at, (job, outcome) in enumerate(run_all(run_seed, jobs, size), start=1):
        if isinstance(outcome, Failure):
            failed[f"seed {job.seed}"] = outcome
        else:
            runs += outcome.runs
            stages.records |= outcome.records
            failed |= outcome.failed
        stages.console.print(f"seed {job.seed}: {_came_of(outcome)} ({at} of {len(jobs)})")
        began = time.monotonic()
        if began >= due or at == len(jobs):
            page = tell(stages, settings, term, runs)
            due = time.monotonic() + REST * (time.monotonic() - began)
    if failed:
        said = "; ".join(f"{name}: {failure.said}" for name, failure in failed.items())
        remedy = f"mend the cause and repeat the command; the others are told in {page}"
        raise InputError(settings.name, f"{len(failed)} runs failed ({said})", remedy)
    return page


def _came_of(outcome: SeedDone | Failure) -> str:
    """What came of a seed, in a word or two."""
    if isinstance(outcome, Failure):
        return "failed"
    return f"done, {len(outcome.failed)} failed" if outcome.failed else "done"


def run_seed(job: SeedJob) -> SeedDone:
    """Grids and students of every world under one seed; a run that fails stops no other."""
    console = Console(stderr=True)
    stages = Stages(job.root, Console(quiet=True))
    done = SeedDone([], stages.records, {})
    made: dict[float, GridSource] = {}
    for world in job.settings.worlds:
        try:
            grids = world_grids(job.settings, world, job.seed, job.root, job.store, made)
            checks(stages, grids)
        except STOPPED as error:
            done.failed[f"grids of {world}, seed {job.seed}"] = failure_of(error)
            continue
        _students(job, grids, stages, done, console)
    return done


def _students(
    job: SeedJob, grids: WorldGrids, stages: Stages, done: SeedDone, console: Console
) -> None:
    """Train and judge every arm of a world, one progress line each."""
    chosen = job.settings.worlds[grids.world]
    for arm in (name for name in job.settings.arms if name not in chosen.without):
        run = Run(grids.world, arm, job.seed)
        try:
            train_and_judge(stages, job.settings, run, grids, job.store)
            done.runs.append(run)
            said = "unchanged" if stages.records[run.stage].skipped else "done"
        except STOPPED as error:
            done.failed[run.stage] = failure_of(error)
            said = f"failed: {done.failed[run.stage].said}"
        console.print(f"{grids.world}, {arm}, seed {job.seed}: {said}", markup=False)


def tell(stages: Stages, settings: ControlSettings, term: Term, runs: Sequence[Run]) -> Path:
    """Rows, contrasts and summary of what is there."""
    rows = [r for run in runs for r in read_rows(stages.root / run.stage / SCORES)]
    kept = [row for row in rows if row.metric in KEPT and TWIN_FREE not in row.split]
    write_rows(stages.root / SCORES, kept)
    found, missing = {}, {}
    for world in settings.worlds:
        own = [run for run in runs if run.world == world]
        if own and compared(settings, world, own)[:1] == settings.worlds[world].pairs[:1]:
            found[world] = _found(stages, settings, world, own)
        if seeds := _unfinished(settings, world, own):
            missing[world] = seeds
    write_json(stages.root / CHECKS, {world: part.checks for world, part in found.items()})
    told = Told(settings.title, settings.oracle_pair, settings.metric, term, missing)
    with written_aside(stages.root / TABLE) as aside:
        aside.write_text(told_control(told, found, rows), encoding="utf-8")
    return stages.root / TABLE


def compared(settings: ControlSettings, world: str, runs: Sequence[Run]) -> list[tuple[str, str]]:
    """Contrasts of a world whose two arms share a seed so far, in the order of the file.

    Args:
        settings: of the control.
        world: its name.
        runs: of it that are done.
    """
    by: dict[str, set[int]] = {}
    for run in runs:
        by.setdefault(run.arm, set()).add(run.seed)
    pairs = settings.worlds[world].pairs
    return [(a, b) for a, b in pairs if by.get(a, set()) & by.get(b, set())]


def _unfinished(settings: ControlSettings, world: str, runs: Sequence[Run]) -> list[int]:
    """Seeds under which some arm of a world is not done."""
    done = {(run.arm, run.seed) for run in runs}
    arms = {*settings.arms} - {*settings.worlds[world].without}
    return [seed for seed in settings.seeds if any((arm, seed) not in done for arm in arms)]


def _found(
    stages: Stages, settings: ControlSettings, world: str, runs: Sequence[Run]
) -> WorldFound:
    """Contrasts of a world beside what was expected, and what its grids hold."""
    seeds = sorted({run.seed for run in runs})
    known = {seed: _checks(stages, world, seed) for seed in seeds}
    contrasts = _contrasts(stages, settings, world, runs, known)
    return WorldFound(settings.worlds[world].expect, contrasts, known)


def _checks(stages: Stages, world: str, seed: int) -> dict[str, object]:
    """What the check of the grids of a world and seed left."""
    name = WorldGrids.stage_of(world, seed)
    content: dict[str, object] = json.loads((stages.root / name / CHECKS).read_text("utf-8"))
    return content


def _contrasts(
    stages: Stages,
    settings: ControlSettings,
    world: str,
    runs: Sequence[Run],
    known: Mapping[int, Mapping[str, object]],
) -> ContrastFile:
    """Stage: all contrasts of a world over the seeds there are."""
    inputs = {r.stage: stages.records[r.stage].outputs[PREDICTIONS] for r in runs}
    pairs, named = compared(settings, world, runs), settings.worlds[world].pairs
    reasons = over_grids([list(part["not_testable"]) for part in known.values()])  # type: ignore[call-overload]

    def action(folder: Path) -> None:
        arms: dict[str, dict[int, pd.DataFrame]] = {}
        for run in runs:
            frame = read_predictions(stages.root / run.stage / PREDICTIONS)
            arms.setdefault(run.arm, {})[run.seed] = frame
        first = named[0] if named[0] in pairs else None
        others = [pair for pair in pairs if pair != first]
        told = nested_contrasts(
            arms, first, others, settings.metric, BOOTSTRAP_SEED, family=len(named) - 1
        )
        write_contrasts(folder / FILE, reasons, [replace(c, dataset=world) for c in told])

    what = {"pairs": pairs, "metric": settings.metric, "reasons": reasons}
    name = f"contrasts-{Run.slug(world)}"
    made_by = {"version": neurogaze.__version__, "statistics": STATISTICS}
    stages.run(name, what | made_by, inputs, action, [FILE])
    return read_contrasts(stages.root / name / FILE)
