"""Settings of a file changed from the command line: `key=value`, the key with dots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from neurogaze.errors import InputError

FLAG = "--change"


def changed(values: Any, changes: Sequence[str]) -> Any:
    """Apply changes to the content of a settings file; whether the keys exist is not asked here.

    Args:
        values: as YAML has them; changed in place.
        changes: such as `permutations=20` or `student.args=[--trainer.max_epochs=12]`. The value is
            YAML; null takes the key out.

    Raises:
        InputError: for a change that is no `key=value`, or goes into something without keys.

    >>> changed({"a": {"b": 1}, "c": 2}, ["a.b=[x, y]", "c=null"])
    {'a': {'b': ['x', 'y']}}
    """
    for change in changes:
        _apply(values, change)
    return values


def _apply(values: Any, change: str) -> None:
    key, found, text = change.partition("=")
    if not found or not all(key.split(".")):
        raise InputError(FLAG, f"{change!r} is no key=value", "write such as permutations=20")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise InputError(FLAG, f"{change!r} holds no YAML ({reason})", "quote it") from None
    *parents, last = key.split(".")
    place = values
    for name in parents:
        place = _inside(place, change).setdefault(name, {})
    if value is None:
        _inside(place, change).pop(last, None)
    else:
        _inside(place, change)[last] = value


def _inside(place: Any, change: str) -> dict[str, Any]:
    if not isinstance(place, dict):
        found = f"{change!r} goes into {place!r}, which has no keys"
        raise InputError(FLAG, found, "change the whole value")
    return place
