"""What the trainer and the input path cost beside the network they feed.

    python benchmarks/face_training.py [--quick] [--ferplus FOLDER] [--json FILE]

A ResNet-18 with a small stem on 44 pixels, in bf16 and channels-last, is trained by the Lightning
task and by a bare PyTorch loop, in turns of one run: same batches, augmentation, optimiser and
averaged weights, so that the weights of both agree at the end. A ratio is taken turn by turn. The
input path goes from pictures in memory to an augmented and normalised batch. With a GPU a whole
training follows. Faces are drawn, or those of FER+ (its votes file in the folder, or named by
NEUROGAZE_FERPLUS_VOTES); what is measured hardly depends on it.
"""

from __future__ import annotations

import argparse
import logging
import platform
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import torch
from face_gpu import whole_training
from face_loops import compare
from figures import Figure, plain, table, write

from neurogaze.faces.corpora.ferplus import FerPlus
from neurogaze.faces.corpora.synthetic import SyntheticFaces
from neurogaze.faces.datamodule import FaceDataModule
from neurogaze.faces.images import FaceCorpus
from neurogaze.faces.store import prepare

EXPECTED_WARNINGS = ("does not have many workers", "already saved during", "LeafSpec")
"""Of Lightning: ours reads arrays in memory, keeps no checkpoint here, and does not call torch."""


@dataclass(frozen=True)
class Sizes:
    """How much is run."""

    faces: int = 4096
    batch: int = 128
    rounds: int = 12
    block: int = 6
    epochs: int = 40


QUICK = Sizes(faces=64, batch=8, rounds=2, block=2, epochs=1)


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it runs")
    parser.add_argument("--ferplus", type=Path, metavar="FOLDER", help="train on these pictures")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    return parser.parse_args()


def stored(corpus: FaceCorpus, sizes: Sizes, store: Path) -> tuple[FaceDataModule, Figure]:
    """Data from a store that is filled already, and how long it took to open."""
    for split in ("train", "valid"):
        prepare(corpus, split, store)
    begin = time.perf_counter()
    data = FaceDataModule(
        corpus, batch_size=sizes.batch, store=store, on_device=torch.cuda.is_available()
    )
    data.setup("fit")
    return data, plain("input, opening the store", [time.perf_counter() - begin], "s")


def machine(data: FaceDataModule) -> str:
    """What the figures were taken on."""
    name = f"{platform.machine()}, {torch.get_num_threads()} threads"
    if torch.cuda.is_available():
        name = torch.cuda.get_device_name(0)
    what = f"{len(data.train)} pictures of {data.corpus.name}, batches of {data.batch_size}"
    return f"{name}; PyTorch {torch.__version__}; {what}"


def measured(asked: argparse.Namespace, scratch: Path) -> tuple[list[Figure], list[str]]:
    """All figures, and notes."""
    sizes = QUICK if asked.quick else Sizes()
    drawn = SyntheticFaces(n_train=sizes.faces, n_valid=64)
    corpus: FaceCorpus = FerPlus(asked.ferplus) if asked.ferplus else drawn
    print("measuring: input and loop", file=sys.stderr, flush=True)
    data, opening = stored(corpus, sizes, scratch)
    figures = [*compare(data, sizes.rounds, sizes.block), opening]
    print("measuring: gpu", file=sys.stderr, flush=True)
    more, note = whole_training(data, sizes.epochs)
    notes = ["quick sizes: whether a target is met says nothing"] if asked.quick else []
    return figures + more, [*notes, machine(data), *([note] if note else [])]


def main() -> None:
    """Measure, print the table, and write it where asked."""
    asked = arguments()
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", f".*({'|'.join(EXPECTED_WARNINGS)}).*")
    with tempfile.TemporaryDirectory(prefix="neurogaze-bench-") as scratch:
        figures, notes = measured(asked, Path(scratch))
    print("\n".join([table(figures), *notes]))
    if asked.json:
        write(asked.json, figures, notes)


if __name__ == "__main__":
    main()
