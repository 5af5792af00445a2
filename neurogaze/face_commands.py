"""Commands about students and their faces: judge, calibrate, stress, and the ensemble of logit KD.

Heavy rooms are imported inside the functions, so that `--help` answers at once.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from neurogaze.commands import STORE, faces_of, show_page, show_rows
from neurogaze.roots import Roots

if TYPE_CHECKING:
    from pytorch_lightning import LightningDataModule

    from neurogaze.faces.datamodule import FaceDataModule
    from neurogaze.pipeline.views import View

ON_WANDB = """Nothing was trained. On Weights & Biases, with an account:
  wandb login
  wandb sweep {file}
  wandb agent <what it printed>
Here, without one:
  neurogaze sweep {file} --local"""


def evaluate(
    student: Path,
    data: LightningDataModule,
    split: str = "valid",
    out: Path = Path("runs/evaluation"),
    flip: bool = False,
    undo_weights: bool = False,
    crops: Literal["centre", "ten"] = "centre",
    prior: float = 0.0,
    temperature: Path | None = None,
    strict: bool = False,
    roots: Roots = Roots(),
) -> None:
    """Judge a student on a data set; leave predictions, embeddings and scores.

    Args:
        student: checkpoint of a student, or the `.onnx` file that was exported from one.
        data: data module whose corpus holds the images.
        split: which part of the corpus; "dev" for the part of training that `data.held_out` names.
        out: folder for the results.
        flip: judge each image by the mean of itself and its mirror image.
        undo_weights: divide probabilities by the class weights of the training loss.
        crops: "ten" takes the mean over centre, corners and their mirror images.
        prior: share of the log class shares of training to take off the logits.
        temperature: `temperature.json` that `neurogaze calibrate` wrote for this student.
        strict: stop at the first image that cannot be read, rather than skip and count it.
        roots: where the data sets lie.
    """
    import neurogaze
    from neurogaze.evaluation.results import write_rows
    from neurogaze.pipeline.calibrating import calibrated, judged_pictures
    from neurogaze.pipeline.judging import evaluate_student, load_student
    from neurogaze.pipeline.judging_exported import check_plain
    from neurogaze.pipeline.one_rater import rater_rows
    from neurogaze.tasks.student_record import trained_seed

    roots.export()
    faces, view = faces_of(data, strict), _view(flip, undo_weights, crops, prior)
    if student.suffix == ".onnx":
        check_plain(student, view, temperature)
        _evaluate_exported(student, faces, split, out)
        return
    task = load_student(student)
    view = calibrated(view, student, temperature) if temperature else view
    table, train = judged_pictures(task, faces, split)
    context = {
        "experiment": out.name,
        "arm": view.named("student"),
        "seed": trained_seed(task.provenance, faces.seed),
        "code_version": neurogaze.__version__,
    }
    rows = evaluate_student(task, table, out, context, view, train)
    rows += rater_rows(faces.corpus, table, context, train)
    write_rows(out / "results.jsonl", rows)
    show_rows(rows)


def _evaluate_exported(student: Path, faces: FaceDataModule, split: str, out: Path) -> None:
    """Judge an exported file, and print its scores."""
    import neurogaze
    from neurogaze.deploy.recogniser import open_recogniser
    from neurogaze.pipeline.judging_exported import evaluate_exported, pictures_for
    from neurogaze.tasks.student_record import trained_seed

    recogniser = open_recogniser(student)
    table, train = pictures_for(recogniser.contract, faces, split)
    context = {
        "experiment": out.name,
        "arm": student.name,
        "seed": trained_seed(recogniser.contract.provenance, faces.seed),
        "code_version": neurogaze.__version__,
    }
    show_rows(evaluate_exported(recogniser, table, out, context, train))


def calibrate(
    student: Path,
    data: LightningDataModule,
    objective: Literal["nll", "vote_jsd"] = "nll",
    flip: bool = False,
    undo_weights: bool = False,
    crops: Literal["centre", "ten"] = "centre",
    prior: float = 0.0,
    risk: float | None = None,
    rule: Literal["guaranteed", "empirical"] = "guaranteed",
    out: Path | None = None,
    roots: Roots = Roots(),
) -> None:
    """Fit temperature, abstain threshold and V/A read-out of a student on images it never saw.

    The risk-coverage curve is drawn beside the file. Example:

        neurogaze calibrate --student last.ckpt --data data.yaml --risk 0.1

    Args:
        student: checkpoint of a student trained with `data.held_out`.
        data: the data module it was trained with, `held_out` included.
        objective: what the temperature makes small: "nll" of the labels, or "vote_jsd", the
            divergence from the votes.
        flip: judge each image by the mean of itself and its mirror image.
        undo_weights: divide probabilities by the class weights of the training loss.
        crops: "ten" takes the mean over centre, corners and their mirror images.
        prior: share of the log class shares of training to take off the logits.
        risk: wished share of errors among answered images, such as 0.1; by default the student
            never abstains.
        rule: "guaranteed" so that new images keep to the risk with 95 % confidence, or "empirical"
            so that these images do.
        out: file to write, not the checkpoint; by default `temperature.json` beside it.
        roots: where the data sets lie.
    """
    from neurogaze.pipeline.calibrating import calibrate_student

    target = _calibration_target(student, out)
    roots.export()
    view = _view(flip, undo_weights, crops, prior)
    found = calibrate_student(student, faces_of(data), objective, view, target, risk, rule)
    change = f"{objective} {found.before:.4f} -> {found.after:.4f} nats on {found.n:,} images"
    print(f"temperature {found.temperature:.4f}, {change}")
    if said := found.abstain:
        print(
            f"abstains below {found.abstain_below:.4f}: answers {100 * said['coverage']:.1f} %, "
            f"{100 * said['error']:.1f} % of it wrong (bound {100 * said['bound']:.1f} %, {rule})"
        )
    if va := found.va:
        shown = "shown" if va["shown"] else f"not shown: {va['reason']}"
        print(f"prototype-space valence and arousal, temperature {va['temperature']:.3f}: {shown}")
    print(target)


def _calibration_target(student: Path, out: Path | None) -> Path:
    """The file of a calibration, which must be writable, as must the curve beside it.

    Raises:
        InputError: where one of them is the student, a folder, or the other.
    """
    from neurogaze.deploy.targets import check_not_read
    from neurogaze.errors import InputError
    from neurogaze.evaluation.calibration_file import FILE
    from neurogaze.pipeline.calibrating import CURVE

    target = out or student.with_name(FILE)
    for path in (target, target.with_name(CURVE)):
        check_not_read(path, [student])
        if path.is_dir():
            raise InputError(path, "is a folder", "name a file with --out, in another place")
    if target.name == CURVE:
        raise InputError(target, "is the name of the curve", "give --out another name")
    return target


def ensemble(
    ensemble: Path, out: Path | None = None, store: Path = STORE, roots: Roots = Roots()
) -> None:
    """Train the cross-fitted face ensemble that logit KD distils from, and store its logits.

    The logits of a training image come only from members that never saw it. A second call takes up
    where the first stopped.

    Args:
        ensemble: YAML file under `experiments/ensembles/`.
        out: folder of the ensemble; by default `runs/` and the name in the file.
        store: folder of decoded images.
        roots: where the data sets lie.
    """
    from neurogaze.pipeline.ensemble import LOGITS, Ensemble, load_ensemble

    roots.export()
    settings = load_ensemble(ensemble)
    root = out or Path("runs") / settings.name
    page = Ensemble(settings, root, store).run()
    about = json.loads((root / "logits" / "logits.json").read_text(encoding="utf-8"))
    show_page(page)
    print(f"{root / 'logits' / LOGITS}\nsha256 {about['sha256']}")


def robustness(
    student: Path,
    data: LightningDataModule,
    split: str = "valid",
    out: Path = Path("runs/robustness"),
    baseline: Path | None = None,
    flip: bool = False,
    roots: Roots = Roots(),
) -> None:
    """Judge a student on noise, blur, low contrast, JPEG and occlusion; resumable.

    Args:
        student: checkpoint of a student.
        data: data module whose corpus holds the images; its seed is that of the corruptions.
        split: which part of the corpus.
        out: folder for predictions, scores and the report.
        baseline: checkpoint of another student, whose errors are the unit of mCE.
        flip: judge each image by the mean of itself and its mirror image.
        roots: where the data sets lie.
    """
    from neurogaze.pipeline.robustness import robustness as stress

    roots.export()
    show_page(stress(student, faces_of(data), split, out, baseline, flip))


def sweep(
    sweep: Path,
    local: bool = False,
    trials: int | None = None,
    out: Path | None = None,
    seed: int = 0,
    roots: Roots = Roots(),
) -> None:
    """Try the settings of a sweep file: here with `--local`, else on Weights & Biases; resumable.

    Args:
        sweep: YAML file under `experiments/sweeps/`, in the form that `wandb sweep` takes.
        local: train here, without an account; the table is the same for every method.
        trials: settings to try in all; by default `run_cap` of the file, or its whole grid.
        out: folder of trainings and table; by default `runs/sweeps/` and the name of the file.
        seed: of the draws of random and bayes.
        roots: where the data sets lie.
    """
    from neurogaze.pipeline.sweep import run_sweep
    from neurogaze.pipeline.sweep_settings import load_sweep

    roots.export()
    settings = load_sweep(sweep)
    if not local:
        print(ON_WANDB.format(file=sweep))
        return
    page = run_sweep(settings, out or Path("runs/sweeps") / sweep.stem, trials, seed)
    print(page.read_text(encoding="utf-8"))


def _view(flip: bool, undo_weights: bool, crops: Literal["centre", "ten"], prior: float) -> View:
    """How a student looks at an image, from the flags of a command."""
    from neurogaze.pipeline.views import View

    return View(flip, undo_weights, crops, prior)
