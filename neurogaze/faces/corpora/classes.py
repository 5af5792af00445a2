"""What the class names, codes and folders of a corpus mean; by name, never by sorted order.

Folders sorted by name come in another order than the codes of any corpus, and the codes of two
corpora differ. So a code is first turned into the name its authors gave it, and a name into an
emotion.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from neurogaze.affect import EMOTIONS, canonical_emotion
from neurogaze.errors import InputError
from neurogaze.faces.labels import DROPPED

DIGITS = 18
"""Of a code, at most."""

NO_EMOTIONS = ("none", "uncertain", "no-face")
"""Classes that are no emotion: their pictures are left out and counted."""


@dataclass(frozen=True)
class Codes:
    """Numbers that stand for classes in the files of a corpus.

    Args:
        names: of the classes, in the order of their codes; emotions or `NO_EMOTIONS`.
        first: code of the first.
    """

    names: tuple[str, ...]
    first: int = 0

    def name(self, code: str) -> str:
        """The class behind a code; the code itself where it stands for none.

        >>> Codes(("neutral", "happy")).name("1"), Codes(("neutral",), first=1).name("0")
        ('happy', '0')
        """
        number = code.isdecimal() and len(code) <= DIGITS  # Python reads no number without end
        place = int(code) - self.first if number else -1
        return self.names[place] if 0 <= place < len(self.names) else code

    def __str__(self) -> str:
        """The codes and their names, for messages."""
        return ", ".join(f"{i} {name}" for i, name in enumerate(self.names, start=self.first))


NO_CODES = Codes(())
"""Of a corpus whose classes go by name alone: a number means nothing in it."""


def label_of(name: str) -> int | None:
    """Index into `EMOTIONS`; -1 for a class that is no emotion, None for an unknown name.

    >>> label_of("Happy"), label_of("No Face"), label_of("boredom")
    (1, -1, None)
    """
    if name.strip().lower().replace(" ", "-").replace("_", "-") in NO_EMOTIONS:
        return DROPPED
    try:
        return EMOTIONS.index(canonical_emotion(name))
    except InputError:
        return None


def labels_of(where: str | Path, names: Sequence[str]) -> list[int]:
    """Label of each class name, -1 for classes that are no emotion.

    Raises:
        InputError: listing every name that is unknown.
    """
    meaning = {name: label_of(name) for name in set(names)}
    unknown = sorted(name for name, label in meaning.items() if label is None)
    if unknown:
        found = f"has unknown classes {', '.join(map(repr, unknown))}"
        raise InputError(where, found, f"name them as in {EMOTIONS}, or take them away")
    return [label for label in map(meaning.__getitem__, names) if label is not None]


def folder_labels(where: Path, folders: Sequence[str], codes: Codes) -> dict[str, int]:
    """Label of each class folder, -1 for classes that are no emotion.

    Args:
        where: folder that holds them, for messages.
        folders: their names: all codes, or all names of classes.
        codes: what a number means.

    Raises:
        InputError: for none, for numbers where the corpus has no codes, for a mixture of codes and
            names, for codes that begin elsewhere (they may count from one), for unknown names, or
            for two folders of one emotion.
    """
    if not folders:
        raise InputError(where, "holds no class folder", "point at the folder of the classes")
    numbered = [name for name in folders if name.isdecimal()]
    if numbered and not codes.names:
        found = f"has numbered folders: {', '.join(numbered)}"
        raise InputError(where, found, "name every folder after its emotion")
    if numbered and len(numbered) < len(folders):
        found = f"mixes numbers and names: {', '.join(folders)}"
        raise InputError(where, found, "name every folder after its emotion")
    if numbered and codes.first not in map(int, numbered):
        found = f"is numbered {', '.join(folders)}, without {codes.first}"
        raise InputError(where, found, f"number the folders {codes}, or name them")
    meaning = dict(zip(folders, labels_of(where, [codes.name(n) for n in folders]), strict=True))
    doubled = [label for label, n in Counter(meaning.values()).items() if n > 1 and label >= 0]
    if doubled:
        same = [name for name, label in meaning.items() if label in doubled]
        found = f"has several folders of one emotion: {', '.join(same)}"
        raise InputError(where, found, "keep one folder an emotion")
    return meaning
