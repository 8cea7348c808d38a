"""The body of a request: unzipped up to a limit, and read as OTLP."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import AsyncIterator
from typing import Any

from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

LARGEST_BODY_BYTES = 16 * 2**20
MOST_PARTS = 1_000_000
"""Spans, events or attributes of a request; with something in them, 16 MB have fewer."""
MOST_BRACKETS = 2_000_000
"""That open in a body of JSON; each may be an object of 60 bytes and more."""
PROTOBUF, JSON = "application/x-protobuf", "application/json"


class TooLargeError(Exception):
    """A body is larger than the limit, unzipped, or has more parts."""


class BadBodyError(Exception):
    """A body is not what its headers say."""


async def read_body(chunks: AsyncIterator[bytes], *, zipped: bool) -> bytes:
    """Return a body, unzipped.

    Raises:
        TooLargeError: it has more than ``LARGEST_BODY_BYTES``; no more than that was unzipped.
        BadBodyError: it is not gzip, not whole, or something follows.
    """
    unzip = zlib.decompressobj(wbits=31) if zipped else None
    parts: list[bytes] = []
    room, packed = LARGEST_BODY_BYTES, 0
    async for chunk in chunks:
        try:
            part = chunk if unzip is None else unzip.decompress(chunk, room + 1)
        except zlib.error as error:
            raise BadBodyError(f"the body is not gzip: {error}") from error
        room -= len(part)
        packed += len(chunk)
        if room < 0 or packed > LARGEST_BODY_BYTES:
            raise TooLargeError
        parts.append(part)
        if unzip is not None and unzip.unused_data:
            # Whoever sends several members must not be told that all of them were read.
            raise BadBodyError("something follows the end of the gzipped body")
    if unzip is not None and not unzip.eof:
        raise BadBodyError("the gzipped body ends too early")
    return b"".join(parts)


def parse_request(body: bytes, content_type: str) -> ExportTraceServiceRequest:
    """Return a body as the request that it is.

    Raises:
        BadBodyError: it is none.
        TooLargeError: it has more parts than its spans can need.
    """
    request = ExportTraceServiceRequest()
    try:
        if content_type == PROTOBUF:
            request.ParseFromString(body)
        else:
            if body.count(b"{") + body.count(b"[") > MOST_BRACKETS:
                raise TooLargeError
            parsed = json.loads(body, object_hook=_with_base64_ids)
            if not isinstance(parsed, dict):
                raise BadBodyError("the body is no JSON object")
            ParseDict(parsed, request, ignore_unknown_fields=True)
    except (DecodeError, ParseError, ValueError, RecursionError) as error:
        raise BadBodyError(f"the body is not an ExportTraceServiceRequest: {error}") from error
    _check_count(request)
    return request


def _check_count(request: ExportTraceServiceRequest) -> None:
    """Refuse what takes two bytes a part, and the time of a part with something in it.

    Raises:
        TooLargeError: it has too many parts; no more of them were looked at.
    """
    level: list[Any] = [request]
    holders: list[Any] = []
    for field in ("resource_spans", "scope_spans", "spans", "events"):
        if sum(len(getattr(one, field)) for one in level) > MOST_PARTS:
            raise TooLargeError
        level = [part for one in level for part in getattr(one, field)]
        if field != "scope_spans":
            holders += [one.resource for one in level] if field == "resource_spans" else level
    if sum(len(one.attributes) for one in holders) > MOST_PARTS:
        raise TooLargeError


def _with_base64_ids(value: dict[str, Any]) -> dict[str, Any]:
    """Return an object of OTLP's JSON, whose ids are hexadecimal, with protobuf's, in base64.

    An id that is not hexadecimal becomes an empty one, and its span is rejected.
    """
    for name in ("traceId", "spanId", "parentSpanId"):
        if isinstance(found := value.get(name), str):
            value[name] = _base64_of(found)
    return value


def _base64_of(text: str) -> str:
    try:
        return base64.b64encode(bytes.fromhex(text)).decode()
    except ValueError:
        return ""
