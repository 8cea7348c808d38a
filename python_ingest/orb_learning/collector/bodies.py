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
PROTOBUF, JSON = "application/x-protobuf", "application/json"


class TooLargeError(Exception):
    """A body is larger than the limit, unzipped."""


class BadBodyError(Exception):
    """A body is not what its headers say."""


async def read_body(chunks: AsyncIterator[bytes], *, zipped: bool) -> bytes:
    """Return a body, unzipped.

    Raises:
        TooLargeError: it has more than ``LARGEST_BODY_BYTES``; no more than that was unzipped.
        BadBodyError: it is not gzip, or not whole.
    """
    unzip = zlib.decompressobj(wbits=31) if zipped else None
    parts: list[bytes] = []
    room = LARGEST_BODY_BYTES
    async for chunk in chunks:
        try:
            part = chunk if unzip is None else unzip.decompress(chunk, room + 1)
        except zlib.error as error:
            raise BadBodyError(f"the body is not gzip: {error}") from error
        room -= len(part)
        if room < 0:
            raise TooLargeError
        parts.append(part)
    if unzip is not None and not unzip.eof:
        raise BadBodyError("the gzipped body ends too early")
    return b"".join(parts)


def parse_request(body: bytes, content_type: str) -> ExportTraceServiceRequest:
    """Return a body as the request that it is.

    Raises:
        BadBodyError: it is none.
    """
    request = ExportTraceServiceRequest()
    try:
        if content_type == PROTOBUF:
            request.ParseFromString(body)
        else:
            parsed = json.loads(body)
            if not isinstance(parsed, dict):
                raise BadBodyError("the body is no JSON object")
            ParseDict(_with_base64_ids(parsed), request, ignore_unknown_fields=True)
    except (DecodeError, ParseError, ValueError, RecursionError) as error:
        raise BadBodyError(f"the body is not an ExportTraceServiceRequest: {error}") from error
    return request


def _with_base64_ids(value: Any) -> Any:
    """Return OTLP's JSON, whose ids are hexadecimal, as protobuf's, whose bytes are base64.

    An id that is not hexadecimal becomes an empty one, and its span is rejected.
    """
    if isinstance(value, dict):
        return {
            key: _base64_of(item)
            if key in ("traceId", "spanId", "parentSpanId") and isinstance(item, str)
            else _with_base64_ids(item)
            for key, item in value.items()
        }
    return [_with_base64_ids(item) for item in value] if isinstance(value, list) else value


def _base64_of(text: str) -> str:
    try:
        return base64.b64encode(bytes.fromhex(text)).decode()
    except ValueError:
        return ""
