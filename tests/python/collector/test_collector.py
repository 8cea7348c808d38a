"""The collector: what it answers, and what is committed when it does."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from starlette.testclient import TestClient
from traces import agent_run, chat, request_bytes, request_json, span

from orb_learning.backup import make_backup
from orb_learning.collector import make_app, server
from orb_learning.collector.bodies import parse_request
from orb_learning.collector.spans import payloads_of
from orb_learning.errors import CollectorError
from orb_learning.ingest import RelayOptions, import_file
from orb_learning.operations import load_outbox
from orb_learning.outbox import files_of, open_reader
from orb_learning.settings import LearningSettings, load_settings
from orb_learning.store import connect

PROTOBUF = {"content-type": "application/x-protobuf"}
JSON = {"content-type": "application/json"}
ZIPPED = {"content-encoding": "gzip"}
NOW = datetime.fromisoformat("2026-11-26T12:00:00")
EXECUTIONS = (
    "select * exclude (_load_seq, _loaded_at) replace (metadata::varchar as metadata) "
    "from raw.executions order by task_id"
)


@pytest.fixture
def learning(tmp_path: Path) -> LearningSettings:
    return load_settings(database_path=tmp_path / "learning.db")


@pytest.fixture
def client(learning: LearningSettings) -> Iterator[TestClient]:
    with client_of(learning) as opened:
        yield opened


def varint(number: int) -> bytes:
    """Return a length as protobuf writes it."""
    low, more = number & 127, number >> 7
    return bytes([low | 128]) + varint(more) if more else bytes([low])


def client_of(learning: LearningSettings) -> TestClient:
    app = make_app(learning, None)
    return TestClient(app, base_url="http://localhost:4318")


def kept(learning: LearningSettings) -> list[str]:
    """Return the payloads that are committed in the outbox of spans."""
    payloads: list[str] = []
    for path in files_of(learning.span_outbox_folder):
        with open_reader(path) as reader:
            payloads += [record.payload for record in reader.read(0, -1)]
    return payloads


def rows(database: Path, query: str) -> list[tuple[Any, ...]]:
    with connect(database, read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_every_encoding_and_a_file_give_the_same_execution(
    client: TestClient, learning: LearningSettings, tmp_path: Path
) -> None:
    bodies = [
        (request_bytes(agent_run(1)), PROTOBUF),
        (gzip.compress(request_bytes(agent_run(2))), PROTOBUF | ZIPPED),
        (request_json(agent_run(3)).encode(), JSON),
        (gzip.compress(request_json(agent_run(4)).encode()), JSON | ZIPPED),
    ]
    for body, headers in bodies:
        answer = client.post("/v1/traces", content=body, headers=headers)
        assert (answer.status_code, answer.content) in [(200, b""), (200, b"{}")]
    assert load_outbox(learning, now=NOW).counts["trace"] == 4
    collected = rows(learning.database_path, EXECUTIONS)

    file = tmp_path / "traces.jsonl"
    file.write_text("".join(request_json(agent_run(n)) + "\n" for n in (1, 2, 3, 4)))
    import_file(tmp_path / "other.db", file, now=NOW)
    assert rows(tmp_path / "other.db", EXECUTIONS) == collected
    assert len({row[1:] for row in collected}) == 1


def test_answered_with_200_means_committed_and_those_in_a_backup_go(
    client: TestClient, learning: LearningSettings
) -> None:
    body = request_bytes([chat(1, 1)])
    assert client.post("/v1/traces", content=body, headers=PROTOBUF).status_code == 200
    assert len(kept(learning)) == 1
    client.__exit__()  # so that nobody has the segment any more
    load_outbox(learning, now=NOW)
    assert len(kept(learning)) == 1
    make_backup(learning, now=NOW)
    load_outbox(learning, now=NOW)
    assert kept(learning) == []


def test_bad_bodies_are_answered_with_the_reason(client: TestClient) -> None:
    def refused(content: bytes, headers: dict[str, str]) -> tuple[int, str]:
        answer = client.post("/v1/traces", content=content, headers=headers)
        return answer.status_code, answer.text

    status, text = refused(b"\xff\xff", PROTOBUF)
    assert (status, "ExportTraceServiceRequest" in text) == (400, True)
    assert refused(b"[]", JSON) == (400, '{"code":400,"message":"the body is no JSON object"}')
    assert refused(b"[" * 100_000, JSON)[0] == 400
    assert refused(b'{"resourceSpans": 7}', JSON)[0] == 400
    assert refused(b"no gzip", JSON | ZIPPED)[0] == 400
    assert "ends too early" in refused(gzip.compress(b"{}")[:-4], JSON | ZIPPED)[1]
    assert refused(b"", {"content-type": "text/plain"})[0] == 415
    assert refused(b"{}", JSON | {"content-encoding": "br"})[0] == 415
    assert client.get("/v1/traces").status_code == 405
    assert client.post("/", headers={"host": "evil.example"}).status_code == 400


def test_what_follows_a_gzipped_body_is_not_acknowledged(
    client: TestClient, learning: LearningSettings
) -> None:
    """Of two members, the second was not read, and its spans were answered with 200."""
    one, other = (gzip.compress(request_bytes([chat(n, 1)])) for n in (1, 2))
    for body in (one + other, one + b"more"):
        answer = client.post("/v1/traces", content=body, headers=PROTOBUF | ZIPPED)
        assert answer.status_code == 400
        assert b"something follows" in answer.content
    empty_blocks = gzip.compress(b"")[:10] + b"\0\0\0\xff\xff" * (2**22)
    answer = client.post("/v1/traces", content=empty_blocks, headers=PROTOBUF | ZIPPED)
    assert answer.status_code == 413
    assert kept(learning) == []


def test_no_more_is_redacted_than_is_kept() -> None:
    """Attributes and events beyond those that are kept cost nothing."""
    redacted: list[str] = []

    def redact(text: str) -> str:
        redacted.append(text)
        return text

    told = {"key": "exception.type", "value": {"stringValue": "x"}}
    many = chat(1, 1) | {
        "attributes": [{"key": f"tag.{n}", "value": {"stringValue": "x"}} for n in range(2_000)],
        "events": [{"name": "exception", "attributes": [told]}] * 500,
    }
    sent = parse_request(request_json([many]).encode(), "application/json")
    payloads_of(sent, redact)
    assert len(redacted) < 700


def test_a_bomb_is_refused_after_16_mb(client: TestClient) -> None:
    bomb = gzip.compress(b"\0" * 200_000_000, compresslevel=1)
    assert len(bomb) < 2**20
    answer = client.post("/v1/traces", content=bomb, headers=PROTOBUF | ZIPPED)
    assert answer.status_code == 413
    assert client.post("/v1/traces", content=b"x" * (2**24 + 1), headers=JSON).status_code == 413


EMPTY_PARTS = b"\x0a\x00" * (2**23 - 9)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (EMPTY_PARTS, PROTOBUF),
        (b"\x0a" + varint(len(EMPTY_PARTS)) + EMPTY_PARTS.replace(b"\x0a", b"\x12"), PROTOBUF),
        (b'{"resourceSpans":[' + b"{}," * (5 * 2**20) + b"{}]}", JSON),
        (b'{"other":[' + b"[]," * (5 * 2**20) + b"[]]}", JSON),
    ],
    ids=["resources", "scopes", "objects", "lists"],
)
def test_many_empty_parts_are_refused_in_a_moment(
    client: TestClient, body: bytes, headers: dict[str, str]
) -> None:
    """16 kB of them, zipped, held the collector for 15 s and took a gigabyte."""
    began = time.process_time()
    answer = client.post("/v1/traces", content=gzip.compress(body), headers=headers | ZIPPED)
    assert answer.status_code == 413
    assert b"1,000,000 spans, events or attributes" in answer.content
    assert time.process_time() - began < 5


def test_requests_are_parsed_one_at_a_time(
    learning: LearningSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a body takes in memory is not taken as often as there are clients."""
    at_once: list[int] = []
    parsing = threading.Semaphore(4)

    def parse(body: bytes, kind: str) -> Any:
        with parsing:
            at_once.append(4 - parsing._value)
            time.sleep(0.05)  # long enough for another to begin, if it may
            return parse_request(body, kind)

    monkeypatch.setattr(server, "parse_request", parse)
    with client_of(learning) as client, ThreadPoolExecutor(4) as threads:
        bodies = [b"{}"] * 8
        answers = list(
            threads.map(lambda body: client.post("/v1/traces", content=body, headers=JSON), bodies)
        )
    assert [answer.status_code for answer in answers] == [200] * 8
    assert at_once == [1] * 8


