"""What the command line offers besides training; each function is one command.

Heavy rooms are imported inside the functions, so that `--help` answers at once.
"""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from neurogaze.errors import InputError
from neurogaze.prototypes.consolidate import ConsolidateSettings
from neurogaze.roots import Roots

if TYPE_CHECKING:
    from pytorch_lightning import LightningDataModule

    from neurogaze.evaluation.results import ResultRow
    from neurogaze.faces.datamodule import FaceDataModule

STORE = Path("runs/store")


def experiments_folder() -> Path:
    """The folder of configurations: beside the package in a checkout, else where pip put it.

    Raises:
        InputError: when neither exists.
    """
    here = Path(__file__).parent.parent / "experiments"
    installed = Path(sysconfig.get_path("data")) / "share" / "neurogaze" / "experiments"
    for folder in (here, installed):
        if (folder / "pipelines").is_dir():
            return folder
    raise InputError(here, "is missing", "install the package again, or run in a checkout")


def demo(out: Path = Path("runs/demo"), store: Path = STORE) -> None:
    """Run the whole pipeline on synthetic EEG and drawn faces, in minutes, with no data at hand.

    Args:
        out: folder of the run; a second call skips what is done.
        store: folder of cached features and images.
    """
    run(experiments_folder() / "pipelines" / "demo.yaml", out, store)


def run(
    pipeline: Path,
    out: Path | None = None,
    store: Path = STORE,
    change: list[str] | None = None,
    roots: Roots = Roots(),
) -> None:
    """Run a pipeline file from recordings to report, skipping stages whose inputs are unchanged.

    Args:
        pipeline: YAML file, such as `experiments/pipelines/dasps_ferplus.yaml`.
        out: folder of the run; by default `runs/` and the name in the file.
        store: folder of cached features and images.
        change: to the file, `--change+ key=value` each, such as `permutations=20`; null takes a key
            out, and paths are relative to the file.
        roots: where the data sets lie.
    """
    from neurogaze.pipeline.run import Pipeline
    from neurogaze.pipeline.settings import load_pipeline

    roots.export()
    settings = load_pipeline(pipeline, change or [])
    page = Pipeline(settings, out or Path("runs") / settings.name, store).run()
    show_page(page)


def prepare(data: LightningDataModule, strict: bool = False, roots: Roots = Roots()) -> None:
    """Fill the cache of a data module: recordings to features, or images to a decoded store.

    Args:
        data: YAML file under `experiments/data/`, or a class name and its options.
        strict: stop at the first image that cannot be read, rather than skip and count it.
        roots: where the data sets lie.
    """
    roots.export()
    if strict:
        faces_of(data, strict)
    data.prepare_data()
    print(f"{type(data).__name__}: prepared under {data.store}")  # type: ignore[attr-defined]


def matching(patterns: list[str]) -> list[Path]:
    """Files that match any of the patterns, in order.

    Raises:
        InputError: for a pattern that no file matches or can match.
    """
    found = []
    for pattern in patterns:
        path = Path(pattern)
        if not path.name:
            raise InputError("--teachers", f"{pattern!r} names no file", "check the path")
        try:
            paths = sorted(Path(path.anchor).glob(str(path.relative_to(path.anchor))))
        except ValueError as error:
            raise InputError("--teachers", f"{pattern!r}: {error}", "check the path") from error
        if not paths:
            raise InputError("--teachers", f"no file matches {pattern!r}", "check the path")
        found += paths
    return found


def consolidate(
    teachers: list[str],
    data: LightningDataModule,
    support: list[LightningDataModule] | None = None,
    settings: ConsolidateSettings = ConsolidateSettings(),
    out: Path = Path("runs/grid"),
    permutations: int = 200,
    roots: Roots = Roots(),
) -> None:
    """Consolidate fold teachers into a prototype grid and print its SHA-256.

    Args:
        teachers: checkpoints, one a fold, or patterns such as `runs/x/teacher-*/best.ckpt`.
        data: the rated corpus they were trained on.
        support: unrated corpora that join in.
        settings: how to consolidate.
        out: folder for the grid, the held-out predictions and their scores.
        permutations: for the simulated chance band.
        roots: where the data sets lie.
    """
    import neurogaze
    from neurogaze.eeg.datamodule import EEGDataModule
    from neurogaze.pipeline.consolidating import consolidate_teachers
    from neurogaze.pipeline.refusals import refuse_below_one
    from neurogaze.report.grid_tables import grid_summary
    from neurogaze.tasks.kinds import of_kind

    refuse_below_one("--permutations", permutations)
    roots.export()
    rated = of_kind("--data", data, EEGDataModule)
    others = [of_kind("--support", part, EEGDataModule) for part in support or []]
    context = {
        "experiment": out.name,
        "arm": "teacher",
        "seed": rated.seed,
        "code_version": neurogaze.__version__,
        "note": "",
    }
    grid = consolidate_teachers(
        matching(teachers), rated, others, settings, out, context, permutations
    )
    print(grid_summary(out))
    print(f"{out / 'grid.npz'}\nsha256 {grid.sha256}")


def faces_of(data: LightningDataModule, strict: bool = False) -> FaceDataModule:
    """The data module of a command that is about faces.

    Raises:
        InputError: for one of recordings.
    """
    from neurogaze.faces.datamodule import FaceDataModule
    from neurogaze.tasks.kinds import of_kind

    faces = of_kind("--data", data, FaceDataModule)
    if strict:
        faces.corpus.strict = True
    return faces


