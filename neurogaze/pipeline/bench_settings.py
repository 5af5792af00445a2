"""What a bench file of students says: arms, seeds, grids, data that judge, and the contrasts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from neurogaze.errors import InputError
from neurogaze.evaluation.crossed import COLUMNS
from neurogaze.pipeline.refusals import refuse_no_folders
from neurogaze.pipeline.settings import EvaluationSettings, FitSettings, read_settings
from neurogaze.tasks.pins import GridPin, LogitsPin

PAIR = 2
LEAST_FOLDS = 2
TAKEN = re.compile(r"weight|fold\d+")
"""What folders of a training end in that are no judgements."""


@dataclass(frozen=True)
class BenchSettings:
    """Arms compared under one budget.

    Args:
        name: folder of the bench, under `runs/`.
        title: heading of the report; names the data as really used.
        base: the student every arm starts from.
        arms: number of seeds (0, 1, ...) by arm; an arm is a file of that name under
            `arms_folder`. Arms with more seeds are trained first, and one seed of all of them
            before the next, so that a bench stopped early still compares like with like.
        evaluate: data sets by name.
        arms_folder: where the files of arms lie.
        grids: prototype grids for arms that name a kind: `index.json` of a set of grids, of which
            seed s takes grid s, or one `.npz` for all seeds; null where no arm has one.
        logits: stored logits of a face classifier for arms with logit KD; path relative to the
            bench file.
        class_means: `class_means.npz` of an ensemble, for arms on the grid of a face network; seed
            s takes member s, and begins again after the last. Path relative to the bench file.
        primary: the one contrast that is named before: an arm, and the arm that is subtracted.
        secondary: further contrasts, corrected together by Holm.
        metric: score that is compared, a key of `neurogaze.evaluation.crossed.COLUMNS`.
        compared_on: the data set of `evaluate` whose twin-free part the contrasts are about.
        equal_gradient: number of seeds by arm, for arms that are trained once more with the weight
            of Proto-KD rescaled to the initial gradient norm that the EEG grid has.
        folds: folds of a `CrossValidated` corpus; each arm and seed is trained on all of them, and
            what they say of the fold they held out is scored as one. 0: the corpus as it is.
        workers: trainings at a time; null: one a core.
        note: stamped on every result row.
    """

    name: str
    title: str
    base: FitSettings
    arms: dict[str, int]
    evaluate: dict[str, EvaluationSettings]
    arms_folder: str = "../arms"
    grids: str | None = None
    logits: LogitsPin | None = None
    class_means: GridPin | None = None
    primary: list[str] = field(default_factory=list)
    secondary: list[list[str]] = field(default_factory=list)
    metric: str = "macro_f1_8way"
    compared_on: str = "valid"
    equal_gradient: dict[str, int] = field(default_factory=dict)
    folds: int = 0
    workers: int | None = None
    note: str = ""

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """All contrasts, the primary one first."""
        first = [self.primary] if self.primary else []
        return [(pair[0], pair[1]) for pair in [*first, *self.secondary]]


def load_bench(path: Path) -> BenchSettings:
    """Read a bench file; paths in it are relative to the file.

    Raises:
        InputError: when it cannot be read, a key is missing, unknown or of the wrong type, a number
            or score is none that a bench has, or it compares what it does not train.
    """
    settings, folder = read_settings(path, BenchSettings), path.parent
    _refuse_unknown(path, settings)
    logits, means = settings.logits, settings.class_means
    return replace(
        settings,
        base=settings.base.relative_to(folder),
        arms_folder=(folder / settings.arms_folder).as_posix(),
        evaluate={k: v.relative_to(folder) for k, v in settings.evaluate.items()},
        grids=None if settings.grids is None else (folder / settings.grids).as_posix(),
        logits=logits and replace(logits, path=(folder / logits.path).as_posix()),
        class_means=means and replace(means, path=(folder / means.path).as_posix()),
    )


def _refuse_unknown(path: Path, settings: BenchSettings) -> None:
    """Refuse what could not be trained, compared or judged, before hours are spent."""
    _refuse_numbers(path, settings)
    if not any(settings.arms.values()):
        raise InputError(path, "trains no arm", "name arms, each with its number of seeds")
    if settings.metric not in COLUMNS:
        found = f"compares by the metric {settings.metric!r}, which is not known"
        raise InputError(path, found, f"use {', '.join(COLUMNS)}")
    _refuse_taken_names(path, settings)
    pairs = _contrasts(path, settings)
    _refuse_untrained(path, settings, pairs)
    if settings.folds and set(settings.evaluate) != {settings.compared_on}:
        found = f"judges folds on {', '.join(settings.evaluate)}"
        raise InputError(path, found, f"judge {settings.compared_on!r} alone: the fold held out")
    if pairs and settings.compared_on not in settings.evaluate:
        found = f"compares on {settings.compared_on!r}, which is not judged"
        raise InputError(path, found, f"name one of {', '.join(settings.evaluate)}")


def _refuse_taken_names(path: Path, settings: BenchSettings) -> None:
    """Refuse a data set whose judgements would lie in no folder, or that of another stage."""
    try:
        refuse_no_folders("evaluate", settings.evaluate, last=True)
    except InputError as error:
        raise InputError(path, f"evaluate: {error.found}", error.remedy) from None
    taken = [name for name in settings.evaluate if TAKEN.fullmatch(name)]
    if taken:
        found = f"judges {', '.join(taken)}, a name that other folders of the bench have"
        raise InputError(path, found, "call the data set something else")


def _refuse_numbers(path: Path, settings: BenchSettings) -> None:
    """Refuse numbers of seeds and folds that there cannot be."""
    for key in ("arms", "equal_gradient"):
        for arm, n_seeds in getattr(settings, key).items():
            if n_seeds < 0:
                found = f"gives {arm} of {key} {n_seeds} seeds"
                raise InputError(path, found, "give a number above 0, or leave the arm out")
    if settings.folds and settings.folds < LEAST_FOLDS:
        remedy = f"give 0 for the corpus as it is, or {LEAST_FOLDS} and more"
        raise InputError(path, f"has folds: {settings.folds}", remedy)


def _contrasts(path: Path, settings: BenchSettings) -> list[list[str]]:
    """Every contrast, the primary one first, each of two arms and named once."""
    if settings.secondary and not settings.primary:
        raise InputError(path, "has secondary contrasts alone", "name the primary one as well")
    pairs = [*([settings.primary] if settings.primary else []), *settings.secondary]
    for pair in pairs:
        if len(pair) != PAIR:
            raise InputError(path, f"contrast {pair} names {len(pair)} arms", "name two")
    refuse_vain_contrasts(path, pairs)
    return pairs


def refuse_vain_contrasts(where: Path | str, pairs: Iterable[Sequence[str]]) -> None:
    """Refuse contrasts that say nothing.

    One that stands there twice, also the other way round, would be corrected for itself.

    Args:
        where: they are named, for the error.
        pairs: of two arms each.

    Raises:
        InputError: for an arm compared with itself, and a contrast named twice.
    """
    seen: set[frozenset[str]] = set()
    for first, second in pairs:
        if first == second:
            found = f"contrast {[first, second]} compares an arm with itself"
            raise InputError(where, found, "name two different arms")
        if {first, second} in seen:
            found = f"names the contrast of {first} and {second} twice"
            raise InputError(where, found, "name it once, either way round")
        seen.add(frozenset((first, second)))


def _refuse_untrained(path: Path, settings: BenchSettings, pairs: list[list[str]]) -> None:
    """Refuse contrasts and rescaled arms that nobody trains."""
    trained = settings.arms | {rescaled(a): n for a, n in settings.equal_gradient.items()}
    compared = {arm for pair in pairs for arm in pair}
    unknown = sorted((compared | set(settings.equal_gradient)) - set(trained))
    if unknown:
        found = f"compares {', '.join(unknown)}, which it does not train"
        raise InputError(path, found, f"the arms are {', '.join(sorted(trained))}")
    without = sorted(arm for arm in compared if not trained[arm])
    if without:
        found = f"compares {', '.join(without)}, which it trains with 0 seeds"
        raise InputError(path, found, "give it seeds, or leave its contrasts out")


def rescaled(arm: str) -> str:
    """Name of an arm with the weight rescaled to equal initial gradient norm.

    >>> rescaled("proto_random")
    'proto_random (equal gradient)'
    """
    return f"{arm} (equal gradient)"
