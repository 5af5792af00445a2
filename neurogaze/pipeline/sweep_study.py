"""The memory of a sweep: an Optuna study on disk, in which every point has a number of its own.

Draws depend on the seed, the number of the point and the scores so far, so that a sweep that was
killed goes on as if it had not been.
"""

from __future__ import annotations

import csv
import difflib
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import neurogaze
from neurogaze.artefacts import file_hash, settings_hash, written_aside
from neurogaze.errors import InputError
from neurogaze.pipeline.sweep_journal import NAME, OTHER_OUT, STUDY, in_one_line, whole_lines
from neurogaze.pipeline.sweep_settings import Choice, Range, Scalar, Sweep, on_grid

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler
    from optuna.trial import FrozenTrial, Trial

BROKEN = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)
"""What Optuna raises over lines that do not follow from those before them."""
STOPPED = "was stopped before its end"
COUNTERS = ("epoch", "step")
"""Columns of a training that are no scores."""
NEAR, LIKENESS = 3, 0.4
"""Columns named to whoever misspelt one, and how alike they must be."""


class NoColumn(InputError):
    """No training logs the metric: the fault is in the sweep file, not in one trial."""


@dataclass(frozen=True)
class Tried:
    """One point of a sweep.

    Args:
        number: of the point, from 0.
        values: of the parameters.
        score: last value of the metric; None where the training failed.
        said: its error in one line, or "".
    """

    number: int
    values: dict[str, Scalar]
    score: float | None
    said: str = ""

    @property
    def folder(self) -> str:
        """Name of its folder."""
        return f"trial-{self.number:03d}-{settings_hash(self.values)[:8]}"


Point = tuple[int, dict[str, Scalar], Callable[[Tried], None]]
"""Number, values, and what takes the outcome."""


def last_value(path: Path, metric: str) -> float:
    """The value a sweep optimises: the last that a training logged.

    Args:
        path: `metrics.csv` of a training.
        metric: a column of it.

    Raises:
        NoColumn: when there is no such column.
        InputError: when it holds no value, or the last one is no finite number.
    """
    with path.open(newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream)
        rows, columns = list(reader), list(reader.fieldnames or [])
    if metric not in columns or metric in COUNTERS:
        scores = [name for name in columns if name not in COUNTERS]
        near = difflib.get_close_matches(metric, scores, NEAR, LIKENESS) or scores
        remedy = f"set metric.name of the sweep to a column, such as {', '.join(near)}"
        found = f"holds no column {metric!r}, by which the sweep ranks"
        raise NoColumn(path, found, f"{remedy}, and repeat the command; what is trained is kept")
    logged = [row[metric] for row in rows if row[metric]]
    if not logged:
        raise InputError(path, f"holds no value of {metric}", "train at least one epoch")
    value = float(logged[-1])
    if not math.isfinite(value):
        raise InputError(path, f"{metric} ends at {value}", "leave out what makes training diverge")
    return value


def scored(tried: Tried, sweep: Sweep, out: Path) -> Tried:
    """A point whose training has ended, with its score, or with why there is none.

    Raises:
        NoColumn: when its training did not log the metric at all.
    """
    try:
        score = last_value(out / tried.folder / "metrics.csv", sweep.metric)
    except NoColumn:
        raise
    except (OSError, ValueError, csv.Error) as error:
        return replace(tried, score=None, said=in_one_line(error))
    return replace(tried, score=score, said="")


def distribution(parameter: Choice | Range) -> BaseDistribution:
    """A parameter in the terms of Optuna."""
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    if isinstance(parameter, Choice):
        return CategoricalDistribution(parameter.values)
    if parameter.integer:
        return IntDistribution(
            int(parameter.low), int(parameter.high), step=int(parameter.step or 1)
        )
    return FloatDistribution(parameter.low, parameter.high, log=parameter.log, step=parameter.step)


