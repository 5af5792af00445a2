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
from neurogaze.report.contrast_tables import (
    contrast_tables,
    effect,
    interval,
    measure,
    probability,
)
from neurogaze.report.markup import to_markdown
from neurogaze.report.tables import Table, fixed

MET, NOT_MET, OPEN = "met", "not met", "undecided"
FAITHFUL = "faithful_oracle"
"""The arm with the term as published on the true structure."""

STRUCTURES = {"shared": "EEG's structure", "faces": "faces' structure", "plane": "plane"}


@dataclass(frozen=True)
class Term:
    """What pulls a student to a grid, and how the grid was made.

    Args:
        weight: of the term.
        tau: its temperature.
        target: kind of target.
        bins: what places a window in a cell.
    """

    weight: float
    tau: float
    target: str
    bins: str

    def __str__(self) -> str:
        return (
            f"weight {self.weight:g}, tau {self.tau:g}, target {self.target}; "
            f"windows placed as {self.bins}"
        )


PUBLISHED = Term(0.12, 0.90, "gaussian", "predicted")
"""The term as published (arXiv 2509.11916) and the placing of the FERPlus benches."""


@dataclass(frozen=True)
class Told:
    """What a page on a control says besides what was found.

    Args:
        title: its heading.
        sensitive: the arm that knows the truth and the one that knows nothing.
        metric: score that is compared.
        term: of the arm that knows the truth.
        missing: by world, seeds under which some arm is not done.
    """

    title: str
    sensitive: tuple[str, str]
    metric: str
    term: Term
    missing: Mapping[str, Sequence[int]]


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
        contrasts: as they were found; those whose arms share no seed are left out.
        checks: of the grids, by seed.
    """

    expected: Sequence[Expected]
    contrasts: ContrastFile
    checks: Mapping[int, Mapping[str, Any]]

    def contrast(self, first: str, second: str) -> Contrast | None:
        """What was found of two arms, or None where nothing was."""
        told = [c for c in self.contrasts.contrasts if (c.first, c.second) == (first, second)]
        return told[0] if told else None


def outcome(expected: Expected, found: Contrast) -> str:
    """Whether an expectation is met, by both intervals of the effect: bootstrap and t.

    "above" is met by intervals above 0, and not met by intervals below 0 or by equivalence. "about"
    is met by equivalence within the margin, and not met by intervals on one side of 0. Everything
    else is undecided, and with fewer than ten seeds all is.
    """
    if found.n_seeds < LEAST_SEEDS:
        return OPEN
    same = found.verdict == EQUIVALENT
    if expected.relation == "above":
        if above(found):
            return MET
        return NOT_MET if below(found) or same else OPEN
    if same:
        return MET
    return NOT_MET if above(found) or below(found) else OPEN


def above(found: Contrast) -> bool:
    """Whether the bootstrap interval and the t interval lie above 0."""
    return found.low > 0 and found.t_low is not None and found.t_low > 0


def below(found: Contrast) -> bool:
    """Whether the bootstrap interval and the t interval lie below 0."""
    return found.high < 0 and found.t_high is not None and found.t_high < 0


def told_control(told: Told, worlds: Mapping[str, WorldFound], rows: Sequence[ResultRow]) -> str:
    """Markdown: the verdict, expectations beside findings, scores, grids, and all contrasts."""
    head = [f"# {told.title}", *not_done(told.missing)]
    if not worlds:
        return "\n\n".join([*head, "Nothing can be told yet."]) + "\n"
    files = {name: found.contrasts for name, found in worlds.items()}
    tables = [
        _expectations(worlds),
        _scores(worlds, rows, told.metric),
        _grids(worlds),
        *contrast_tables(files),
    ]
    grids = [f"{name}: {found.contrasts.verdict}" for name, found in worlds.items()]
    verdicts = [sensitivity(worlds, told.sensitive, told.missing), *unseen(worlds, told.sensitive)]
    said = [*head, *verdicts, settings_told(told, worlds), *grids]
    return "\n\n".join([*said, *map(to_markdown, tables)]) + "\n"


def not_done(missing: Mapping[str, Sequence[int]]) -> list[str]:
    """One line that names worlds which are not all there; no line where all are."""
    lines = [f"{world} (seeds {', '.join(map(str, at))})" for world, at in missing.items()]
    return [f"**Not done**: {'; '.join(lines)}."] if lines else []


def sensitivity(
    worlds: Mapping[str, WorldFound], pair: tuple[str, str], missing: Mapping[str, Sequence[int]]
) -> str:
    """Whether the truth itself helps: if it does not, the bench can tell nothing.

    Nothing is said of every world before all of them are all there.
    """
    found = {name: world.contrast(*pair) for name, world in worlds.items()}
    clear = [n for n, c in found.items() if c and above(c) and c.n_seeds >= LEAST_SEEDS]
    others = [name for name in found if name not in clear]
    said = [
        f"{name} {effect(c)} {measure(c.metric).unit}" if c else f"{name} not compared"
        for name, c in found.items()
    ]
    seeds = min((c.n_seeds for c in found.values() if c), default=0)
    head = f"Sensitive in {', '.join(clear) if missing else 'every world'}"
    if others:
        head = f"Insensitive in {', '.join(others)}"
    return f"**{head}**: {pair[0]} minus {pair[1]} over {seeds} seeds: {'; '.join(said)}."


def unseen(worlds: Mapping[str, WorldFound], pair: tuple[str, str]) -> list[str]:
    """One line that names contrasts which should lie above 0 and do not; no line where none does.

    Args:
        worlds: what was found in each.
        pair: the contrast of the truth, of which `sensitivity` tells.
    """
    told = [
        f"{name}, {one.first} minus {one.second} {effect(found)} {measure(found.metric).unit}, "
        f"{outcome(one, found)}"
        for name, world in worlds.items()
        for one in world.expected
        if one.relation == "above" and (one.first, one.second) != pair
        if (found := world.contrast(one.first, one.second)) and outcome(one, found) != MET
    ]
    return [f"**Insensitive to what should be there**: {'; '.join(told)}."] if told else []


def settings_told(told: Told, worlds: Mapping[str, WorldFound]) -> str:
    """With which settings the truth was tried, and what the published ones gave of it."""
    arm, other = told.sensitive
    if told.term == PUBLISHED:
        return f"Settings of {arm}: those of the FERPlus benches ({PUBLISHED})."
    said = (
        f"Settings of {arm}: {told.term}. They are not those of the FERPlus benches ({PUBLISHED}): "
        "what is sensitive is the comparison, not the published setting."
    )
    found = [
        f"{world} {effect(one)} {measure(one.metric).unit}, {outcome(expected, one)}"
        for world, part in worlds.items()
        for expected in part.expected
        if (expected.first, expected.second) == (FAITHFUL, other)
        and (one := part.contrast(FAITHFUL, other))
    ]
    lead = f"The published term on the true structure, {FAITHFUL} minus {other}"
    return f"{said} {lead}: {'; '.join(found) or 'not compared yet'}."


def _expectations(worlds: Mapping[str, WorldFound]) -> Table:
    """One line an expectation."""
    header = (
        "world", "expected", "effect", "t interval", "unit", "seeds", "p", "equivalence p",
        "outcome",
    )  # fmt: skip
    body = tuple(
        (name, f"{one.first} {one.relation} {one.second}", *_cells(one, found))
        for name, found in worlds.items()
        for one in found.expected
    )
    caption = (
        "What was expected before, and what was found: mean over seeds of the first arm minus the "
        "second with its 95 % bootstrap interval; each seed is a world, faces and recordings of "
        "its own. Above and below: where this interval and the t interval both lie, uncorrected "
        "for the number of expectations. About: where the verdict is equivalent."
    )
    return Table("Expectations", caption, header, body)


def _cells(expected: Expected, found: WorldFound) -> tuple[str, ...]:
    """What was found of an expectation, from the effect on."""
    one = found.contrast(expected.first, expected.second)
    if one is None:
        return (*["–"] * 6, OPEN)
    how = measure(one.metric)
    return (
        effect(one),
        interval(one.t_low, one.t_high, how),
        how.unit,
        str(one.n_seeds),
        probability(one.p),
        probability(one.p_equivalent),
        outcome(expected, one),
    )


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
