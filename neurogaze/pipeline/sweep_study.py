"""The memory of a sweep: an Optuna study on disk, in which every point has a number of its own.

Draws depend on the seed, the number of the point and the scores so far, so that a sweep that was
killed goes on as if it had not been.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import neurogaze
from neurogaze.artefacts import file_hash, settings_hash
from neurogaze.errors import InputError
from neurogaze.pipeline.sweep_settings import Choice, Range, Scalar, Sweep

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler
    from optuna.trial import FrozenTrial, Trial

STUDY = "study.log"


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

    Raises:
        InputError: when the folder holds the study of another sweep, seed or version, or of files
            that have changed since, or Optuna is missing.
    """
    try:
        import optuna
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend
    except ModuleNotFoundError:
        found, remedy = "needs Optuna, which is not installed", "pip install 'neurogaze[sweeps]'"
        raise InputError("neurogaze sweep --local", found, remedy) from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        storage=JournalStorage(JournalFileBackend(str(whole_lines(out / STUDY)))),
        study_name="sweep",
        direction="maximize" if sweep.maximize else "minimize",
        load_if_exists=True,
    )
    own = fingerprint(sweep, seed)
    if study.user_attrs.setdefault("fingerprint", own) != own:
        found = "holds another sweep: its file, the files it names, the seed or neurogaze changed"
        raise InputError(out, found, "give another --out, or put them back as they were")
    study.set_user_attr("fingerprint", own)
    return study


def whole_lines(path: Path) -> Path:
    """Cut off a last line that a crash left unfinished; what comes after it could not be read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as stream:
        stream.seek(0)
        stream.truncate(stream.read().rfind(b"\n") + 1)
    return path


def fingerprint(sweep: Sweep, seed: int) -> str:
    """Hash of what decides the draws and trainings; the number of trials can grow.

    Files count by their content: those among the words (`--config a.yaml`, `--config=a.yaml`), and
    those among the values of parameters.
    """
    values = [p.values for p in sweep.parameters.values() if isinstance(p, Choice)]
    named = [str(value) for several in values for value in several]
    files = _contents([*sweep.words, *(w.partition("=")[2] for w in sweep.words), *named])
    what = [sweep.method, sweep.metric, sweep.maximize, sweep.words, sweep.parameters, files, seed]
    return settings_hash([*what, neurogaze.__version__])


def _contents(words: Sequence[str]) -> dict[str, str]:
    """Hashes of the files among words."""
    found = {}
    for word in words:
        with suppress(OSError, ValueError):  # no file, or text that cannot be a name
            found[word] = file_hash(Path(word))
    return found


def take_up(study: Study) -> None:
    """Put points that a killed run left, and those that failed, in the queue again."""
    from optuna.trial import TrialState

    for trial in study.get_trials(states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)
    latest = _latest(study)
    for number, trial in latest.items():
        if trial.state == TrialState.FAIL:  # killed early, it may not have all its values yet
            values = {**trial.system_attrs.get("fixed_params", {}), **trial.params}
            study.enqueue_trial(values, user_attrs={"point": number})


def outcomes(study: Study) -> list[Tried]:
    """What is known of each point that was tried, best first, failures last."""
    from optuna.study import StudyDirection
    from optuna.trial import TrialState

    sign = -1.0 if study.direction == StudyDirection.MAXIMIZE else 1.0
    found = [
        Tried(number, trial.params, trial.value, trial.user_attrs.get("said", ""))
        for number, trial in _latest(study).items()
        if trial.state != TrialState.WAITING
    ]
    return sorted(found, key=lambda t: (t.score is None, sign * (t.score or 0.0), t.number))


def _latest(study: Study) -> dict[int, FrozenTrial]:
    """Last trial of each point; one killed before its draw was whole is no point."""
    trials = study.get_trials(deepcopy=False)
    return {t.user_attrs["point"]: t for t in trials if "point" in t.user_attrs}


def points(study: Study, sweep: Sweep, wanted: int, seed: int) -> Iterator[Point]:
    """Every point that is to be tried: those in the queue, then new ones up to the number wanted.

    Args:
        study: from `open_study`.
        sweep: what to try.
        wanted: points in all.
        seed: of the draws.
    """
    from optuna.trial import TrialState

    space = {name: distribution(found) for name, found in sweep.parameters.items()}
    if sweep.method == "grid":
        known = _latest(study)
        for number, values in enumerate(sweep.grid()[:wanted]):
            if number not in known:
                study.enqueue_trial(values, user_attrs={"point": number})
    while True:
        number = len(_latest(study))
        if not study.get_trials(states=(TrialState.WAITING,), deepcopy=False) and number >= wanted:
            return
        study.sampler = _sampler(sweep.method, seed, number)
        trial = study.ask(space)
        if "point" not in trial.user_attrs:
            trial.set_user_attr("point", number)
        yield trial.user_attrs["point"], trial.params, partial(_close, study, trial)


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
