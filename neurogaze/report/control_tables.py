"""A positive control in words: is the bench sensitive, and was what was expected found?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from neurogaze.evaluation.contrast_file import ContrastFile
from neurogaze.evaluation.contrasts import Contrast
from neurogaze.evaluation.equivalence import EQUIVALENT, LEAST_SEEDS
from neurogaze.evaluation.results import ResultRow
from neurogaze.report.contrast_tables import contrast_tables, effect, measure, probability
from neurogaze.report.markup import to_markdown
from neurogaze.report.tables import Table, fixed

MET, NOT_MET, OPEN = "met", "not met", "undecided"
STRUCTURES = {"shared": "EEG's structure", "faces": "faces' structure", "plane": "plane"}


@dataclass(frozen=True)
class Expected:
    """What was expected of a contrast.

    Args:
        first: arm.
        second: arm that is subtracted.
        relation: the first lies "above" the second, or "about" where it does.
    """

    first: str
    second: str
    relation: Literal["above", "about"]


@dataclass(frozen=True)
class WorldFound:
    """What was found in a world.

    Args:
        expected: in the order of the contrasts.
        contrasts: as they were found.
        checks: of the grids, by seed.
    """

    expected: Sequence[Expected]
    contrasts: ContrastFile
    checks: Mapping[int, Mapping[str, Any]]


def outcome(expected: Expected, found: Contrast) -> str:
    """Whether an expectation is met, by the interval of the effect.

    "above" is met by an interval above 0, and not met by one below 0 or by equivalence. "about" is
    met by equivalence within the margin, and not met by an interval that leaves 0 out. Everything
    else is undecided, and with fewer than ten seeds all is.
    """
    if found.n_seeds < LEAST_SEEDS:
        return OPEN
    same = found.verdict == EQUIVALENT
    if expected.relation == "above":
        if found.low > 0:
            return MET
        return NOT_MET if found.high < 0 or same else OPEN
    if same:
        return MET
    return NOT_MET if found.low > 0 or found.high < 0 else OPEN


def told_control(
    title: str,
    worlds: Mapping[str, WorldFound],
    sensitive: tuple[str, str],
    rows: Sequence[ResultRow],
    metric: str,
) -> str:
    """Markdown: the verdict, expectations beside findings, scores, grids, and all contrasts."""
    if not worlds:
        return f"# {title}\n\nNothing can be told yet.\n"
    files = {name: found.contrasts for name, found in worlds.items()}
    tables = [
        _expectations(worlds),
        _scores(worlds, rows, metric),
        _grids(worlds),
        *contrast_tables(files),
    ]
    grids = [f"{name}: {found.contrasts.verdict}" for name, found in worlds.items()]
    parts = [f"# {title}", sensitivity(worlds, sensitive), *grids, *map(to_markdown, tables)]
    return "\n\n".join(parts) + "\n"


def sensitivity(worlds: Mapping[str, WorldFound], pair: tuple[str, str]) -> str:
    """Whether the truth itself helps: if it does not, the bench can tell nothing."""
    said, insensitive = [], []
    for name, found in worlds.items():
        contrast = next(c for c in found.contrasts.contrasts if (c.first, c.second) == pair)
        said.append(f"{name} {effect(contrast)} {measure(contrast.metric).unit}")
        if contrast.low <= 0 or contrast.n_seeds < LEAST_SEEDS:
            insensitive.append(name)
    seeds = min(len(found.checks) for found in worlds.values())
    head = f"Insensitive in {', '.join(insensitive)}" if insensitive else "Sensitive in every world"
    return f"**{head}**: {pair[0]} minus {pair[1]} over {seeds} seeds: {'; '.join(said)}."


def _expectations(worlds: Mapping[str, WorldFound]) -> Table:
    """One line an expectation."""
    header = ("world", "expected", "effect", "unit", "seeds", "p", "equivalence p", "outcome")
    body = []
    for name, found in worlds.items():
        for expected in found.expected:
            pair = (expected.first, expected.second)
            one = next(c for c in found.contrasts.contrasts if (c.first, c.second) == pair)
            body.append(
                (
                    name,
                    f"{expected.first} {expected.relation} {expected.second}",
                    effect(one),
                    measure(one.metric).unit,
                    str(one.n_seeds),
                    probability(one.p),
                    probability(one.p_equivalent),
                    outcome(expected, one),
                )
            )
    caption = (
        "What was expected before, and what was found: mean over seeds of the first arm minus the "
        "second with its 95 % interval; each seed is a world, faces and recordings of its own, and "
        "faces are resampled within seeds."
    )
    return Table("Expectations", caption, header, tuple(body))


def _scores(worlds: Mapping[str, WorldFound], rows: Sequence[ResultRow], metric: str) -> Table:
    """Mean and spread over seeds of every arm, one column a world."""
    by: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        if row.metric == metric and "twin-free" not in row.split:
            world = row.experiment.partition(": ")[2]
            by.setdefault((row.arm, world), []).append(row.value)
    arms = list(dict.fromkeys(arm for arm, _ in by))
    body = [(arm, *(_spread(by.get((arm, world), [])) for world in worlds)) for arm in arms]
    caption = f"{measure(metric).name} in per cent, mean ± standard deviation over seeds."
    return Table("Arms", caption, ("arm", *worlds), tuple(body))


def _spread(values: Sequence[float]) -> str:
    """As "61.2 ± 3.4"."""
    if not values:
        return "–"
    sd = f" ± {fixed(100 * float(np.std(values, ddof=1)), 1)}" if len(values) > 1 else ""
    return fixed(100 * float(np.mean(values)), 1) + sd


def _grids(worlds: Mapping[str, WorldFound]) -> Table:
    """What the grids hold of the structure that was put in, means over seeds."""
    header = ("world", "grid", *STRUCTURES.values(), "mean cosine", "CCC valence", "CCC arousal")
    body = []
    for name, found in worlds.items():
        seeds = list(found.checks.values())
        for kind in seeds[0]["correlation"]:
            cells = [_mean(s["correlation"][kind][of] for s in seeds) for of in STRUCTURES]
            cells.append(_mean(s["mean_cosine"][kind] for s in seeds))
            ccc = [_mean(s["ccc"][axis] for s in seeds) for axis in ("valence", "arousal")]
            body.append((name, kind, *cells, *(ccc if kind == "eeg" else ("–", "–"))))
    caption = (
        "Correlation of the cosines between cells in a grid with those of the structure that the "
        "recordings carry, of the structure of the faces, and of the plane; concordance of the "
        "teachers on people they held out. Means over seeds."
    )
    return Table("Grids", caption, header, tuple(body))


def _mean(values: Any) -> str:
    return fixed(float(np.mean(list(values))), 2)
