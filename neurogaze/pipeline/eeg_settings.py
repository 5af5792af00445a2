"""What a bench of EEG teachers says, and the data of each of its conditions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import neurogaze
from neurogaze import training
from neurogaze.eeg.cache import FeatureTable
from neurogaze.eeg.datamodule import EEGDataModule
from neurogaze.eeg.splits import Split
from neurogaze.eeg.targets import Rule
from neurogaze.errors import InputError
from neurogaze.evaluation.chance import Scheme
from neurogaze.evaluation.metrics import VA_AXES
from neurogaze.evaluation.results import noted
from neurogaze.pipeline.held_out import protocol_name
from neurogaze.pipeline.refusals import (
    ONE_A_CORE,
    refuse_below_one,
    refuse_no_folders,
    refuse_shared_folders,
    refuse_unfit_seeds,
)
from neurogaze.pipeline.settings import read_settings
from neurogaze.tasks.kinds import of_kind

BASELINES = "baselines"
COMPARED = {"teachers", "classifiers", BASELINES}
"""Keys that only a bench of EEG teachers has; one of them tells it from a bench of students."""

HOLDERS = ("model", "data")
"""Parts of a training that must have the same class target."""


@dataclass(frozen=True)
class EegBenchSettings:
    """What is compared on one corpus.

    Args:
        name: folder of the bench, under `runs/`.
        title: heading of the report; names the data as really used.
        data: data file with the corpus, features and split.
        teachers: configuration files by arm; each regresses valence and arousal.
        classifiers: likewise; each is trained once for valence and once for arousal.
        baselines: names of `neurogaze.evaluation.baselines`.
        args: flags of every training.
        conditions: flags of the data by condition, such as levels of noise.
        seeds: each arm is trained once a seed.
        seed_args: flags of the data with `{seed}` in them.
        rule: what counts as high.
        scheme: how ratings are exchanged for chance.
        permutations: refits of the linear baselines.
        refits: refits on exchanged ratings by trained arm.
        workers: trainings at once; null: one a core.
        note: stamped on every row.
    """

    name: str
    title: str
    data: str
    teachers: dict[str, list[str]] = field(default_factory=dict)
    classifiers: dict[str, list[str]] = field(default_factory=dict)
    baselines: list[str] = field(default_factory=lambda: ["ridge"])
    args: list[str] = field(default_factory=list)
    conditions: dict[str, list[str]] = field(default_factory=lambda: {"": []})
    seeds: list[int] = field(default_factory=lambda: [0])
    seed_args: list[str] = field(default_factory=list)
    rule: Rule = "median"
    scheme: Scheme = "within_subject"
    permutations: int = 200
    refits: dict[str, int] = field(default_factory=dict)
    workers: int | None = None
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse what would only be found out hours later.

        Raises:
            InputError: for refits of an arm that is not trained, a single refit, no baseline, no
                seed, one that is none or stands there twice, names that make no folder of their
                own, another placeholder than `{seed}`, or a number of permutations or workers
                below 1.
        """
        unknown = sorted({*self.refits} - {*self.arms})
        if unknown:
            raise InputError("refits", f"{unknown} are no arms", f"use {self.arms}")
        if any(count < 2 for count in self.refits.values()):
            raise InputError(
                "refits", f"{self.refits}", "refit twice or more, or leave the arm out"
            )
        if not self.baselines:
            raise InputError("baselines", "are none", "name one or more, such as ridge")
        refuse_unfit_seeds(self.seeds)
        refuse_no_folders("arms", self.arms)
        if BASELINES in self.arms:
            found = f"{BASELINES!r} is the folder of the baselines"
            raise InputError("arms", found, "call the arm something else")
        refuse_shared_folders("conditions", filter(None, self.conditions))
        self.seed_flags(0)
        refuse_below_one("permutations", self.permutations)
        refuse_below_one("workers", self.workers, ONE_A_CORE)

    @property
    def arms(self) -> list[str]:
        """What is trained."""
        return [*self.teachers, *self.classifiers]

    def seed_flags(self, seed: int) -> list[str]:
        """Flags of the data under one seed.

        Raises:
            InputError: for another placeholder than `{seed}`.
        """
        try:
            return [flag.format(seed=seed) for flag in self.seed_args]
        except (AttributeError, LookupError, TypeError, ValueError):
            found = f"{self.seed_args} hold another placeholder than {{seed}}"
            remedy = "write {seed}, and a brace that stands for itself twice"
            raise InputError("seed_args", found, remedy) from None


def load_eeg_bench(path: Path) -> EegBenchSettings:
    """Read a bench file; paths in it are relative to the file.

    Raises:
        InputError: when it cannot be read, or a key is missing, unknown or of the wrong type.
    """
    settings, folder = read_settings(path, EegBenchSettings), path.parent

    def found(arms: dict[str, list[str]]) -> dict[str, list[str]]:
        return {arm: [(folder / f).as_posix() for f in files] for arm, files in arms.items()}

    return replace(
        settings,
        data=(folder / settings.data).as_posix(),
        teachers=found(settings.teachers),
        classifiers=found(settings.classifiers),
    )


@dataclass(frozen=True, eq=False)
class Condition:
    """Data of one condition and seed.

    Args:
        name: of the condition, "" where there is one only.
        seed: of the training and of what `seed_args` name.
        flags: of the data.
        table: its features and ratings.
        split: its folds.
    """

    name: str
    seed: int
    flags: tuple[str, ...]
    table: FeatureTable
    split: Split

    @property
    def prefix(self) -> str:
        """Beginning of the names of its stages."""
        return f"{self.name.replace(' ', '_')}-" if self.name else ""


def conditions(settings: EegBenchSettings, store: Path) -> Iterator[Condition]:
    """Data of every condition under every seed.

    Raises:
        InputError: for data that cannot be read or split, and for faces.
    """
    for name, flags in settings.conditions.items():
        for seed in settings.seeds:
            every = (*flags, *settings.seed_flags(seed), f"--data.store={store}")
            loaded = training.load_data(["--data", settings.data, *every])
            data = of_kind(f"data {settings.data}", loaded, EEGDataModule)
            data.setup("fit")
            yield Condition(name, seed, every, data.table, data.split_plan)


def command_lines(
    settings: EegBenchSettings, condition: Condition, arm: str, refit: int | None = None
) -> list[list[str]]:
    """Command lines of an arm without its fold; a classifier does valence, then arousal.

    Args:
        settings: of the bench.
        condition: whose data it is trained on.
        arm: its name.
        refit: seed of a refit on exchanged ratings, or None.
    """
    files = (settings.teachers | settings.classifiers)[arm]
    args = [word for file in files for word in ("--config", file)]
    args += ["--data", settings.data, *condition.flags, *settings.args]
    args.append(f"--seed_everything={condition.seed if refit is None else refit}")
    if arm not in settings.classifiers:
        return [args]
    targets = [f"{{axis: {axis}, n_classes: 2, rule: {settings.rule}}}" for axis in VA_AXES]
    return [[*args, *(f"--{of}.target={target}" for of in HOLDERS)] for target in targets]


def context_of(settings: EegBenchSettings, condition: Condition, arm: str) -> dict[str, Any]:
    """What every result row of an arm says of itself."""
    named = f"{settings.name}: {condition.name}" if condition.name else settings.name
    return {
        "experiment": named,
        "arm": arm,
        "seed": condition.seed,
        "split": "held-out",
        "protocol": protocol_name(condition.split),
        "split_hash": condition.split.sha256,
        "config_hash": condition.table.settings_hash,
        "code_version": neurogaze.__version__,
        "note": noted(condition.table.quirks, settings.note),
    }
