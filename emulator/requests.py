"""What every endpoint reads from a request and writes into an answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from flask import Response, g, request

from emulator import errors
from emulator.calls import Call, Vendor
from emulator.errors import ApiError

JSON = "application/json"
SSE = "text/event-stream;charset=UTF-8"


def open_call(vendor: Vendor) -> Call:
    """Return the call that this request opens.  Raises: ApiError 401 without a key or with an invalid one."""
    key = bearer_key()
    if not key:
        raise errors.no_key()
    if key.startswith("sk-invalid"):
        raise errors.invalid_key()
    line = request.environ["werkzeug.socket"]
    return Call(vendor=vendor, key=key, endpoint=request.path, line=line, request_id=g.request_id)


def bearer_key() -> str:
    """Return the key of the Authorization header, or an empty text."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def call_of() -> Call:
    """Return the call of the request being served."""
    call: Call = g.call
    return call


def read_json() -> dict[str, Any]:
    """Return the JSON object in the body.  Raises: ApiError 400."""
    try:
        return msgspec.json.decode(g.body, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise ApiError("Required body invalid, please check the request body format.") from error


def json_response(body: dict[str, Any]) -> Response:
    """Return a whole JSON answer."""
    return Response(msgspec.json.encode(body), content_type=JSON)


def stream_response(frames: Iterator[str]) -> Response:
    """Return a stream of server-sent events."""
    return Response(frames, content_type=SSE)


def text_of(value: Any) -> str:
    """Return the JSON text of a value."""
    return msgspec.json.encode(value).decode()
