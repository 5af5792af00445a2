"""The chain of tags of a FIF file, which a damaged pointer can close to a ring.

A tag tells where the next one is (Elekta Neuromag, "Functional Image File Format"). MNE follows the
chain where the directory at the end cannot be read, and a ring without end fills the memory.
"""

from __future__ import annotations

import struct
from pathlib import Path

from neurogaze.eeg.corpora.sources import DAMAGED, readable
from neurogaze.errors import InputError

TAG = struct.Struct(">iIii")  # kind, type, bytes, place of the next tag
DIRECTLY_AFTER = 0


def refuse_ring(path: Path) -> None:
    """Check that the chain of tags comes to an end.

    Args:
        path: FIF file, not compressed.

    Raises:
        InputError: for a chain that comes back to a tag it has passed.
    """
    seen: set[int] = set()
    place = 0
    with readable(path), path.open("rb") as stream:
        while place >= 0:
            if place in seen:
                raise InputError(path, f"the tag at byte {place} follows itself", DAMAGED)
            seen.add(place)
            stream.seek(place)
            tag = stream.read(TAG.size)
            if len(tag) < TAG.size:
                return
            _, _, size, after = TAG.unpack(tag)
            place = place + TAG.size + size if after == DIRECTLY_AFTER else after
