"""What a sweep file says: the file W&B takes, read so that it can be carried out without it.

Keys and forms of parameters are those of W&B sweeps. What is not carried out here is refused by
name, never skipped.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any, Literal

import yaml

from neurogaze import strict_yaml
from neurogaze.errors import InputError

ARGS = "${args}"
KEYS = {"name", "description", "project", "entity", "program", "method", "metric", "command",
        "parameters", "run_cap"}  # fmt: skip
METHODS = ("grid", "random", "bayes")
GOALS = ("maximize", "minimize")
FORMS = {
    "constant": {"value"},
    "categorical": {"values"},
    "uniform": {"min", "max"},
    "int_uniform": {"min", "max"},
    "q_uniform": {"min", "max", "q"},
    "log_uniform_values": {"min", "max"},
}
"""Forms of a parameter and the keys that belong to each."""

Scalar = str | int | float | bool


@dataclass(frozen=True)
class Choice:
    """One of some values.

    Args:
        values: text, numbers or truth values.
    """

    values: tuple[Scalar, ...]

    def points(self) -> tuple[Scalar, ...]:
        """Every value."""
        return self.values


@dataclass(frozen=True)
class Range:
    """A number between two ends, both included.

    Args:
        low: least value.
        high: greatest value.
        integer: whole numbers only.
        step: distance between values; None: any value.
        log: uniform in the logarithm.
    """

    low: float
    high: float
    integer: bool = False
    step: float | None = None
    log: bool = False

    def points(self) -> tuple[Scalar, ...]:
        """Every value, where there are finitely many; else none."""
        if self.step is None:
            return ()
        count = round((self.high - self.low) / self.step) + 1
        values = (self.low + i * self.step for i in range(count))
        return tuple(int(v) if self.integer else on_grid(v, self.low, self.step) for v in values)


def on_grid(value: float, low: float, step: float) -> float:
    """The nearest whole number of steps above the least value, as a person would type it.

    Floats that are added up drift off: 0.1 + 2 * 0.1 is 0.30000000000000004.

    >>> on_grid(0.1 + 2 * 0.1, low=0.1, step=0.1)
    0.3
    """
    first, each = _typed(low), _typed(step)
    return float(first + round((_typed(value) - first) / each) * each)


def _typed(value: float) -> Fraction:
    """A number as it was typed: 0.1 is a tenth, not the binary fraction next to it."""
    return Fraction(str(value))


@dataclass(frozen=True)
class Sweep:
    """A sweep as its file has it.

    Args:
        path: the file.
        method: how parameters are drawn; `bayes` by a model of what was tried.
        metric: column of `metrics.csv`; its last value counts.
        maximize: whether more of it is better.
        words: the command after `neurogaze fit`, with `${args}` where parameters go.
        parameters: by dotted key, in the order of the file.
        cap: number of trials that the file asks for.
    """

    path: Path
    method: Literal["grid", "random", "bayes"]
    metric: str
    maximize: bool
    words: tuple[str, ...]
    parameters: dict[str, Choice | Range]
    cap: int | None = None

    def arguments(self, values: Mapping[str, Scalar]) -> list[str]:
        """The command after `neurogaze fit` for one trial, as W&B's agent writes it."""
        flags = [f"--{name}={values[name]}" for name in self.parameters]
        return [w for word in self.words for w in (flags if word == ARGS else [word])]

    def grid(self) -> list[dict[str, Scalar]]:
        """Every combination of values, the last key fastest."""
        every = product(*(p.points() for p in self.parameters.values()))
        return [dict(zip(self.parameters, values, strict=True)) for values in every]


def load_sweep(path: Path) -> Sweep:
    """Read a sweep file.

    Raises:
        InputError: when it cannot be read, or asks for what is only done on W&B.
    """
    values = _mapping(path, "the file", _read(path))
    for key in sorted(set(values) - KEYS):
        raise _refused(path, key, "is no key that is carried out here", f"use {sorted(KEYS)}")
    method = _one_of(path, "method", values.get("method"), METHODS)
    metric = _mapping(path, "metric", values.get("metric"))
    goal = _one_of(path, "metric.goal", metric.get("goal", "minimize"), GOALS)
    if not isinstance(metric.get("name"), str):
        raise _refused(path, "metric.name", "is missing", "name a column of metrics.csv")
    parameters = {
        str(name): parameter(path, str(name), said)
        for name, said in _mapping(path, "parameters", values.get("parameters")).items()
    }
    for name, found in parameters.items():
        if method == "grid" and not found.points():
            remedy = "give values, whole numbers or q_uniform, or use method: random"
            raise _refused(path, f"parameters.{name}", "has no end of values", remedy)
    cap = values.get("run_cap")
    if cap is not None and (not isinstance(cap, int) or cap < 1):
        raise _refused(path, "run_cap", f"is {cap!r}", "give a whole number above 0")
    words, goal_up = _command(path, values), goal == "maximize"
    return Sweep(path, method, metric["name"], goal_up, words, parameters, cap)  # type: ignore[arg-type]