def test_spans_that_cannot_be_read_are_told_of(
    client: TestClient, learning: LearningSettings
) -> None:
    bad = [chat(1, 1) | {"traceId": "zz"}, chat(1, 2) | {"startTimeUnixNano": "0"}, chat(0, 3)]
    answer = client.post("/v1/traces", content=request_bytes([*bad, chat(1, 4)]), headers=PROTOBUF)
    told = ExportTraceServiceResponse.FromString(answer.content).partial_success
    assert (answer.status_code, told.rejected_spans) == (200, 3)
    assert "trace id" in told.error_message
    answer = client.post("/v1/traces", content=request_json(bad).encode(), headers=JSON)
    assert answer.json()["partialSuccess"]["rejectedSpans"] == "3"
    assert len(kept(learning)) == 1


def test_a_full_or_broken_outbox_is_503_with_retry_after(tmp_path: Path) -> None:
    full = load_settings(database_path=tmp_path / "a.db", span_outbox_size_limit_mb=1)
    with client_of(full) as client:
        body = request_bytes(chat(n, 1, gen_ai__x="x" * 7_000) for n in range(1, 60))
        answers = [client.post("/v1/traces", content=body, headers=PROTOBUF) for _ in "1234"]
    assert (answers[0].status_code, answers[-1].status_code) == (200, 503)
    assert answers[-1].headers["retry-after"] == "5"
    assert b"size_limit" in answers[-1].content
    broken = load_settings(database_path=tmp_path / "b.db", outbox_path=tmp_path / "broken")
    broken.span_outbox_folder.write_text("a file in its place")
    with client_of(broken) as client:
        answer = client.post("/v1/traces", content=request_json([chat(1, 1)]), headers=JSON)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def test_a_page_in_a_browser_may_not_send(client: TestClient, learning: LearningSettings) -> None:
    """A browser asks before it sends JSON or protobuf to elsewhere, and nothing allows it."""
    asked = {"origin": "http://evil.example", "access-control-request-method": "POST"}
    body = request_json([chat(1, 1)])
    answers = [
        client.options("/v1/traces", headers=asked | {"access-control-request-headers": "*"}),
        # What it sends without asking is of no type that is read.
        *(
            client.post("/v1/traces", content=body, headers=asked | {"content-type": kind})
            for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data")
        ),
        client.post("/v1/traces", content=body, headers=JSON | {"host": "evil.example"}),
    ]
    assert [answer.status_code for answer in answers] == [405, 415, 415, 415, 400]
    for answer in answers:
        assert not any(name.startswith("access-control") for name in answer.headers)
    assert kept(learning) == []


