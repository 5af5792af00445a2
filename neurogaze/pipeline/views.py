"""How a student looks at an image: crops, mirror images, and what is done to its logits."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track
from scipy.special import softmax
from torch import Tensor

from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError
from neurogaze.faces.preprocessing import FacePreprocessing, to_input
from neurogaze.tasks.student import StudentTask

BATCH = 512


@dataclass(frozen=True)
class View:
    """How a student looks at an image, and how its logits become probabilities.

    Logits of the crops are averaged, then class weights are undone, then the prior, then the
    temperature divides. Nothing here is fitted to the images at hand: prior and temperature are
    chosen on a dev slice of training.

    Args:
        flip: take the mean logits of the image and its mirror image.
        undo_weights: divide the probabilities by the class weights of the training loss. Weights
            multiply the posterior that a network learns (Elkan 2001, IJCAI, theorem 2); dividing
            gives back that of the training data.
        crops: "ten" takes the mean logits of the centre, the four corners and their mirror images,
            cut at the input size from the stored picture (Krizhevsky et al. 2012).
        prior: how many times the log share of each class among the training targets is taken from
            its logit (Menon et al. 2021, arXiv 2007.07314, equation 9).
        temperature: divides the logits; above 1 it lowers confidence.

    Raises:
        InputError: for both flip and ten crops, a prior that is no share, or a temperature that is
            not above 0.
    """

    flip: bool = False
    undo_weights: bool = False
    crops: Literal["centre", "ten"] = "centre"
    prior: float = 0.0
    temperature: float = 1.0

    def __post_init__(self) -> None:
        if self.crops not in ("centre", "ten"):
            raise InputError("crops", f"is {self.crops!r}", "use centre or ten")
        if self.flip and self.crops == "ten":
            raise InputError("flip", "is set with ten crops", "leave it; five of ten are mirrored")
        if not 0.0 <= self.prior < math.inf:
            raise InputError("prior", f"is {self.prior}", "give 0 or more, such as 1")
        if not 0.0 < self.temperature < math.inf:
            raise InputError("temperature", f"is {self.temperature}", "give a number above 0")

    def __str__(self) -> str:
        """What a result row says of it."""
        said = ["image and mirror" if self.flip else "one view"]
        if self.crops == "ten":
            said = ["ten crops"]
        said += ["class weights undone"] if self.undo_weights else []
        said += [f"prior {self.prior:g}"] if self.prior else []
        said += [f"T {self.temperature:.3g}"] if self.temperature != 1 else []
        return ", ".join(said)

    def named(self, arm: str) -> str:
        """Name of an arm seen so; two ways to look at the same student are two rows."""
        bare = self.bare(arm)
        return bare if self == PLAIN else f"{bare} ({self})"

    def bare(self, arm: str) -> str:
        """Name of an arm without what `named` says of this view."""
        return arm.removesuffix(f" ({self})")


PLAIN = View()


class Opinion(NamedTuple):
    """What a network says of images.

    Attributes:
        single: logits of the centre alone, `float64 [n, 8]`.
        mean: logits averaged over the view, `float64 [n, 8]`.
        embedding: of the centre alone, `float32 [n, d]`.
    """

    single: NDArray[np.float64]
    mean: NDArray[np.float64]
    embedding: NDArray[np.float32]


def corners(images: Tensor, size: int) -> list[Tensor]:
    """The four corners of grey images, each `uint8 [b, size, size]`.

    Args:
        images: `uint8 [b, h, w]`.
        size: of a corner, pixels.

    Raises:
        InputError: for images no larger than that.
    """
    height, width = images.shape[1:]
    refuse_uncut(height, width, size)
    starts = product((0, height - size), (0, width - size))
    return [images[:, top : top + size, left : left + size] for top, left in starts]


def refuse_uncut(height: int, width: int, size: int) -> None:
    """Refuse pictures that corners cannot be cut from.

    Args:
        height: of the pictures, pixels.
        width: of the pictures, pixels.
        size: of a corner, pixels.

    Raises:
        InputError: for pictures no larger than a corner.
    """
    if min(height, width) <= size:
        found = f"cannot be cut from pictures of {height} x {width} for an input of {size} pixels"
        raise InputError("ten crops", found, "use --crops centre --flip true")


def views_of(images: Tensor, prepared: FacePreprocessing, view: View) -> Iterator[Tensor]:
    """Network inputs that a view averages over, the centre first; each `[b, c, size, size]`."""
    cuts = corners(images, prepared.size) if view.crops == "ten" else []
    for cut in (images, *cuts):
        ready = to_input(cut, prepared)
        yield ready
        if view.flip or view.crops == "ten":
            yield ready.flip(3)


def opinion(task: StudentTask, images: NDArray[np.uint8], view: View = PLAIN) -> Opinion:
    """Logits and embeddings of grey images `uint8 [n, h, w]`."""
    prepared = FacePreprocessing(**task.provenance["preprocessing"])
    single, mean, embeddings = [], [], []
    starts = range(0, len(images), BATCH)
    with torch.inference_mode():
        for start in track(starts, "predicting faces", disable=len(starts) < 4):
            batch = torch.from_numpy(np.array(images[start : start + BATCH])).to(task.device)
            out = [task(ready) for ready in views_of(batch, prepared, view)]
            logits = torch.stack([one.logits for one in out]).float()
            single.append(logits[0].double().cpu())
            mean.append(logits.mean(dim=0).double().cpu())
            embeddings.append(out[0].embedding.float().cpu())
    return Opinion(*(torch.cat(part).numpy() for part in (single, mean, embeddings)))


def adjusted(task: StudentTask, logits: NDArray[np.float64], view: View) -> NDArray[np.float64]:
    """Logits with class weights undone, the prior taken away and the temperature applied.

    Args:
        task: the student.
        logits: `[n, 8]`, averaged over the view.
        view: what to do.

    Raises:
        InputError: for a prior where the class shares of training are unknown or one is 0.
    """
    if view.undo_weights and task.loss.ce is not None:
        logits = logits - np.log(task.loss.ce.class_weight.double().cpu().numpy())
    if view.prior:
        logits = logits - view.prior * np.log(training_shares(task))
    return logits / view.temperature


def training_shares(task: StudentTask) -> NDArray[np.float64]:
    """Mean of the targets that the student was trained on, `[8]`: the prior that it learned.

    Records of earlier versions know the sizes of the classes alone, which are the same thing only
    where the target was the label.

    Raises:
        InputError: where the checkpoint does not say, or training lacked a class.
    """
    record, settings = (task.provenance.get(name, {}) for name in ("train", "settings"))
    shares = record.get("target_shares")
    if shares is None and settings.get("target") == "majority":
        shares = record.get("class_counts")
    if shares is None:
        found = "does not say the share of each class among its training targets"
        remedy = "judge it where its training pictures are at hand too, or train it again"
        raise InputError("checkpoint", found, remedy)
    missing = [name for name, n in zip(EMOTIONS, shares, strict=True) if n <= 0]
    if missing:
        found = f"knows no {', '.join(missing)}, so there is no prior to take away"
        raise InputError("checkpoint", found, "judge it with prior 0")
    return np.asarray(shares, np.float64) / sum(shares)


def predict(
    task: StudentTask, images: NDArray[np.uint8], view: View = PLAIN
) -> tuple[NDArray, NDArray]:
    """Probabilities `[n, 8]` and embeddings `[n, d]` of grey images `uint8 [n, h, w]`.

    The embedding is that of the centre of the image alone.
    """
    seen = opinion(task, images, view)
    return softmax(adjusted(task, seen.mean, view), axis=1), seen.embedding
