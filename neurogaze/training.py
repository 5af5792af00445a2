"""The one LightningCLI: what trains, how its parts are linked, and what it saves."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentParser, Namespace
from pytorch_lightning import LightningDataModule, LightningModule, Trainer
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.cli import LightningArgumentParser, LightningCLI

from neurogaze.artefacts import settings_hash
from neurogaze.callbacks import (
    Curves,
    EpochSeed,
    EveryLast,
    RunningBest,
    SaveConfigBeside,
    WholeCheckpoints,
    refuse_worst,
)
from neurogaze.eeg.corpora.custom import Custom
from neurogaze.eeg.corpora.dasps import Dasps, DaspsRaw
from neurogaze.eeg.corpora.deap import Deap
from neurogaze.eeg.corpora.deap_bdf import DeapBdf
from neurogaze.eeg.corpora.dreamer import Dreamer
from neurogaze.eeg.corpora.latent import LatentEeg
from neurogaze.eeg.corpora.mahnob import MahnobHci
from neurogaze.eeg.corpora.seed import Seed
from neurogaze.eeg.corpora.synthetic import SyntheticEeg
from neurogaze.eeg.datamodule import EEGDataModule
from neurogaze.eeg.support import SupportDataModule
from neurogaze.faces.corpora.affectnet import AffectNet
from neurogaze.faces.corpora.affectnet_8label import AffectNet8Label
from neurogaze.faces.corpora.affectnet_folders import AffectNetFolders
from neurogaze.faces.corpora.affectnet_mini import AffectNetMini
from neurogaze.faces.corpora.ck import CkPlus
from neurogaze.faces.corpora.ck48 import CkPlus48
from neurogaze.faces.corpora.ckextended import CkExtended
from neurogaze.faces.corpora.cross_validated import CrossValidated
from neurogaze.faces.corpora.ferplus import FerPlus
from neurogaze.faces.corpora.folder import FaceFolder
from neurogaze.faces.corpora.latent import LatentFaces
from neurogaze.faces.corpora.manifest import Manifest
from neurogaze.faces.corpora.rafdb import RafDb
from neurogaze.faces.corpora.synthetic import SyntheticFaces
from neurogaze.faces.datamodule import FaceDataModule
from neurogaze.faces.unlabelled import UnlabelledFaces
from neurogaze.tasks.classifier import ClassifierTask
from neurogaze.tasks.face_pretraining import FacePretrainingTask
from neurogaze.tasks.pretraining import PretrainingTask
from neurogaze.tasks.student import StudentTask
from neurogaze.tasks.teacher import TeacherTask

__all__ = [
    "AffectNet",
    "AffectNet8Label",
    "AffectNetFolders",
    "AffectNetMini",
    "CkExtended",
    "CkPlus",
    "CkPlus48",
    "ClassifierTask",
    "CrossValidated",
    "Custom",
    "Dasps",
    "DaspsRaw",
    "Deap",
    "DeapBdf",
    "Dreamer",
    "EEGDataModule",
    "FaceDataModule",
    "FaceFolder",
    "FacePretrainingTask",
    "FerPlus",
    "LatentEeg",
    "LatentFaces",
    "MahnobHci",
    "Manifest",
    "NeurogazeCLI",
    "PretrainingTask",
    "RafDb",
    "Seed",
    "StudentTask",
    "SupportDataModule",
    "SyntheticEeg",
    "SyntheticFaces",
    "TeacherTask",
    "UnlabelledFaces",
    "carry_out",
    "data_of",
    "fit",
    "interrupts_told",
    "load_data",
    "parse_fit",
    "plan",
    "settings_of",
]

WORDS = ("fit", "validate", "test")
"""What Lightning carries out."""

PLACES = (
    *("out", "config", "ckpt_path", "weights_only", "store", "root", "votes", "path"),
    "split_file",
)
"""Keys that say where a thing lies or how to open it, not what it is; in no fingerprint.

