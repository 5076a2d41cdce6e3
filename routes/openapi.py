"""`GET /openapi.json`: the routes of this server, told in OpenAPI. Source: OpenAPI Specification 3.1.1."""

import re
from functools import cache

import msgspec
from flask import Blueprint, Flask, Response, current_app

from protocol.openai.answers import ErrorBody
from protocol.openapi import TEXT, About, Json, document
from routes.operations import OPERATIONS

TAGS = {
    "Chat": "Text, pictures and sound to text (and sound).",
    "Audio": "Speech to text, text to speech.",
    "Images": "Pictures from words and other pictures.",
    "Videos": "Videos from words and pictures; they take minutes.",
    "Models": "What may be asked for.",
    "Devices": "Spoken turns over WebSocket; the messages are told in docs/protocol.md.",
    "History": "What was said: to be read, taken along, deleted.",
    "Server": "The server itself.",
}
SECURITY: dict[str, Json] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "`Authorization: Bearer <key>`"},
    "header": {"type": "apiKey", "in": "header", "name": "x-api-key", "description": "For clients that send it so."},
}
REASONS = {
    400: "The request is wrong; `param` names the parameter at fault.",
    401: "No key, or one that is not taken; `code` says which.",
    403: "The key may not do this, or the page that asks may not.",
    404: "There is no such thing; for models `code` is model_not_found.",
    413: "The body is too large.",
    429: "Too many requests, or the account has run dry (insufficient_quota).",
    500: "The server failed; it is a defect of ours.",
    502: "The model service failed, broke off or cannot be reached.",
    503: "The server or the model service is busy or away; try again later.",
    504: "The model service did not answer in time.",
}
HEADERS: dict[str, Json] = {
    "x-request-id": {"description": "This server's name for the call.", "schema": TEXT},
    "Retry-After": {"description": "Seconds until it makes sense to try again.", "schema": {"type": "integer"}},
}


def about(version: str) -> About:
    """Return what the document says of the whole."""
    return About(
        title="Voice assistant",
        version=version,
        description="OpenAI's API for chat and speech, and spoken turns over WebSocket, served by DashScope.",
        tags=TAGS,
        security=SECURITY,
        failure=ErrorBody,
        reasons=REASONS,
        headers=HEADERS,
    )


def blueprint(*, version: str) -> Blueprint:
    """Return the route."""
    door = Blueprint("openapi", __name__)

    @cache
    def told() -> bytes:  # it takes 24 ms, and routes do not change any more when requests come
        there = routes_of(current_app)
        operations = [operation for operation in OPERATIONS if (operation.method, operation.path) in there]
        return msgspec.json.encode(document(about(version), operations))

    @door.get("/openapi.json")
    def openapi() -> Response:
        return Response(told(), content_type="application/json")

    return door


def routes_of(app: Flask) -> set[tuple[str, str]]:
    """Return (method, path) of every route, the path as OpenAPI writes it: `/v1/models/{name}`."""
    return {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
