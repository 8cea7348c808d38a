"""``orb serve``: the page of the database as it is, for browsers of this machine.

The page asks for its reports when it is opened and where the database has changed since. Its
drill-downs are queries of this module, whose parameters come from the page. The database is read
only and sandboxed, as ``orb mcp`` reads it, and left to whoever waits to write it.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orb_learning.errors import OrbError, PageError
from orb_learning.figures import Reader, Snapshot, similar_tasks
from orb_learning.loopback import LOOPBACK_HOSTS, run_server
from orb_learning.page.reports import EXECUTIONS_OF, columns_of, select_reports
from orb_learning.page.writing import render
from orb_learning.search import known_vector
from orb_learning.settings import LearningSettings
from orb_learning.time_ranges import TIME_RANGES

HOST = "127.0.0.1"
PORT = 8766

IDLE_TIMEOUT_SECONDS = 10.0
"""For how long the database stays open for the next question; who waits to write gets it."""

FRESH_SECONDS = 30.0
"""For how long the reports of an unchanged database are given out again."""

LONGEST_TEXT = 200

NUMBERS = {
    "repo_place", "model_tier_place", "pool_type_place", "task_type_place", "start", "end",
    "text_id",
}  # fmt: skip
"""Parameters of a drill-down that are whole numbers."""

HEADERS = {
    b"cache-control": b"no-store",
    b"cross-origin-resource-policy": b"same-origin",
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
}

Answer = Callable[[Request], Awaitable[Response]]


class ServedPage:
    """Answers what the page asks."""

    def __init__(self, settings: LearningSettings):
        self._settings = settings
        self._reader = Reader(settings, sandboxed=True, idle_timeout_seconds=IDLE_TIMEOUT_SECONDS)
        self._html = render(None)
        self._reading = asyncio.Lock()
        self._reports = b""
        self._reports_of: tuple[str, float] = ("", 0.0)

    @asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        """Wait for what is being read, at the end."""
        yield
        await asyncio.to_thread(self._reader.close)

    def routes(self) -> list[Route]:
        """Return the paths and what answers them."""
        answers = {
            "/": self._page,
            "/reports": self._all_reports,
            "/version": self._version,
            "/executions": self._executions,
            "/like": self._like,
        }
        return [Route(path, _told(answer), methods=["GET"]) for path, answer in answers.items()]

    async def _page(self, _: Request) -> Response:
        return HTMLResponse(self._html)

    async def _version(self, _: Request) -> Response:
        return JSONResponse({"version": self._version_now()})

    def _version_now(self) -> str:
        """Return what differs once the database was written."""
        try:
            status = self._settings.database_path.stat()
        except OSError:
            return "none"
        return f"{status.st_mtime_ns}-{status.st_size}"

    async def _all_reports(self, _: Request) -> Response:
        async with self._reading:  # one reading for all who ask meanwhile
            version, made_at = self._reports_of
            now = time.monotonic()
            if version != self._version_now() or now - made_at > FRESH_SECONDS:
                version = self._version_now()
                self._reports = await self._reader.read(self._packed_reports)
                self._reports_of = (version, now)
        headers = {"content-encoding": "gzip"}
        return Response(self._reports, media_type="application/json", headers=headers)

    def _packed_reports(self, snapshot: Snapshot) -> bytes:
        reports = select_reports(snapshot, self._settings.outbox_folder)
        text = json.dumps(reports, separators=(",", ":"), allow_nan=False)
        return gzip.compress(text.encode(), 1, mtime=0)

    async def _executions(self, request: Request) -> Response:
        wanted = _parameters(request)
        columns = await self._reader.read(
            lambda snapshot: columns_of(snapshot.connection, EXECUTIONS_OF, wanted)
        )
        return JSONResponse({"executions": columns})

    async def _like(self, request: Request) -> Response:
        """Answer with the tasks like one of the database's, whose vector it has."""
        text_id = _parameters(request)["text_id"]

        def like(snapshot: Snapshot) -> list[dict[str, Any]]:
            texts = snapshot.rows(
                "select task_description from rpt_page_executions where text_id = $text_id limit 1",
                text_id=text_id,
            )
            model = self._settings.embedding_model
            text = texts[0]["task_description"] if texts else ""
            vector = known_vector(snapshot.connection, text, model) if text.strip() else None
            if vector is None:
                return []
            rows = similar_tasks(
                snapshot.connection, self._settings, vector, repo=None, limit=10, days_back=None,
                threshold=None, longest_text=LONGEST_TEXT,
            )  # fmt: skip
            kept = ("similarity", "task_description", "by_tier")
            return [{name: row[name] for name in kept} for row in rows]

        return JSONResponse({"tasks": await self._reader.read(like)})


