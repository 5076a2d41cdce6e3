"""What the storage service does with whole objects, and with the bucket as such."""

from __future__ import annotations

import binascii
import hashlib
import re
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from email.utils import formatdate
from typing import Any, Final, get_args
from urllib.parse import quote

from flask import Response

from emulator.oss_errors import OssError, xml
from emulator.oss_signature import Asked
from emulator.oss_store import Acl, OssBucket, StoredObject, crc64_of, etag_of

_MOST_KEYS: Final = 1000
_RANGE: Final = re.compile(r"bytes=(\d*)-(\d*)")
_OVERRIDES: Final = ("content-type", "content-disposition", "content-language", "cache-control", "content-encoding")


# --- objects


def put(asked: Asked, bucket: OssBucket, body: bytes) -> Response:
    """Keep an object."""
    stored = StoredObject(
        data=checked(asked, body),
        content_type=asked.headers.get("content-type", "application/octet-stream"),
        etag=etag_of(body),
        headers=kept_headers(asked),
        acl=_acl(asked.headers.get("x-oss-object-acl", "default")),
        crc64=crc64_of(body),
    )
    bucket.put(asked.key, stored, forbid_overwrite=asked.headers.get("x-oss-forbid-overwrite") == "true")
    md5 = b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
    return empty(200, {"ETag": f'"{stored.etag}"', "x-oss-hash-crc64ecma": str(stored.crc64), "Content-MD5": md5})


def get(asked: Asked, bucket: OssBucket, body: bytes) -> Response:
    """Give out an object, or a range of it; a range that makes no sense gives it whole."""
    stored = bucket.get(asked.key)
    chosen = _range(asked.headers.get("range", ""), len(stored.data))
    data = stored.data if chosen is None else stored.data[chosen[0] : chosen[1] + 1]
    response = Response(data, 200 if chosen is None else 206, headers=_headers(stored))
    if chosen is not None:
        response.headers["Content-Range"] = f"bytes {chosen[0]}-{chosen[1]}/{len(stored.data)}"
    for name in _OVERRIDES:
        if value := asked.query.get(f"response-{name}"):
            response.headers[name.title()] = value
    return response


def head(asked: Asked, bucket: OssBucket, body: bytes) -> Response:
    """Tell what `get` would give out."""
    stored = bucket.get(asked.key)
    response = Response(b"", 200, headers=_headers(stored))
    response.headers["Content-Length"] = str(len(stored.data))
    return response


def delete(asked: Asked, bucket: OssBucket, body: bytes) -> Response:
    """Forget an object; the same whether there was one or not."""
    bucket.delete(asked.key)
    return empty(204)


def acl(asked: Asked, bucket: OssBucket, body: bytes) -> Response:
    """Read or set who may read an object."""
    stored = bucket.get(asked.key)
    if asked.method == "PUT":
        bucket.put(asked.key, replace(stored, acl=_acl(asked.headers.get("x-oss-object-acl", ""))))
        return empty(200)
    return document("AccessControlPolicy", {"Owner": _OWNER, "AccessControlList": {"Grant": stored.acl}})


# --- the bucket


def info(asked: Asked, bucket: OssBucket, body: bytes) -> Response:
    """Describe the bucket."""
    if "bucketInfo" not in asked.query:
        raise OssError("NotImplemented", "Only bucketInfo and list-type=2 are asked of a bucket here.")
    account = bucket.account
    fields = {
        "Name": account.bucket,
        "CreationDate": moment(bucket.created_s),
        "StorageClass": "Standard",
        "ExtranetEndpoint": f"oss-{account.region}.aliyuncs.com",
        "IntranetEndpoint": f"oss-{account.region}-internal.aliyuncs.com",
        "Location": f"oss-{account.region}",
        "Owner": _OWNER,
        "AccessControlList": {"Grant": account.acl},
    }
    return document("BucketInfo", {"Bucket": fields})


def list_(asked: Asked, bucket: OssBucket, body: bytes) -> Response:
    """List objects, version 2: by prefix, folded at a delimiter, page by page."""
    prefix, delimiter = asked.query.get("prefix", ""), asked.query.get("delimiter", "")
    after = asked.query.get("continuation-token") or asked.query.get("start-after", "")
    most = _whole(asked.query.get("max-keys", "100"), low=1, high=_MOST_KEYS, name="max-keys")
    found = list(_folded(bucket, prefix=prefix, delimiter=delimiter, after=after))
    page, is_url = found[:most], asked.query.get("encoding-type") == "url"
    shown: Callable[[str], str] = quote if is_url else str
    fields: dict[str, Any] = {"Name": bucket.account.bucket, "Prefix": shown(prefix), "MaxKeys": most}
    fields |= {"Delimiter": shown(delimiter), "KeyCount": len(page), "IsTruncated": str(len(found) > most).lower()}
    fields |= {"EncodingType": "url"} if is_url else {}
    fields |= {"NextContinuationToken": shown(page[-1][0])} if len(found) > most else {}
    fields["Contents"] = [_listed(shown(key), stored) for key, stored in page if stored is not None]
    fields["CommonPrefixes"] = [{"Prefix": shown(key)} for key, stored in page if stored is None]
    return document("ListBucketResult", fields)


