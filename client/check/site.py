"""One server over HTTP: requests, answers, and when their bytes came."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
import urllib3

_CONNECT_S: Final = 5.0
_SHOWN_CHARS: Final = 160


class Failed(Exception):
    """A surface is not as it should be. The text says how; `status` is the answer's, 0 when there was none."""

    def __init__(self, sentence: str, *, status: int = 0) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One whole answer. `first_ms`: until the body's first byte, or its end when it is empty."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    first_ms: float
    total_ms: float

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "").lower()

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def json(self) -> dict[str, Any]:
        """Return the JSON object in the body.  Raises: Failed."""
        try:
            return msgspec.json.decode(self.body, type=dict[str, Any])
        except msgspec.MsgspecError as error:
            raise Failed(f"not a JSON object: {_shown(self.text)}", status=self.status) from error

    def events(self) -> Iterator[str]:
        """Yield the data of each server-sent event.  Raises: Failed when the answer is no stream of events."""
        if not self.content_type.startswith("text/event-stream"):
            raise Failed(f"not a stream of events but {self.content_type or 'untyped'}: {_shown(self.text)}")
        for block in self.text.replace("\r\n", "\n").split("\n\n"):
            lines = [line[5:].removeprefix(" ") for line in block.split("\n") if line.startswith("data:")]
            if lines:
                yield "\n".join(lines)

    def expect(self, status: int, kind: str = "") -> "Answer":
        """Return itself when status and content type are these.  Raises: Failed."""
        if self.status != status:
            raise Failed(f"status {self.status} instead of {status}: {_shown(self._complaint())}", status=self.status)
        if not self.content_type.startswith(kind):
            raise Failed(f"content type {self.content_type!r} instead of {kind}", status=self.status)
        return self

    def _complaint(self) -> str:
        try:
            return str(msgspec.json.decode(self.body)["error"]["message"])
        except (msgspec.MsgspecError, KeyError, TypeError):
            return self.text


class Site:
    """A server at a base URL, asked with one key. `last` is the newest answer, None before and when none came."""

    def __init__(self, base_url: str, *, key: str, timeout_s: float) -> None:
        self.root = base_url.rstrip("/").removesuffix("/v1").rstrip("/")
        self.key = key
        self.last: Answer | None = None
        timeout = urllib3.Timeout(connect=_CONNECT_S, read=timeout_s)
        self._pool = urllib3.PoolManager(timeout=timeout, retries=False, maxsize=1)

    @property
    def websocket_root(self) -> str:
        return f"ws{self.root[4:]}"

    @property
    def address(self) -> str:
        return urlsplit(self.root).netloc

    def get(self, path: str, *, headers: Mapping[str, str] | None = None, key: str | None = None) -> Answer:
        return self._ask("GET", path, headers=headers or {}, key=key)

    def post(self, path: str, content: dict[str, Any], *, key: str | None = None) -> Answer:
        """Post JSON. `key` replaces the site's own."""
        headers = {"Content-Type": "application/json"}
        return self._ask("POST", path, body=msgspec.json.encode(content), headers=headers, key=key)

    def upload(self, path: str, *, file: bytes, filename: str, fields: Mapping[str, str]) -> Answer:
        """Post a form with a file, as browsers and SDKs do."""
        form = {"file": (filename, file, "application/octet-stream")} | dict(fields)
        body, kind = urllib3.encode_multipart_formdata(form)
        return self._ask("POST", path, body=body, headers={"Content-Type": kind})

    def _ask(
        self, method: str, path: str, *, headers: Mapping[str, str], body: bytes | None = None, key: str | None = None
    ) -> Answer:
        self.last = None
        key = self.key if key is None else key
        sent = dict(headers) | ({"Authorization": f"Bearer {key}"} if key else {})
        began_s = time.monotonic()
        try:
            response = self._pool.request(
                method, f"{self.root}{path}", body=body, headers=sent, preload_content=False, redirect=False
            )
            first = response.read1() or b""
            first_ms = (time.monotonic() - began_s) * 1000
            rest = response.read() or b""
        except urllib3.exceptions.HTTPError as error:
            raise Failed(_sentence(error)) from error
        self.last = Answer(
            status=response.status,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=first + rest,
            first_ms=first_ms,
            total_ms=(time.monotonic() - began_s) * 1000,
        )
        response.release_conn()
        return self.last


def _sentence(error: urllib3.exceptions.HTTPError) -> str:
    match error:
        case urllib3.exceptions.NewConnectionError() | urllib3.exceptions.ConnectTimeoutError():
            return "no connection. Is the server running?"
        case urllib3.exceptions.ReadTimeoutError():
            return "nothing came for too long"
        case urllib3.exceptions.ProtocolError() | urllib3.exceptions.IncompleteRead():
            return "the connection ended in the middle of the answer"
    return str(error)


def _shown(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN_CHARS else line[:_SHOWN_CHARS] + "…"
