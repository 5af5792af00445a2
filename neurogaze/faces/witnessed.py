"""Which pictures weights have seen: hashed names, to be compared with those that judge.

A picture is known by its pixels, by the person in it and by the recording it is from, where the
corpus says so. Only hashes are kept, in no order, so that they can travel in a checkpoint.

Two corpora may show the same people under the same names (`PEOPLE`), and a corpus dealt into folds
shows those of the corpus. One that does not say who is
seen is known by its pixels alone, even where it was cut from another: who was seen in CK+ is known
again in CK+48, but not in `ckextended`, which names nobody. Those people are kept apart by whoever
names the corpora, or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from neurogaze.faces.corpora.cross_validated import own_name
from neurogaze.faces.images import FaceTable

KEY_BYTES = 16
PEOPLE = {"ckplus48": "ckplus"}
"""Corpora whose people and recordings bear the names of another corpus, and that corpus."""


def no_keys() -> Tensor:
    """Keys of no picture, `uint8 [0, 16]`."""
    return torch.zeros(0, KEY_BYTES, dtype=torch.uint8)


def seen_keys(tables: Iterable[FaceTable]) -> Tensor:
    """Hashed pixels, people and recordings of some tables, sorted, `uint8 [M, 16]`."""
    found = {key for table in tables for column in _columns(table) for key in column if key}
    if not found:
        return no_keys()
    joined = np.frombuffer(b"".join(sorted(found)), dtype=np.uint8)
    return torch.from_numpy(joined.reshape(-1, KEY_BYTES).copy())


def seen_rows(keys: Tensor, table: FaceTable) -> NDArray[np.bool_]:
    """Rows whose pixels, person or recording are among the keys, `bool [N]`."""
    known = {row.tobytes() for row in keys.cpu().numpy()}
    columns = [[key in known for key in column] for column in _columns(table)]
    return np.logical_or.reduce(np.array(columns, dtype=bool))


def _columns(table: FaceTable) -> list[list[bytes]]:
    """Keys of each row: pixels alike in every corpus, people and recordings among those named."""
    corpus = own_name(table.dataset)
    people = PEOPLE.get(corpus, corpus)
    named = [(key, getattr(table, key)) for key in table.keys]
    kinds = [(f"{people}|{key}", names) for key, names in named]
    return [
        [_key(kind, name) for name in names.tolist()]
        for kind, names in [("pixels", table.groups), *kinds]
    ]


def _key(kind: str, name: str) -> bytes:
    """Hash of a name, or nothing for one that the corpus does not know."""
    if not name:
        return b""
    return blake2b(f"{kind}|{name}".encode(), digest_size=KEY_BYTES).digest()