def test_too_many_requests_at_once_are_503(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "MOST_REQUESTS", 0)
    answer = client.post("/v1/traces", content=request_json([chat(1, 1)]), headers=JSON)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def test_beyond_this_machine_a_token_is_needed(tmp_path: Path) -> None:
    open_to_all = load_settings(database_path=tmp_path / "a.db")
    with pytest.raises(CollectorError, match="COLLECTOR_TOKEN_FILE"):
        server.serve(open_to_all, RelayOptions(), host="0.0.0.0")  # noqa: S104
    file = tmp_path / "tokens"
    file.write_text("team 0123456789abcdef\n")
    file.chmod(0o600)
    guarded = load_settings(database_path=tmp_path / "a.db", collector_token_file=file)
    with client_of(guarded) as client:
        for header, status in (
            (None, 401),
            ("Bearer 0123456789abcdeX", 401),
            ("Basic 0123456789abcdef", 401),
            ("Bearer 0123456789abcdef", 200),
        ):
            headers = JSON | ({"authorization": header} if header else {})
            answer = client.post("/v1/traces", content=b"{}", headers=headers)
            assert answer.status_code == status, header
    file.chmod(0o644)
    with pytest.raises(CollectorError, match="chmod 600"):
        make_app(guarded, None)


def test_secrets_are_redacted_and_texts_cut_before_the_outbox(
    client: TestClient, learning: LearningSettings, tmp_path: Path
) -> None:
    secret = "sk-" + "abcdefghij" * 3
    texts = {"gen_ai__input__messages": f"use {secret} " + "x" * 20_000, "http__header": secret}
    body = request_bytes([chat(1, 1, error=secret, **texts)])
    client.post("/v1/traces", content=body, headers=PROTOBUF)
    [payload] = kept(learning)
    assert secret not in payload
    assert len(payload) < 9_000
    plain = load_settings(
        database_path=tmp_path / "plain.db", outbox_path=tmp_path / "plain", redact_spans=False
    )
    with client_of(plain) as unredacted:
        unredacted.post("/v1/traces", content=body, headers=PROTOBUF)
    assert secret in kept(plain)[0]


def test_a_record_has_spans_of_one_trace(client: TestClient, learning: LearningSettings) -> None:
    spans = [chat(trace, number) for number in (1, 2) for trace in (1, 2)]
    spans += [span(3, number) for number in range(1, 252)]
    client.post("/v1/traces", content=request_bytes(spans), headers=PROTOBUF)
    resources = [json.loads(payload)["resourceSpans"][0] for payload in kept(learning)]
    found = [
        {one["traceId"][-1] for one in resource["scopeSpans"][0]["spans"]} for resource in resources
    ]
    assert found == [{"1"}, {"2"}, {"3"}, {"3"}]