def _folded(bucket: OssBucket, *, prefix: str, delimiter: str, after: str) -> Iterator[tuple[str, StoredObject | None]]:
    """Yield each key with its object, and each common beginning once, without one."""
    last = after
    for key, stored in bucket.listing():
        end = key.find(delimiter, len(prefix)) if delimiter else -1
        name = key[: end + len(delimiter)] if end >= 0 else key
        if key.startswith(prefix) and name.encode() > last.encode():
            last = name
            yield name, None if end >= 0 else stored


def _listed(key: str, stored: StoredObject) -> dict[str, Any]:
    return {
        "Key": key,
        "LastModified": moment(stored.modified_s),
        "ETag": f'"{stored.etag}"',
        "Type": stored.kind,
        "Size": len(stored.data),
        "StorageClass": "Standard",
    }


WORKS: Final[dict[str, Callable[[Asked, OssBucket, bytes], Response]]] = {
    "put": put,
    "get": get,
    "head": head,
    "delete": delete,
    "acl": acl,
    "bucket": info,
    "list": list_,
}


# --- what requests and answers have in common

_OWNER: Final = {"ID": "1053012345678901", "DisplayName": "1053012345678901"}


def checked(asked: Asked, body: bytes) -> bytes:
    """Return a body that is what its Content-MD5 says. Raises: OssError InvalidDigest, InvalidObjectName."""
    if len(asked.key.encode()) > 1023 or asked.key.startswith(("/", "\\")):
        raise OssError("InvalidObjectName", "The specified object is not valid.", ObjectName=asked.key)
    told = asked.headers.get("content-md5")
    if told is not None and _digest(told) != hashlib.md5(body, usedforsecurity=False).digest():
        raise OssError("InvalidDigest", "The Content-MD5 you specified was invalid.", ContentMD5=told)
    return body


def _digest(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except binascii.Error:
        return b""


def kept_headers(asked: Asked) -> dict[str, str]:
    """Return the headers that are given back with the object."""
    names = ("cache-control", "content-disposition", "content-encoding", "expires")
    return {n: v for n, v in asked.headers.items() if n in names or n.startswith("x-oss-meta-")}


def empty(status: int, headers: dict[str, str] | None = None) -> Response:
    """Return an answer without a body."""
    response = Response(b"", status, headers=headers)
    del response.headers["Content-Type"]
    return response


def document(root: str, fields: dict[str, Any]) -> Response:
    """Return an answer in XML."""
    return Response(xml(root, fields), content_type="application/xml")


def moment(time_s: float) -> str:
    """Return a moment as the service writes it in XML."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time_s))


def _headers(stored: StoredObject) -> dict[str, str]:
    return {
        "Content-Type": stored.content_type,
        "ETag": f'"{stored.etag}"',
        "Last-Modified": formatdate(stored.modified_s, usegmt=True),
        "Accept-Ranges": "bytes",
        "x-oss-object-type": stored.kind,
        "x-oss-hash-crc64ecma": str(stored.crc64),
        "x-oss-storage-class": "Standard",
        **stored.headers,
    }


def _range(text: str, size_bytes: int) -> tuple[int, int] | None:
    """Return the first and last byte that a range names, or None for the whole."""
    found = _RANGE.fullmatch(text)
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        return (size_bytes - min(int(found[2]), size_bytes), size_bytes - 1) if int(found[2]) else None
    first, last = int(found[1]), min(int(found[2] or size_bytes), size_bytes - 1)
    return (first, last) if first <= last else None


def _acl(text: str) -> Acl:
    known: tuple[Acl, ...] = get_args(Acl)
    for name in known:
        if name == text:
            return name
    raise OssError("InvalidArgument", "no such object access control exists", ArgumentName="x-oss-object-acl")


def _whole(text: str, *, low: int, high: int, name: str) -> int:
    if not text.isdigit() or not low <= int(text) <= high:
        raise OssError("InvalidArgument", f"Argument {name} must be a whole number from {low} to {high}.")
    return int(text)
