"""Damage a sound corpus, file by file, and see what its loader makes of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.fuzz.child import FAILED, Outcome
from tests.fuzz.damage import damaged
from tests.fuzz.formats import FORMATS

REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True)
class Case:
    """One damaged file and what became of it.

    Args:
        format: key of `FORMATS`.
        seed: of the damage; format and seed make the same case again.
        file: the file that was damaged.
        outcome: how reading ended.
    """

    format: str
    seed: int
    file: Path
    outcome: Outcome

    @property
    def failed(self) -> bool:
        """Whether it ended in neither finite data nor a clean error."""
        return self.outcome.kind == FAILED

    def __str__(self) -> str:
        return f"{self.format} {self.seed} ({self.file.name}): {self.outcome.detail}"


class Reader:
    """The process that forks a child for every corpus it is asked to read."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def read(self, format: str, folder: Path, limited: bool = True) -> Outcome:
        """Read every trial, in a child with limits, or in the process itself."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        asked = {"format": format, "folder": str(folder), "limited": limited}
        stdin.write(json.dumps(asked) + "\n")
        stdin.flush()
        return Outcome(*json.loads(stdout.readline()))


@contextmanager
def reader() -> Iterator[Reader]:
    """A warm process without torch, ended when the block ends."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.fuzz.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
        env=environment,
    )
    with process:
        yield Reader(process)


def cases(
    reader: Reader, format: str, seeds: range, folder: Path, kept: Path | None = None
) -> Iterator[Case]:
    """Damage a corpus once for every seed; the sound one must be read without error.

    Args:
        reader: who reads.
        format: key of `FORMATS`.
        seeds: one a case.
        folder: a folder that does not exist yet, for the corpus.
        kept: where damaged files that made a loader fail are kept, or None.
    """
    FORMATS[format].write(folder)
    reader.read(format, folder, limited=False)
    files = sorted(folder.glob(FORMATS[format].damaged))
    sound = {file: file.read_bytes() for file in files}
    assert sound, f"{format} wrote nothing to damage"
    for seed in seeds:
        rng = np.random.default_rng([zlib.crc32(format.encode()), seed])
        file = files[rng.integers(len(files))]
        changed = damaged(sound[file], rng)
        file.write_bytes(changed)
        case = Case(format, seed, file, reader.read(format, folder))
        file.write_bytes(sound[file])
        if case.failed and kept is not None:
            kept.mkdir(parents=True, exist_ok=True)
            (kept / f"{format}-{seed}-{file.name}").write_bytes(changed)
        yield case
