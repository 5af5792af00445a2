"""Where the local page listens, and what it refuses."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from neurogaze.errors import InputError

LARGEST_PORT = 65535
LIMITS = (
    "body_bytes",
    "pixels",
    "faces",
    "body_seconds",
    "header_seconds",
    "answer_seconds",
    "waiting",
    "uploads",
)
"""Settings that are above 0."""


@dataclass(frozen=True)
class ServeSettings:
    """Address and limits of the local page.

    Args:
        host: address to listen on; anything but this computer's own is asked for by name.
        port: TCP port; 0 takes a free one.
        body_bytes: largest upload.
        pixels: largest picture, told from its header before it is decoded.
        faces: faces answered in one picture, largest first; the rest is counted.
        body_seconds: time an upload may take.
        header_seconds: time a connection may be open without asking for anything.
        answer_seconds: time a picture may take once it was read, waiting included.
        waiting: requests that may wait for the model; the next is told to come back.
        uploads: of these, whose pictures may be read and lie in memory at once.

    Raises:
        InputError: for a port outside 0..65535 or a limit that is not positive.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    body_bytes: int = 10_000_000
    pixels: int = 50_000_000
    faces: int = 16
    body_seconds: float = 10.0
    header_seconds: float = 5.0
    answer_seconds: float = 30.0
    waiting: int = 32
    uploads: int = 8

    def __post_init__(self) -> None:
        if not 0 <= self.port <= LARGEST_PORT:
            raise InputError("--port", f"is {self.port}", f"use 0 to {LARGEST_PORT}")
        for name in LIMITS:
            if getattr(self, name) <= 0:
                raise InputError(name, f"is {getattr(self, name)}", "use a positive value")

    @property
    def loopback(self) -> bool:
        """Whether only programs on this computer can reach the page."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this computer alone.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("localhost")
    (True, True, True)
    >>> is_loopback("0.0.0.0"), is_loopback("example.org")
    (False, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
