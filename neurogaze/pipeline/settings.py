"""What a pipeline file says: which teacher, which support, which student, judged on what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from jsonargparse import ArgumentError, ArgumentParser

from neurogaze import strict_yaml
from neurogaze.errors import InputError
from neurogaze.pipeline.changes import changed
from neurogaze.pipeline.refusals import refuse_below_one, refuse_no_folders, refuse_no_seed
from neurogaze.pipeline.views import View
from neurogaze.prototypes.consolidate import ConsolidateSettings
from neurogaze.tasks.pins import LogitsPin

TRAINED_ON = "train"
"""Name of the pictures that students are trained on, beside those of the data sets that judge."""


@dataclass(frozen=True)
class FitSettings:
    """A training: configuration files, a data file and flags, as `neurogaze fit` takes them.

    Args:
        config: YAML files, later ones override earlier ones; paths relative to the pipeline file.
        data: YAML file of the data module.
        args: further flags, such as `--trainer.max_epochs=3`.
    """

    config: list[str]
    data: str
    args: list[str] = field(default_factory=list)

    def arguments(self) -> list[str]:
        """The command line after `neurogaze fit`."""
        configs = [word for path in self.config for word in ("--config", path)]
        return [*configs, "--data", self.data, *self.args]

    def relative_to(self, folder: Path) -> FitSettings:
        """The same, with its files found from a folder."""
        config = [(folder / name).as_posix() for name in self.config]
        return replace(self, config=config, data=(folder / self.data).as_posix())


@dataclass(frozen=True)
class EvaluationSettings:
    """A data set the student is judged on.

    Args:
        data: YAML file of the data module.
        split: which part of the corpus.
        args: further flags for the data.
        expected: number of images that must be there; null asks for none.
        flip: judge each image by the mean of itself and its mirror image.
        undo_weights: divide probabilities by the class weights of the training loss.
        crops: "ten" takes the mean over centre, corners and their mirror images.
        prior: share of the log class shares of training to take off the logits.
    """

    data: str
    split: str = "valid"
    args: list[str] = field(default_factory=list)
    expected: int | None = None
    flip: bool = False
    undo_weights: bool = False
    crops: Literal["centre", "ten"] = "centre"
    prior: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what no image could be looked at with.

        Raises:
            InputError: as `View`.
        """
        self.view()

    def view(self) -> View:
        """How the student looks at an image."""
        return View(self.flip, self.undo_weights, self.crops, self.prior)

    def relative_to(self, folder: Path) -> EvaluationSettings:
        """The same, with its file found from a folder."""
        return replace(self, data=(folder / self.data).as_posix())