def _parameters(request: Request) -> dict[str, Any]:
    """Return the parameters of a drill-down; those that it does not have are NULL.

    Raises:
        ValueError: one is no number, or out of its range.
    """
    given = request.query_params
    wanted: dict[str, Any] = dict.fromkeys(NUMBERS)
    for name in NUMBERS & set(given):
        try:
            wanted[name] = int(given[name][:30])
        except ValueError as error:
            raise ValueError(
                f"{name}: a whole number is needed (got {given[name][:50]})"
            ) from error
        if not 0 <= wanted[name] < 2**64:
            raise ValueError(f"{name}: out of its range (got {given[name][:50]})")
    time_range = given.get("time_range", "90d")
    if time_range not in TIME_RANGES:
        raise ValueError(f"time_range: one of {', '.join(TIME_RANGES)} (got {time_range[:50]})")
    error_type = given.get("error_type")
    only_failures = True if given.get("success") == "false" else None
    return wanted | {
        "time_range": time_range, "error_type": error_type, "only_failures": only_failures,
    }  # fmt: skip


def _told(answer: Answer) -> Answer:
    """Let an answer say what is wrong: with a parameter, or with the database."""

    async def told(request: Request) -> Response:
        try:
            return await answer(request)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        except OrbError as error:
            return JSONResponse({"error": str(error)}, status_code=503)

    return told


class SameOrigin:
    """Answers no page of elsewhere, and says of every answer how it may be used."""

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, if it comes from the page or is the page's own address."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *HEADERS.items()]
            await send(message)

        sent = dict(scope.get("headers", []))
        is_elsewhere = sent.get(b"sec-fetch-site", b"none") not in (b"none", b"same-origin")
        if scope["type"] == "http" and is_elsewhere and scope["path"] != "/":
            refused = JSONResponse({"error": "ask from the page itself"}, status_code=403)
            await refused(scope, receive, with_headers)
        else:
            await self._app(scope, receive, with_headers)


def make_app(settings: LearningSettings) -> Starlette:
    """Return the application.

    Raises:
        PageError: a package of the extra ``page`` is missing.
    """
    # Only requests that name this machine: against DNS rebinding.
    trusted = Middleware(TrustedHostMiddleware, allowed_hosts=LOOPBACK_HOSTS, www_redirect=False)
    page = ServedPage(settings)
    return Starlette(
        routes=page.routes(),
        middleware=[trusted, Middleware(SameOrigin)],
        lifespan=page.lifespan,
    )


def serve_page(
    settings: LearningSettings,
    *,
    port: int = PORT,
    ready: Callable[[str], None] = lambda url: None,  # noqa: ARG005
) -> None:
    """Serve the page at http://127.0.0.1:PORT/ until interrupted.

    Args:
        settings: where the database is, and the limits.
        port: the port.
        ready: is told the URL once it may be opened.

    Raises:
        PageError: the port cannot be listened at, or a package is missing.
    """
    run_server(
        make_app(settings),
        host=HOST,
        port=port,
        refused=PageError,
        ready=lambda: ready(f"http://{HOST}:{port}/"),
        query_mb=settings.mcp_memory_limit_mb,
        limit_concurrency=64,
        server_header=False,
    )
