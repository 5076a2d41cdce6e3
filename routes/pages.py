"""The pages for people, and the signed links to recordings."""

from pathlib import Path
from typing import Protocol

import msgspec
from flask import Blueprint, Response, current_app, request, send_file, send_from_directory

from protocol.errors import NotFound
from protocol.openai.answers import Introduction

_PAGES = Path(__file__).resolve().parent.parent / "test"
_KINDS = (".html", ".js", ".css", ".svg")
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data: blob: http: https:",
        "media-src 'self' data: blob: http: https:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'self'",
    )
)
"""Nothing runs in a page but its own files, so what a model or a visitor writes can at worst be ugly.  Recordings and
pictures of the history may lie in a bucket elsewhere."""


class SignedFiles(Protocol):
    def open_signed(self, key: str, *, expires: str, signature: str) -> Path:
        """Return the file behind a signed link. Raises: NotFound, Unauthorized."""


def blueprint(files: SignedFiles, *, version: str) -> Blueprint:
    """Return the routes, joined to their parts."""
    door = Blueprint("pages", __name__)

    @door.get("/")
    def index() -> Response:
        answer = _page("test_realtime_audio_stream.html") if _wants_page() else _json(_introduction(version))
        answer.vary.add("Accept")
        return answer

    @door.get("/docs")
    def documentation() -> Response:
        return _page("test_api_docs.html")

    @door.get("/test/<name>")
    def page(name: str) -> Response:
        if not name.endswith(_KINDS):
            raise NotFound(f"There is no page {name!r}.")
        return _page(name)

    @door.get("/files/<path:key>")
    def recording(key: str) -> Response:
        signature, expires = request.args.get("signature", ""), request.args.get("expires", "")
        answer = send_file(files.open_signed(key, expires=expires, signature=signature).resolve())
        answer.headers["X-Content-Type-Options"] = "nosniff"  # what a device uploaded is never run as a page
        return answer

    return door


def _wants_page() -> bool:
    """Whether a browser asks: it names text/html, where programs take anything or JSON."""
    return any(kind == "text/html" for kind, quality in request.accept_mimetypes if quality > 0)


def _page(name: str) -> Response:
    """Return a file of the pages, asked for anew each time: a page never meets the script of another version."""
    answer = send_from_directory(_PAGES, name)
    answer.headers["Content-Security-Policy"] = _POLICY
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.cache_control.no_cache = True
    return answer


def _introduction(version: str) -> Introduction:
    return Introduction(
        name="voice-backend",
        version=version,
        description="OpenAI's API for chat and speech, and spoken turns over WebSocket, served by DashScope.",
        endpoints=_endpoints(),
        documentation="/docs",
        openapi="/openapi.json",
        authentication="Authorization: Bearer <key>. /health tells which keys are taken.",
    )


def _endpoints() -> list[str]:
    """Return every route of the API, as `POST /v1/audio/speech`."""
    return sorted(
        f"{method} {rule.rule}"
        for rule in current_app.url_map.iter_rules()
        if rule.rule.startswith(("/v1/", "/health"))
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    )


def _json(content: Introduction) -> Response:
    return Response(msgspec.json.encode(content), content_type="application/json")
