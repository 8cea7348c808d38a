"""Spans to `orb collect` from eight clients at once, gzipped and encoded beforehand.

Eight processes send 10,000 spans a second in all for a minute, 125 a request, of agents with three
calls and a tool each. Then the same clients as fast as they can for a sixth of it; baseline: the
same server with an endpoint that only unzips and parses. At last the same rate, and halfway the
collector is killed by SIGKILL and started again; a client sends a request until it is answered.

Counted at the end, in raw.spans: spans that were answered with 200 and are missing, and traces with
another number of executions than one. What is loaded meanwhile competes for the same processors.
"""

from __future__ import annotations

import gzip
import http.client
import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks import databases
from benchmarks.figures import Figure
from benchmarks.scales import Scale
from orb_learning.collector.bodies import PROTOBUF, parse_request, read_body
from orb_learning.operations import load_outbox
from orb_learning.settings import LearningSettings, load_settings
from orb_learning.store.connection import connect

TITLE = "Collector: spans of eight clients over HTTP"
CLIENTS = 8
PORT = 14_318
"""One server listens at a time; below the ports that Linux gives to connections."""
SPANS_A_SECOND = 10_000
TRACES_A_REQUEST = 25
SPANS_A_TRACE = 5
SPANS_A_REQUEST = TRACES_A_REQUEST * SPANS_A_TRACE
START_NS = 1_775_000_000_000_000_000
WAIT_SECONDS = 600.0
HEADERS = {"content-type": PROTOBUF, "content-encoding": "gzip"}
COLLECT = "from orb_learning.cli import app; app()"
BARE = "from benchmarks.collector import serve_bare; import sys; serve_bare(int(sys.argv[1]))"


@dataclass(frozen=True)
class Sent:
    """What a client sent."""

    acknowledged: int
    """Requests that were answered with 200; the first ones that it had."""
    refused: int
    seconds: float
    slowest: float


def run(scale: Scale) -> Iterator[Figure]:
    seconds = scale.soak_seconds / 10
    with databases.new_folder() as folder:
        settings = load_settings(database_path=folder / "learning.db")
        with collector(settings) as (port, _):
            sent = send(port, seconds, rate=SPANS_A_SECOND)
        rate = sum(one.acknowledged * SPANS_A_REQUEST / one.seconds for one in sent)
        yield Figure("acknowledged spans", spans_of(sent), unit="spans")
        yield Figure(
            f"short of {SPANS_A_SECOND:,} a second",
            max(0.0, SPANS_A_SECOND - rate),
            unit="a second",
            most=SPANS_A_SECOND / 20,
        )
        yield Figure("requests refused", sum(one.refused for one in sent), unit="requests")
        yield Figure("slowest answer", max(one.slowest for one in sent))
        yield from counted(settings, sent, "")
    with databases.new_folder() as folder:
        settings = load_settings(database_path=folder / "learning.db")
        with collector(settings) as (port, _):
            full = send(port, seconds / 6)
        with bare_server() as port:
            bare = send(port, seconds / 6)
        yield Figure(
            "125 spans, flat out",
            CLIENTS * seconds_a_request(full),
            baseline=CLIENTS * seconds_a_request(bare),
            baseline_name="only parsed",
        )
    with databases.new_folder() as folder:
        settings = load_settings(database_path=folder / "learning.db")
        with collector(settings) as (port, kill_and_restart):
            sent = send(port, seconds / 6, rate=SPANS_A_SECOND, halfway=kill_and_restart)
        yield from counted(settings, sent, ", killed halfway")


def counted(settings: LearningSettings, sent: list[Sent], when: str) -> Iterator[Figure]:
    """Load what is left, and count what is missing."""
    began = time.perf_counter()
    load_outbox(settings)
    yield Figure(f"loading what was left{when}", time.perf_counter() - began)
    with connect(settings.database_path, read_only=True) as connection:
        spans = connection.execute("select distinct trace_id, span_id from raw.spans").fetchall()
        versions = connection.execute(
            "select task_id, count(*) from raw.executions group by task_id"
        ).fetchall()
    held = {(trace.int, int(span, 16)) for trace, span in spans}
    expected = {
        (trace, number)
        for client, one in enumerate(sent)
        for request in range(one.acknowledged)
        for trace in traces_of(client, request)
        for number in range(1, SPANS_A_TRACE + 1)
    }
    executions = {task.int: count for task, count in versions}
    missing = len(expected - held)
    twice = sum(executions.get(trace) != 1 for trace in {trace for trace, _ in expected})
    yield Figure(f"answered with 200 and missing{when}", missing, unit="spans", most=0)
    yield Figure(f"traces without exactly one execution{when}", twice, unit="traces", most=0)


def send(
    port: int, seconds: float, *, rate: float | None = None, halfway: Any = None
) -> list[Sent]:
    """Let the clients send for so long; returns what each did."""
    context = multiprocessing.get_context("spawn")
    reports, start = context.Queue(), context.Barrier(CLIENTS + 1)
    clients = [
        context.Process(target=_client, args=(number, port, seconds, rate, start, reports))
        for number in range(CLIENTS)
    ]
    for client in clients:
        client.start()
    start.wait(WAIT_SECONDS)
    if halfway is not None:
        time.sleep(seconds / 2)  # so that it is killed at work
        halfway()
    told = dict(reports.get(timeout=WAIT_SECONDS) for _ in clients)
    for client in clients:
        client.join(WAIT_SECONDS)
    return [told[number] for number in range(CLIENTS)]


