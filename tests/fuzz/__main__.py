"""Many damaged files of every format, and a table of what became of them.

`python -m tests.fuzz --cases 500` ends with code 1 if a loader failed; the damaged file is kept,
and `--formats NAME --first SEED --cases 1` makes it again.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from rich.progress import track

from tests.fuzz.child import CLEAN, FAILED, FINITE
from tests.fuzz.formats import FORMATS
from tests.fuzz.harness import Case, cases, reader

HEADINGS = ("format", "cases", "finite", "clean error", "failures", "slowest s")


def line(format: str, done: list[Case]) -> str:
    """One row of the table."""
    counts = Counter(case.outcome.kind for case in done)
    slowest = max((case.outcome.seconds for case in done), default=0.0)
    cells = (format, len(done), counts[FINITE], counts[CLEAN], counts[FAILED], f"{slowest:.2f}")
    return "| " + " | ".join(map(str, cells)) + " |"


def main() -> int:
    """Run the cases and print the table and the failures."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=500, help="of each format")
    parser.add_argument("--first", type=int, default=0, help="seed of the first case")
    parser.add_argument("--formats", nargs="+", choices=FORMATS, default=list(FORMATS))
    parser.add_argument("--kept", type=Path, default=Path("runs/fuzz"), help="folder of failures")
    asked = parser.parse_args()
    seeds = range(asked.first, asked.first + asked.cases)
    rows, failures = [], []
    with reader() as process, tempfile.TemporaryDirectory() as folder:
        for name in asked.formats:
            made = cases(process, name, seeds, Path(folder) / name, asked.kept)
            quiet = not sys.stdout.isatty()
            done = list(track(made, description=name, total=len(seeds), disable=quiet))
            rows.append(line(name, done))
            failures += [case for case in done if case.failed]
    print("| " + " | ".join(HEADINGS) + " |", "| --- " * len(HEADINGS) + "|", *rows, sep="\n")
    for case in failures:
        print(case, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