def open_study(sweep: Sweep, out: Path, seed: int) -> Study:
    """Open the study of a folder, or begin it.

    Under another metric or goal than it had it stays the same study: the scores of finished trials
    are read again from their `metrics.csv`. A study of which nothing has trained yet binds nobody:
    under another sweep it is begun anew.

    Raises:
        NoColumn: when a finished trial did not log the metric.
        InputError: when the folder holds the study of another sweep, seed or version, or of files
            that have changed since, a file of that name that is no whole study, or Optuna is
            missing.
    """
    study = _study(out / STUDY, sweep)
    own = fingerprint(sweep, seed)
    if study.user_attrs.get("fingerprint", own) != own:
        if _has_trained(study, out):
            found = (
                "holds another sweep: its file, the files it names, the seed or neurogaze changed"
            )
            raise InputError(out, found, "give another --out, or put them back as they were")
        study = _begun_anew(sweep, out)
    metric = study.user_attrs.get("metric", sweep.metric)
    other = (metric, _maximizes(study)) != (sweep.metric, sweep.maximize)
    if other or _queued(study):
        study = _written_anew(study, sweep, out, read_again=other)
    study.set_user_attr("metric", sweep.metric)
    study.set_user_attr("fingerprint", own)
    return study


def _study(path: Path, sweep: Sweep) -> Study:
    """The study in a file, or a new one."""
    try:
        import optuna
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend
    except ModuleNotFoundError:
        found, remedy = "needs Optuna, which is not installed", "pip install 'neurogaze[sweeps]'"
        raise InputError("neurogaze sweep --local", found, remedy) from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    file = JournalFileBackend(str(whole_lines(path)))
    try:
        return optuna.create_study(
            storage=JournalStorage(file),
            study_name=NAME,
            direction="maximize" if sweep.maximize else "minimize",
            load_if_exists=True,
        )
    except BROKEN as error:
        raise InputError(path, f"is damaged ({in_one_line(error)})", OTHER_OUT) from error


def _maximizes(study: Study) -> bool:
    """Whether more is better in a study."""
    from optuna.study import StudyDirection

    return study.direction == StudyDirection.MAXIMIZE


def _has_trained(study: Study, out: Path) -> bool:
    """Whether a trial has ended well, or left an epoch that another would take up."""
    from optuna.trial import TrialState

    done = study.get_trials(states=(TrialState.COMPLETE,), deepcopy=False)
    return bool(done) or any(out.glob("trial-*/last.ckpt"))


def _begun_anew(sweep: Sweep, out: Path) -> Study:
    """An empty study in the place of the one that a folder holds."""
    with written_aside(out / STUDY) as aside:
        _study(aside, sweep)
    return _study(out / STUDY, sweep)


def _queued(study: Study) -> bool:
    """Whether Optuna would hand out trials of its queue, however few are wanted."""
    from optuna.trial import TrialState

    return bool(study.get_trials(states=(TrialState.WAITING,), deepcopy=False))


def _written_anew(study: Study, sweep: Sweep, out: Path, read_again: bool) -> Study:
    """The same trials, without those in the queue, which say nothing that others do not.

    Optuna changes neither the value of a finished trial nor the direction of a study, nor does it
    take back what is queued, so the file is written anew, aside: after a kill the old one is there.

    Args:
        study: from the folder.
        sweep: what to try.
        out: the folder.
        read_again: give finished trials the scores of another metric, which draws of `bayes` see.
    """
    from optuna.trial import TrialState

    with written_aside(out / STUDY) as aside:
        other = _study(aside, sweep)
        for name, value in study.user_attrs.items():
            other.set_user_attr(name, value)
        other.set_user_attr("metric", sweep.metric)
        for trial in study.get_trials():
            if read_again and trial.state == TrialState.COMPLETE:
                _score_again(trial, sweep, out)
            if trial.state != TrialState.WAITING:
                other.add_trial(trial)
    return _study(out / STUDY, sweep)


def _score_again(trial: FrozenTrial, sweep: Sweep, out: Path) -> None:
    """Give a finished trial its value of another metric; one that has none is tried again."""
    from optuna.trial import TrialState

    tried = scored(Tried(trial.user_attrs["point"], _values(trial), None), sweep, out)
    trial.value = tried.score
    trial.state = TrialState.FAIL if tried.score is None else TrialState.COMPLETE
    trial.set_user_attr("said", tried.said)


