"""The receiver: POST /v1/traces, as OTLP/HTTP 1.x says.

200 means that the spans are committed to the outbox of spans; a thread loads it meanwhile.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from orb_learning.capture import redact_secrets
from orb_learning.collector.bodies import (
    JSON,
    LARGEST_BODY_BYTES,
    MOST_PARTS,
    PROTOBUF,
    BadBodyError,
    TooLargeError,
    parse_request,
    read_body,
)
from orb_learning.collector.spans import Redact, payloads_of
from orb_learning.errors import CollectorError
from orb_learning.filesystem import read_token_users
from orb_learning.ingest import BackgroundLoader, RelayOptions
from orb_learning.loopback import is_loopback, run_server
from orb_learning.outbox import Outbox
from orb_learning.settings import LearningSettings

PORT = 4318
MOST_REQUESTS = 64
"""At once; a further one is answered with 503."""
SECONDS_FOR_A_BODY = 30.0
RETRY_AFTER_SECONDS = "5"
BUSY_TIMEOUT_MS = 1_000
REQUESTS_BEFORE_A_LOAD = 2_000
TOO_LARGE = (
    f"a request has at most {LARGEST_BODY_BYTES // 2**20} MB, unzipped, and {MOST_PARTS:,} spans, "
    f"events or attributes"
)
LOOPBACK_HOSTS = ["localhost", "127.0.0.1"]


def serve(
    settings: LearningSettings,
    relay: RelayOptions,
    *,
    host: str = "127.0.0.1",
    port: int = PORT,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Receive at http://HOST:PORT/v1/traces until interrupted.

    Args:
        settings: where the outbox and the database are; ``collector_token_file`` says who may send.
        relay: how a thread loads the outbox of spans meanwhile.
        host: the address to listen at.
        port: the port.
        ready: is called once it receives.

    Raises:
        CollectorError: the host is not this machine alone and there are no tokens, or they cannot
            be read; or the address cannot be listened at.
    """
    if settings.collector_token_file is None and not is_loopback(host):
        raise CollectorError(
            f"{host} can be reached from other machines, so tokens are needed: write a line "
            f"`USER TOKEN` for each user into a file and set "
            f"ORB_LEARNING__COLLECTOR_TOKEN_FILE to it"
        )
    run_server(
        make_app(settings, relay, hosts=[host]),
        host=host,
        port=port,
        refused=CollectorError,
        ready=ready,
        server_header=False,
        timeout_graceful_shutdown=10,
    )


def make_app(
    settings: LearningSettings, relay: RelayOptions | None, *, hosts: Collection[str] = ()
) -> Starlette:
    """Return the receiver as an ASGI application.

    Args:
        settings: as of ``serve``.
        relay: as of ``serve``; None for no such thread.
        hosts: further names by which clients without tokens reach it.

    Raises:
        CollectorError: the tokens cannot be read.
    """
    tokens: frozenset[bytes] | None = None
    if settings.collector_token_file is not None:
        try:
            tokens = frozenset(
                token.encode() for token in read_token_users(settings.collector_token_file)
            )
        except ValueError as error:
            raise CollectorError(str(error)) from error
    outbox = Outbox(
        settings.span_outbox_folder,
        synchronous=settings.outbox_synchronous,
        busy_timeout_ms=BUSY_TIMEOUT_MS,
        size_limit_bytes=settings.span_outbox_size_limit_mb * 2**20,
    )
    receiver = Receiver(outbox, tokens, redact_secrets if settings.redact_spans else None)
    loader = relay and BackgroundLoader(
        settings.database_path,
        settings.span_outbox_folder,
        relay,
        batch_size=REQUESTS_BEFORE_A_LOAD,
        flush_interval=settings.flush_interval,
    )

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        if loader:
            loader.start()
        try:
            yield
        finally:
            outbox.close()
            if loader:
                await run_in_threadpool(loader.stop)

    # Without tokens, a page in a browser must not reach it by a name of its own for this machine.
    trusted = Middleware(TrustedHostMiddleware, allowed_hosts=[*hosts, *LOOPBACK_HOSTS])
    return Starlette(
        routes=[Route("/v1/traces", receiver.receive, methods=["POST"])],
        middleware=[] if tokens is not None else [trusted],
        lifespan=lifespan,
    )


