"""Progress bars that end with the work, whichever way it ends."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar, cast

T = TypeVar("T")


@contextmanager
def tracked(
    items: Iterable[T],
    told: str,
    total: float | None = None,
    shown: bool = True,
    transient: bool = False,
) -> Iterator[Iterator[T]]:
    """Items behind a bar that is gone when the block is left, also by an error.

    The bar of `rich.progress.track` lives as long as anything holds it. A traceback holds the
    variables of every frame, and the bar was drawn on over the error.

    Args:
        items: to go through.
        told: what the bar says.
        total: how many there are; None asks `items`.
        shown: whether there is a bar.
        transient: whether it is wiped out at the end.
    """
    from rich.progress import track

    bar = track(items, told, total, disable=not shown, transient=transient)
    steps = cast("Generator[T, None, None]", bar)
    try:
        yield steps
    finally:
        steps.close()
