"""Sweeps without an account: a W&B sweep file carried out here, through Optuna; resumable.

One training that fails loses nothing of the others; it is told at the end and in the table.
"""

from __future__ import annotations

import csv
import statistics
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from neurogaze.artefacts import alone, written_aside
from neurogaze.errors import InputError
from neurogaze.pipeline.looking_ahead import parsed
from neurogaze.pipeline.steps import resumable_fit
from neurogaze.pipeline.sweep_journal import in_one_line
from neurogaze.pipeline.sweep_settings import Choice, Scalar, Sweep
from neurogaze.pipeline.sweep_study import (
    Tried,
    open_study,
    outcomes,
    points,
    scored,
    take_up,
)
from neurogaze.report.markup import to_markdown
from neurogaze.report.tables import Table, fixed

AGAIN = "mend the cause and run the same command again; finished trials are kept"
HERE = "--trainer.logger=false"
"""Local trials leave W&B alone; their curves lie in the folder of the trial."""
LOCK = ".lock"
"""Stays in the folder: whoever removed it could let two sweeps in, each with a lock of its own."""
SEED = "seed_everything"
"""Over its values a setting is averaged: the best single run is that of a lucky seed as well."""


def run_sweep(
    sweep: Sweep,
    out: Path,
    trials: int | None = None,
    seed: int = 0,
    console: Console | None = None,
) -> Path:
    """Try every point that is not done; points that failed or were stopped are tried again.

    Args:
        sweep: what to try.
        out: folder of the study, the trainings and the table.
        trials: points in all; None: what the file asks for, or its whole grid.
        seed: of the draws.
        console: for one line a point.

    Returns:
        `results.md`, best first; `results.csv` lies beside it.

    Raises:
        NoColumn: at the first trial whose training does not log the metric of the sweep.
        InputError: for settings that no point can be trained with; for a folder of another sweep,
            or one that another process is writing to; at the end, when some point failed: the
            others, and the table of them, stand.
    """
    told, wanted = console or Console(), wanted_trials(sweep, trials)
    look_ahead(sweep)
    with alone(out / LOCK, out):
        return _carried_out(sweep, out, wanted, seed, told)


def look_ahead(sweep: Sweep) -> None:
    """Build the first point without training it: a misspelt key is one of every point.

    Raises:
        InputError: where it cannot be built.
    """
    values = {
        n: p.values[0] if isinstance(p, Choice) else p.low for n, p in sweep.parameters.items()
    }
    where = f"{sweep.path}: first point"
    try:
        parsed(where, [*sweep.arguments(values), HERE])
    except InputError:
        raise
    except Exception as error:
        remedy = "correct the settings, or the files that they name"
        raise InputError(where, f"cannot be built ({in_one_line(error)})", remedy) from error


def _carried_out(sweep: Sweep, out: Path, wanted: int, seed: int, told: Console) -> Path:
    """Try what is left of a sweep whose folder nobody else writes to, and write its table.

    Raises:
        NoColumn: as `run_sweep`.
        InputError: as `run_sweep`.
    """
    study = open_study(sweep, out, seed)
    take_up(study)
    for number, values, close in points(study, sweep, wanted, seed):
        tried = _train(sweep, out, number, values)
        close(tried)
        score = tried.said or f"{tried.score:.4f}"
        told.print(f"{number + 1} of {wanted}: {_brief(values)}: {score}", highlight=False)
    results = outcomes(study)
    page = write_results(sweep, results, out)
    failed = [tried for tried in results if tried.score is None and tried.number < wanted]
    if failed:
        found = "; ".join(f"{tried.folder}: {tried.said}" for tried in failed)
        raise InputError(out, f"{len(failed)} of {len(results)} trials failed: {found}", AGAIN)
    return page


def wanted_trials(sweep: Sweep, trials: int | None) -> int:
    """How many points to try.

    Raises:
        InputError: for a number below 1, or none where there is no end of points.
    """
    asked = sweep.cap if trials is None else trials
    if asked is not None and asked < 1:
        raise InputError("--trials", f"is {asked}", "give a number above 0")
    if sweep.method == "grid":
        return min(asked or len(sweep.grid()), len(sweep.grid()))
    if asked is None:
        remedy = "give --trials 20, or run_cap: 20 in the file"
        raise InputError(sweep.path, f"{sweep.method} has no end of trials", remedy)
    return asked


