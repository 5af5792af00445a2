"""YAML from a file that somebody wrote by hand: no key counts twice, and none is left empty."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import yaml

from neurogaze.errors import InputError

MERGE = "tag:yaml.org,2002:merge"
"""Tag of `<<`, whose keys may be there again: the mapping that merges them overrides them."""


class StrictLoader(yaml.SafeLoader):
    """PyYAML's safe loader, which of a key met twice takes the last one without a word.

    Raises:
        InputError: for such a key, naming the file, the key and both lines.
    """

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """A mapping as it stands in the file, before anything is merged into it."""
        node: yaml.MappingNode = super().compose_mapping_node(anchor)
        lines: dict[Any, int] = {}
        for key, _ in node.value:
            if key.tag == MERGE or not isinstance(key, yaml.ScalarNode):
                continue
            name, line = self.construct_object(key), key.start_mark.line + 1
            if name in lines:
                found = f"has the key {key.value!r} twice, in lines {lines[name]} and {line}"
                raise InputError(str(self.name), found, "keep one of them")
            lines[name] = line
        return node


def read(path: Path) -> Any:
    """What a YAML file holds.

    Args:
        path: the file, in UTF-8.

    Raises:
        InputError: for a key that a mapping has twice.
        OSError: when it cannot be read.
        yaml.YAMLError: when it is no YAML.
        ValueError: for text that is no UTF-8, or a date that there is not.
    """
    with path.open(encoding="utf-8") as stream:
        return yaml.load(stream, StrictLoader)


def left_empty(value: Any, kind: Any, key: str = "") -> Iterator[str]:
    """Keys without a value, where their type asks for one.

    What has another type than it should is passed over: parsers tell that.

    Args:
        value: as YAML has it.
        kind: type that it should have: a dataclass, or that of one of its fields.
        key: where the value is, with dots.

    Yields:
        Keys with dots; positions in a list count from 0.

    >>> list(left_empty({"a": None, "b": [1, None]}, dict[str, int | list[int]]))
    ['a', 'b.1']
    """
    options = get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)
    if value is None and not {None, NoneType, Any} & {*options}:
        yield key
    for option in options:
        for name, part, inner in _parts(value, option):
            yield from left_empty(part, inner, f"{key}.{name}".lstrip("."))


def _parts(value: Any, kind: Any) -> list[tuple[str, Any, Any]]:
    """Name, value and type of what a value of a type is made of."""
    origin, inner = get_origin(kind), get_args(kind)
    if isinstance(value, list) and origin is list:
        return [(str(i), part, inner[0]) for i, part in enumerate(value)]
    if not isinstance(value, dict):
        return []
    if origin is dict:
        return [(str(name), part, inner[1]) for name, part in value.items()]
    known = get_type_hints(kind) if is_dataclass(kind) else {}
    return [(name, part, known[name]) for name, part in value.items() if name in known]
