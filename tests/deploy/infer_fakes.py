"""A student, detectors and a clip whose answers are known, so that no test of rows trains."""

from pathlib import Path

import numpy as np

from neurogaze.affect import EMOTIONS, grid_centers
from neurogaze.deploy.boxes import Box
from neurogaze.deploy.contract import Contract, CropRule, VAReadout
from neurogaze.deploy.recogniser import Outputs, Recogniser
from neurogaze.deploy.rows import Place, Reading, face_row
from neurogaze.faces.preprocessing import FacePreprocessing

SHA = "0" * 64
BITS, BLOCK = 12, 8
"""A frame carries its number as black and white blocks along its upper edge."""


def network(images):
    """Logits from eight rows of the picture, cosines from its columns: a plain function."""
    means = images[:, 0, 2:42:5].mean(axis=2)
    cosines = np.tanh(images[:, 0, :, :25].mean(axis=1))
    return Outputs(*(part.astype(np.float32) for part in (4 * means, means, cosines)))


def recogniser(run=network, abstain_below=0.0, generated=False, shown=True):
    contract = Contract(
        labels=EMOTIONS,
        preprocessing=FacePreprocessing(),
        crop=CropRule(),
        abstain_below=abstain_below,
        va=VAReadout(0.5, shown, "" if shown else "the grid has too few cells"),
        centers=tuple(map(tuple, grid_centers().tolist())),
        grid_sha256=SHA,
        prototypes_sha256=SHA,
        generated=generated,
    )
    return Recogniser(contract, Path("fake.onnx"), "onnx", run)


class Everything:
    """The whole picture is a face; counts how often it was asked."""

    name = identity = "everything"

    def __init__(self):
        self.asked = 0

    def detect(self, rgb):
        self.asked += 1
        return [Box(0, 0, rgb.shape[1], rgb.shape[0], 1.0, cropped=True)]


class Told:
    """Gives the boxes of the frame whose number is written in the picture."""

    name = identity = "told"

    def __init__(self, truth):
        self.truth, self.frames = truth, []

    def detect(self, rgb):
        self.frames.append(number_in(rgb))
        return list(self.truth[self.frames[-1]].values())


def write_number(rgb, number):
    """Write a frame's number into its upper edge."""
    for bit in range(BITS):
        rgb[:BLOCK, bit * BLOCK : (bit + 1) * BLOCK] = 255 * (number >> bit & 1)


def number_in(rgb):
    """Read it, through lossy compression."""
    blocks = [rgb[2:6, b * BLOCK + 2 : (b + 1) * BLOCK - 2].mean() for b in range(BITS)]
    return sum(int(level > 128) << bit for bit, level in enumerate(blocks))


def rows(place=None, label=1, generated=False, va=(0.8, 0.8), box=None):
    """One row, of a student that is sure of one label."""
    student = recogniser(generated=generated)
    shares = np.full(8, 0.02)
    shares[label] = 0.86
    box = box or Box(150, 100, 80, 90, 1.0)
    reading = Reading(shares, np.array(va))
    return [face_row(place or Place("a.png"), 0, box, reading, student.contract)]


def astronaut_face():
    """The face in scikit-image's photograph, 100 pixels wide and high."""
    from skimage import data

    return data.astronaut()[65:165, 175:275]


def paths(frames):
    """Who is where: three faces that move, appear and leave; box by person for each frame."""
    truth = []
    for t in range(frames):
        faces = {}
        if t < 40:
            faces["ann"] = Box(10.0 + 3 * t, 20.0, 60.0, 60.0, 5.0)
        if 10 <= t < 50:
            faces["bob"] = Box(220.0 - 3 * t, 120.0, 60.0, 60.0, 4.0)
        if t >= 45:
            faces["cyd"] = Box(40.0, 30.0 + t, 48.0, 48.0, 3.0)
        truth.append(faces)
    return truth


def clip_frames(truth, size=(240, 320)):
    """Frames with an astronaut in every box."""
    from PIL import Image

    face = Image.fromarray(astronaut_face())
    for number, faces in enumerate(truth):
        rgb = np.full((*size, 3), 90, dtype=np.uint8)
        for box in faces.values():
            side = int(box.width)
            small = np.asarray(face.resize((side, side)))
            rgb[int(box.top) : int(box.top) + side, int(box.left) : int(box.left) + side] = small
        write_number(rgb, number)
        yield rgb


def write_clip(path, frames, rate, code):
    """Write a video file with OpenCV."""
    import cv2

    writer = None
    for rgb in frames:
        if writer is None:
            size = (rgb.shape[1], rgb.shape[0])
            writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*code), rate, size)
        writer.write(np.ascontiguousarray(rgb[..., ::-1]))
    writer.release()
    return path


class Reel:
    """Takes the place of `cv2.VideoCapture`: images and times that a test made up."""

    def __init__(self, images, times=None, rate=10.0, total=0.0):
        self.images, self.times = iter(images), times
        self.properties = {"rate": rate, "total": total}
        self.read_so_far, self.released = 0, False

    def read(self):
        image = next(self.images, None)
        self.read_so_far += image is not None
        return image is not None, image

    def get(self, name):
        import cv2

        if name == cv2.CAP_PROP_FPS:
            return self.properties["rate"]
        if name == cv2.CAP_PROP_FRAME_COUNT:
            return self.properties["total"]
        assert name == cv2.CAP_PROP_POS_MSEC
        return 0.0 if self.times is None else self.times[self.read_so_far - 1]

    def release(self):
        self.released = True
