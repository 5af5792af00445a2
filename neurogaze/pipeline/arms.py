"""An arm of a bench: a short file that says how it differs from the base, and on which grid."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path

from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError
from neurogaze.pipeline.settings import read_settings

PUBLISHED_PAIR = ("happiness", "surprise")
"""The positive classes of the geometric prior as published (arXiv 2509.11916)."""


@dataclass(frozen=True)
class Arm:
    """How one arm differs from the base of its bench.

    Args:
        config: override files of the student, later ones win; paths relative to the arm's file.
        args: further flags, such as `--data.target=votes`.
        grid: kind of grid, "eeg" or what takes its place; "" for an arm without Proto-KD.
        logits: whether the arm distils from stored logits, which its bench names.
        other_pair: give the geometric prior, in place of happiness and surprise, the seed-th of all
            other pairs of emotions.
    """

    config: list[str] = field(default_factory=list)
    args: list[str] = field(default_factory=list)
    grid: str = ""
    logits: bool = False
    other_pair: bool = False

    def flags(self, seed: int) -> list[str]:
        """Flags of one seed of the arm, without those of its grid."""
        if not self.other_pair:
            return list(self.args)
        first, second = other_pairs()[seed % len(other_pairs())]
        return [*self.args, f"--model.loss.geo.positive_classes=[{first}, {second}]"]


def other_pairs() -> list[tuple[str, str]]:
    """All pairs of emotions but the published positive classes, neighbours in time far apart.

    >>> len(other_pairs())
    27
    """
    pairs = [pair for pair in combinations(EMOTIONS, 2) if pair != PUBLISHED_PAIR]
    stride = 8  # shares no factor with 27: the first seeds differ in both emotions
    return [pairs[(i * stride) % len(pairs)] for i in range(len(pairs))]


def load_arm(folder: Path, name: str) -> Arm:
    """Read the file of an arm.

    Args:
        folder: where arms lie.
        name: of the arm and, with `.yaml`, of its file.

    Raises:
        InputError: when there is no such arm, or its file has other keys.
    """
    path = folder / f"{name}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in folder.glob("*.yaml"))) or "none"
        raise InputError(path, "is no arm", f"name one of those beside it: {known}")
    arm = read_settings(path, Arm)
    return replace(arm, config=[(folder / file).as_posix() for file in arm.config])
