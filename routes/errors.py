"""Errors of HTTP routes, rendered once, in OpenAI's shape.  Source: OpenAI API reference, error object."""

import logging

from flask import Flask, Response, g, jsonify, request
from werkzeug.exceptions import HTTPException

from protocol.errors import (
    Cancelled,
    GatewayError,
    TooManyRequests,
    Unauthorized,
    UpstreamBusy,
    UpstreamError,
    UpstreamQuota,
    UpstreamUnauthorized,
)

_log = logging.getLogger(__name__)

_VENDOR_PAUSE_S = 1
"""The vendor sends no Retry-After (none was ever seen); it counts per second."""
_CLIENT_GONE = 499


def register(app: Flask) -> None:
    """Let every error of this application leave through here."""
    app.register_error_handler(GatewayError, _gateway_error)
    app.register_error_handler(Cancelled, _nobody_reads)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)


def body(error: GatewayError) -> dict[str, object]:
    """Return an error as clients of OpenAI's API know it; also for the `data:` line of a stream that fails."""
    return _body(error.english, kind=error.type, code=error.code, param=error.param)


def _gateway_error(error: GatewayError) -> Response:
    response = _answer(body(error), error.status, code=error.code)
    if call := g.get("call"):
        call.fail(error)
    if isinstance(error, UpstreamError) and error.request_id:
        g.call.vendor_request_id = error.request_id
    response.headers.extend(_headers(error))
    if error.is_spent:
        response.headers["x-should-retry"] = "false"
    return response


def _headers(error: GatewayError) -> dict[str, str]:
    match error:
        case TooManyRequests():
            return {"Retry-After": str(error.retry_after_s)}
        case UpstreamBusy():
            return {"Retry-After": str(_VENDOR_PAUSE_S)}
        case UpstreamQuota():
            return {"x-should-retry": "false"}
        case Unauthorized() | UpstreamUnauthorized():
            return {"WWW-Authenticate": "Bearer"}
    return {}


_CODES: dict[int, str | None] = {404: None, 405: "method_not_supported", 413: "too_large"}


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    kind = "invalid_request_error" if status < 500 else "server_error"
    code = _CODES.get(status, error.name.lower().replace(" ", "_"))
    where = f"{request.method} {request.path}"
    message = {404: f"Invalid URL ({where})", 405: f"Not allowed: {where}"}.get(status, error.description or "")
    response = _answer(_body(message, kind=kind, code=code, param=None), status, code=code)
    if allowed := getattr(error, "valid_methods", None):
        response.headers["Allow"] = ", ".join(allowed)
    return response


def _nobody_reads(_: Cancelled) -> Response:
    """Return what nobody will read: the client is gone. 499 is nginx's status for it, and stands in the log alone."""
    if call := g.get("call"):
        call.error_code = "client_gone"
    return Response(status=_CLIENT_GONE)


def _unexpected(error: Exception) -> Response:
    _log.exception("request broke")
    message = "The server failed on this request. Please try again."
    code = "internal_error"
    return _answer(_body(message, kind="server_error", code=code, param=None), 500, code=code)


def _answer(content: dict[str, object], status: int, *, code: str | None) -> Response:
    if call := g.get("call"):
        call.error_code = code or str(status)
    response = jsonify(content)
    response.status_code = status
    return response


def _body(message: str, *, kind: str, code: str | None, param: str | None) -> dict[str, object]:
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}