def _client(
    number: int, port: int, seconds: float, rate: float | None, start: Any, reports: Any
) -> None:
    requests_a_second = (rate or 5 * SPANS_A_SECOND) / CLIENTS / SPANS_A_REQUEST
    bodies = [body_of(number, request) for request in range(int(seconds * requests_a_second))]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    acknowledged = refused = 0
    slowest = 0.0
    start.wait(WAIT_SECONDS)
    began = time.monotonic()
    while acknowledged < len(bodies) and (rate or time.monotonic() - began < seconds):
        if rate:
            ahead = began + acknowledged / requests_a_second - time.monotonic()
            time.sleep(max(0.0, ahead))  # the rate
        called = time.perf_counter()
        try:
            connection.request("POST", "/v1/traces", bodies[acknowledged], HEADERS)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            time.sleep(0.1)  # it starts again
            continue
        slowest = max(slowest, time.perf_counter() - called)
        if answer.status == 200:
            acknowledged += 1
        else:
            refused += 1
            time.sleep(0.1)  # sooner than Retry-After, which would only wait
    reports.put((number, Sent(acknowledged, refused, time.monotonic() - began, slowest)))


def spans_of(sent: list[Sent]) -> int:
    return sum(one.acknowledged for one in sent) * SPANS_A_REQUEST


def seconds_a_request(sent: list[Sent]) -> float:
    return 1 / sum(CLIENTS * one.acknowledged / one.seconds for one in sent)


def traces_of(client: int, request: int) -> range:
    first = ((client + 1) << 64) + request * TRACES_A_REQUEST
    return range(first, first + TRACES_A_REQUEST)


def body_of(client: int, request: int) -> bytes:
    """Return a request: agents with three calls and a tool each, gzipped."""
    made = ExportTraceServiceRequest()
    resource = made.resource_spans.add()
    _set(resource.resource, {"service.name": "shop"})
    scope = resource.scope_spans.add()
    for trace in traces_of(client, request):
        for number in range(1, SPANS_A_TRACE + 1):
            span = scope.spans.add(
                trace_id=trace.to_bytes(16, "big"),
                span_id=number.to_bytes(8, "big"),
                parent_span_id=b"" if number == 1 else (1).to_bytes(8, "big"),
                name=f"span {number}",
                start_time_unix_nano=START_NS + number * 10**9,
                end_time_unix_nano=START_NS + (20 if number == 1 else number + 1) * 10**9,
            )
            _set(span, ATTRIBUTES[number - 1])
    return gzip.compress(made.SerializeToString(), 1)


def _set(owner: Any, attributes: dict[str, str | int]) -> None:
    for name, value in attributes.items():
        kept = owner.attributes.add(key=name).value
        if isinstance(value, int):
            kept.int_value = value
        else:
            kept.string_value = value


CHAT: dict[str, str | int] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.input_tokens": 1_000,
    "gen_ai.usage.output_tokens": 100,
    "gen_ai.input.messages": json.dumps(
        [{"role": "user", "parts": [{"type": "text", "content": "fix the basket " * 20}]}]
    ),
}
AGENT: dict[str, str | int] = {
    "gen_ai.operation.name": "invoke_agent",
    "gen_ai.agent.name": "fixer",
}
TOOL: dict[str, str | int] = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "edit"}
ATTRIBUTES = [AGENT, CHAT, CHAT, CHAT, TOOL]


@contextmanager
def collector(settings: LearningSettings) -> Iterator[tuple[int, Any]]:
    """Run `orb collect`; yields its port, and what kills it and starts it again."""
    port = PORT
    arguments = ["-c", COLLECT, "collect", "--port", str(port)]
    environment = os.environ | {"ORB_DATABASE": str(settings.database_path)}
    running = [_started(arguments, port, environment)]

    def kill_and_restart() -> None:
        running[0].send_signal(signal.SIGKILL)
        running[0].wait(WAIT_SECONDS)
        running[0] = _started(arguments, port, environment)

    try:
        yield port, kill_and_restart
    finally:
        running[0].send_signal(signal.SIGKILL)  # what is acknowledged is committed
        running[0].wait(WAIT_SECONDS)


@contextmanager
def bare_server() -> Iterator[int]:
    port = PORT
    running = _started(["-c", BARE, str(port)], port, dict(os.environ))
    try:
        yield port
    finally:
        running.kill()
        running.wait(WAIT_SECONDS)


def serve_bare(port: int) -> None:
    """Serve an endpoint that unzips and parses."""

    async def parse(request: Request) -> Response:
        body = await read_body(request.stream(), zipped=True)
        await run_in_threadpool(parse_request, body, PROTOBUF)
        return Response(b"", media_type=PROTOBUF)

    app = Starlette(routes=[Route("/v1/traces", parse, methods=["POST"])])
    uvicorn.run(app, port=port, log_level="error")


def _started(
    arguments: list[str], port: int, environment: dict[str, str]
) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, *arguments], env=environment, stderr=subprocess.DEVNULL, cwd=Path.cwd()
    )
    until = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process
        time.sleep(0.05)  # nothing tells when the process listens
    raise TimeoutError("the server did not start")
