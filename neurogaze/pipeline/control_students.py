"""Students of a made-up world: trained and judged in one step, with no checkpoint in between."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import neurogaze
from neurogaze import training
from neurogaze.artefacts import settings_hash
from neurogaze.callbacks import EpochSeed
from neurogaze.errors import InputError
from neurogaze.faces.store import prepare
from neurogaze.pipeline.control_grids import WorldGrids
from neurogaze.pipeline.control_settings import ControlSettings
from neurogaze.pipeline.judging import evaluate_student
from neurogaze.pipeline.looking_ahead import parsed
from neurogaze.pipeline.stages import Stages
from neurogaze.pipeline.trained_on import training_pictures
from neurogaze.report.control_tables import Term

PREDICTIONS, SCORES = "predictions.parquet", "results.jsonl"
SPLITS = ("train", "valid")
QUIET = ("--trainer.enable_progress_bar=false", "--trainer.limit_val_batches=0")
"""A training takes seconds and is judged once, after its last epoch."""


@dataclass(frozen=True)
class Run:
    """One arm in one world under one seed.

    Args:
        world: name of the world.
        arm: name of the arm.
        seed: of both.
    """

    world: str
    arm: str
    seed: int

    @staticmethod
    def slug(name: str) -> str:
        """A name as part of a folder's."""
        return name.replace(" ", "_")

    @property
    def stage(self) -> str:
        """Folder of the run."""
        return f"{self.slug(self.world)}-{self.slug(self.arm)}-seed{self.seed}"


def train_and_judge(
    stages: Stages, settings: ControlSettings, run: Run, grids: WorldGrids, store: Path
) -> None:
    """Stage: one student and what it says of the pictures that judge."""
    cli = training.build_cli(_arguments(settings, run, grids, store), run=False, keep=False)
    config, data = training.settings_of(cli), cli.datamodule
    tables = {split: prepare(data.corpus, split, store, progress=False) for split in SPLITS}
    context = {
        "experiment": f"{settings.name}: {run.world}",
        "arm": run.arm,
        "seed": run.seed,
        "code_version": neurogaze.__version__,
        "note": settings.note,
    }

    def action(folder: Path) -> None:
        task = _trained(cli, settings_hash(config))
        train = training_pictures(task, data, "valid")
        evaluate_student(task, tables["valid"], folder, context, train=train)

    inputs = {split: table.sha256 for split, table in tables.items()}
    stages.run(run.stage, {"fit": config} | context, inputs, action, [PREDICTIONS, SCORES])


def _arguments(settings: ControlSettings, run: Run, grids: WorldGrids, store: Path) -> list[str]:
    """Command line of a training."""
    arm, base = settings.arms[run.arm], settings.student
    fit = replace(base, config=[*base.config, *arm.config])
    world = [f"--data.corpus.share={grids.latent.share:g}", f"--data.corpus.seed={run.seed}"]
    if grids.latent.plane is not None:
        world.append(f"--data.corpus.plane={grids.latent.plane:g}")
    args = [*fit.arguments(), *arm.flags(run.seed), *world, *QUIET]
    args += [f"--seed_everything={run.seed}", f"--data.store={store}"]
    if arm.grid:
        args.append(f"--model.grid={json.dumps(asdict(grids.pinned(arm.grid)))}")
    return args


def term_of(settings: ControlSettings) -> Term:
    """Proto-KD of the arm that knows the truth, and where this control places windows.

    Raises:
        InputError: when the settings of the arm do not fit, or have no Proto-KD.
    """
    name, base = settings.sensitive[0], settings.student
    arm = settings.arms[name]
    fit = replace(base, config=[*base.config, *arm.config], args=[*base.args, *arm.args])
    proto = parsed(f"arm {name}", fit.arguments()).model.loss.proto
    if proto is None:
        raise InputError(f"arm {name}", "has no Proto-KD", "name another arm in `sensitive`")
    return Term(proto.weight, proto.tau, proto.target, settings.consolidate.bins)


def _trained(cli: Any, config_hash: str) -> Any:
    """The task after its last epoch, ready to judge."""
    trainer, task = cli.trainer, cli.model
    trainer.callbacks = [c for c in trainer.callbacks if isinstance(c, EpochSeed)]
    task.config_hash = config_hash
    with training.interrupts_told():
        trainer.fit(task, datamodule=cli.datamodule)
    return task.eval()
