"""Requests byte for byte as programs without an SDK send them."""

import http.client
import json
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from test.support.servers import RunningServer


@dataclass(frozen=True)
class Reply:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def events(self) -> list[Any]:
        """Return the JSON of each server-sent event but the closing mark."""
        lines = [line[6:] for line in self.body.decode().split("\n") if line.startswith("data: ")]
        return [json.loads(line) for line in lines if line != "[DONE]"]


def send(
    server: RunningServer,
    method: str,
    path: str,
    *,
    headers: dict[str, str] | None = None,
    body: bytes | Iterable[bytes] | None = None,
    key: str | None = None,
) -> Reply:
    """Send one request with the server's key as bearer; `key=""` sends none. An iterable body goes out in chunks."""
    key = server.key if key is None else key
    sent = (headers or {}) | ({"Authorization": f"Bearer {key}"} if key else {})
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)
    try:
        is_chunked = body is not None and not isinstance(body, bytes)
        connection.request(method, path, body=body, headers=sent, encode_chunked=is_chunked)
        answer = connection.getresponse()
        return Reply(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


def send_json(server: RunningServer, path: str, content: object, **options: Any) -> Reply:
    headers = {"Content-Type": "application/json"} | options.pop("headers", {})
    return send(server, "POST", path, headers=headers, body=json.dumps(content).encode(), **options)


@dataclass(frozen=True)
class Form:
    """A multipart body; each part with the headers of the program that is replayed."""

    parts: list[tuple[str, bytes]]
    boundary: str = uuid.uuid4().hex

    @property
    def headers(self) -> dict[str, str]:
        return {"Content-Type": f"multipart/form-data; boundary={self.boundary}"}

    @property
    def body(self) -> bytes:
        parts = (f"--{self.boundary}\r\n{head}\r\n\r\n".encode() + data + b"\r\n" for head, data in self.parts)
        return b"".join(parts) + f"--{self.boundary}--\r\n".encode()

    def chunks(self, size: int = 1000) -> Iterator[bytes]:
        """Yield the body in pieces, for a transfer without a length."""
        body = self.body
        return (body[at : at + size] for at in range(0, len(body), size))


def field(name: str, value: str) -> tuple[str, bytes]:
    return f'Content-Disposition: form-data; name="{name}"', value.encode()


def file(filename: str, data: bytes, kind: str) -> tuple[str, bytes]:
    return f'Content-Disposition: form-data; name="file"; filename="{filename}"\r\nContent-Type: {kind}', data
