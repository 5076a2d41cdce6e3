"""The pages for people, and the signed links to recordings."""

from pathlib import Path
from typing import Protocol

from flask import Blueprint, Response, request, send_file, send_from_directory

from protocol.errors import NotFound

_PAGES = Path(__file__).resolve().parent.parent / "test"
_KINDS = (".html", ".js", ".css")


class SignedFiles(Protocol):
    def open_signed(self, key: str, *, expires: str, signature: str) -> Path:
        """Return the file behind a signed link. Raises: NotFound, Unauthorized."""


def blueprint(files: SignedFiles) -> Blueprint:
    """Return the routes, joined to their parts."""
    door = Blueprint("pages", __name__)

    @door.get("/")
    def index() -> Response:
        return send_from_directory(_PAGES, "test_realtime_audio_stream.html")

    @door.get("/test/<name>")
    def page(name: str) -> Response:
        if not name.endswith(_KINDS):
            raise NotFound(f"There is no page {name!r}.")
        return send_from_directory(_PAGES, name)

    @door.get("/files/<path:key>")
    def recording(key: str) -> Response:
        signature, expires = request.args.get("signature", ""), request.args.get("expires", "")
        answer = send_file(files.open_signed(key, expires=expires, signature=signature).resolve())
        answer.headers["X-Content-Type-Options"] = "nosniff"  # what a device uploaded is never run as a page
        return answer

    return door
