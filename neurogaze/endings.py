"""How a command ends: the line that it tells, and the code that it leaves with."""

from __future__ import annotations

import errno
import os
import re
import select
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from neurogaze.errors import InputError

EXTRAS = {
    "onnx": "deploy",
    "onnxruntime": "deploy",
    "onnxscript": "deploy",
    "cv2": "deploy",
    "fastapi": "deploy",
    "starlette": "deploy",
    "uvicorn": "deploy",
    "optuna": "sweeps",
}
"""Modules that a plain installation lacks, and the extra that brings each."""

DATA_ERROR = 2
INTERRUPTED = 130
UNREAD = 141
TERMINATED = 143
"""As a shell has it: 128 and the number of the signal, for the last SIGPIPE."""

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""What a disk says to a write; no file is named, for it was open already."""

SHORT = re.compile(r"\d+ requested and \d+ written")
"""What NumPy says in their place."""


def input_error(error: BaseException) -> InputError | None:
    """The bad input behind an error, however the parser or the disk wrapped it; None for a bug."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, InputError):
            return seen
        seen = seen.__cause__ or seen.__context__
    if not isinstance(error, OSError):
        return None
    reason = error.strerror or str(error) or type(error).__name__
    if error.filename is not None:
        return InputError(str(error.filename), reason, "check the path, its rights and the disk")
    if error.errno in FULL or SHORT.fullmatch(str(error)):
        return InputError("disk", reason, "make room, and repeat the command")
    return None


def missing_extra(error: BaseException) -> InputError | None:
    """What to install for a module of an extra that was not found; None for anything else.

    Args:
        error: of a command; a library may have raised it over the missing module.
    """
    seen: BaseException | None = error
    while seen is not None:
        name = ((isinstance(seen, ModuleNotFoundError) and seen.name) or "").split(".")[0]
        if name in EXTRAS:
            remedy = f"pip install 'neurogaze[{EXTRAS[name]}]'"
            return InputError(f"module {name}", "is not installed", remedy)
        seen = seen.__cause__ or seen.__context__
    return None


def unread() -> bool:
    """Whether the pipe that stdout leads to has lost its reader, as after `| head`."""
    stdout = select.poll()
    stdout.register(sys.stdout, 0)  # a lost reader is told of unasked
    return bool(stdout.poll(0))


def drop_unwritten() -> None:
    """Drop what stdout holds and cannot write; Python would try again at its end, and complain."""
    try:
        print(end="", flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def interrupted_by_sigterm() -> Iterator[list[int]]:
    """Let SIGTERM, as `timeout` or a scheduler sends it, interrupt the block as Ctrl-C does.

    Whoever has set a handler of their own, or ignores the signal, keeps it so.

    Yields:
        Where the signal is noted when it comes.
    """
    came: list[int] = []
    before, here = signal.getsignal(signal.SIGTERM), threading.current_thread()
    if before != signal.SIG_DFL or here is not threading.main_thread():
        yield came
        return

    def stop(number: int, _: object) -> None:
        # `timeout` sends it twice, and the second must not disturb the leaving
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        came.append(number)
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    try:
        yield came
    finally:
        signal.signal(signal.SIGTERM, before)
