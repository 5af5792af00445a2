"""Who may ask the local page, how much may be sent, and what every response says to the browser.

A page on this computer can be reached by any web site that the person has open: through a form, a
script, or a name that is made to point at 127.0.0.1. Requests are therefore taken only under an
address of this computer, posts only from the page itself, and bodies only up to a limit that is
checked before and while they are read.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from neurogaze.serve.settings import ServeSettings, is_loopback

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

READING = ("GET", "HEAD")
OWN_FETCHES = ("same-origin", "none")
"""Values of Sec-Fetch-Site of a request that no other site made."""

PAGE_POLICY = (
    "default-src 'self'; img-src 'self' blob:; media-src 'self' blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
REPORT_POLICY = (
    "default-src 'none'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""A report carries its style and pictures inside, and runs no script."""
REPORTS = "/reports"
HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(self), microphone=(), geolocation=()",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}


class Refused(Exception):
    """A request that is not answered.

    Args:
        status: HTTP status.
        reason: one sentence for the person at the page; it repeats nothing that was sent.
    """

    def __init__(self, status: int, reason: str) -> None:
        self.status, self.reason = status, reason
        super().__init__(reason)


def headers_of(path: str) -> dict[str, str]:
    """Security headers of a response to a request for `path`."""
    own = path == REPORTS or path.startswith(f"{REPORTS}/")
    return {**HEADERS, "content-security-policy": REPORT_POLICY if own else PAGE_POLICY}


def host_allowed(header: str, settings: ServeSettings) -> bool:
    """Whether a Host header names this computer, and not a site whose name points here.

    On the loopback only loopback names are taken. Elsewhere any literal address is, because a name
    is what an attacker can bend, and the names that the person or the system gave this computer.

    >>> host_allowed("127.0.0.1:8000", ServeSettings()), host_allowed("[::1]", ServeSettings())
    (True, True)
    >>> host_allowed("attacker.example:8000", ServeSettings()), host_allowed("", ServeSettings())
    (False, False)
    """
    try:
        name = urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return False
    if is_loopback(name):
        return True
    if settings.loopback:
        return False
    try:
        return bool(ipaddress.ip_address(name))
    except ValueError:
        return name in (settings.host.lower(), socket.gethostname().lower())


class Asking(NamedTuple):
    """What a browser says of where a request comes from; "" where it says nothing."""

    origin: str
    site: str
    host: str


def from_the_page(asking: Asking) -> bool:
    """Whether a post comes from our own page, or from a program that is no browser.

    >>> from_the_page(Asking("http://127.0.0.1:8000", "same-origin", "127.0.0.1:8000"))
    True
    >>> from_the_page(Asking("http://attacker.example", "", "127.0.0.1:8000"))
    False
    """
    if asking.site and asking.site not in OWN_FETCHES:
        return False
    return not asking.origin or asking.origin in (f"{s}://{asking.host}" for s in ("http", "https"))


async def read_body(
    chunks: AsyncIterator[bytes], declared: str | None, limit: int, seconds: float
) -> bytes:
    """Take an upload into memory, up to a size and a time.

    Args:
        chunks: the body as it arrives.
        declared: its Content-Length, None where there is none.
        limit: largest size, bytes.
        seconds: longest time.

    Raises:
        Refused: 413 for too much, whether declared or sent; 408 for too slow; 400 for nothing.
    """
    if declared is not None and (not declared.isdigit() or int(declared) > limit):
        raise _too_large(limit)
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in chunks:
                body += chunk
                if len(body) > limit:
                    raise _too_large(limit)
    except TimeoutError:
        raise Refused(408, f"The upload took longer than {seconds:g} seconds.") from None
    if not body:
        raise Refused(400, "Nothing was sent.")
    return bytes(body)


def _too_large(limit: int) -> Refused:
    return Refused(413, f"The file is larger than {limit / 1e6:g} MB.")


class Guard:
    """Checks every request before the page sees it, and adds the headers to every response.

    Args:
        app: what answers.
        settings: where the page listens.
    """

    def __init__(self, app: App, settings: ServeSettings) -> None:
        self.app, self.settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        guarded = _with_headers(send, headers_of(scope["path"]))
        refused = self._refusal(scope)
        if refused is None:
            await self.app(scope, receive, guarded)
        else:
            await _refuse(refused, guarded)

    def _refusal(self, scope: Scope) -> Refused | None:
        """Why a request is not even looked at; None where it is."""
        said = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        host = said.get("host", "")
        if not host_allowed(host, self.settings):
            return Refused(400, "This page answers only under the address of its computer.")
        asking = Asking(said.get("origin", ""), said.get("sec-fetch-site", ""), host)
        if scope["method"] not in READING and not from_the_page(asking):
            return Refused(403, "Only the page itself may send pictures.")
        return None


def _with_headers(send: Send, headers: dict[str, str]) -> Send:
    """A `send` that sets headers, whatever the response says itself."""
    own = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [(n, v) for n, v in message.get("headers", []) if n.decode() not in headers]
            message = {**message, "headers": kept + own}
        await send(message)

    return guarded


async def _refuse(refused: Refused, send: Send) -> None:
    body = json.dumps({"error": refused.reason}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
