"""The one error a person sees: which file, what was found in it, and what to do about it."""

from __future__ import annotations

from pathlib import Path


class InputError(ValueError):
    """Data or settings that cannot be used, told in the terms of the person who supplied them.

    The command line prints it as one line and leaves with exit code 2; a program may catch it.

    Args:
        where: file, folder, channel or option at fault.
        found: what is wrong there, naming the value.
        remedy: what to do about it.

    >>> print(InputError("S01.mat", "dataset 'labels' is missing", "supply the labelled release"))
    S01.mat: dataset 'labels' is missing. Remedy: supply the labelled release.
    """

    def __init__(self, where: str | Path, found: str, remedy: str) -> None:
        self.where, self.found, self.remedy = str(where), found.rstrip("."), remedy.rstrip(".")
        super().__init__(f"{self.where}: {self.found}. Remedy: {self.remedy}.")

    def __reduce__(self) -> tuple[type[InputError], tuple[str, str, str]]:
        """Let a worker process hand it on; an exception is rebuilt from its one line otherwise."""
        return type(self), (self.where, self.found, self.remedy)
