"""Commands that put a trained student to use: infer, export, explain, card, serve, browser.

Heavy rooms are imported inside the functions, so that `--help` answers at once. What a student says
is the perceived expression of a face; valence and arousal are prototype-space, a projection.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from neurogaze.commands import faces_of
from neurogaze.errors import InputError
from neurogaze.roots import Roots

if TYPE_CHECKING:
    from pytorch_lightning import LightningDataModule

    from neurogaze.deploy.quantising import Pictures

INTERRUPTED = 130
"""Exit code of a video that was interrupted: that of the shell, 128 and the number of SIGINT."""


def infer(
    source: str,
    model: Path,
    out: Path = Path("faces.csv"),
    detector: Literal["auto", "yunet", "haar", "cropped"] = "auto",
    detector_model: Path | None = None,
    calibration: Path | None = None,
    annotated: Path | None = None,
    every: int = 1,
    smoothing: float = 0.0,
    batch_size: int = 32,
    seconds: float = 0.0,
) -> int:
    """Say the perceived expression of every face in pictures, a video or a camera, as rows.

    One row a face: file, frame, seconds, face number, box, detector score, label, eight
    probabilities, entropy, prototype-space valence and arousal (a projection, no measurement), and
    whether the student abstained. A picture without a face and a file that cannot be read keep a
    row that says so. A folder that was interrupted goes on where it stopped; videos and pictures of
    other types inside a folder are counted and passed over. Example:

        neurogaze infer photos/ --model student.onnx --out faces.csv

    Args:
        source: picture, folder of pictures, video file, or camera ("0" or "camera:0").
        model: student to ask: `.onnx` or `.ckpt`.
        out: table to write; its suffix decides: .csv, .jsonl or .parquet.
        detector: how faces are found; "auto" takes YuNet where its model file is given and else the
            Haar cascade of OpenCV; "cropped" when every picture is one face already.
        detector_model: the YuNet model file.
        calibration: `temperature.json` of `neurogaze calibrate`, for a checkpoint.
        annotated: folder for pictures with boxes, labels and the V/A plane, new or empty, or an
            .mp4 for a video.
        every: judge every n-th frame of a video; those between repeat it and say "cached". It costs
            sureness: a face is followed by its place alone, so the more frames are skipped, the
            likelier a fast one gets a new number or two near ones change theirs, and label flips
            between judged frames are not seen.
        smoothing: weight of the past in the moving average of a face's probabilities over a video,
            from 0 (none) to below 1.
        batch_size: faces that the student judges at once, 1 to 64.
        seconds: stop a video or camera after this many seconds; 0 goes on to its end.
    """
    from neurogaze.deploy.contract import crop_note
    from neurogaze.deploy.detection import open_detector
    from neurogaze.deploy.from_video import NothingKept
    from neurogaze.deploy.infer import InferSettings
    from neurogaze.deploy.infer import infer as judge
    from neurogaze.deploy.recogniser import open_recogniser

    settings = InferSettings(every, smoothing, batch_size, seconds, annotated)
    recogniser = open_recogniser(model, calibration)
    finder = open_detector(detector, detector_model)
    try:
        summary = judge(source, recogniser, finder, out, settings)
    except NothingKept as told:
        print(told, file=sys.stderr)
        return INTERRUPTED
    if note := crop_note(finder.name):
        print(note)
    print(summary.told())
    return summary.exit_code


def serve(
    model: Path,
    detector: Literal["auto", "yunet", "haar"] = "auto",
    detector_model: Path | None = None,
    calibration: Path | None = None,
    reports: Path | None = None,
    host: str = "127.0.0.1",
    port: int = 8000,
) -> None:
    """Show a student at work on a page of this computer: drop a picture, or use the camera.

    The page answers on this computer only, works without the internet, and keeps no picture.

    Example:
        neurogaze serve --model student.onnx --reports runs/demo/report

    Args:
        model: student to ask: `.onnx` or `.ckpt`; a checkpoint is explained by Grad-CAM, an ONNX
            file by occlusion.
        detector: how faces are found; "auto" takes YuNet where its model file is given and else the
            Haar cascade of OpenCV.
        detector_model: the YuNet model file.
        calibration: `temperature.json` of `neurogaze calibrate`, for a checkpoint.
        reports: folder of reports to browse beside the page.
        host: address to listen on; another than this computer's own lets others in the network
            send pictures and read the reports, without password or encryption.
        port: of the page; 0 takes a free one.
    """
    from neurogaze.deploy.detection import open_detector
    from neurogaze.deploy.recogniser import open_recogniser
    from neurogaze.serve.app import create_app
    from neurogaze.serve.opening import open_desk
    from neurogaze.serve.running import (
        address_of,
        answer_until_stopped,
        listen,
        server_of,
        warning_of,
    )
    from neurogaze.serve.settings import ServeSettings

    settings = ServeSettings(host=host, port=port)
    with listen(settings) as listener:
        recogniser = open_recogniser(model, calibration)
        desk = open_desk(recogniser, open_detector(detector, detector_model), settings)
        server = server_of(create_app(desk, reports), settings)
        if warning := warning_of(settings):
            print(warning, file=sys.stderr)
        print(f"{address_of(listener)}  (Ctrl-C ends it)", flush=True)
        answer_until_stopped(server, listener)
    print("closed")


def browser(model: Path, out: Path = Path("runs/browser"), runtime: Path | None = None) -> None:
    """Build a static folder that runs an ONNX student in the browser, without Python.

    Any static file server will do, and pictures never leave the computer of whoever looks. The page
    does not look for faces: a square is dragged over the face. npm fetches ONNX Runtime Web.

    Example:
        neurogaze browser --model student.onnx --out demo

    Args:
        model: student that `neurogaze export CKPT --to onnx` wrote.
        out: folder to write; an older demo there is replaced, and a folder with any other file in
            it is refused.
        runtime: folder with the files of ONNX Runtime Web, such as
            `node_modules/onnxruntime-web/dist`; not given, npm fetches them.
    """
    from neurogaze.serve.browser import build_browser_page

    page = build_browser_page(model, out, runtime)
    print(f"{page}\nshow it: python -m http.server --bind 127.0.0.1 --directory {page.parent}")


def export(
    checkpoint: Path,
    to: Literal["onnx", "program"] = "onnx",
    int8: bool = False,
    calibrate_with: LightningDataModule | None = None,
    calibration: Path | None = None,
    out: Path | None = None,
    roots: Roots = Roots(),
) -> None:
    """Write a student as one file that carries how to feed it and how to read it.

    The file is compared with the student on 1,000 drawn pictures, and is not written where they
    disagree. Example:

        neurogaze export runs/demo/student/last.ckpt --to onnx --out student.onnx

    Args:
        checkpoint: of the student.
        to: "onnx" for `neurogaze infer` and other programs; "program" for torch alone (`.pt2`).
        int8: in 8-bit integers, for ONNX; needs `calibrate_with`.
        calibrate_with: data module whose training pictures tell the ranges of the integers; its
            validation pictures are not looked at.
        calibration: `temperature.json` that `neurogaze calibrate` wrote for this student.
        out: file to write; by default beside the checkpoint, with the name `student`.
        roots: where the data sets lie.
    """
    from neurogaze.artefacts import file_hash
    from neurogaze.deploy.contract import contract_of
    from neurogaze.deploy.export import export_program
    from neurogaze.deploy.onnx_export import export_onnx
    from neurogaze.deploy.quantising import export_int8
    from neurogaze.tasks.loading import load_task
    from neurogaze.tasks.student import StudentTask

    roots.export()
    path = _export_path(checkpoint, to, int8, calibrate_with is not None, out)
    task = load_task(checkpoint, StudentTask)
    contract = contract_of(task, calibration, checkpoint)
    if int8 and calibrate_with is not None:
        told = str(export_int8(task, contract, path, _quantising(calibrate_with)))
    else:
        write = export_onnx if to == "onnx" else export_program
        told = str(write(task, contract, path))
    fitted = "" if calibration else "\nnot calibrated: its probabilities are as trained"
    stamp = f"\n{contract.stamp}" if contract.stamp else ""
    print(f"{told}{fitted}{stamp}")
    print(f"{path}  {path.stat().st_size / 1e6:.1f} MB\nsha256 {file_hash(path)}")


def _export_path(checkpoint: Path, to: str, int8: bool, with_data: bool, out: Path | None) -> Path:
    """Where an export is written.

    Raises:
        InputError: for options that do not belong together.
    """
    if int8 and to != "onnx":
        raise InputError("--int8", f"is not for --to {to}", "use --to onnx")
    if int8 != with_data:
        remedy = "give both, such as --int8 --calibrate_with experiments/data/ferplus.yaml"
        raise InputError("--int8", "needs --calibrate_with, and that --int8", remedy)
    suffix = ".onnx" if to == "onnx" else ".pt2"
    if out is not None and out.suffix != suffix:
        raise InputError("--out", f"is {out}", f"give a name that ends in {suffix}")
    return out or checkpoint.with_name(f"student{'.int8' if int8 else ''}{suffix}")


def _quantising(data: LightningDataModule) -> Pictures:
    """Pictures to quantise with: training's, and the slice that it holds out, if any."""
    from neurogaze.deploy.quantising import dealt

    faces = faces_of(data)
    faces.setup("fit")
    return dealt(faces.train, None if faces.held_out is None else faces.dev, faces.seed)


