"""A student's answers explained on a data set: sheets, maps, regions, the plane, sentences, a page.

A checkpoint gets Grad-CAM of every face and occlusion of a few; any other model file gets occlusion
alone. Agreement with action-unit regions is left as result rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track

import neurogaze
from neurogaze.affect import EMOTIONS
from neurogaze.artefacts import folder_written_aside, written_aside
from neurogaze.deploy.recogniser import Answers, Recogniser, open_recogniser
from neurogaze.errors import InputError
from neurogaze.evaluation.results import ResultRow, noted, read_rows, write_rows
from neurogaze.evaluation.scoring import result_rows
from neurogaze.explain import sheets
from neurogaze.explain.gradcam import grad_cam, on_template
from neurogaze.explain.nearest import nearest_prototypes
from neurogaze.explain.occlusion import occlusion_maps
from neurogaze.explain.region_scores import region_scores
from neurogaze.explain.sentence import sentence
from neurogaze.faces.images import FaceTable
from neurogaze.faces.preprocessing import FacePreprocessing, to_input
from neurogaze.pipeline.judging import guarded, load_student
from neurogaze.pipeline.judging_exported import warm_up_note
from neurogaze.report import html
from neurogaze.report.region_table import region_table
from neurogaze.seeds import check_seed
from neurogaze.tasks.student import StudentTask

PAGE, ROWS, FIGURES = "explanations.html", "results.jsonl", "figures"
BATCH = 128
SHEET_FACES = 8
"""Faces of one class on its sheet."""
GRAD_CAM, OCCLUSION = "grad-cam", "occlusion"
"""Arms of the region rows, and first parts of the names of their sheets."""
PLANE = "plane"
"""Name of the picture of the plane."""
NEW_FOLDER = "give --out a new folder"


@dataclass(frozen=True, eq=False)
class Explained:
    """What was found of one model on one set of faces.

    Args:
        table: the faces.
        answers: of the model about them.
        chosen: rows shown on sheets, class after class, `int64 [M]`.
        cam: Grad-CAM of every face for its label's class, `[N, 48, 48]`; None where there is none.
        without_cam: why there is none; "" where there is.
        covered: occlusion maps of the chosen faces, `[M, 48, 48]`.
        warm_up: what must be said of faces that its warm-up saw, or may have seen; "" for nothing.
    """

    table: FaceTable
    answers: Answers
    chosen: NDArray[np.int64]
    cam: NDArray[np.float32] | None
    without_cam: str
    covered: NDArray[np.float64]
    warm_up: str = ""


def explain_student(
    model: Path, table: FaceTable, out: Path, calibration: Path | None = None, seed: int = 0
) -> Path:
    """Explain a model file on faces; leave sheets, `results.jsonl` and a page.

    Args:
        model: checkpoint of a student, or a file exported from one.
        table: labelled faces of 48 x 48 pixels.
        out: folder of all that is written: a new one, an empty one, or that of an earlier call,
            whose page, rows and sheets are replaced.
        calibration: `temperature.json` of a checkpoint.
        seed: which faces are shown, and of the intervals.

    Returns:
        The page.

    Raises:
        InputError: for a model file that cannot be used, or one whose warm-up saw the faces, for a
            seed below 0, and for a folder with files of somebody else.
    """
    check_seed(seed, "--seed")
    check_own_folder(out)
    recogniser = open_recogniser(model, calibration)
    found = look(model, recogniser, table, seed)
    rows = region_rows(found, recogniser, seed)
    pictures = _pictures(found, recogniser.contract.stamp)
    with folder_written_aside(out / FIGURES) as folder:
        for picture in pictures:
            (folder / f"{picture.name}.png").write_bytes(picture.png)
    write_rows(out / ROWS, rows)
    page = _page(model, found, rows, pictures, recogniser)
    with written_aside(out / PAGE) as aside:
        aside.write_text(page, encoding="utf-8")
    return out / PAGE


def check_own_folder(out: Path) -> None:
    """Refuse a folder in which something would be written over that no earlier call wrote.

    All of `figures` is removed with each call, so it may hold nothing but sheets. Other files may
    lie beside the page of an earlier call, for they are left alone.

    Raises:
        InputError: naming the first file of somebody else.
    """
    if not out.exists():
        return
    if not out.is_dir():
        raise InputError(out, "is a file", NEW_FOLDER)
    if not (out / PAGE).is_file():
        for path in sorted(out.iterdir()):
            if path.name not in (FIGURES, ROWS) and not path.name.startswith("."):
                raise InputError(out, f"holds {path.name} and no {PAGE}", NEW_FOLDER)
    _check_own_figures(out / FIGURES)
    if (out / ROWS).exists() and any(r.arm not in (GRAD_CAM, OCCLUSION) for r in _rows(out)):
        raise InputError(out / ROWS, "holds other result rows than those of maps", NEW_FOLDER)


def _check_own_figures(figures: Path) -> None:
    """Refuse a folder of figures with anything in it but sheets that a call draws."""
    if not figures.exists():
        return
    if not figures.is_dir():
        raise InputError(figures, "is a file", NEW_FOLDER)
    sheets_of = {f"{kind}-{name}.png" for kind in (GRAD_CAM, OCCLUSION) for name in EMOTIONS}
    for path in sorted(figures.iterdir()):
        if path.name not in sheets_of | {f"{PLANE}.png"} or not path.is_file():
            raise InputError(figures, f"holds {path.name}, which would be removed", NEW_FOLDER)


def _rows(out: Path) -> list[ResultRow]:
    """Result rows that are there."""
    try:
        return read_rows(out / ROWS)
    except InputError as error:
        raise InputError(out / ROWS, "is no file of result rows", NEW_FOLDER) from error


def look(model: Path, recogniser: Recogniser, table: FaceTable, seed: int) -> Explained:
    """Ask a model about faces and draw its maps."""
    answers, chosen = recogniser.answers(table.images), chosen_faces(table.labels, seed)
    cam, warm_up = None, warm_up_note(recogniser.contract)
    reason = "Grad-CAM needs the checkpoint, not an exported file"
    if recogniser.kind == "checkpoint":
        task = load_student(model)
        seen = guarded(task, table)
        warm_up = f"warm-up saw {seen} of {len(table)}" if seen else ""
        try:
            cam, reason = cam_maps(task, table.images, table.labels), ""
        except InputError as error:
            reason = f"{error.where} {error.found}"
    covered = occlusion_maps(
        lambda faces: recogniser.answers(faces).probabilities,
        table.images[chosen],
        table.labels[chosen].tolist(),
        progress=True,
    )
    return Explained(table, answers, chosen, cam, reason, covered, warm_up)


def chosen_faces(labels: NDArray[np.int64], seed: int, n: int = SHEET_FACES) -> NDArray[np.int64]:
    """Up to `n` faces of each class, drawn without looking at what the model says of them."""
    rng = np.random.default_rng(seed)
    rows = [np.flatnonzero(labels == label) for label in range(len(EMOTIONS))]
    return np.concatenate(
        [np.sort(rng.choice(own, min(n, len(own)), replace=False)) for own in rows]
    ).astype(np.int64)


def cam_maps(
    task: StudentTask, images: NDArray[np.uint8], labels: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Grad-CAM of each face for its label's class, on the stored faces, `[N, 48, 48]`."""
    prepared = FacePreprocessing(**task.provenance["preprocessing"])
    maps = []
    for start in track(range(0, len(images), BATCH), "looking", disable=len(images) < 2 * BATCH):
        batch = torch.from_numpy(np.array(images[start : start + BATCH]))
        classes = torch.from_numpy(np.array(labels[start : start + BATCH]))
        found = grad_cam(task.deployed, to_input(batch, prepared), classes)
        maps.append(on_template(found, images.shape[-1]).cpu().numpy())
    return np.concatenate(maps)


