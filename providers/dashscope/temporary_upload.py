"""A file in the vendor's temporary storage, where it lives for 48 hours.

The body is read from the file while it is sent, so a recording of an hour costs no memory.

Source: DashScope HTTP reference §3.2 (local file upload).
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import quote

from protocol.dashscope import read_upload_policy
from protocol.keys import ApiKey
from providers.dashscope.transport import Transport, authorization
from services.ports import Cancel

RESOLVE = {"X-DashScope-OssResourceResolve": "enable"}
"""Without it the vendor does not read its own `oss://` addresses."""
_PIECE_BYTES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file to be kept for a while. `name` is what it is called there; it can be read more than once."""

    file: BinaryIO
    size_bytes: int
    name: str
    content_type: str


def upload(transport: Transport, sent: Upload, *, model: str, base_url: str, key: ApiKey, cancel: Cancel) -> str:
    """Return the vendor's own address (oss://) of a file. Raises: UpstreamError, Cancelled."""
    url = f"{base_url}/uploads?action=getPolicy&model={quote(model)}"
    with transport.call("GET", url, headers={"Authorization": authorization(key)}, cancel=cancel) as response:
        policy = read_upload_policy(response.read())
    form = policy.form(sent.name, content_type=sent.content_type)
    body = _Form(form, sent)
    with transport.call("POST", policy.upload_host, headers=body.headers, body=body, cancel=cancel) as response:
        response.read()
    return f"oss://{form['key']}"


class _Form:
    """A multipart body that ends with a file. It can be sent again from its beginning."""

    def __init__(self, fields: dict[str, str], sent: Upload) -> None:
        boundary = secrets.token_hex(16)
        head = [_part(boundary, f'name="{field}"', "") + value for field, value in fields.items()]
        kind = f"Content-Type: {sent.content_type}\r\n"
        head.append(_part(boundary, f'name="file"; filename="{sent.name}"', kind))
        self._head = "\r\n".join(head).encode()
        self._tail = f"\r\n--{boundary}--\r\n".encode()
        self._file = sent.file
        length = len(self._head) + sent.size_bytes + len(self._tail)
        self.headers = {
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Content-Length": str(length),
        }

    def __iter__(self) -> Iterator[bytes]:
        yield self._head
        yield from _pieces(self._file)
        yield self._tail


def _part(boundary: str, names: str, more: str) -> str:
    return f"--{boundary}\r\nContent-Disposition: form-data; {names}\r\n{more}\r\n"


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    while piece := file.read(_PIECE_BYTES):
        yield piece