@dataclass(frozen=True)
class PipelineSettings:
    """The whole way from recordings to a report.

    Args:
        name: folder of the run, under `runs/`.
        title: heading of the report; names the data as really used.
        teacher: one fit a fold of the split.
        student: fitted on the grid.
        evaluate: data sets by name; every student is judged on each.
        arms: override files over `student` by name, later ones win: several students in one run,
            each with stages and result rows of its own. Empty: the one student.
        face_teacher: for students with a logit-KD term and no stored logits of their own: an
            ensemble file, whose members are trained in this run, or stored logits pinned by hash.
        keep: which epoch of a student is judged, `last`, or `best` by the score that its
            `checkpoint` monitors.
        support: data files of unrated recordings that join in consolidation.
        consolidate: how embeddings become a grid.
        permutations: for the simulated chance band.
        seed: of every training and draw.
        expected_train: number of training images that must be there; null asks for none.
        note: stamped on every result row.
        show: faces of the first data set that the first student is asked about once it is exported;
            0 exports none.

    Raises:
        InputError: for an arm or data set whose name makes no folder, a data set with the name of
            the training pictures, a negative number of faces to show, no permutation, or no seed.
    """

    name: str
    title: str
    teacher: FitSettings
    student: FitSettings
    evaluate: dict[str, EvaluationSettings]
    arms: dict[str, list[str]] = field(default_factory=dict)
    face_teacher: str | LogitsPin | None = None
    keep: Literal["last", "best"] = "last"
    support: list[str] = field(default_factory=list)
    consolidate: ConsolidateSettings = ConsolidateSettings()
    permutations: int = 200
    seed: int = 0
    expected_train: int | None = None
    note: str = ""
    show: int = 0

    def __post_init__(self) -> None:
        if self.show < 0:
            raise InputError("show", f"is {self.show}", "give 0 or a number of faces")
        refuse_below_one("permutations", self.permutations)
        if TRAINED_ON in self.evaluate:
            found = f"has a data set {TRAINED_ON!r}, as the training pictures are called"
            raise InputError("evaluate", found, "call the data set something else")
        refuse_no_seed("seed", [self.seed])
        refuse_no_folders("arms", self.arms)
        refuse_no_folders("evaluate", self.evaluate, last=True)

    def relative_to(self, folder: Path) -> PipelineSettings:
        """The same, with its files found from a folder."""
        source = self.face_teacher
        if isinstance(source, LogitsPin):
            source = replace(source, path=(folder / source.path).as_posix())
        elif source is not None:
            source = (folder / source).as_posix()
        return replace(
            self,
            teacher=self.teacher.relative_to(folder),
            student=self.student.relative_to(folder),
            arms={
                name: [(folder / f).as_posix() for f in files] for name, files in self.arms.items()
            },
            face_teacher=source,
            support=[(folder / s).as_posix() for s in self.support],
            evaluate={name: part.relative_to(folder) for name, part in self.evaluate.items()},
        )


S = TypeVar("S")

UNFIT = (AttributeError, TypeError, ValueError)
"""What parsers and classes raise for values that they cannot take."""


def read_settings(path: Path, kind: type[S], changes: Sequence[str] = ()) -> S:
    """Read a YAML file into a settings dataclass.

    Args:
        path: the file.
        kind: the dataclass.
        changes: to its content, `key=value`; see `neurogaze.pipeline.changes`.

    Raises:
        InputError: when it cannot be read, or a key is missing, unknown, there twice, empty or of
            the wrong type.
    """
    try:
        values = strict_yaml.read(path)
        if not isinstance(values, dict):  # the parser takes nothing, or a list, for a dataclass
            raise TypeError(f"{values!r} has no keys")
        values = changed(values, changes)
        _refuse_empty(path, values, kind)
        return _made(values, kind)
    except InputError:
        raise
    except (OSError, yaml.YAMLError, ArgumentError, *UNFIT) as error:
        reason = " ".join(str(error).split())
        remedy = "compare its keys with the files beside it under experiments/"
        raise InputError(path, f"does not hold {kind.__name__} ({reason})", remedy) from None


def _refuse_empty(path: Path, values: dict[str, Any], kind: type) -> None:
    """Refuse keys without a value: the parser takes nothing for a value of any type."""
    for key in strict_yaml.left_empty(values, kind):
        raise InputError(path, f"{key} is empty", "give it a value or leave the key out")


def _made(values: dict[str, Any], kind: type[S]) -> S:
    """An object of a class from its arguments, checked by their types."""
    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(kind, "file")
    settings: S = parser.instantiate(parser.parse_object({"file": values})).file
    return settings


def top_keys(path: Path) -> set[str]:
    """Names at the top of a YAML file.

    Raises:
        InputError: when it cannot be read, holds no names, or one of them twice.
    """
    try:
        return {str(key) for key in dict(strict_yaml.read(path))}
    except InputError:
        raise
    except (OSError, yaml.YAMLError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InputError(path, f"holds no settings ({reason})", "name a YAML file") from None


def load_pipeline(path: Path, changes: Sequence[str] = ()) -> PipelineSettings:
    """Read a pipeline file; paths in it, and in changes to it, are relative to the file.

    Raises:
        InputError: when it cannot be read, or a key is missing, unknown or of the wrong type.
    """
    return read_settings(path, PipelineSettings, changes).relative_to(path.parent)