def score(predictions: Path, arm: str = "outside", note: str = "") -> None:
    """Score any system's predictions file by the same code and print the table.

    Args:
        predictions: `.parquet` or `.csv` with the columns of a face or an EEG predictions file.
        arm: name of the system.
        note: stamped on every row.
    """
    from neurogaze.evaluation.binary import decided_axes, score_binary
    from neurogaze.evaluation.predictions import kind_of, read_predictions, regresses
    from neurogaze.evaluation.scoring import score_faces, score_va

    frame = read_predictions(predictions)
    context = {"experiment": predictions.stem, "arm": arm, "note": note}
    if kind_of(frame, predictions) == "face":
        rows = score_faces(frame, context)
    else:
        rows = score_va(frame, context) if regresses(frame) else []
        rows += score_binary(frame, context) if decided_axes(frame) else []
    show_rows(rows)


def bench(
    bench: Path,
    out: Path | None = None,
    store: Path = STORE,
    minutes: float | None = None,
    roots: Roots = Roots(),
) -> None:
    """Train and judge every arm and seed of a bench file; resumable.

    A file with `teachers`, `classifiers` or `baselines` compares these on held-out people, one with
    `arms` compares students. A long bench may take several sittings:

        neurogaze bench experiments/bench/ferplus_arms_cpu.yaml --minutes 60

    Args:
        bench: YAML file under `experiments/bench/`.
        out: folder of the bench; by default `runs/` and the name in the file.
        store: folder of cached features and images.
        minutes: begin no training of a student after so many minutes, then tell what there is; 0
            tells what there is and trains nothing.
        roots: where the data sets lie.
    """
    from neurogaze.pipeline.bench import run_bench
    from neurogaze.pipeline.bench_settings import load_bench
    from neurogaze.pipeline.eeg_bench import EegBench
    from neurogaze.pipeline.eeg_settings import COMPARED, load_eeg_bench
    from neurogaze.pipeline.settings import top_keys

    roots.export()
    if top_keys(bench) & COMPARED:
        if minutes is not None:
            remedy = "leave it out; an interrupted bench of teachers goes on where it was"
            raise InputError("--minutes", "is for benches of students", remedy)
        eeg = load_eeg_bench(bench)
        show_page(EegBench(eeg, out or Path("runs") / eeg.name, store).run())
    else:
        settings = load_bench(bench)
        root = out or Path("runs") / settings.name
        if page := run_bench(settings, root, store, minutes=minutes):
            show_page(page)


def grids(
    grids: Path, out: Path | None = None, store: Path = STORE, roots: Roots = Roots()
) -> None:
    """Make a set of prototype grids, each seed with its own teachers and draw of people; resumable.

    Args:
        grids: YAML file under `experiments/grids/`.
        out: folder of the set; by default `runs/` and the name in the file.
        store: folder of cached features.
        roots: where the data sets lie.
    """
    from neurogaze.pipeline.grid_set import GridSet
    from neurogaze.pipeline.grid_set_index import TABLE
    from neurogaze.pipeline.grid_set_settings import load_grid_set

    roots.export()
    settings = load_grid_set(grids)
    index = GridSet(settings, out or Path("runs") / settings.name, store).run()
    print(index.with_name(TABLE).read_text(encoding="utf-8"))
    print(f"index: {index.resolve()}")


def control(control: Path, out: Path | None = None, store: Path = STORE) -> None:
    """Carry out a positive control: can the bench see EEG help in worlds where it does? Resumable.

    Args:
        control: YAML file under `experiments/controls/`.
        out: folder of the control; by default `runs/` and the name in the file.
        store: folder of cached features and images.
    """
    from neurogaze.pipeline.control_settings import load_control
    from neurogaze.pipeline.positive_control import run_control

    settings = load_control(control)
    page = run_control(settings, out or Path("runs") / settings.name, store)
    print(f"{page.read_text(encoding='utf-8')}\nsummary: {page.resolve()}")


def leakage(out: Path = Path("runs/leakage"), store: Path = STORE, seed: int = 0) -> None:
    """Show on made-up EEG what leaky splits are worth: two tables beside simulated chance.

    Args:
        out: folder for the tables and result rows.
        store: folder of cached features.
        seed: of the recordings, splits and trainings.
    """
    from neurogaze.pipeline.leakage import run_leakage

    print(run_leakage(out, store, seed).read_text(encoding="utf-8"))


def report(run: Path, out: Path | None = None) -> None:
    """Build the tables, figures and HTML page of a run from its files.

    Args:
        run: folder of a run or bench.
        out: folder of the report; by default `report` inside the run.
    """
    from neurogaze.report.build import build_report

    if not run.is_dir():
        raise InputError(run, "is no folder", "name the folder of a run, such as runs/demo")
    show_page(build_report(run, out or run / "report"))


def show_rows(rows: Sequence[ResultRow]) -> None:
    """Print result rows as Markdown tables."""
    from neurogaze.report.markup import to_markdown
    from neurogaze.report.tables import (
        calibration_table,
        decisions_table,
        eeg_table,
        faces_table,
        open_table,
        present_table,
    )

    makers = (faces_table, present_table, calibration_table, open_table, eeg_table, decisions_table)
    found = [make(rows) for make in makers]
    print("\n".join(to_markdown(table) for table in found if table is not None))


def show_page(page: Path) -> None:
    """Print the results table and where the page lies."""
    table = page.with_name("results.md")
    print(table.read_text(encoding="utf-8") if table.exists() else "")
    print(f"report: {page.resolve()}")
    sys.stdout.flush()
