"""Drawn faces with simulated raters: a corpus that needs no data and shows nobody.

Expressions are noisy mixtures near a prototype of each emotion, so that neighbours (anger, disgust
and contempt; fear and surprise) are confused, by raters and by networks. A network trained on these
faces means nothing on people.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError
from neurogaze.faces.corpora.drawing import CHUNK, DRAWING_VERSION, FaceParameters, draw
from neurogaze.faces.corpora.people import sample_people, sample_views
from neurogaze.faces.corpora.raters import sample_actions, simulate_votes
from neurogaze.faces.images import FaceCorpus, FaceTable, pixel_groups, unknown_split
from neurogaze.faces.labels import majority_label, vote_distribution
from neurogaze.progress import tracked
from neurogaze.seeds import check_seed

SPLITS = ("train", "valid")
POPULATION_VERSION = 1
"""Raised when the same settings would give other faces or votes."""

FREQUENCIES = (0.30, 0.25, 0.12, 0.11, 0.09, 0.04, 0.05, 0.04)
"""Share of each emotion, as `EMOTIONS`: unequal as in FER+, none too rare for a small set."""

CANDIDATES_PER_FACE = 6
SPARE_CANDIDATES = 400


def quotas(n: int) -> NDArray[np.int64]:
    """Faces of each emotion among `n`: at least one each, largest remainders first.

    >>> quotas(100).tolist()
    [30, 25, 12, 11, 9, 4, 5, 4]
    """
    wanted = np.array(FREQUENCIES) * n
    counts = np.maximum(np.floor(wanted), 1).astype(np.int64)
    order = np.argsort(-(wanted - np.floor(wanted)), kind="stable")
    for step in range(max(n - int(counts.sum()), 0)):
        counts[order[step % len(order)]] += 1
    while counts.sum() > n:
        counts[counts.argmax()] -= 1
    return counts


class SyntheticFaces(FaceCorpus):
    """Drawn faces of the eight emotions, labelled by the majority of ten simulated raters.

    Args:
        n_train: faces in "train".
        n_valid: faces in "valid", of other people.
        domain: 0 to 1; how far style, proportions, light and resolution move away from those of
            domain 0. Expressions and votes do not depend on it.
        seed: another seed is another population.

    Raises:
        InputError: for fewer faces than emotions, a domain outside 0..1, or a seed below 0.
    """

    def __init__(
        self, n_train: int = 2000, n_valid: int = 600, domain: float = 0.0, seed: int = 0
    ) -> None:
        if min(n_train, n_valid) < len(EMOTIONS):
            found = f"n_train {n_train}, n_valid {n_valid}"
            raise InputError("synthetic faces", found, f"ask for {len(EMOTIONS)} or more of each")
        if not 0.0 <= domain <= 1.0:
            raise InputError("--data.corpus.domain", f"is {domain}", "choose from 0 to 1")
        check_seed(seed, "--data.corpus.seed")
        self.name = "synthetic_faces" if domain == 0 else f"synthetic_faces_domain{domain:g}"
        self.n = {"train": n_train, "valid": n_valid}
        self.domain = domain
        self.seed = seed

    def load(self, split: str, progress: bool = False) -> FaceTable:
        """Draw one split.

        Raises:
            InputError: for an unknown split.
        """
        votes, faces = self.population(split)
        starts = range(0, len(faces), CHUNK)
        with tracked(starts, f"drawing {split} faces", shown=progress) as chunks:
            drawn = [draw(faces.rows(i, i + CHUNK), self._seed(split, i)) for i in chunks]
        images = np.concatenate(drawn)
        return FaceTable(
            images=images,
            ids=np.array([f"{split}/{i:06d}" for i in range(len(faces))]),
            labels=majority_label(votes),
            votes=vote_distribution(votes),
            groups=pixel_groups(images),
            dataset=self.name,
            split=split,
            rule="majority",
        )

    def population(self, split: str) -> tuple[NDArray[np.int64], FaceParameters]:
        """Votes `int64 [N, 10]` and drawing parameters of a split, before any pixel is drawn.

        Raises:
            InputError: for an unknown split.
        """
        if split not in SPLITS:
            raise unknown_split(self.name, split, SPLITS)
        n = self.n[split]
        rng = np.random.default_rng([self.seed, SPLITS.index(split)])
        meant = rng.integers(len(EMOTIONS), size=CANDIDATES_PER_FACE * n + SPARE_CANDIDATES)
        actions = sample_actions(meant, rng)
        votes = simulate_votes(actions, rng)
        chosen = rng.permutation(_fill_quotas(majority_label(votes), quotas(n)))
        person = sample_people(n, self.domain, rng)
        view = sample_views(n, self.domain, rng)
        return votes[chosen], FaceParameters(actions[chosen], person, view)

    def identity(self, split: str) -> dict[str, str | int | float | bool]:
        """The recipe."""
        if split not in SPLITS:
            raise unknown_split(self.name, split, SPLITS)
        return {
            "corpus": self.name,
            "split": split,
            "generated": True,
            "n": self.n[split],
            "domain": float(self.domain),
            "seed": self.seed,
            "drawing": DRAWING_VERSION,
            "population": POPULATION_VERSION,
        }

    def _seed(self, split: str, start: int) -> int:
        state = np.random.SeedSequence([self.seed, SPLITS.index(split), start])
        return int(state.generate_state(1)[0])


def _fill_quotas(labels: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The first candidates of each label, as many as the quotas ask for."""
    return np.concatenate([np.flatnonzero(labels == c)[:n] for c, n in enumerate(counts)])
