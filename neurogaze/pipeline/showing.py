"""The student of a pipeline as its user meets it: exported, and asked about some faces.

The export is the file that `neurogaze infer` and `neurogaze serve` take; the answers come from that
file, not from the student that was trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

from neurogaze.artefacts import folder_written_aside, written_aside
from neurogaze.faces.images import FaceTable

MODEL, TABLE, SHEET = "student.onnx", "faces.csv", "contact_sheet.png"
PICTURES = "pictures"
REMEDY = "pip install 'neurogaze[deploy]'"
NEEDED = ("onnx", "onnxscript", "onnxruntime", "cv2")
"""What an export and its use import; the extra `deploy` brings them."""


def missing(needed: Sequence[str] = NEEDED) -> list[str]:
    """Which of these modules are not installed.

    >>> missing(["json", "no_such_module"])
    ['no_such_module']
    """
    return [name for name in needed if find_spec(name) is None]


def show_student(checkpoint: Path, table: FaceTable, n: int, folder: Path) -> None:
    """Export a student, ask the file about faces of a set, and draw a contact sheet.

    Args:
        checkpoint: of the student.
        table: faces, each a whole picture.
        n: how many of them, evenly chosen.
        folder: for `student.onnx`, `faces.csv`, `contact_sheet.png` and the pictures.

    Raises:
        InputError: where the exported file and the student disagree.
    """
    from neurogaze.deploy.contact_sheet import sheet_of
    from neurogaze.deploy.contract import contract_of
    from neurogaze.deploy.detection import open_detector
    from neurogaze.deploy.infer import infer
    from neurogaze.deploy.onnx_export import export_onnx
    from neurogaze.deploy.recogniser import open_recogniser
    from neurogaze.deploy.strokes import cells_of
    from neurogaze.deploy.writing import read_faces
    from neurogaze.tasks.loading import load_task
    from neurogaze.tasks.student import StudentTask

    task = load_task(checkpoint, StudentTask)
    export_onnx(task, contract_of(task, None, checkpoint), folder / MODEL)
    pictures = leave_pictures(table, n, folder / PICTURES)
    recogniser, detector = open_recogniser(folder / MODEL), open_detector("cropped", None)
    infer(pictures, recogniser, detector, folder / TABLE, progress=False)
    sheet = sheet_of(
        pictures, read_faces(folder / TABLE), most=n, cells=cells_of(recogniser.contract)
    )
    with written_aside(folder / SHEET) as aside:
        Image.fromarray(sheet).save(aside)


def leave_pictures(table: FaceTable, n: int, folder: Path) -> Path:
    """Write faces of a set as PNG files that sort as the set does; return the folder.

    The folder takes the place of an older one, so that nobody judges what is left of it.
    """
    with folder_written_aside(folder) as aside:
        for place in np.unique(np.linspace(0, len(table.ids) - 1, n).round().astype(int)):
            Image.fromarray(table.images[place]).save(aside / f"{place:06d}.png")
    return folder
