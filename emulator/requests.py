"""What every endpoint reads from a request and writes into an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from flask import Response, g, request

from emulator import errors
from emulator.calls import Call, Vendor
from emulator.errors import ApiError
from emulator.journal import without_media
from emulator.scenario import Fault

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
    resolves = request.headers.get("X-DashScope-OssResourceResolve", "").lower() == "enable"
    return Call(
        vendor=vendor,
        key=key,
        endpoint=request.path,
        line=line,
        request_id=g.request_id,
        resolves_uploads=resolves,
    )


def bearer_key() -> str:
    """Return the key of the Authorization header, or an empty text."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def own_headers() -> dict[str, str]:
    """Return the headers that only this service knows, in small letters, for the journal."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    return {name: value for name, value in headers.items() if name.startswith("x-dashscope-")}


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


def open_native() -> tuple[Call, dict[str, Any], dict[str, Any]]:
    """Return the call, the body and its `input`, and note both that and whether a stream is wanted.

    Raises: ApiError 400 for a body that is none.
    """
    call, body = call_of(), read_json()
    wants_stream = request.headers.get("X-DashScope-SSE", "").lower() == "enable"
    g.is_stream = wants_stream or "text/event-stream" in request.headers.get("Accept", "")
    call.note("request", body=without_media(body), is_stream=g.is_stream)
    inputs = body.get("input")
    if not isinstance(inputs, dict):
        raise ApiError("Required body invalid, please check the request body format.")
    return call, body, inputs


def read_page() -> tuple[int, int]:
    """Return the number and the size of the page asked for.  Raises: ApiError when one is not 1 or more."""
    return _positive("page_no", 1), _positive("page_size", 10)


def _positive(name: str, default: int) -> int:
    text = request.args.get(name, str(default))
    if not text.isascii() or not text.isdigit() or int(text[:9]) < 1:
        raise ApiError(f"Input should be greater than or equal to 1: {name}")
    return int(text[:9])


def json_response(body: dict[str, Any]) -> Response:
    """Return a whole JSON answer."""
    return Response(msgspec.json.encode(body), content_type=JSON)


def stream_response(frames: Iterator[str]) -> Response:
    """Return a stream of server-sent events."""
    return Response(frames, content_type=SSE)


def text_of(value: Any) -> str:
    """Return the JSON text of a value."""
    return msgspec.json.encode(value).decode()


def native_frames(outputs: Iterator[dict[str, Any]], request_id: str) -> Iterator[str]:
    """Yield the native surface's frames: no space after a colon, the status as a comment, no [DONE]."""
    for number, output in enumerate(outputs, 1):
        yield _native_frame("result", 200, output | {"request_id": request_id}, number=number)


def native_error(error: ApiError, request_id: str) -> str:
    """Return an error as a native frame; its HTTP status is 200, the true one stands in the comment."""
    return _native_frame("error", error.status, error.native_body(request_id))


def native_error_frame(call: Call) -> Callable[[Fault], str]:
    """Return what writes a scripted error into a native stream."""
    return lambda fault: native_error(errors.usual_error(fault.status, fault.code, fault.message), call.request_id)


def _native_frame(event: str, status: int, body: dict[str, Any], *, number: int = 1) -> str:
    return f"id:{number}\nevent:{event}\n:HTTP_STATUS/{status}\ndata:{text_of(body)}\n\n"