Whoever keeps a training names the content of its split beside its settings.
"""


class NeurogazeCLI(LightningCLI):
    """LightningCLI with our callbacks: checkpoints, curves and epoch seeds under `--out`.

    Args:
        args: command line without the program name; None takes that of the program.
        run: whether its first word is one of `WORDS`, to be carried out.
        build: whether model, data and trainer are built; else only settings are there.
        keep: whether checkpoints of what is built can be opened again.
    """

    def __init__(
        self, args: Sequence[str] | None, run: bool, build: bool = True, keep: bool = True
    ) -> None:
        self.word = args[0] if run and args and args[0] in WORDS else None
        self.builds, self.draws_bar = build, True
        super().__init__(
            LightningModule,
            LightningDataModule,
            subclass_mode_model=True,
            subclass_mode_data=True,
            save_config_callback=SaveConfigBeside,
            save_config_kwargs={"save_to_log_dir": False},
            seed_everything_default=0,
            trainer_defaults={"logger": False},
            args=list(args) if args is not None else None,
            run=run,
            load_from_checkpoint_support=keep,
        )

    def subcommands(self) -> dict[str, set[str]]:  # type: ignore[override]
        """The words handled by Lightning; a parser of each takes its time, so only that asked."""
        words = LightningCLI.subcommands()
        return {name: words[name] for name in WORDS if self.word in (None, name)}

    def instantiate_classes(self) -> None:
        """Build model, data and trainer, unless only settings are asked.

        Raises:
            InputError: for a training whose checkpoints would not be what they are called.
        """
        if not self.builds:
            return
        super().instantiate_classes()
        if self.word in (None, "fit"):
            refuse_worst(self.trainer.callbacks)  # type: ignore[attr-defined]

    def build(self) -> None:
        """Build what was only parsed, drawing from the seed as if it were built at once."""
        self._set_seed()
        self.builds = True
        self.instantiate_classes()

    def before_fit(self) -> None:
        """Let the checkpoint know the configuration it comes from, by hash."""
        config = self.config["fit"] if self.word else self.config
        self.model.config_hash = settings_hash(_without_places(config.as_dict()))

    def instantiate_trainer(self, **kwargs: Any) -> Trainer:
        """Build the trainer; its checkpoints appear whole, and one after every epoch.

        Whoever trains several side by side sets `draws_bar` to False. That is not in the settings,
        since a training is the same whether a bar is drawn or not.
        """
        if not self.draws_bar:
            kwargs = kwargs | {"enable_progress_bar": False}
        trainer = super().instantiate_trainer(**kwargs)
        trainer.callbacks.insert(0, RunningBest())  # type: ignore[attr-defined]
        trainer.callbacks.append(EveryLast())  # type: ignore[attr-defined]
        trainer.strategy.checkpoint_io = WholeCheckpoints()
        return trainer

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Add `--out` and link it, and the seed, to the parts that need them."""
        parser.add_argument("--out", type=str, default=_default_out(), help="folder of this run")
        parser.add_lightning_class_args(ModelCheckpoint, "checkpoint")
        parser.add_lightning_class_args(Curves, "curves")
        parser.add_lightning_class_args(EpochSeed, "epoch_seed")
        parser.set_defaults(
            {
                "checkpoint.filename": "last",
                "checkpoint.enable_version_counter": False,
                "checkpoint.save_on_train_epoch_end": True,
            }
        )
        parser.link_arguments("out", "checkpoint.dirpath")
        parser.link_arguments("out", "curves.folder")
        parser.link_arguments("out", "trainer.default_root_dir")
        parser.link_arguments("seed_everything", "epoch_seed.seed")
        parser.link_arguments("seed_everything", "data.init_args.seed")


def _default_out() -> str:
    """Where a fit goes unless told: runs of a W&B sweep must not write over one another."""
    names = [os.environ.get(f"WANDB_{part}_ID", "") for part in ("SWEEP", "RUN")]
    return "/".join(["runs/sweeps", *names]) if all(names) else "runs/fit"


