"""The web application of the local page: a handful of fixed addresses, nothing written to disk.

Annotations here are evaluated, not postponed: FastAPI reads them inside `create_app`, where the
names that it needs are imported.
"""

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurogaze.errors import InputError
from neurogaze.serve.answering import Desk
from neurogaze.serve.browsing import READABLE, find_in, listing
from neurogaze.serve.guarding import REPORTS, Guard, Refused, headers_of, read_body
from neurogaze.serve.turnstile import Turnstile

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.responses import Response

PAGES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/page/style.css": ("style.css", "text/css; charset=utf-8"),
    "/page/app.js": ("app.js", "text/javascript; charset=utf-8"),
    "/page/faces.js": ("faces.js", "text/javascript; charset=utf-8"),
    "/page/icon.svg": ("icon.svg", "image/svg+xml"),
    "/favicon.ico": ("icon.svg", "image/svg+xml"),  # asked for by reports, which name no icon
}
"""Address, file and type of everything that the page consists of."""

SENT_AS = ("image/", "application/octet-stream")
"""Types of an upload; forms, which any site can send, are not among them."""

BUSY = 503
AGAIN = {"retry-after": "2"}
"""Seconds after which whoever was refused for lack of room may come back."""

WRONG = {404: "There is nothing here.", 405: "This address is not used in this way."}


def create_app(desk: Desk, reports: Path | None = None) -> "FastAPI":
    """The application.

    Args:
        desk: what answers, and its limits.
        reports: folder to browse beside the page.

    Raises:
        InputError: for a folder of reports that does not exist.
    """
    from fastapi import FastAPI

    if reports is not None and not reports.is_dir():
        raise InputError(reports, "is no folder", "give the folder of a report with --reports")
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.add_middleware(Guard, settings=desk.settings)
    _add_pages(app)
    _add_answers(app, desk, reports is not None)
    if reports is not None:
        _add_reports(app, reports)
    _add_errors(app)
    return app


def _add_pages(app: "FastAPI") -> None:
    """The page itself, read once."""
    from starlette.responses import Response

    folder = files("neurogaze.serve") / "pages"

    def sent(content: bytes, media_type: str) -> Response:
        return Response(content, media_type=media_type)

    for address, (name, media_type) in PAGES.items():
        content = (folder / name).read_bytes()
        _reading(app, address, partial(sent, content, media_type))


def _add_answers(app: "FastAPI", desk: Desk, reports: bool) -> None:
    """What the page asks for."""
    from fastapi import Request
    from starlette.responses import JSONResponse

    settings = desk.settings
    turnstile = Turnstile(settings.waiting, settings.uploads, settings.answer_seconds)
    facts = desk.facts(reports)

    def model() -> JSONResponse:
        return JSONResponse(facts)

    async def answer(request: Request) -> JSONResponse:
        async with turnstile.place():
            body = await _upload(request, desk)
            return JSONResponse(await turnstile.run(partial(desk.picture, body)))

    async def explain(request: Request, emotion: str) -> JSONResponse:
        async with turnstile.place():
            body = await _upload(request, desk)
            return JSONResponse(await turnstile.run(partial(desk.explanation, body, emotion)))

    _reading(app, "/api/model", model)
    app.add_api_route("/api/answer", answer, methods=["POST"])
    app.add_api_route("/api/explain/{emotion}", explain, methods=["POST"])


async def _upload(request: "Request", desk: Desk) -> bytes:
    """The body of a post, within the limits."""
    from starlette.requests import ClientDisconnect

    if not request.headers.get("content-type", "").startswith(SENT_AS):
        raise Refused(415, "Send the picture itself, as image/* or application/octet-stream.")
    length, limits = request.headers.get("content-length"), desk.settings
    try:
        chunks = request.stream()
        return await read_body(chunks, length, limits.body_bytes, limits.body_seconds)
    except ClientDisconnect:
        raise Refused(400, "The upload broke off.") from None


def _add_reports(app: "FastAPI", root: Path) -> None:
    """The folder of reports, read only."""
    from starlette.responses import FileResponse, HTMLResponse, Response

    def report(path: str = "") -> Response:
        found = find_in(root, path)
        if found is None:
            raise Refused(404, WRONG[404])
        if found.is_dir():
            return HTMLResponse(listing(root, found))
        return FileResponse(found, media_type=READABLE[found.suffix.lower()])

    for address in (REPORTS, f"{REPORTS}/{{path:path}}"):
        _reading(app, address, report)


def _reading(app: "FastAPI", address: str, answer: Callable[..., Any]) -> None:
    """Offer an address that can only be read."""
    app.add_api_route(address, answer, methods=["GET", "HEAD"], response_model=None)


def _add_errors(app: "FastAPI") -> None:
    """One shape for every refusal, and none repeats what was sent."""
    from starlette.exceptions import HTTPException
    from starlette.responses import JSONResponse

    def told(status: int, reason: str, headers: dict[str, str] | None = None) -> JSONResponse:
        return JSONResponse({"error": reason}, status_code=status, headers=headers)

    async def refused(request: Any, error: Exception) -> JSONResponse:
        assert isinstance(error, Refused)
        return told(error.status, error.reason, AGAIN if error.status == BUSY else None)

    async def unusable(request: Any, error: Exception) -> JSONResponse:
        assert isinstance(error, InputError)
        return told(422, in_words(error))

    async def absent(request: Any, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        reason = WRONG.get(error.status_code, "This cannot be answered.")
        return told(error.status_code, reason, dict(error.headers or {}))

    async def crashed(request: "Request", error: Exception) -> JSONResponse:
        logging.getLogger(__name__).error("a request failed", exc_info=error)
        reason = "Something went wrong here; the terminal says what."
        return told(500, reason, headers_of(request.url.path))  # this response passes no guard

    handlers: dict[type[Exception], Callable[..., Awaitable[Response]]] = {
        Refused: refused,
        InputError: unusable,
        HTTPException: absent,
        Exception: crashed,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


def in_words(error: InputError) -> str:
    """An error as sentences for the page.

    >>> in_words(InputError("the picture", "is empty (0 bytes)", "copy the picture again"))
    'The picture is empty (0 bytes). Copy the picture again.'
    """
    sentences = (f"{error.where} {error.found}", error.remedy)
    return " ".join(f"{text[:1].upper()}{text[1:]}." for text in sentences)