def explain(
    model: Path,
    data: LightningDataModule,
    split: str = "valid",
    out: Path = Path("runs/explanations"),
    calibration: Path | None = None,
    seed: int = 0,
    roots: Roots = Roots(),
) -> None:
    """Show where a student looks: Grad-CAM, occlusion, action-unit regions, the V/A plane.

    Leaves a page, a sheet for every class, and result rows of how far the maps lie on the regions
    of the expression's action units, beside chance. Grad-CAM needs a checkpoint; an exported file
    gets occlusion. Sheets hold faces of the data: share them only as the data may be shared. An
    example:

        neurogaze explain last.ckpt --data data.yaml --out runs/explanations

    Args:
        model: student to explain: `.ckpt` or `.onnx`.
        data: data module whose corpus holds labelled faces.
        split: which part of the corpus.
        out: folder for the page, the figures and the rows; those of an earlier call are replaced,
            and a folder with anything else in their place is refused.
        calibration: `temperature.json` of `neurogaze calibrate`, for a checkpoint.
        seed: which faces are shown.
        roots: where the data sets lie.
    """
    from neurogaze.evaluation.results import read_rows
    from neurogaze.faces.store import prepare
    from neurogaze.pipeline.explaining_student import ROWS, explain_student
    from neurogaze.report.markup import to_markdown
    from neurogaze.report.region_table import region_table

    roots.export()
    faces = faces_of(data)
    table = prepare(faces.corpus, split, faces.store)
    page = explain_student(model, table, out, calibration, seed)
    regions = region_table(read_rows(page.with_name(ROWS)))
    print("" if regions is None else to_markdown(regions))
    print(page.resolve())


