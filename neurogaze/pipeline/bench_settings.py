"""What a bench file of students says: arms, seeds, grids, data that judge, and the contrasts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from neurogaze.errors import InputError
from neurogaze.pipeline.settings import EvaluationSettings, FitSettings, read_settings
from neurogaze.tasks.pins import GridPin, LogitsPin

PAIR = 2


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
        metric: score that is compared.
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
        InputError: when it cannot be read, a key is missing, unknown or of the wrong type, or it
            compares what it does not train.
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
    """Refuse contrasts and rescaled arms that nobody trains, before hours are spent."""
    if not any(settings.arms.values()):
        raise InputError(path, "trains no arm", "name arms, each with its number of seeds")
    if settings.secondary and not settings.primary:
        raise InputError(path, "has secondary contrasts alone", "name the primary one as well")
    pairs = [*([settings.primary] if settings.primary else []), *settings.secondary]
    for pair in pairs:
        if len(pair) != PAIR:
            raise InputError(path, f"contrast {pair} names {len(pair)} arms", "name two")
    known = {*settings.arms, *(rescaled(arm) for arm in settings.equal_gradient)}
    named = {arm for pair in pairs for arm in pair} | set(settings.equal_gradient)
    if named - known:
        found = f"compares {', '.join(sorted(named - known))}, which it does not train"
        raise InputError(path, found, f"the arms are {', '.join(sorted(known))}")
    if settings.folds and set(settings.evaluate) != {settings.compared_on}:
        found = f"judges folds on {', '.join(settings.evaluate)}"
        raise InputError(path, found, f"judge {settings.compared_on!r} alone: the fold held out")
    if pairs and settings.compared_on not in settings.evaluate:
        found = f"compares on {settings.compared_on!r}, which is not judged"
        raise InputError(path, found, f"name one of {', '.join(settings.evaluate)}")


def rescaled(arm: str) -> str:
    """Name of an arm with the weight rescaled to equal initial gradient norm.

    >>> rescaled("proto_random")
    'proto_random (equal gradient)'
    """
    return f"{arm} (equal gradient)"