def region_rows(found: Explained, recogniser: Recogniser, seed: int) -> list[ResultRow]:
    """Agreement with action-unit regions: Grad-CAM of every face, occlusion of the chosen."""
    contract, table = recogniser.contract, found.table
    said: dict[str, Any] = {
        "experiment": recogniser.path.name,
        "split": table.split,
        "protocol": "maps for the labelled class",
        "label_rule": table.rule,
        "seed": seed,
        "config_hash": contract.weights_sha256,
        "grid_hash": contract.grid_sha256,
        "split_hash": table.sha256,
        "code_version": neurogaze.__version__,
        "note": noted(contract.stamp, found.warm_up, table.note),
    }
    sets: list[tuple[str, NDArray[np.floating], NDArray[np.int64]]] = [
        (OCCLUSION, found.covered, found.chosen)
    ]
    if found.cam is not None:
        sets.insert(0, (GRAD_CAM, found.cam, np.arange(len(table))))
    rows: list[ResultRow] = []
    for arm, maps, which in sets:
        scores = region_scores(maps, table.labels[which], table.units[which], seed)
        rows += result_rows(scores, table.dataset, said | {"arm": arm})
    return rows


def sentences(found: Explained) -> list[str]:
    """What the model says of each chosen face."""
    answers, chosen = found.answers, found.chosen
    contract = answers.contract
    near = nearest_prototypes(answers.cosines[chosen], np.array(contract.centers))
    return [
        sentence(
            answers.probabilities[row],
            near[place],
            (float(answers.va[row, 0]), float(answers.va[row, 1])),
            bool(answers.abstained[row]),
            contract.generated,
        )
        for place, row in enumerate(chosen)
    ]


