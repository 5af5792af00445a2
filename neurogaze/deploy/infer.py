"""The perceived expression of every face in a picture, folder, video or camera, as a table."""

from __future__ import annotations

from pathlib import Path

from neurogaze.deploy.detection import Detector
from neurogaze.deploy.from_pictures import infer_pictures
from neurogaze.deploy.from_video import infer_recording
from neurogaze.deploy.infer_settings import PLAIN, InferSettings
from neurogaze.deploy.recogniser import Recogniser
from neurogaze.deploy.summary import Summary
from neurogaze.deploy.targets import check_targets
from neurogaze.deploy.video import Recording, camera_number, is_video, open_camera, open_video
from neurogaze.deploy.writing import check_table
from neurogaze.errors import InputError

__all__ = ["InferSettings", "Summary", "infer"]


def infer(
    source: str | Path | Recording,
    recogniser: Recogniser,
    detector: Detector,
    out: Path,
    settings: InferSettings = PLAIN,
    progress: bool = True,
) -> Summary:
    """Judge every face that a source shows, and write one row a face.

    Args:
        source: a picture, a folder of pictures, a video file, "0" or "camera:0", or a recording
            that is open.
        recogniser: the student.
        detector: finds faces, once a picture.
        out: table to write, `.csv`, `.jsonl` or `.parquet`.
        settings: everything else.
        progress: show a bar.

    Returns:
        Figures of the run. Pictures that could not be read are counted there, and keep a row.

    Raises:
        InputError: for a source, table or setting that cannot be used at all, and for a target
            that would replace what is read.
        NothingKept: where a video is interrupted.
    """
    check_table(out)
    if not isinstance(source, Recording):
        if not str(source):
            raise InputError("source", "is empty", "give a picture, a folder, a video or camera:0")
        check_targets(_path_of(str(source)), out, settings.annotated)
    recording = source if isinstance(source, Recording) else _recording(str(source))
    if recording is not None:
        return infer_recording(recording, recogniser, detector, out, settings, progress)
    return infer_pictures(Path(str(source)), recogniser, detector, out, settings, progress)


def _path_of(source: str) -> Path | None:
    """The file or folder of that name; None for a camera."""
    return None if camera_number(source) is not None else Path(source)


def _recording(source: str) -> Recording | None:
    """The video or camera of that name; None where it is neither."""
    camera = camera_number(source)
    if camera is not None:
        return open_camera(camera)
    return open_video(Path(source)) if is_video(Path(source)) else None
