"""A made-up world in which it is known whether EEG tells anything about faces.

Each cell of the valence/arousal plane has a place in a latent space, drawn at random, so that the
plane says nothing about it. The recordings of the world (`neurogaze.eeg.corpora.latent`) carry that
place, and its faces (`neurogaze.faces.corpora.latent`) are confused by it, as far as `share` says.
Both wings read the world from here and nothing of each other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurogaze.affect import EMOTIONS, anchors, cell_index, grid_centers
from neurogaze.errors import InputError

Floats = NDArray[np.float64]

RECIPE = 2
"""Raised whenever the same settings would give another world; part of every identity."""

SIZE = 9
"""Cells on one axis of the plane: as many as a scale has steps, and each emotion has its own."""

WIDTH = 3
"""Dimensions of the latent space; below the eight cells that the emotions lie in."""

N_PRIVATE = 3
"""Further dimensions, in which each emotion has a place of its own."""

PRIVATE = 1.0
"""Spread of the emotions there: places of cells alone may nearly coincide."""

PLANE_SHARE = 0.2
"""Share of the latent variance that follows valence and arousal, unless a world says otherwise."""

SHARED_STREAM, ALONE_STREAM, PLANE_STREAM, PRIVATE_STREAM = 1, 2, 3, 4


@dataclass(frozen=True)
class LatentWorld:
    """Where cells and emotions lie.

    Args:
        share: of the structure of the faces beyond the plane, how much is that of the EEG: 1 all,
            0 none; the rest is a structure of the same kind which no recording carries.
        seed: another seed is another world.
        plane: share of the latent variance of the faces that follows valence and arousal, whatever
            `share` is; 0: nothing that is near on the plane is alike for it. None: `PLANE_SHARE`.

    Raises:
        InputError: for a share outside 0..1, or a negative seed.
    """

    share: float = 1.0
    seed: int = 0
    plane: float | None = None

    def __post_init__(self) -> None:
        """Refuse settings out of range."""
        for name, share in (("share", self.share), ("plane", self.plane_share)):
            if not 0.0 <= share <= 1.0:
                raise InputError("latent world", f"{name} is {share}", "choose from 0 to 1")
        if self.seed < 0:
            raise InputError("latent world", f"seed is {self.seed}", "choose 0 or more")

    @property
    def plane_share(self) -> float:
        """Share of the latent variance that follows valence and arousal."""
        return PLANE_SHARE if self.plane is None else self.plane

    def shared(self) -> Floats:
        """The structure that the recordings carry: a random direction a cell, `[81, WIDTH]`.

        Rows have the length `sqrt(WIDTH)`. It does not depend on `share`.
        """
        return self._directions(SHARED_STREAM)

    def alone(self) -> Floats:
        """A structure of the same kind that no recording carries, `[81, WIDTH]`."""
        return self._directions(ALONE_STREAM)

    def on_plane(self) -> Floats:
        """What follows smoothly from valence and arousal, `[81, WIDTH]`, of unit mean square."""
        valence, arousal = grid_centers(SIZE).T
        terms = np.stack([valence, arousal, valence * arousal, valence**2, arousal**2], axis=1)
        rows = (terms - terms.mean(axis=0)) @ self._draw(PLANE_STREAM, terms.shape[1])
        return np.asarray(rows / np.sqrt(np.square(rows).mean()))

    def cells(self) -> Floats:
        """Where the faces of each cell lie, `[81, WIDTH]`, rows of length `sqrt(WIDTH)`.

        Their cosines are the true structure: two cells are confused as far as theirs is high.
        """
        mixed = np.sqrt(self.share) * self.shared() + np.sqrt(1.0 - self.share) * self.alone()
        own, rest = np.sqrt(self.plane_share), np.sqrt(1.0 - self.plane_share)
        return _long(own * self.on_plane() + rest * mixed)

    def emotions(self) -> Floats:
        """Where the faces of each emotion lie, `[8, WIDTH + N_PRIVATE]`, rows as `EMOTIONS`."""
        private = PRIVATE * self._draw(PRIVATE_STREAM, len(EMOTIONS), N_PRIVATE)
        return np.concatenate([self.cells()[cell_index(anchors(), SIZE)], private], axis=1)

    def _directions(self, stream: int) -> Floats:
        """Random directions, one a cell."""
        return _long(self._draw(stream, SIZE * SIZE))

    def _draw(self, stream: int, rows: int, width: int = WIDTH) -> Floats:
        """Standard normal draws that depend on the seed and the stream alone."""
        return np.random.default_rng([self.seed, stream]).standard_normal((rows, width))


def _long(rows: Floats) -> Floats:
    """Rows stretched to the length `sqrt(WIDTH)`, so that a value is of size 1."""
    return np.asarray(np.sqrt(WIDTH) * rows / np.linalg.norm(rows, axis=1, keepdims=True))