def card(
    model: Path,
    results: list[Path] | Path,
    out: Path = Path("card.md"),
    calibration: Path | None = None,
) -> None:
    """Write the model card of a student, from its file and its result rows alone.

    A results file named `results.jsonl` may have `predictions.parquet` beside it, as `neurogaze
    evaluate` leaves it; the commonest confusions are read from there. Example:

        neurogaze card student.onnx --results runs/evaluation/results.jsonl --out card.md

    Args:
        model: `.onnx` or `.ckpt` of a student.
        results: files of result rows of this student: of `evaluate`, `robustness`, `explain`;
            several as [one.jsonl,two.jsonl]. Rows of another training or of other weights are
            refused, and so are rows that do not say of which they are.
        out: file to write, none of those that are read.
        calibration: `temperature.json` of `neurogaze calibrate`, for a checkpoint.
    """
    from dataclasses import asdict

    from neurogaze.artefacts import canonical, written_aside
    from neurogaze.deploy.recogniser import open_recogniser
    from neurogaze.deploy.targets import check_not_read
    from neurogaze.evaluation.predictions import read_predictions
    from neurogaze.evaluation.results import read_rows
    from neurogaze.report.model_card import model_card

    files = results if isinstance(results, list) else [results]
    beside = [file.with_name("predictions.parquet") for file in files]
    check_not_read(out, [model, *files, *beside, *([calibration] if calibration else [])])
    contract = canonical(asdict(open_recogniser(model, calibration).contract))
    rows = [row for file in files for row in read_rows(file)]
    frames = [read_predictions(path, "face") for path in beside if path.is_file()]
    text = model_card(contract, rows, model.name, frames)
    with written_aside(out) as aside:
        aside.write_text(text, encoding="utf-8")
    print(out.resolve())