def parameter(path: Path, name: str, said: Any) -> Choice | Range:
    """Read one parameter in any of the `FORMS`.

    Args:
        path: the sweep file, for messages.
        name: dotted key.
        said: its value in the file.

    Raises:
        InputError: for another form, values that are no scalars, ends in the wrong order, or ends
            without a multiple of `q` between them.

    >>> parameter(Path("s.yaml"), "lr", {"min": 1, "max": 3}).points()
    (1, 2, 3)
    """
    key = f"parameters.{name}"
    given = _mapping(path, key, said)
    form = given.get("distribution") or _form(given)
    own = FORMS.get(str(form), set())
    if not own or not own - {"q"} <= set(given) - {"distribution"} <= own:
        known = "; ".join(f"{k}: {', '.join(sorted(v))}" for k, v in FORMS.items())
        raise _refused(path, key, f"is {dict(given)}, a form not carried out here", f"use {known}")
    if form in ("constant", "categorical"):
        values = [given["value"]] if form == "constant" else given["values"]
        return Choice(_scalars(path, key, values))
    return _range(path, key, form, given)


def _form(given: Mapping[str, Any]) -> str:
    """The form that W&B takes where none is named."""
    if "value" in given or "values" in given:
        return "constant" if "value" in given else "categorical"
    whole = all(_whole(given.get(end)) for end in ("min", "max"))
    return "int_uniform" if whole else "uniform"


def _range(path: Path, key: str, form: str, given: Mapping[str, Any]) -> Range:
    """Ends and step of a number; those of `q_uniform` are moved inward to multiples of `q`."""
    numbers = {name: given.get(name, 1) for name in ("min", "max", "q")}
    for name, value in numbers.items():
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
        ):
            raise _refused(path, f"{key}.{name}", f"is {value!r}", "give a number, such as 1.0e-3")
    low, high, q = numbers.values()
    if low >= high or q <= 0 or (form == "log_uniform_values" and low <= 0):
        remedy = "give min below max, q above 0, and min above 0 for log_uniform_values"
        raise _refused(path, key, f"is {dict(given)}", remedy)
    if form == "q_uniform":
        each, number = _typed(q), int if _whole(q) else float
        first, last = math.ceil(_typed(low) / each), math.floor(_typed(high) / each)
        if first > last:
            found = f"is {dict(given)}, with no multiple of q between min and max"
            raise _refused(path, key, found, "give a smaller q, or use constant")
        return Range(number(first * each), number(last * each), integer=_whole(q), step=q)
    if form == "int_uniform" and not (_whole(low) and _whole(high)):
        raise _refused(path, key, f"is {dict(given)}", "give whole numbers, or use uniform")
    whole = form == "int_uniform"
    return Range(low, high, whole, 1 if whole else None, form == "log_uniform_values")


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _scalars(path: Path, key: str, values: Any) -> tuple[Scalar, ...]:
    """Values that a flag can hold, each once: equal ones are one training, not two of n."""
    if not isinstance(values, list) or not values:
        raise _refused(path, key, f"has the values {values!r}", "give a list")
    for value in values:
        if not isinstance(value, str | int | float | bool):
            remedy = 'write it as text, such as "null" or "{weight: 0.3}"'
            raise _refused(path, key, f"has the value {value!r}", remedy)
    for place, value in enumerate(values):
        for other in values[:place]:
            if value == other or _as_flag(value) == _as_flag(other):
                found = f"has equal values, {other!r} and {value!r}"
                raise _refused(path, key, found, "give each value once")
    return tuple(values)


def _as_flag(value: Scalar) -> str | Decimal:
    """What a flag hands on: a number where the text is one, for 1e-3 is text to YAML."""
    text = str(value)
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    return number if number.is_finite() else text


def _command(path: Path, values: Mapping[str, Any]) -> tuple[str, ...]:
    """Words after `neurogaze fit`."""
    said = values.get("command")
    words = [str(word) for word in said] if isinstance(said, list) else []
    words = [str(values.get("program")) if word == "${program}" else word for word in words]
    macros = [word for word in words if word.startswith("${")]
    if words[:2] != ["neurogaze", "fit"] or macros != [ARGS]:
        remedy = f"write [neurogaze, fit, --config, ..., {ARGS}]"
        raise _refused(path, "command", f"is {said}", remedy)
    return tuple(words[2:])


def _read(path: Path) -> Any:
    try:
        return strict_yaml.read(path)
    except InputError:
        raise
    except (OSError, ValueError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise InputError(path, f"cannot be read ({reason})", "name a sweep file") from None


def _mapping(path: Path, key: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not value:
        remedy = "compare it with the files under experiments/sweeps/"
        raise _refused(path, key, f"is {value!r}, not keys and values", remedy)
    return value


def _one_of(path: Path, key: str, value: Any, known: tuple[str, ...]) -> str:
    if value not in known:
        raise _refused(path, key, f"is {value!r}", f"use one of {', '.join(known)}")
    return str(value)


def _refused(path: Path, key: str, found: str, remedy: str) -> InputError:
    return InputError(f"{path}: {key}", found, remedy)
