"""Cost of EEG features beside the tools people use now.

    python benchmarks/eeg_features.py [--quick] [--without-torcheeg] [--json FILE]

Ratios come from turns taken one after the other in one run, so that both sides see the same
machine; every figure stands beside its target. Four parts: band entropy beside torcheeg 1.1.3 (in
an environment of its own, because it asks for an old SciPy), maps beside a loop of `griddata`, a
file of the size of DREAMER from `.mat` to features, and cost as a corpus grows. Linear algebra has
one thread on every side; only people of a corpus are computed side by side.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import eeg_corpus
import eeg_entropy
import eeg_maps
from figures import Figure, table, write
from torcheeg_environment import Unavailable

ENVIRONMENT = Path("runs/bench/torcheeg-env")
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
PARTS = ("entropy", "maps", "corpus", "growth")


@dataclass(frozen=True)
class Sizes:
    """How much of each part is run."""

    entropy_rounds: int = 12
    entropy_windows: int = 64
    mean_clip: float = 199.0
    map_rounds: int = 12
    map_windows: int = 2000
    griddata_windows: int = 20
    people: int = 23
    clips: int = 18
    corpus_rounds: int = 3
    growth_people: int = 12
    growth_rounds: int = 3


QUICK = Sizes(
    entropy_rounds=2,
    entropy_windows=3,
    mean_clip=12.0,
    map_rounds=2,
    map_windows=20,
    griddata_windows=2,
    people=2,
    clips=3,
    corpus_rounds=1,
    growth_people=1,
    growth_rounds=1,
)


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it runs")
    parser.add_argument("--without-torcheeg", action="store_true", help="install nothing")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="which parts")
    parser.add_argument(
        "--environment", type=Path, default=ENVIRONMENT, help="where torcheeg is installed"
    )
    return parser.parse_args()


def entropy(sizes: Sizes, environment: Path | None, scratch: Path) -> tuple[list[Figure], str]:
    """Figures of band entropy, and a note where torcheeg is not to be had."""
    scale = sizes.mean_clip / eeg_corpus.MEAN
    lengths = eeg_corpus.clip_lengths(
        sizes.entropy_rounds,
        sizes.mean_clip,
        eeg_corpus.SHORTEST * scale,
        eeg_corpus.LONGEST * scale,
    )
    trials = [eeg_entropy.noise_trial(seconds, seed) for seed, seconds in enumerate(lengths)]
    if environment is None:
        return eeg_entropy.ours_alone(trials), "torcheeg left out as asked"
    try:
        figures = eeg_entropy.beside_torcheeg(
            trials, sizes.entropy_windows, environment.resolve(), scratch
        )
    except Unavailable as why:
        return eeg_entropy.ours_alone(trials), f"torcheeg left out: {why}"
    return figures, ""


def measured(asked: argparse.Namespace, scratch: Path) -> tuple[list[Figure], list[str]]:
    """Figures of the parts asked for, and notes."""
    sizes = QUICK if asked.quick else Sizes()
    figures: list[Figure] = []
    notes = ["quick sizes: whether a target is met says nothing"] if asked.quick else []
    for part in asked.parts:
        print(f"measuring: {part}", file=sys.stderr, flush=True)
        if part == "entropy":
            environment = None if asked.without_torcheeg else asked.environment
            more, note = entropy(sizes, environment, scratch)
            notes += [note] if note else []
        elif part == "maps":
            more = eeg_maps.compare(sizes.map_rounds, sizes.map_windows, sizes.griddata_windows)
        elif part == "corpus":
            more = eeg_corpus.dreamer(
                scratch, sizes.people, sizes.clips, sizes.mean_clip, sizes.corpus_rounds
            )
        else:
            more = eeg_corpus.growth(scratch, sizes.growth_people, sizes.growth_rounds)
        figures += more
    return figures, notes


def main() -> None:
    """Measure, print the table, and write it where asked."""
    asked = arguments()
    if any(os.environ.get(name) != value for name, value in ONE_THREAD.items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **ONE_THREAD})
    with tempfile.TemporaryDirectory(prefix="neurogaze-bench-") as scratch:
        figures, notes = measured(asked, Path(scratch))
    print("\n".join([table(figures), *notes]))
    if asked.json:
        write(asked.json, figures, notes)


if __name__ == "__main__":
    main()
