"""Uploads in parts: begin, parts in any order, list, complete, abort.  Source: OSS API reference, multipart upload."""

from __future__ import annotations

import hashlib
from typing import Final
from xml.etree import ElementTree

from flask import Response

from emulator.oss_errors import OssError
from emulator.oss_objects import checked, document, empty, kept_headers, moment
from emulator.oss_signature import Asked
from emulator.oss_store import OssBucket, PartsUpload, StoredObject, crc64_of, etag_of

_SMALLEST_PART_BYTES: Final = 100 * 1024
_MOST_PARTS: Final = 10_000


def answer(asked: Asked, bucket: OssBucket, body: bytes) -> Response:
    """Do one step of an upload in parts."""
    if "uploads" in asked.query:
        return _begin(asked, bucket)
    upload = bucket.parts_of(asked.key, asked.query["uploadId"])
    if asked.method == "PUT":
        return _take(asked, upload, body)
    if asked.method == "POST":
        return _complete(asked, bucket, upload, body)
    if asked.method == "DELETE":
        bucket.end_parts(upload.upload_id)
        return empty(204)
    return _list(asked, bucket, upload)


def _begin(asked: Asked, bucket: OssBucket) -> Response:
    content_type = asked.headers.get("content-type", "application/octet-stream")
    upload = PartsUpload(key=asked.key, content_type=content_type, headers=kept_headers(asked))
    fields = {"Bucket": bucket.account.bucket, "Key": asked.key, "UploadId": bucket.begin_parts(upload)}
    return document("InitiateMultipartUploadResult", fields)


def _take(asked: Asked, upload: PartsUpload, body: bytes) -> Response:
    number = asked.query.get("partNumber", "")
    if not number.isdigit() or not 1 <= int(number) <= _MOST_PARTS:
        raise OssError("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive.")
    upload.parts[int(number)] = checked(asked, body)
    return empty(200, {"ETag": f'"{etag_of(body)}"', "x-oss-hash-crc64ecma": str(crc64_of(body))})


def _list(asked: Asked, bucket: OssBucket, upload: PartsUpload) -> Response:
    parts = [
        {
            "PartNumber": number,
            "LastModified": moment(bucket.created_s),
            "ETag": f'"{etag_of(data)}"',
            "Size": len(data),
        }
        for number, data in sorted(upload.parts.items())
    ]
    last = max(upload.parts, default=0)
    fields = {"Bucket": bucket.account.bucket, "Key": asked.key, "UploadId": upload.upload_id}
    return document("ListPartsResult", fields | {"NextPartNumberMarker": last, "IsTruncated": "false", "Part": parts})


def _complete(asked: Asked, bucket: OssBucket, upload: PartsUpload, body: bytes) -> Response:
    wanted = _wanted(body)
    if [number for number, _ in wanted] != sorted({number for number, _ in wanted}):
        raise OssError("InvalidPartOrder", "The list of parts was not in ascending order.")
    parts = [_part(upload, number, etag) for number, etag in wanted]
    if any(len(part) < _SMALLEST_PART_BYTES for part in parts[:-1]):
        raise OssError("EntityTooSmall", "Your proposed upload smaller than the minimum allowed size.")
    data = b"".join(parts)
    tags = b"".join(hashlib.md5(part, usedforsecurity=False).digest() for part in parts)
    etag, crc64 = f"{etag_of(tags)}-{len(parts)}", crc64_of(data)
    stored = StoredObject(
        data=data,
        content_type=upload.content_type,
        etag=etag,
        headers=upload.headers,
        kind="Multipart",
        crc64=crc64,
    )
    bucket.put(asked.key, stored, forbid_overwrite=asked.headers.get("x-oss-forbid-overwrite") == "true")
    bucket.end_parts(upload.upload_id)
    fields = {"Location": "", "Bucket": bucket.account.bucket, "Key": asked.key, "ETag": f'"{etag}"'}
    response = document("CompleteMultipartUploadResult", fields)
    response.headers["ETag"], response.headers["x-oss-hash-crc64ecma"] = f'"{etag}"', str(crc64)
    return response


def _wanted(body: bytes) -> list[tuple[int, str]]:
    """Return number and tag of each part that the client names."""
    try:
        nodes = ElementTree.fromstring(body).iter("Part")
        found = [(int(node.findtext("PartNumber", "")), node.findtext("ETag", "").strip('"')) for node in nodes]
    except (ElementTree.ParseError, ValueError):
        found = []
    if not found:
        raise OssError("MalformedXML", "The XML you provided was not well-formed.")
    return found


def _part(upload: PartsUpload, number: int, etag: str) -> bytes:
    data = upload.parts.get(number)
    if data is None or etag_of(data) != etag.upper():
        raise OssError("InvalidPart", "One or more of the specified parts could not be found or the tags do not match.")
    return data