def _pictures(found: Explained, stamp: str) -> list[html.Picture]:
    """A sheet a class and kind of map, and the plane where there is a grid."""
    pictures = []
    for label, name in enumerate(EMOTIONS):
        places = np.flatnonzero(found.table.labels[found.chosen] == label)
        rows = found.chosen[places]
        if not len(rows):
            continue
        faces, titles = found.table.images[rows], [_title(found, row) for row in rows]
        kinds: list[tuple[str, str, Any, Any]] = [
            (
                OCCLUSION,
                "what covering a patch costs",
                sheets.occlusion_sheet,
                found.covered[places],
            )
        ]
        if found.cam is not None:
            kinds.insert(0, (GRAD_CAM, "Grad-CAM", sheets.gradcam_sheet, found.cam[rows]))
        for kind, words, draw, maps in kinds:
            heading = f"{name}: {words}"
            png = sheets.figure_png(draw(faces, maps, titles, heading, stamp))
            pictures.append(html.Picture(f"{kind}-{name}", f"{heading}, by label", png))
    return pictures + _plane(found, stamp)


def _title(found: Explained, row: int) -> str:
    """What was perceived on a face, and how surely."""
    answers = found.answers
    said = f"{EMOTIONS[answers.label[row]]} {100 * answers.confidence[row]:.0f} %"
    return f"{said}\n(abstains)" if answers.abstained[row] else said


def _plane(found: Explained, stamp: str) -> list[html.Picture]:
    """The plane with the faces of every class; none without a grid."""
    answers = found.answers
    centers = np.array(answers.contract.centers)
    if not len(centers):
        return []
    shares = np.bincount(answers.nearest, minlength=len(centers)) / len(answers.nearest)
    points = answers.va[found.chosen]
    shown = bool(np.isfinite(points).all())
    labels = found.table.labels[found.chosen]
    heading = "Faces in prototype space (a projection, no measurement)"
    where = points if shown else None
    png = sheets.figure_png(sheets.plane_figure(centers, shares, heading, where, labels, stamp))
    return [html.Picture(PLANE, heading, png)]


def _page(
    model: Path,
    found: Explained,
    rows: list[ResultRow],
    pictures: list[html.Picture],
    recogniser: Recogniser,
) -> str:
    """One page with everything in it."""
    table, stamp = found.table, recogniser.contract.stamp
    facts = [f"{model.name} on {table.dataset}, {table.split}: {len(table):,} faces."]
    facts += [line for line in (found.without_cam, found.warm_up) if line]
    said = zip(table.ids[found.chosen], sentences(found), strict=True)
    regions = region_table(rows)
    sections = [
        html.Section(
            "Regions",
            () if regions is None else (html.table_html(regions, heading=False),),
            "No face is of an expression with action units.",
        ),
        html.Section("Maps", (html.gallery_html(pictures),), ""),
        html.Section("In words", tuple(html.note_html(f"{name}: {s}") for name, s in said), ""),
    ]
    return html.page(f"Explanations of {model.name}", facts, [stamp] if stamp else [], sections)