def fingerprint(sweep: Sweep, seed: int) -> str:
    """Hash of what decides the trainings; the number of trials can grow.

    Metric and goal are no part of it: they rank trainings, and a name that was misspelt must not
    cost those that are done.

    Files count by their content: those among the words (`--config a.yaml`, `--config=a.yaml`), and
    those among the values of parameters.
    """
    values = [p.values for p in sweep.parameters.values() if isinstance(p, Choice)]
    named = [str(value) for several in values for value in several]
    files = _contents([*sweep.words, *(w.partition("=")[2] for w in sweep.words), *named])
    what = [sweep.method, sweep.words, sweep.parameters, files, seed]
    return settings_hash([*what, neurogaze.__version__])


def _contents(words: Sequence[str]) -> dict[str, str]:
    """Hashes of the files among words."""
    found = {}
    for word in words:
        with suppress(OSError, ValueError):  # no file, or text that cannot be a name
            found[word] = file_hash(Path(word))
    return found


def take_up(study: Study) -> None:
    """Take points that a killed run left for failed, so that they are tried again."""
    from optuna.trial import TrialState

    for trial in study.get_trials(states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)


def outcomes(study: Study) -> list[Tried]:
    """What is known of each point that was tried, best first, failures last."""
    from optuna.trial import TrialState

    sign = -1.0 if _maximizes(study) else 1.0
    found = [
        Tried(number, _values(trial), trial.value, trial.user_attrs.get("said", STOPPED))
        for number, trial in _latest(study).items()
        if trial.state != TrialState.WAITING
    ]
    return sorted(found, key=lambda t: (t.score is None, sign * (t.score or 0.0), t.number))


def _latest(study: Study) -> dict[int, FrozenTrial]:
    """Last trial of each point; one killed before its draw was whole is no point."""
    trials = study.get_trials(deepcopy=False)
    return {t.user_attrs["point"]: t for t in trials if "point" in t.user_attrs}


def _values(trial: FrozenTrial | Trial) -> dict[str, Scalar]:
    """Parameters as the file would write them; Optuna adds up steps, and drifts off."""
    from optuna.distributions import FloatDistribution

    values: dict[str, Scalar] = dict(trial.params)
    for name, space in trial.distributions.items():
        if isinstance(space, FloatDistribution) and space.step is not None:
            values[name] = on_grid(trial.params[name], space.low, space.step)
    return values


def points(study: Study, sweep: Sweep, wanted: int, seed: int) -> Iterator[Point]:
    """Every point that is to be tried, in the order of their numbers, which end with those wanted.

    Optuna's queue is filled with one point at a time: what it holds is tried, asked for or not.

    Args:
        study: from `open_study`, after `take_up`.
        sweep: what to try.
        wanted: points in all.
        seed: of the draws.
    """
    from optuna.trial import TrialState

    space = {name: distribution(found) for name, found in sweep.parameters.items()}
    grid = sweep.grid() if sweep.method == "grid" else []
    known = _latest(study)
    for number in range(wanted):
        before, fresh = known.get(number), grid[number] if grid else None
        if before is None or before.state != TrialState.COMPLETE:
            study.sampler = _sampler(sweep.method, seed, number)
            trial = _asked(study, space, number, fresh if before is None else _given(before))
            yield number, _values(trial), partial(_close, study, trial)


def _asked(
    study: Study,
    space: dict[str, BaseDistribution],
    number: int,
    values: dict[str, Scalar] | None,
) -> Trial:
    """A trial of a point, of given values or drawn; killed in its draw, it is no point yet."""
    if values is not None:
        study.enqueue_trial(values, user_attrs={"point": number})
    trial = study.ask(space)
    if values is None:
        trial.set_user_attr("point", number)
    return trial


def _given(trial: FrozenTrial) -> dict[str, Scalar]:
    """Parameters of a trial that did not end well; killed early, it may not have them all yet."""
    return {**trial.system_attrs.get("fixed_params", {}), **trial.params}


def _close(study: Study, trial: Trial, tried: Tried) -> None:
    """Write down how a trial ended."""
    from optuna.trial import TrialState

    trial.set_user_attr("said", tried.said)
    failed = tried.score is None
    study.tell(trial, tried.score, TrialState.FAIL if failed else TrialState.COMPLETE)


def _sampler(method: str, seed: int, number: int) -> BaseSampler:
    """A sampler for one draw; one that lived on would not be the same after a kill."""
    from optuna.samplers import RandomSampler, TPESampler

    own = int(settings_hash([seed, number])[:8], 16)
    return TPESampler(seed=own) if method == "bayes" else RandomSampler(seed=own)
