"""Whether an exported file says what its student says, on pictures that nobody has to own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from einops import rearrange
from numpy.typing import NDArray
from torch.nn.functional import interpolate

from neurogaze.artefacts import written_aside
from neurogaze.deploy.network import Outputs, check_finite, prepared
from neurogaze.errors import InputError
from neurogaze.faces.preprocessing import FacePreprocessing
from neurogaze.faces.reading import FACE_SIZE
from neurogaze.progress import tracked

N_IMAGES = 1000
BATCH = 50
TOLERANCE = 1e-4
"""Largest difference of a logit, of a cosine, or of an embedding over its largest value."""

COARSEST, FINEST = 2, 16
"""Resolutions at which the smooth test pictures are drawn, pixels, before they are enlarged."""

SEED = 20250915

Run = Callable[[NDArray[np.float32]], Outputs]


@dataclass(frozen=True)
class Parity:
    """How far a file is from its student.

    Args:
        images: pictures that were compared.
        logits: largest difference of a logit.
        embedding: largest difference of an embedding, over the largest value of one (at least 1).
        cosines: largest difference of a cosine; 0 without a grid.
        same: share of pictures with the same label.
    """

    images: int
    logits: float
    embedding: float
    cosines: float
    same: float

    @property
    def holds(self) -> bool:
        """Whether every difference is within `TOLERANCE` and every label the same."""
        return max(self.logits, self.embedding, self.cosines) <= TOLERANCE and self.same == 1

    def __str__(self) -> str:
        """What an export prints."""
        return (
            f"{self.images:,} images: logits within {self.logits:.1e}, embeddings "
            f"{self.embedding:.1e}, cosines {self.cosines:.1e}, {self.same:.2%} same label"
        )


def drawn_pictures(n: int = N_IMAGES, seed: int = SEED) -> NDArray[np.uint8]:
    """Pictures that spread the answers of a network: noise, smooth fields, and both mixed.

    Args:
        n: how many.
        seed: of the generator.

    Returns:
        Grey `uint8 [n, 48, 48]`; thirds of each kind in turn, at various brightness and contrast.
    """
    rng = np.random.default_rng(seed)
    noise = rng.random((n, FACE_SIZE, FACE_SIZE), dtype=np.float32)
    smooth = np.stack([_smooth(rng) for _ in range(n)]) if n else noise
    share = np.array([0.0, 1.0, 0.5], dtype=np.float32)[np.arange(n) % 3, None, None]
    mixed = share * smooth + (1 - share) * noise
    contrast = rng.uniform(0.2, 1.0, (n, 1, 1))
    level = rng.uniform(0.0, 1.0, (n, 1, 1)) * (1 - contrast)
    return np.asarray(np.rint(255 * (level + contrast * mixed)), dtype=np.uint8)


def _smooth(rng: np.random.Generator) -> NDArray[np.float32]:
    """One picture in 0..1 without detail finer than a random resolution."""
    side = int(rng.integers(COARSEST, FINEST + 1))
    coarse = rearrange(
        torch.from_numpy(rng.random((side, side), dtype=np.float32)), "h w -> 1 1 h w"
    )
    fine = interpolate(coarse, size=(FACE_SIZE, FACE_SIZE), mode="bicubic", align_corners=True)
    return np.asarray(rearrange(fine.clamp(0, 1), "1 1 h w -> h w").numpy())


def compare(expected: Outputs, found: Outputs) -> Parity:
    """The largest differences between two networks' outputs for the same images."""
    scale = max(1.0, float(np.abs(expected.embedding).max(initial=0.0)))
    same = expected.logits.argmax(axis=1) == found.logits.argmax(axis=1)
    return Parity(
        images=len(expected.logits),
        logits=_apart(expected.logits, found.logits),
        embedding=_apart(expected.embedding, found.embedding) / scale,
        cosines=_apart(expected.cosines, found.cosines),
        same=float(same.mean()),
    )


def _apart(expected: NDArray[np.float32], found: NDArray[np.float32]) -> float:
    """Largest difference; infinite for other shapes and for what is no number."""
    if expected.shape != found.shape:
        return float("inf")
    gap = np.abs(expected.astype(np.float64) - found.astype(np.float64))
    return float(np.where(np.isfinite(gap), gap, np.inf).max(initial=0.0))


def outputs_on(
    run: Run, faces: NDArray[np.uint8], prep: FacePreprocessing, told: str, progress: bool = True
) -> Outputs:
    """What a network says of pictures, batch by batch.

    Args:
        run: the network, on prepared images.
        faces: grey `uint8 [N, 48, 48]`, at least one.
        prep: how it wants them.
        told: what the progress bar says.
        progress: show one.
    """
    chunks = range(0, len(faces), BATCH)
    with tracked(chunks, told, shown=progress, transient=True) as starts:
        parts = [run(prepared(faces[i : i + BATCH], prep)) for i in starts]
    return Outputs(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def checked(
    path: Path,
    student: Run,
    exported: Run,
    prep: FacePreprocessing,
    n: int = N_IMAGES,
    progress: bool = True,
) -> Parity:
    """Compare an exported file with its student.

    Args:
        path: the file, for errors.
        student: the network that was exported.
        exported: the same out of the file.
        prep: how both want their images.
        n: pictures to compare, besides one alone.
        progress: show a bar.

    Raises:
        InputError: where they disagree, or the student's own answers are no numbers.
    """
    faces = drawn_pictures(n)
    expected = outputs_on(student, faces, prep, "asking the student", progress)
    check_finite(expected, path)
    found = outputs_on(exported, faces, prep, "asking the exported file", progress)
    parity = compare(expected, found)
    alone = compare(_first(expected), outputs_on(exported, faces[:1], prep, "", progress=False))
    for seen in (parity, alone):
        if not seen.holds:
            found_text = f"does not say what its student says ({seen})"
            raise InputError(path, found_text, "report the backbone, and the versions of torch")
    return parity


def kept_if_alike(
    path: Path,
    content: bytes,
    opened: Callable[[Path], Run],
    student: Run,
    prep: FacePreprocessing,
    n: int = N_IMAGES,
    progress: bool = True,
) -> Parity:
    """Write an exported file, and keep it only if it says what its student says.

    Args:
        path: to write.
        content: of the file.
        opened: makes a network of a file; it gets the one that was written aside.
        student: the network that was exported.
        prep: how both want their images.
        n: pictures to compare.
        progress: show a bar.

    Raises:
        InputError: where they disagree; nothing is left behind, and a file that was there stays.
    """
    with written_aside(path) as aside:
        aside.write_bytes(content)
        return checked(path, student, opened(aside), prep, n, progress)


def _first(outputs: Outputs) -> Outputs:
    return Outputs(*(part[:1] for part in outputs))
