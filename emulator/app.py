"""The emulator's Flask application: every endpoint, the key check, and the two renderings of an error."""

from __future__ import annotations

from typing import Any

import msgspec
from flask import Blueprint, Flask, Response, current_app, g, request

from emulator import (
    chat,
    control,
    cosyvoice,
    files,
    images,
    model_lists,
    native,
    oss,
    realtime,
    tasks,
    transcription_tasks,
    videos,
)
from emulator.calls import Call, Vendor, new_request_id
from emulator.errors import ApiError
from emulator.requests import SSE, native_error, open_call

_OPEN_PATHS = ("/emulator/health", "/results/", "/oss")


def create_app(vendor: Vendor) -> Flask:
    """Return the application that answers for a vendor."""
    app = Flask("emulator")
    app.config["PROPAGATE_EXCEPTIONS"] = True  # a ConnectionError must reach the server, which drops the line
    app.extensions["vendor"] = vendor
    for blueprint in _blueprints():
        app.register_blueprint(blueprint)
    app.before_request(_check_key)
    app.after_request(_add_headers)
    app.register_error_handler(ApiError, _render_error)
    app.register_error_handler(400, _bad_request)
    app.register_error_handler(404, _no_such_path)
    app.register_error_handler(405, _wrong_method)
    return app


def _blueprints() -> list[Blueprint]:
    rooms = (
        chat,
        model_lists,
        native,
        cosyvoice,
        control,
        realtime,
        files,
        images,
        tasks,
        transcription_tasks,
        videos,
        oss,
    )
    return [room.blueprint for room in rooms]


def _check_key() -> None:
    """Read the whole body (so that the line can be kept), then let the request in if it carries a key."""
    g.body = request.get_data(cache=True)
    g.request_id = new_request_id()
    if not request.path.startswith(_OPEN_PATHS):
        g.call = open_call(current_app.extensions["vendor"])


def _add_headers(response: Response) -> Response:
    response.headers.setdefault("x-request-id", g.get("request_id", ""))
    response.headers.setdefault("x-dashscope-call-gateway", "true")
    if origin := request.headers.get("Origin"):
        response.headers["access-control-allow-origin"] = origin
        response.headers["vary"] = "Origin"
    return response


def _render_error(error: ApiError) -> Response:
    """Return an error in the form of the surface it was asked on (the service's forms a, b and c)."""
    call: Call | None = g.get("call")
    if call is not None:
        call.note("refused", status=error.status, code=error.code, message=error.message)
    if not request.path.startswith("/compatible-mode"):
        if g.get("is_stream") and not error.is_gateway:
            return Response(native_error(error, g.request_id), 200, content_type=SSE)
        return _json(error.native_body(g.request_id), error.status)
    body = error.compat_body(g.request_id)
    if g.get("is_stream") and not error.is_gateway:
        frame = f"data: {msgspec.json.encode(body).decode()}\n\n"
        return Response(frame, error.status, content_type=SSE)
    return _json(body, error.status)


def _json(body: dict[str, Any], status: int) -> Response:
    return Response(msgspec.json.encode(body), status, content_type="application/json")


def _bad_request(_error: Exception) -> Response:
    return _render_error(ApiError("Bad request: the realtime endpoint speaks WebSocket, all others plain HTTP."))


def _no_such_path(_error: Exception) -> Response:
    return _render_error(ApiError("Not found.", status=404, code="NotFound"))


def _wrong_method(_error: Exception) -> Response:
    return _render_error(ApiError(f"Request method '{request.method}' is not supported.", is_gateway=True))
