"""How a detector's box relates to the faces that students are trained on.

    python benchmarks/crop_margin.py [--quick] [--ferplus FOLDER] [--pictures N] [--model FILE]
                                     [--json FILE]

Training pictures of FER+ are 48-pixel crops that another detector cut. Each is enlarged by a
factor that is drawn anew, padded with its own edge to twice its side, so that a face as large as
the frame is still seen whole, and searched. The side of the picture over that of the box is the
margin that `CropRule` needs, and the distance of their centres is its drop. The found share is the
recall of the detector on these pictures. At the end the rule is applied: how far the crop is from
the picture it should have been. Without a folder (or NEUROGAZE_FERPLUS) drawn faces are searched,
which only shows that the script runs.
"""

from __future__ import annotations

import argparse
import math
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from einops import repeat
from figures import Figure, plain, table, write
from numpy.typing import NDArray
from PIL import Image
from rich.progress import track

from neurogaze.deploy.boxes import Box
from neurogaze.deploy.contract import CropRule
from neurogaze.deploy.cropping import crop_face, eye_angle
from neurogaze.deploy.detection import Detector, open_detector
from neurogaze.evaluation.statistics import bootstrap_interval
from neurogaze.faces.corpora.ferplus import FerPlus
from neurogaze.faces.corpora.synthetic import SyntheticFaces
from neurogaze.faces.images import FaceTable

PICTURES, QUICK_PICTURES = 3000, 12
SEED = 6
TIMES = (3.0, 5.0)
"""Least and greatest enlargement: a cascade knows sizes in steps, which the draw evens out."""
MOST_ASIDE = 0.25
"""How far the centre of the box of this face lies from that of the picture at most, in sides."""
LEAST_SIDE = 1 / 3
"""Of such a box, in sides of the picture: a smaller one is a texture."""


@dataclass(frozen=True)
class Seen:
    """Where the face of one picture was found.

    Args:
        row: of the picture in its table.
        side: that the picture was enlarged to, pixels.
        box: in the padded picture.
    """

    row: int
    side: int
    box: Box

    @property
    def longer(self) -> float:
        """The longer side of the box, pixels."""
        return max(self.box.width, self.box.height)

    @property
    def margin(self) -> float:
        """Side of the picture over that of the box."""
        return self.side / self.longer

    @property
    def aside(self) -> float:
        """How far the picture's centre lies to the right of the box's, in sides of the box."""
        return (middle_of(self.side) - self.box.centre[0]) / self.longer

    @property
    def drop(self) -> float:
        """How far the picture's centre lies below the box's, in sides of the box."""
        return (middle_of(self.side) - self.box.centre[1]) / self.longer

    @property
    def eyes(self) -> tuple[float, float, float]:
        """Distance across and height in the box, and angle in degrees; NaN without eyes."""
        if self.box.eyes is None:
            return math.nan, math.nan, math.nan
        (left, upper), (right, lower) = self.box.eyes
        height = ((upper + lower) / 2 - self.box.top) / self.box.height
        return (right - left) / self.box.width, height, math.degrees(eye_angle(self.box))


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    root = os.environ.get("NEUROGAZE_FERPLUS")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it runs")
    parser.add_argument("--ferplus", type=Path, metavar="FOLDER", default=root and Path(root))
    parser.add_argument("--pictures", type=int, metavar="N", default=PICTURES)
    parser.add_argument("--model", type=Path, metavar="FILE", help="of YuNet; else the cascades")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    return parser.parse_args()


