"""Open the port, say where the page is, and answer until the person has had enough."""

from __future__ import annotations

import asyncio
import errno
import socket
from typing import TYPE_CHECKING, Any

from neurogaze.errors import InputError
from neurogaze.serve.settings import ServeSettings

if TYPE_CHECKING:
    import uvicorn
    from uvicorn.protocols.http.h11_impl import H11Protocol
    from uvicorn.server import ServerState

CONNECTIONS = 128
"""Open at once; the next is told that the service is unavailable."""
IDLE_SECONDS = 5
GOODBYE_SECONDS = 2
NOT_OURS = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
"""What the system says of an address that this computer does not have."""
OWN_HOST = "leave --host, or give an address of this computer, such as 127.0.0.1 or 0.0.0.0"


def listen(settings: ServeSettings) -> socket.socket:
    """A listening socket, so that a port in use is known before anything else happens.

    Raises:
        InputError: for a port in use or out of reach, or a host that is not of this computer.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        socket.getaddrinfo(settings.host, settings.port, family, socket.SOCK_STREAM)
        return socket.create_server((settings.host, settings.port), family=family)
    except (OSError, ValueError) as error:  # ValueError: no name at all, such as "a..b"
        raise _refused(settings, error) from error


def _refused(settings: ServeSettings, error: OSError | ValueError) -> InputError:
    """Whether the host or the port is at fault, and what to do about it."""
    reason = getattr(error, "strerror", None) or str(error)
    if not isinstance(error, OSError) or isinstance(error, socket.gaierror):
        found = f"is no host that this computer knows ({reason})"
        return InputError(f"--host {settings.host}", found, OWN_HOST)
    if error.errno in NOT_OURS:
        found = f"is no address of this computer ({reason})"
        return InputError(f"--host {settings.host}", found, OWN_HOST)
    where = f"port {settings.port} of {settings.host}"
    remedy = "choose another with --port, or 0 for a free one"
    return InputError(where, f"cannot be opened ({reason})", remedy)


def address_of(listener: socket.socket) -> str:
    """Where a browser on this computer finds the page."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def warning_of(settings: ServeSettings) -> str:
    """What to say where others can reach the page; "" where they cannot."""
    if settings.loopback:
        return ""
    return (
        f"Warning: listening on {settings.host}, so others in the network can send pictures and "
        "read the reports. There is no password and no encryption; browsers allow the camera on "
        "this computer only."
    )


class Patience:
    """Closes a connection that does not ask for anything.

    uvicorn waits for ever for the first request, and for the rest of one that has begun. Here a
    connection is looked at every few seconds; if it has no request under way and had none at the
    look before, it is closed. Uploads and answers have limits of their own.

    Args:
        protocol: of the connection, which has just been opened.
        seconds: from one look to the next.
    """

    def __init__(self, protocol: H11Protocol, seconds: float) -> None:
        self.protocol, self.seconds = protocol, seconds
        self.served: object = None
        self._wait()

    def _wait(self) -> None:
        self.protocol.loop.call_later(self.seconds, self.look)

    def look(self) -> None:
        """Close the connection, or look again later."""
        protocol, last = self.protocol, self.protocol.cycle
        if protocol not in protocol.connections:
            return  # it has gone
        resting = last is None or last.response_complete
        if resting and last is self.served:
            protocol.transport.close()
            return
        self.served = last if resting else self
        self._wait()


def server_of(app: Any, settings: ServeSettings) -> uvicorn.Server:
    """The server of an application of `create_app`: quiet, and patient with few.

    Args:
        app: of `create_app`.
        settings: for how long a connection may be idle.
    """
    import uvicorn
    from uvicorn.protocols.http.h11_impl import H11Protocol

    def connection(
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> H11Protocol:
        protocol = H11Protocol(config, server_state, app_state, _loop)
        Patience(protocol, settings.header_seconds)
        return protocol

    config = uvicorn.Config(
        app,
        http=connection,  # type: ignore[arg-type]  # it is only called, never asked for its class
        ws="none",
        lifespan="off",
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=GOODBYE_SECONDS,
    )
    return uvicorn.Server(config)


def answer_until_stopped(server: uvicorn.Server, listener: socket.socket) -> None:
    """Serve until Ctrl-C, which is how one leaves and no error.

    Args:
        server: of `server_of`.
        listener: of `listen`; closed at the end.
    """
    try:
        server.run(sockets=[listener])
    except KeyboardInterrupt:
        return
    finally:
        listener.close()