class Receiver:
    """Answers requests.

    Args:
        outbox: where spans are kept.
        tokens: who may send; None for everybody.
        redact: returns a text without what must not be kept.
    """

    def __init__(self, outbox: Outbox, tokens: frozenset[bytes] | None, redact: Redact | None):
        self._outbox = outbox
        self._tokens = tokens
        self._redact = redact
        self._at_work = 0
        # One at a time: a body can take sixty times its size, and threads parse no faster.
        self._parsing = asyncio.Lock()

    async def receive(self, request: Request) -> Response:
        """Answer one request."""
        kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if not self._may_send(request.headers.get("authorization", "")):
            return _refusal(kind, 401, "the token is missing or not known")
        if kind not in (PROTOBUF, JSON):
            return _refusal(JSON, 415, f"the content type must be {PROTOBUF} or {JSON}")
        encoding = request.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("identity", "gzip"):
            return _refusal(kind, 415, "the content encoding must be gzip or identity")
        if self._at_work >= MOST_REQUESTS:
            return _refusal(kind, 503, f"{MOST_REQUESTS} requests are at work")
        self._at_work += 1
        try:
            return await self._answer(request, kind, zipped=encoding == "gzip")
        finally:
            self._at_work -= 1

    async def _answer(self, request: Request, kind: str, *, zipped: bool) -> Response:
        try:
            async with asyncio.timeout(SECONDS_FOR_A_BODY):
                body = await read_body(request.stream(), zipped=zipped)
        except TooLargeError:
            return _refusal(kind, 413, TOO_LARGE)
        except (BadBodyError, TimeoutError, ClientDisconnect) as error:
            return _refusal(kind, 400, str(error) or "the body did not come in time")
        async with self._parsing:
            return await run_in_threadpool(self._keep, body, kind)

    def _keep(self, body: bytes, kind: str) -> Response:
        try:
            kept = payloads_of(parse_request(body, kind), self._redact)
        except TooLargeError:
            return _refusal(kind, 413, TOO_LARGE)
        except BadBodyError as error:
            return _refusal(kind, 400, str(error))
        if kept.payloads and not self._outbox.put_many("spans", kept.payloads):
            reasons = ", ".join(self._outbox.refused())
            return _refusal(kind, 503, f"the outbox of spans takes nothing now: {reasons}")
        response = ExportTraceServiceResponse()
        if kept.rejected:
            response.partial_success.rejected_spans = kept.rejected
            response.partial_success.error_message = (
                "a span needs a trace id of 16 bytes, an id of 8, and a start"
            )
        if kind == JSON:
            return JSONResponse(MessageToDict(response))
        return Response(response.SerializeToString(), media_type=PROTOBUF)

    def _may_send(self, header: str) -> bool:
        if self._tokens is None:
            return True
        scheme, _, token = header.partition(" ")
        given = token.strip().encode(errors="surrogatepass")
        # All of them, so that the time tells nothing.
        found = sum([hmac.compare_digest(known, given) for known in self._tokens])
        return scheme.lower() == "bearer" and found > 0


def _refusal(kind: str, status: int, message: str) -> Response:
    """Return an answer that refuses: google.rpc.Status in the request's encoding."""
    headers = {"Retry-After": RETRY_AFTER_SECONDS} if status == 503 else {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if kind == PROTOBUF:
        # Its fields have the numbers and types of those of Status.
        said = ExportTracePartialSuccess(rejected_spans=status, error_message=message)
        return Response(said.SerializeToString(), status, headers, PROTOBUF)
    return JSONResponse({"code": status, "message": message}, status, headers)
