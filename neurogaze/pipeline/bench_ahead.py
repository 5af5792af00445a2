"""What a bench needs, looked at before its first training: hours later is too late for a typo."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from neurogaze.errors import InputError
from neurogaze.faces.datamodule import FaceDataModule
from neurogaze.faces.store import prepare as prepare_faces
from neurogaze.pipeline.arms import load_arm
from neurogaze.pipeline.bench_grids import EEG, GridSource, open_grids
from neurogaze.pipeline.bench_settings import BenchSettings, rescaled
from neurogaze.pipeline.looking_ahead import faces_of, parsed
from neurogaze.pipeline.steps import refuse_unjudgeable
from neurogaze.tasks.judged_by import refuse_other_folds, to_be_trained_on
from neurogaze.tasks.kinds import of_kind
from neurogaze.tasks.pins import LogitsPin, read_logits
from neurogaze.tasks.student import StudentTask

DATA_FLAG = "--data."


def refuse_untrainable(settings: BenchSettings, wanted: Sequence[tuple[str, int, bool]]) -> None:
    """Refuse a bench that names arms which lack a file, before hours are spent on the others.

    Every arm is read, every grid made, and stored logits and class means compared with their hash.

    Args:
        settings: of the bench.
        wanted: arm, seed, and whether its weight is rescaled, of every training.

    Raises:
        InputError: one for all of them, naming the bench, the arms and what each needs.
    """
    look = _looker(settings)
    lacking: dict[tuple[str, str], list[str]] = {}
    for arm, seed, equal in wanted:
        try:
            look(arm, seed, equal)
        except InputError as error:
            name = rescaled(arm) if equal else arm
            lacking.setdefault((f"{error.where}: {error.found}", error.remedy), []).append(name)
    if lacking:
        said = [f"{', '.join(dict.fromkeys(arms))}: {why}" for (why, _), arms in lacking.items()]
        remedy = "; ".join(dict.fromkeys(remedy for _, remedy in lacking))
        found = f"cannot train all of its arms, so none was begun ({'; '.join(said)})"
        raise InputError(f"bench {settings.name}", found, f"{remedy}; or leave the arms out")


def _looker(settings: BenchSettings) -> Any:
    """A function that raises `InputError` for a training that lacks something."""

    @cache
    def grid(kind: str, seed: int) -> None:
        grids_of(settings, kind).grid(kind, seed)

    @cache
    def logits() -> None:
        read_logits(logits_of(settings))

    def look(name: str, seed: int, equal: bool) -> None:
        arm = load_arm(Path(settings.arms_folder), name)
        if equal and not arm.grid:
            raise InputError(f"arm {name}", "has no grid", "leave it out of equal_gradient")
        if arm.logits:
            logits()
        for kind in [arm.grid, *([EEG] if equal else [])] if arm.grid else []:
            grid(kind, seed)

    return look


def grids_of(settings: BenchSettings, kind: str) -> GridSource:
    """Where the grids of a bench come from.

    Args:
        settings: of the bench.
        kind: that is wanted, for the message.

    Raises:
        InputError: when the bench names no grids, or what it names cannot be read.
    """
    if settings.grids is None:
        found = f"wants the {kind} grid, and the bench names no grids"
        raise InputError("arm", found, "name `grids` in the bench file")
    return open_grids(Path(settings.grids), settings.class_means)


def logits_of(settings: BenchSettings) -> LogitsPin:
    """The stored logits of a bench.

    Raises:
        InputError: when it names none.
    """
    if settings.logits is None:
        found = "has logit KD, and the bench names no stored logits"
        raise InputError("arm", found, "name `logits` in the bench file")
    return settings.logits


def prepare_pictures(settings: BenchSettings, store: Path) -> None:
    """Decode all pictures once, with the flags and folds of the trainings, before any begins.

    Raises:
        InputError: for settings that do not fit, another task than a student's, recordings, a data
            set or split that is not there, or an evaluation that cannot be carried out.
    """
    sizes, known = set(), []
    for args in _trained_on(settings):
        cli = parsed("base", [*args, f"--data.store={store}"])
        of_kind("base", cli.model, StudentTask)
        data = of_kind(f"base.data {settings.base.data}", cli.datamodule, FaceDataModule)
        _prepare(data)
        sizes.add(data.preprocessing.size)
        if not settings.folds:  # in folds, each is judged by the one that it is kept from
            known.append(to_be_trained_on(data))
    for name, part in settings.evaluate.items():
        for fold in _folds(settings):
            data = faces_of(f"evaluate.{name}", part.data, [*part.args, *fold], store)
            _prepare(data)
            refuse_unjudgeable(part, prepare_faces(data.corpus, part.split, data.store), sizes)
            for trained in known:
                refuse_other_folds(trained, data, part.split)


def _prepare(data: FaceDataModule) -> None:
    """Decode all parts of a corpus."""
    for split in data.corpus.splits:
        prepare_faces(data.corpus, split, data.store)


def _trained_on(settings: BenchSettings) -> Iterator[list[str]]:
    """Command lines of trainings that may differ in their pictures."""
    arms = [load_arm(Path(settings.arms_folder), name) for name in settings.arms]
    own = {tuple(arg for arg in arm.args if arg.startswith(DATA_FLAG)) for arm in arms}
    for flags in sorted(own):
        for fold in _folds(settings):
            yield [*settings.base.arguments(), *flags, *fold]


def _folds(settings: BenchSettings) -> list[list[str]]:
    """Flags of every fold; none where the corpus is taken as it is."""
    return [[f"--data.corpus.fold={k}"] for k in range(settings.folds)] or [[]]
