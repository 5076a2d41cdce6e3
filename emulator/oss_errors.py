"""The object storage service's refusals and other XML.  Source: OSS API reference, error responses."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any, Final
from xml.sax.saxutils import escape

from flask import Response, g, request

_STATUS: Final = {
    "AccessDenied": 403,
    "BadDigest": 400,
    "EntityTooLarge": 400,
    "FileAlreadyExists": 409,
    "InternalError": 500,
    "InvalidAccessKeyId": 403,
    "InvalidArgument": 400,
    "InvalidDigest": 400,
    "InvalidObjectName": 400,
    "InvalidPart": 400,
    "InvalidPartOrder": 400,
    "MalformedXML": 400,
    "MethodNotAllowed": 405,
    "NoSuchBucket": 404,
    "NoSuchKey": 404,
    "NoSuchUpload": 404,
    "NotImplemented": 501,
    "QuotaExceeded": 403,
    "RequestTimeTooSkewed": 403,
    "SignatureDoesNotMatch": 403,
}
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'


class OssError(Exception):
    """A request refused by the storage service; `detail` becomes elements of its answer."""

    def __init__(self, code: str, message: str, *, status: int = 0, **detail: str) -> None:
        super().__init__(message)
        self.code, self.message, self.detail = code, message, detail
        self.status = status or _STATUS.get(code, 400)

    def response(self) -> Response:
        """Return the answer; one to HEAD has no body, so its words travel in a header."""
        fields = {"Code": self.code, "Message": self.message, "RequestId": g.oss_request_id, "HostId": request.host}
        body = xml("Error", fields | self.detail)
        answer = Response("" if request.method == "HEAD" else body, self.status, content_type="application/xml")
        if request.method == "HEAD":
            answer.headers["x-oss-err"] = b64encode(body.encode()).decode()
        return answer


def xml(root: str, fields: Mapping[str, Any]) -> str:
    """Return a document: a mapping is nested elements, a sequence the same element again and again."""
    return f"{_HEAD}<{root}>{_elements(fields)}</{root}>"


def _elements(fields: Mapping[str, Any]) -> str:
    return "".join(_element(name, value) for name, value in fields.items())


def _element(name: str, value: Any) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "".join(_element(name, item) for item in value)
    inner = _elements(value) if isinstance(value, Mapping) else escape(str(value))
    return f"<{name}>{inner}</{name}>"