def padded(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """The picture enlarged to `side` in the middle of one of twice that side, its edge repeated."""
    large = Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC)
    around = np.pad(np.asarray(large), (side // 2, side - side // 2), mode="edge")
    return repeat(around, "h w -> h w c", c=3)


def middle_of(side: int) -> float:
    """Centre of the picture in its padded one, pixels from the edge."""
    return side // 2 + side / 2


def face_of(boxes: list[Box], side: int) -> Box | None:
    """The largest box that can be the face of the picture in the middle."""
    for box in boxes:
        off = max(abs(part - middle_of(side)) for part in box.centre)
        if off <= MOST_ASIDE * side and max(box.width, box.height) >= LEAST_SIDE * side:
            return box
    return None


def search(faces: FaceTable, n: int, detector: Detector) -> list[Seen]:
    """Look for the faces of `n` pictures drawn without replacement."""
    generator = np.random.default_rng(SEED)
    rows = generator.permutation(len(faces))[:n]
    sides = np.rint(generator.uniform(*TIMES, size=len(rows)) * faces.images.shape[1])
    seen = []
    for row, side in track(list(zip(rows.tolist(), map(int, sides), strict=True)), "searching"):
        box = face_of(detector.detect(padded(faces.images[row], side)), side)
        if box is not None:
            seen.append(Seen(row, side, box))
    return seen


def errors_of(faces: FaceTable, seen: list[Seen], rule: CropRule) -> list[float]:
    """Mean absolute difference of each crop from the picture it should have been, grey levels."""
    errors = []
    for one in track(seen, "cropping"):
        image = faces.images[one.row]
        crop = crop_face(padded(image, one.side), one.box, rule)
        errors.append(float(np.abs(crop.astype(int) - image).mean()))
    return errors


def median_of(name: str, values: list[float], unit: str, groups: NDArray[np.str_]) -> Figure:
    """A median with the ends of its 95 % interval as spread; twins are drawn together."""
    found = np.asarray(values)
    kept = np.isfinite(found)
    if not kept.any():
        return plain(f"{name} (none found)", [0.0], unit)
    low, high = bootstrap_interval(
        lambda rows: float(np.median(found[kept][rows])), int(kept.sum()), groups[kept], SEED
    )
    return Figure(name, float(np.median(found[kept])), unit, spread=(low, high))


def figures_of(faces: FaceTable, n: int, seen: list[Seen]) -> list[Figure]:
    """All figures; the spread is a 95 % bootstrap interval of the median."""
    groups = faces.units[np.array([one.row for one in seen], dtype=int)]
    eyes = [one.eyes for one in seen if math.isfinite(one.eyes[0])]
    figures = [
        plain("found, share of pictures", [len(seen) / n], ""),
        plain("eyes found, share of faces", [len(eyes) / max(1, len(seen))], ""),
        median_of("margin", [one.margin for one in seen], "sides", groups),
        median_of("drop", [one.drop for one in seen], "sides", groups),
        median_of("aside", [one.aside for one in seen], "sides", groups),
        median_of("eyes, distance", [one.eyes[0] for one in seen], "widths", groups),
        median_of("eyes, height", [one.eyes[1] for one in seen], "heights", groups),
        median_of("eyes, angle, absolute", [abs(one.eyes[2]) for one in seen], "degrees", groups),
    ]
    for name, rule in rules_of(seen).items():
        errors = errors_of(faces, seen, rule)
        figures.append(median_of(f"error, {name}", errors, "grey levels", groups))
    return figures


def rules_of(seen: list[Seen]) -> dict[str, CropRule]:
    """What crops are judged: the medians, with and without level eyes, and the bare box."""
    rules = {"bare box": CropRule(1.0, 0.0, level_eyes=False)}
    if seen:
        margin = float(np.median([one.margin for one in seen]))
        drop = float(np.median([one.drop for one in seen]))
        rules["medians"] = CropRule(margin, drop, level_eyes=False)
        rules["medians, eyes level"] = CropRule(margin, drop, level_eyes=True)
    return rules


def spreads(seen: list[Seen]) -> str:
    """How far single pictures lie around the medians."""
    if not seen:
        return "no face was found"
    parts = []
    for name in ("margin", "drop", "aside"):
        low, high = np.quantile([getattr(one, name) for one in seen], [0.1, 0.9])
        parts.append(f"{name} {low:.3f} .. {high:.3f}")
    return f"80 % of pictures: {', '.join(parts)}"


def main() -> None:
    """Measure, print the table, and write it where asked."""
    asked = arguments()
    most = QUICK_PICTURES if asked.quick else asked.pictures
    drawn = asked.quick or asked.ferplus is None
    corpus = SyntheticFaces(n_train=most, n_valid=8) if drawn else FerPlus(asked.ferplus)
    detector = open_detector("auto", asked.model)
    faces = corpus.load("train", progress=True)
    n = min(most, len(faces))
    seen = search(faces, n, detector)
    figures = figures_of(faces, n, seen)
    notes = [f"{n} pictures of {corpus.name}, detector {detector.name}", spreads(seen)]
    print("\n".join([table(figures), *notes]))
    if asked.json:
        write(asked.json, figures, notes)


if __name__ == "__main__":
    main()
