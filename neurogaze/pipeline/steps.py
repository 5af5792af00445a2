"""Steps that pipelines, benches and ensembles share: a training, a count, a report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from neurogaze import training
from neurogaze.artefacts import remove, write_json
from neurogaze.errors import InputError
from neurogaze.faces.images import FaceTable
from neurogaze.pipeline.settings import EvaluationSettings
from neurogaze.pipeline.stages import DAMAGED, Stages, content_hash
from neurogaze.pipeline.views import refuse_uncut
from neurogaze.prototypes.grid import PrototypeGrid
from neurogaze.report.build import build_report


def report_stage(stages: Stages, title: str, inputs: dict[str, str]) -> Path:
    """Stage: the report of the live stages; `title.json` names them for later reports."""
    about = {"title": title, "stages": stages.live()}
    write_json(stages.root / "title.json", about)

    def action(folder: Path) -> None:
        build_report(stages.root, folder)

    stages.run("report", about, inputs, action, ["report.html", "results.md", "results.tex"])
    return stages.root / "report" / "report.html"


def planned(args: Sequence[str], folder: Path) -> training.NeurogazeCLI:
    """A training under a folder, parsed and not yet built.

    Args:
        args: command line after `neurogaze fit`.
        folder: where it leaves what it makes.
    """
    return training.plan([*args, f"--out={folder}"])


def go_on(fit: training.NeurogazeCLI, folder: Path) -> None:
    """Train, from the last whole epoch if the folder holds one.

    Args:
        fit: as `planned` has it.
        folder: of the training.
    """
    last = folder / "last.ckpt"
    if last.exists():
        try:
            content_hash(last)
        except DAMAGED:
            remove(last)
    training.carry_out(fit, last if last.exists() else None)


def resumable_fit(args: Sequence[str], folder: Path) -> None:
    """Train under a folder, from its last whole epoch if it holds one."""
    go_on(planned(args, folder), folder)


def grid_sha256(path: Path) -> str:
    """The content hash a student's configuration pins."""
    return PrototypeGrid.load(path).sha256


def expect(expected: int | None, table: FaceTable) -> None:
    """Refuse a table of another size than was asked for; None asks for none.

    Raises:
        InputError: for another number of images.
    """
    if expected is not None and len(table.ids) != expected:
        raise InputError(
            f"{table.dataset} {table.split}",
            f"has {len(table.ids)} images under rule {table.rule!r}, not {expected}",
            "check the download; the skipped images are listed in the store",
        )


def refuse_unjudgeable(part: EvaluationSettings, table: FaceTable, sizes: Iterable[int]) -> None:
    """Refuse an evaluation that cannot be carried out, before what it judges is trained.

    Args:
        part: what it says.
        table: pictures that judge.
        sizes: of the inputs of the students that are judged, pixels.

    Raises:
        InputError: for another number of pictures than expected, ways of looking that exclude each
            other, or pictures too small for ten crops.
    """
    expect(part.expected, table)
    if part.view().crops == "ten":
        height, width = table.images.shape[1:]
        for size in sizes:
            refuse_uncut(height, width, size)
