"""Open the port, say where the page is, and answer until the person has had enough."""

from __future__ import annotations

import socket
from typing import Any

from neurogaze.errors import InputError
from neurogaze.serve.settings import ServeSettings

CONNECTIONS = 128
"""Open at once; the next is told that the service is unavailable."""
IDLE_SECONDS = 5
GOODBYE_SECONDS = 2


def listen(settings: ServeSettings) -> socket.socket:
    """A listening socket, so that a port in use is known before anything else happens.

    Raises:
        InputError: for a port in use or out of reach, or a host that is not of this computer.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family)
    except OSError as error:
        where = f"port {settings.port} of {settings.host}"
        found = f"cannot be opened ({error.strerror or error})"
        raise InputError(where, found, "choose another with --port, or 0 for a free one") from error


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


def server_of(app: Any) -> Any:
    """The `uvicorn.Server` of an application of `create_app`: quiet, and patient with few."""
    import uvicorn

    config = uvicorn.Config(
        app,
        http="h11",
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


def answer_until_stopped(app: Any, listener: socket.socket) -> None:
    """Serve until Ctrl-C, which is how one leaves and no error.

    Args:
        app: of `create_app`.
        listener: of `listen`; closed at the end.
    """
    try:
        server_of(app).run(sockets=[listener])
    except KeyboardInterrupt:
        return
    finally:
        listener.close()
