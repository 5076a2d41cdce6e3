"""Errors of HTTP routes, rendered once, in OpenAI's shape.  Source: OpenAI API reference, error object."""

import logging

from flask import Flask
from werkzeug.exceptions import HTTPException

from protocol.errors import GatewayError

_log = logging.getLogger(__name__)

Answer = tuple[dict[str, object], int]


def register(app: Flask) -> None:
    """Let every error of this application leave through here."""
    app.register_error_handler(GatewayError, _gateway_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)


def _gateway_error(error: GatewayError) -> Answer:
    return _body(error.message, kind=error.type, code=error.code, param=error.param), error.status


def _http_error(error: HTTPException) -> Answer:
    status = error.code or 500
    kind = "invalid_request_error" if status < 500 else "server_error"
    return _body(error.description or "", kind=kind, code=error.name.lower().replace(" ", "_"), param=None), status


def _unexpected(error: Exception) -> Answer:
    _log.exception("request broke")
    return _body(
        "The server failed on this request. Please try again.", kind="server_error", code="internal_error", param=None
    ), 500


def _body(message: str, *, kind: str, code: str, param: str | None) -> dict[str, object]:
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}