def _train(sweep: Sweep, out: Path, number: int, values: dict[str, Scalar]) -> Tried:
    """Train one point, from its last whole epoch if it was stopped; a failure is an outcome.

    Raises:
        NoColumn: when it does not log the metric; no other point would.
    """
    tried = Tried(number, values, None)
    try:
        resumable_fit([*sweep.arguments(values), HERE], out / tried.folder)
    except SystemExit:
        return Tried(number, values, None, "its arguments were refused, as told above")
    except Exception as error:
        return Tried(number, values, None, in_one_line(error))
    return scored(tried, sweep, out)


def write_results(sweep: Sweep, results: list[Tried], out: Path) -> Path:
    """Write `results.csv` and `results.md`: parameters and metric of every point, best first.

    Where the seed is one of the parameters, `results.md` begins with means over seeds.
    """
    names = [*sweep.parameters]
    rows = [
        [t.folder, *(t.values[n] for n in names), "" if t.score is None else t.score, t.said]
        for t in results
    ]
    with (
        written_aside(out / "results.csv") as aside,
        aside.open("w", newline="", encoding="utf-8") as stream,
    ):
        csv.writer(stream).writerows([["trial", *names, sweep.metric, "error"], *rows])
    with written_aside(out / "results.md") as aside:
        tables = [over_seeds(sweep, results)] if seeds_swept(sweep) else []
        pages = [to_markdown(table) for table in [*tables, results_table(sweep, results)]]
        aside.write_text("\n".join(pages), encoding="utf-8")
    return out / "results.md"


def seeds_swept(sweep: Sweep) -> bool:
    """Whether trials differ by their seed."""
    found = sweep.parameters.get(SEED)
    return found is not None and not (isinstance(found, Choice) and len(found.values) == 1)


def over_seeds(sweep: Sweep, results: list[Tried]) -> Table:
    """Settings of a sweep with mean and standard deviation over seeds, best mean first."""
    names = [name for name in sweep.parameters if name != SEED]
    groups: dict[tuple[str, ...], list[float]] = {}
    for tried in results:
        scores = groups.setdefault(tuple(str(tried.values[name]) for name in names), [])
        if tried.score is not None:
            scores.append(tried.score)
    sign = -1.0 if sweep.maximize else 1.0
    means = {key: statistics.fmean(scores) for key, scores in groups.items() if scores}
    ranked = sorted(means, key=lambda key: sign * means[key])
    rows = [
        (*key, fixed(means[key], 4), _spread(groups[key]), str(len(groups[key]))) for key in ranked
    ]
    rows += [(*key, "failed", "–", "0") for key in groups if key not in means]
    caption = (
        f"Mean and standard deviation of the last {sweep.metric} over the n seeds that ended; "
        "best mean first."
    )
    header = (*names, sweep.metric, "standard deviation", "n")
    return Table(f"Sweep {sweep.path.stem}, over seeds", caption, header, tuple(rows))


def _spread(scores: list[float]) -> str:
    """Standard deviation over seeds; one seed has none."""
    return fixed(statistics.stdev(scores), 4) if len(scores) > 1 else "–"


def results_table(sweep: Sweep, results: list[Tried]) -> Table:
    """Points of a sweep as a table, best first."""
    rows = tuple(
        (
            f"{t.number:03d}",
            *(str(t.values[name]) for name in sweep.parameters),
            "failed" if t.score is None else fixed(t.score, 4),
        )
        for t in results
    )
    done = sum(t.score is not None for t in results)
    caption = (
        f"{done} of {len(results)} trials, {sweep.method}; best first by the last {sweep.metric}."
    )
    if seeds_swept(sweep):
        caption += " Single runs: choose by the means, not by the luckiest seed."
    header = ("trial", *sweep.parameters, sweep.metric)
    return Table(f"Sweep {sweep.path.stem}", caption, header, rows)


def _brief(values: Mapping[str, Scalar]) -> str:
    """Parameters in one line, by the last part of their keys."""
    return ", ".join(f"{name.rsplit('.', 1)[-1]} {value}" for name, value in values.items())