def build_cli(args: Sequence[str] | None, run: bool, keep: bool = True) -> NeurogazeCLI:
    """Parse a command line (without the program name) and, with `run`, carry it out.

    Args:
        args: the command line.
        run: whether it is carried out.
        keep: whether checkpoints of what is built can be opened again, which takes longer.

    Raises:
        KeyboardInterrupt: when interrupted; Lightning itself would leave with code 1.
    """
    with interrupts_told():
        return NeurogazeCLI(args, run, keep=keep)


@contextmanager
def interrupts_told() -> Iterator[None]:
    """Let an interrupt of a fit be one: Lightning leaves with code 1, and without our handler.

    Whoever goes on after a job that left with a code would take such a fit for a failed one.

    Raises:
        KeyboardInterrupt: when the block is interrupted.
    """
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SystemExit as stop:
        if isinstance(stop.__context__, KeyboardInterrupt):
            signal.signal(signal.SIGINT, handler)
            raise KeyboardInterrupt from stop
        raise


def plan(args: Sequence[str]) -> NeurogazeCLI:
    """A fit that is parsed and not yet built: no data are read.

    Args:
        args: command line after `neurogaze fit`.
    """
    return NeurogazeCLI(args, run=False, build=False)


def settings_of(cli: NeurogazeCLI) -> dict[str, Any]:
    """What a fit is, as plain values, without the places where things lie.

    Two fits with the same value have the same result.
    """
    return _without_places(cli.config.as_dict())


def carry_out(cli: NeurogazeCLI, resume: Path | None = None) -> Trainer:
    """Build a planned fit and train as `neurogaze fit` does, in this process.

    Args:
        cli: as `plan` has it.
        resume: checkpoint to go on from.

    Raises:
        KeyboardInterrupt: when interrupted; Lightning itself would leave with code 1.
    """
    with interrupts_told():
        cli.build()
        cli.before_fit()
        cli.trainer.fit(
            cli.model,
            datamodule=cli.datamodule,
            ckpt_path=resume,
            weights_only=None if resume is None else True,
        )
    return cli.trainer


def fit(args: Sequence[str], resume: Path | None = None) -> Trainer:
    """Train as `neurogaze fit` does, in this process.

    Args:
        args: command line after `neurogaze fit`.
        resume: checkpoint to go on from.
    """
    return carry_out(plan(args), resume)


def parse_fit(args: Sequence[str]) -> dict[str, Any]:
    """What a fit would be; see `settings_of`. No data are read."""
    return settings_of(plan(args))


def data_of(cli: NeurogazeCLI) -> LightningDataModule:
    """Build the data module of a planned fit, and nothing else of it."""
    planned = Namespace(data=cli.config["data"])  # type: ignore[no-untyped-call]
    data: LightningDataModule = _data_parser().instantiate(planned).data
    return data


def _without_places(value: Any) -> Any:
    """Drop the keys named in `PLACES`, links, and what is null, at every depth.

    Every key is dumped, so one that is absent is null: a new slot that nobody uses changes no hash.
    """
    if isinstance(value, dict):
        skipped = {"dirpath", "folder", "default_root_dir", *PLACES}
        kept = {
            k: v
            for k, v in value.items()
            if v is not None and k not in skipped and not str(k).startswith("__")
        }
        return {key: _without_places(item) for key, item in kept.items()}
    if isinstance(value, list | tuple):
        return [_without_places(item) for item in value]
    return value


def load_data(args: Sequence[str]) -> LightningDataModule:
    """Build a data module from arguments such as `["--data", "x.yaml", "--data.batch_size", "8"]`.

    Raises:
        SystemExit: with code 2 when the arguments do not fit, as on the command line.
    """
    parser = _data_parser()
    data: LightningDataModule = parser.instantiate(parser.parse_args(list(args))).data
    return data


def _data_parser() -> ArgumentParser:
    """A parser that knows a data module and nothing else."""
    parser = ArgumentParser(prog="neurogaze", exit_on_error=True)
    parser.add_subclass_arguments(LightningDataModule, "data", required=True)
    return parser
