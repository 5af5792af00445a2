"""Pictures of a made-up world: what is confused with what is decided by its latent structure.

They look like nothing. A fixed random network turns the place of a face in the world, and dozens of
values that identify whom it shows, into a smooth grey pattern; light, contrast and sensor noise
come on top. Training pictures and those that judge differ in whom they show and how.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from einops import einsum
from numpy.typing import NDArray

from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError
from neurogaze.faces.corpora.labelled import RULE, one_hot_votes
from neurogaze.faces.images import FaceCorpus, FaceTable, pixel_groups, unknown_split
from neurogaze.latent_world import RECIPE, LatentWorld

Floats = NDArray[np.float64]

SPLITS = ("train", "valid")
RENDERING = 2
"""Raised when the same settings would give other pixels."""

SIDE = 32
N_PATTERNS = 160
PATTERN_SIGMA = 2.0
"""Standard deviation of the blur that makes patterns smooth, pixels."""

GENERATOR_SEED = 7
"""Of the network that renders: the same in every world."""

N_IDENTITY = 10
"""Values that identify a person: many, so that few labels cannot average them out."""

SCATTER = 0.2
"""Standard deviation of faces round the place of their emotion."""

PATTERN_GAIN, LIGHT_GAIN = 2.0, 1.5
STRIPES = 0.4
"""Slope of the side light at domain 1; it comes from either side."""

CONTRAST = (0.8, 1.2)
SENSOR_NOISE = 0.05
FACE_STREAM = 5


class LatentFaces(FaceCorpus):
    """Pictures of a `LatentWorld`, equally many of each emotion, labelled as they were meant.

    Args:
        n_train: pictures of an emotion in "train", at domain 0.
        n_valid: pictures of an emotion in "valid".
        share: see `LatentWorld`.
        domain: 0 to 1; how far people, light, contrast and noise of "valid" are from "train".
        seed: of the world and its faces.
        plane: see `LatentWorld`.

    Raises:
        InputError: for no pictures, or a domain outside 0..1.
    """

    def __init__(
        self,
        n_train: int = 30,
        n_valid: int = 60,
        share: float = 1.0,
        domain: float = 1.0,
        seed: int = 0,
        plane: float | None = None,
    ) -> None:
        if min(n_train, n_valid) < 1:
            found = f"n_train {n_train}, n_valid {n_valid}"
            raise InputError("latent faces", found, "ask for one or more of each emotion")
        if not 0.0 <= domain <= 1.0:
            raise InputError("latent faces", f"domain is {domain}", "choose from 0 to 1")
        self.name = "synthetic_latent_faces"
        self.world = LatentWorld(share, seed, plane)
        self.n = {"train": n_train, "valid": n_valid}
        self.domains = {"train": 0.0, "valid": domain}

    def load(self, split: str, progress: bool = False) -> FaceTable:
        """Render one split.

        Raises:
            InputError: for an unknown split.
        """
        self._known(split)
        rng = np.random.default_rng([self.world.seed, FACE_STREAM, SPLITS.index(split)])
        labels = rng.permutation(np.repeat(np.arange(len(EMOTIONS)), self.n[split]))
        images = render(self.world.emotions()[labels], self.domains[split], rng)
        return FaceTable(
            images=images,
            ids=np.array([f"{split}/{i:05d}" for i in range(len(labels))]),
            labels=labels.astype(np.int64),
            votes=one_hot_votes(labels),
            groups=pixel_groups(images),
            dataset=self.name,
            split=split,
            rule=RULE,
        )

    def identity(self, split: str) -> dict[str, str | int | float | bool]:
        """The recipe."""
        self._known(split)
        own: dict[str, str | int | float | bool] = {}
        if self.world.plane is not None:
            own["plane"] = self.world.plane
        return own | {
            "corpus": self.name,
            "split": split,
            "generated": True,
            "n": self.n[split],
            "share": self.world.share,
            "domain": self.domains[split],
            "seed": self.world.seed,
            "world": RECIPE,
            "rendering": RENDERING,
        }

    def _known(self, split: str) -> None:
        """Refuse an unknown split."""
        if split not in SPLITS:
            raise unknown_split(self.name, split, SPLITS)


def render(places: Floats, domain: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Turn places in the world into pictures of people nobody else shows.

    Args:
        places: `[N, d]`, where the emotion of each picture lies.
        domain: 0 to 1; how far whom and how one pictures are from domain 0.
        rng: source of chance; the number of draws does not depend on `domain`.

    Returns:
        `uint8 [N, 32, 32]`.
    """
    n = len(places)
    shown = places + SCATTER * rng.standard_normal(places.shape)
    person = (1.0 + 0.3 * domain) * rng.standard_normal((n, N_IDENTITY)) + 0.3 * domain
    values = np.concatenate([shown, person], axis=1)
    network = generator(values.shape[1])
    hidden = np.tanh(values @ network.weights)
    picture = PATTERN_GAIN * einsum(hidden, network.patterns, "n k, k y x -> n y x")
    return _photographed(picture, domain, rng)


@dataclass(frozen=True, eq=False)
class Generator:
    """A fixed random network from values to pictures.

    Args:
        weights: `[values, N_PATTERNS]`.
        patterns: `[N_PATTERNS, SIDE, SIDE]`, smooth.
    """

    weights: Floats
    patterns: Floats


@cache
def generator(n_values: int) -> Generator:
    """The network for this many values; the same in every world and process."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng([GENERATOR_SEED, n_values])
    weights = rng.standard_normal((n_values, N_PATTERNS)) / np.sqrt(n_values)
    rough = rng.standard_normal((N_PATTERNS, SIDE, SIDE))
    smooth = gaussian_filter(rough, (0.0, PATTERN_SIGMA, PATTERN_SIGMA), mode="reflect")
    spread = smooth.std(axis=(1, 2), keepdims=True)
    return Generator(weights, smooth / spread / np.sqrt(N_PATTERNS))


def _photographed(picture: Floats, domain: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Light from the side, contrast, squashing to grey levels and sensor noise."""
    n, axis = len(picture), np.linspace(-1.0, 1.0, SIDE)
    across, down = rng.uniform(-0.3, 0.3, (2, n, 1, 1))
    across = across + STRIPES * domain * rng.choice([-1.0, 1.0], (n, 1, 1))
    lit = picture + LIGHT_GAIN * (across * axis + down * axis[:, None])
    lit *= (1.0 - 0.3 * domain) * rng.uniform(*CONTRAST, (n, 1, 1))
    grey = 1.0 / (1.0 + np.exp(-lit))
    grey += SENSOR_NOISE * (1.0 + domain) * rng.standard_normal(grey.shape)
    return np.clip(np.rint(255.0 * grey), 0, 255).astype(np.uint8)
