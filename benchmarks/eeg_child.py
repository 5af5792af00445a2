"""One measured step in a process of its own; prints a line of JSON.

`make FILE SIZES`, `loadmat FILE`, `prepare {dreamer|dasps} PLACE STORE WORKERS [WARM_UP]`. The
answer holds the seconds of the step, the peak of resident memory in MB, and for `prepare` how often
a source file was opened, by the audit hook of Python. A place to warm up on takes imports out of
the seconds.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

MEGA = 1e6


def peak() -> float:
    """Greatest resident memory of this program, MB.

    `ru_maxrss` is handed down from the process that started this one, so Linux's own account of the
    program is preferred where there is one.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        (line,) = (x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / MEGA
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MEGA


def make(file: str, sizes: str) -> dict[str, Any]:
    """Write a `DREAMER.mat`; sizes are people, and seconds of the clips and of the rest."""
    from dreamer_mat import write

    n_people, seconds, rest = json.loads(sizes)
    write(Path(file), n_people, seconds, rest)
    return {"bytes": Path(file).stat().st_size}


def loadmat(file: str) -> dict[str, Any]:
    """What everybody does with the file."""
    from scipy.io import loadmat as load

    begin = time.perf_counter()
    content = load(file)
    return {"seconds": time.perf_counter() - begin, "variables": len(content)}


def prepare(
    kind: str, place: str, store: str, workers: str, warm_up: str | None = None
) -> dict[str, Any]:
    """Features of a corpus, of DREAMER in windows of 1 s, as far as the store lacks them."""
    from neurogaze.eeg import cache
    from neurogaze.eeg.corpora import Dasps, Dreamer
    from neurogaze.eeg.features import FeatureSettings

    opened: Counter[str] = Counter()

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and str(arguments[0]).startswith(place):
            opened[str(arguments[0])] += 1

    settings = FeatureSettings(window=1.0, hop=1.0) if kind == "dreamer" else FeatureSettings()
    made = {"dreamer": Dreamer, "dasps": Dasps}[kind]
    if warm_up is not None:
        cache.prepare(made(Path(warm_up)), settings, Path(f"{store}-warm-up"), progress=False)
    sys.addaudithook(note)
    begin = time.perf_counter()
    corpus = made(Path(place))
    table = cache.prepare(corpus, settings, Path(store), progress=False, workers=int(workers))
    return {
        "seconds": time.perf_counter() - begin,
        "peak": peak(),
        "windows": table.n_rows,
        "sha256": table.sha256,
        "opened": max(opened.values(), default=0),
        "megabytes": sum(p.stat().st_size for p in Path(store).rglob("*") if p.is_file()) / MEGA,
        "table_megabytes": sum(getattr(table, name).nbytes for name in cache.ROWS) / MEGA,
    }


if __name__ == "__main__":
    step = {"make": make, "loadmat": loadmat, "prepare": prepare}[sys.argv[1]]
    answer = step(*sys.argv[2:])
    print(json.dumps({"peak": peak(), **answer}))
