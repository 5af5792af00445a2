"""Work done in a forked child with a limit on its time and memory, and a process that forks them.

The process has loaded NumPy, SciPy, h5py and MNE and never torch, so a child costs milliseconds.
`python -m tests.fuzz.child` answers one line of JSON for each line of JSON.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from neurogaze.eeg.recordings import Corpus
from neurogaze.errors import InputError
from neurogaze.faces.images import FaceCorpus

SECONDS, BYTES = 10.0, 2 * 2**30
LONGEST_MESSAGE = 2000
PAGES = Path("/proc/self/statm")
FACE_SHAPE = (48, 48)
FINITE, CLEAN, FAILED = "finite", "clean", "failed"


class Outcome(NamedTuple):
    """How a piece of work ended: "finite", "clean" or "failed", why, and after how many seconds."""

    kind: str
    detail: str
    seconds: float


@dataclass(frozen=True)
class Limits:
    """What a child may use: wall-clock seconds, and bytes of address space beyond its parent's."""

    seconds: float = SECONDS
    bytes: int = BYTES


def in_child(work: Callable[[], None], limits: Limits) -> Outcome:
    """Do the work in a forked child.

    An `InputError` is clean. Any other exception, a signal, and too much time or memory are not.
    """
    started = time.perf_counter()
    source, sink = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(source)
        _carry_out(work, limits, sink)
    os.close(sink)
    in_time, _, _ = select.select([source], [], [], limits.seconds)
    said = os.read(source, LONGEST_MESSAGE) if in_time else b""
    if not in_time:
        os.kill(child, signal.SIGKILL)
    os.close(source)
    _, status = os.waitpid(child, 0)
    seconds = time.perf_counter() - started
    if said:
        kind, _, detail = said.decode(errors="replace").partition(":")
        return Outcome(kind, detail, seconds)
    if not in_time:
        return Outcome(FAILED, f"took longer than {limits.seconds} s", seconds)
    return Outcome(FAILED, f"ended with code {os.waitstatus_to_exitcode(status)}", seconds)


def _carry_out(work: Callable[[], None], limits: Limits, sink: int) -> None:
    """The life of the child; it ends here."""
    said = f"{FINITE}:"
    try:
        _quieten()
        _limit_memory(limits.bytes)
        work()
    except InputError as error:
        said = f"{CLEAN}:{error}"
    except BaseException as error:
        said = f"{FAILED}:{type(error).__name__}: {error}"
    os.write(sink, said.encode(errors="replace")[:LONGEST_MESSAGE])
    os._exit(0)


def _quieten() -> None:
    """What libraries print is nobody's business."""
    warnings.simplefilter("ignore")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def _limit_memory(more: int) -> None:
    """Allow so many bytes beyond what is mapped already, where the system tells how many that are.

    Without `/proc` only the time is limited.
    """
    if PAGES.exists():
        mapped = int(PAGES.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (mapped + more, mapped + more))


def read_faces(corpus: FaceCorpus) -> None:
    """Read every picture of the split that judges, and what names its store.

    Raises:
        ArithmeticError: for votes that are not finite, pictures of another size, or none at all.
        InputError: as the corpus says.
    """
    corpus.identity("valid")
    corpus.files("valid")
    table = corpus.load("valid")
    if not np.isfinite(table.votes).all() or table.images.shape != (len(table), *FACE_SHAPE):
        raise ArithmeticError(f"pictures {table.images.shape} or votes that are not finite")
    if not len(table):
        raise ArithmeticError("no picture and no error")


def read_everything(corpus: Corpus | FaceCorpus) -> None:
    """Read every picture, or every trial of everybody."""
    read_faces(corpus) if isinstance(corpus, FaceCorpus) else read_all(corpus)


def read_all(corpus: Corpus) -> None:
    """Read every trial of everybody.

    Raises:
        ArithmeticError: for data that are not finite, or none at all without a word.
        InputError: as the corpus says.
    """
    n_trials = 0
    for subject in corpus.subjects():
        corpus.identity(subject)
        for trial in corpus.trials(subject):
            n_trials += 1
            rest = trial.eeg[:, :0] if trial.baseline is None else trial.baseline
            ratings = [trial.valence, trial.arousal, trial.dominance]
            numbers = [trial.sfreq, *(r for r in ratings if r is not None)]
            if not all(np.isfinite(x).all() for x in (trial.eeg, rest, np.array(numbers))):
                raise ArithmeticError(f"{trial.trial} is not finite")
            if max(map(abs, numbers[1:]), default=0) > 1 or not trial.sfreq > 0:
                raise ArithmeticError(f"{trial.trial} has numbers {numbers}")
    if not n_trials:
        raise ArithmeticError("no trial and no error")


def _serve() -> None:
    """Answer requests until the input ends; a request without "limited" is done in this process."""
    from tests.fuzz.formats import FORMATS

    warnings.simplefilter("ignore")
    for line in sys.stdin:
        asked = json.loads(line)
        fmt, folder = FORMATS[asked["format"]], Path(asked["folder"])
        if asked["limited"]:
            outcome = in_child(lambda f=fmt, d=folder: read_everything(f.open(d)), Limits())
        else:
            read_everything(fmt.open(folder))  # loads what the libraries load when first used
            outcome = Outcome(FINITE, "", 0.0)
        print(json.dumps(outcome), flush=True)


if __name__ == "__main__":
    _serve()
