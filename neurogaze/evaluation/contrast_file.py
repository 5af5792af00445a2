"""Contrasts of a bench as one JSON file, beside what the grid can tell at all."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neurogaze.artefacts import write_json
from neurogaze.errors import InputError
from neurogaze.evaluation.contrasts import Contrast
from neurogaze.evaluation.equivalence import DESCRIPTIVE, LEAST_SEEDS, no_claim, verdict
from neurogaze.prototypes import testable
from neurogaze.strict_json import parse

FILE = "contrasts.json"
STATISTICS = 3
"""Raised when the same predictions give other contrasts, so that stages tell them anew."""
UNCHECKED = "No EEG grid was checked: nothing here tells whether EEG helps."
"""Stands in place of the verdict where no grid was looked at."""
REMEDY = "write it with neurogaze.evaluation.contrast_file.write_contrasts"
INTERVALS = (("low", "high"), ("t_low", "t_high"))
PROBABILITIES = ("p", "p_equivalent", "p_holm", "p_equivalent_holm", "mcnemar_median")
OPTIONAL = {"label_rule"}
"""Fields that files of earlier versions lack."""


@dataclass(frozen=True)
class ContrastFile:
    """What a bench found, and whether its grid could tell.

    Args:
        reasons: why the grid cannot tell whether EEG helps, none: it can; None: not checked.
        contrasts: exactly one of them primary.
    """

    reasons: tuple[str, ...] | None
    contrasts: tuple[Contrast, ...]

    @property
    def verdict(self) -> str:
        """The sentence that a summary begins with."""
        return UNCHECKED if self.reasons is None else testable.verdict(list(self.reasons))

    @property
    def primary(self) -> Contrast:
        """The contrast that was named before."""
        return next(contrast for contrast in self.contrasts if contrast.primary)


def write_contrasts(
    path: Path, testable_reasons: Sequence[str] | None, contrasts: Iterable[Contrast]
) -> None:
    """Write `contrasts.json`, aside and renamed.

    Args:
        path: the file.
        testable_reasons: see `neurogaze.prototypes.testable.testable`; None where nobody looked.
        contrasts: see `neurogaze.evaluation.contrasts.contrasts`.

    Raises:
        InputError: for what `read_contrasts` would refuse.
    """
    reasons = None if testable_reasons is None else tuple(testable_reasons)
    file = ContrastFile(reasons, tuple(contrasts))
    _refuse_primaries(file.contrasts, path)
    for number, contrast in enumerate(file.contrasts, start=1):
        _refuse_wrong(contrast, f"{path}, contrast {number}")
    write_json(
        path,
        {"testable": reasons, "grid_verdict": file.verdict, "contrasts": list(file.contrasts)},
    )


def read_contrasts(path: Path) -> ContrastFile:
    """Read `contrasts.json`; the verdict follows from the reasons, whatever sentence it holds.

    Raises:
        InputError: for another file, contrasts with missing, unknown or mistyped fields or numbers
            that contradict each other, and more or less than one primary contrast.
    """
    try:
        content: Any = parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(path, f"cannot be read ({error})", REMEDY) from error
    if not isinstance(content, dict) or not isinstance(content.get("contrasts"), list):
        raise InputError(path, "holds no list of contrasts", REMEDY)
    found = tuple(
        _contrast(fields, f"{path}, contrast {number}")
        for number, fields in enumerate(content["contrasts"], start=1)
    )
    _refuse_primaries(found, path)
    return ContrastFile(_reasons(content.get("testable"), path), found)


def _reasons(value: Any, path: Path) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(reason, str) for reason in value):
        raise InputError(path, f"testable = {value!r} is no list of reasons", REMEDY)
    return tuple(value)


def _contrast(fields: Any, where: str) -> Contrast:
    """A contrast from JSON, each field of its kind."""
    if not isinstance(fields, dict):
        raise InputError(where, f"holds a {type(fields).__name__}, not an object", REMEDY)
    known = {field.name: str(field.type) for field in dataclasses.fields(Contrast)}
    missing = sorted(known.keys() - fields.keys() - OPTIONAL)
    unknown = sorted(fields.keys() - known.keys())
    if missing or unknown:
        raise InputError(where, f"fields missing: {missing}, unknown: {unknown}", REMEDY)
    for name, value in fields.items():
        if not _fits(value, known[name]):
            raise InputError(where, f"{name} = {value!r} is no {known[name]}", REMEDY)
    contrast = Contrast(**(fields | {"differences": tuple(fields["differences"])}))
    _refuse_wrong(contrast, where)
    return contrast


def _fits(value: Any, kind: str) -> bool:
    """Whether a JSON value fits the annotation of a field."""
    if kind.startswith("tuple"):
        return isinstance(value, list) and all(_fits(item, "float") for item in value)
    if kind == "bool" or isinstance(value, bool):
        return kind == "bool" and isinstance(value, bool)
    if value is None:
        return "None" in kind
    if "float" in kind:
        return isinstance(value, int | float)
    return isinstance(value, int if kind == "int" else str)


def _refuse_wrong(contrast: Contrast, where: str) -> None:
    """Refuse numbers that no comparison can have given."""
    values = dataclasses.asdict(contrast)
    numbers = [v for v in [*values.values(), *contrast.differences] if isinstance(v, float)]
    if not all(math.isfinite(number) for number in numbers):
        raise InputError(where, "holds a number that is not finite", "look for a diverged run")
    for low, high in INTERVALS:
        if values[low] is not None and values[high] is not None and values[low] > values[high]:
            found = f"interval [{values[low]}, {values[high]}] is reversed"
            raise InputError(where, found, REMEDY)
    for name in PROBABILITIES:
        if values[name] is not None and not 0 <= values[name] <= 1:
            raise InputError(where, f"{name} = {values[name]} is no probability", REMEDY)
    if contrast.margin <= 0:
        raise InputError(where, f"margin {contrast.margin} is not above 0", REMEDY)
    if len(contrast.differences) != contrast.n_seeds:
        found = f"has {len(contrast.differences)} differences of {contrast.n_seeds} seeds"
        raise InputError(where, found, REMEDY)
    if not math.isclose(contrast.effect, float(np.mean(contrast.differences)), abs_tol=1e-9):
        raise InputError(where, f"effect {contrast.effect} is not their mean", REMEDY)
    _refuse_wrong_claim(contrast, where)


def _refuse_wrong_claim(contrast: Contrast, where: str) -> None:
    """Refuse a verdict that its own numbers contradict."""
    claim = f"claims {contrast.verdict!r} with"
    if contrast.n_seeds < LEAST_SEEDS and contrast.verdict != no_claim(contrast.n_seeds):
        found = f"{claim} {contrast.n_seeds} seeds"
        raise InputError(where, found, f"a claim needs {LEAST_SEEDS} seeds")
    if contrast.n_seeds < LEAST_SEEDS or contrast.verdict == DESCRIPTIVE:
        return
    interval = contrast.low, contrast.high
    p, p_equivalent = contrast.p_holm, contrast.p_equivalent_holm
    if contrast.primary:  # tested alone, so nothing is corrected
        p, p_equivalent = contrast.p, contrast.p_equivalent
    tested = (1.0 if p is None else p, 1.0 if p_equivalent is None else p_equivalent)
    if contrast.verdict != verdict(contrast.n_seeds, *tested, interval, contrast.margin):
        found = (
            f"{claim} the interval {list(interval)}, the margin {contrast.margin}, p = {p} and "
            f"p of equivalence = {p_equivalent}"
        )
        raise InputError(where, found, REMEDY)


def _refuse_primaries(found: Sequence[Contrast], path: Path) -> None:
    named = [f"{c.first} - {c.second}, {c.split}" for c in found if c.primary]
    if len(named) != 1:
        remedy = "mark the one that was named before; correct all others with contrasts.corrected"
        raise InputError(path, f"{len(named)} contrasts are primary {named}", remedy)
