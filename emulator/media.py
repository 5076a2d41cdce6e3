"""Where the sounds of a request come from: data URIs, http, and temporary uploads (oss://)."""

from __future__ import annotations

import base64
import binascii
import urllib.request
from http.client import HTTPException
from typing import Final
from urllib.error import URLError

from emulator.calls import Call
from emulator.errors import ApiError

_FETCH_TIMEOUT_S: Final = 30
_LARGEST_FETCH: Final = 400_000_000
_LARGEST_DATA_URI: Final = 10_485_760
BAD_URL: Final = "The provided URL does not appear to be valid. Ensure it is correctly formatted."


def fetch(url: str, call: Call, *, limit: int = _LARGEST_FETCH) -> bytes:
    """Return the bytes behind a data URI, an http(s) URL or an upload.

    Raises: ApiError with the service's message; also for more than `limit` bytes behind a URL or an upload.
    """
    if url.startswith("data:"):
        return _from_data_uri(url)
    if not url.startswith(("http://", "https://", "oss://")):
        raise ApiError(BAD_URL)
    data = _from_upload(url, call) if url.startswith("oss://") else _download(url, limit)
    if len(data) > limit:
        raise ApiError("Multimodal file size is too large")
    return data


def _from_data_uri(url: str) -> bytes:
    head, comma, body = url.partition(",")
    if not comma or not head.endswith(";base64"):
        raise ApiError(BAD_URL)
    if len(body) > _LARGEST_DATA_URI:
        raise ApiError(f"Exceeded limit on max bytes per data-uri item : {_LARGEST_DATA_URI}")
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error as error:
        raise ApiError(BAD_URL) from error


def _download(url: str, limit: int) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=_FETCH_TIMEOUT_S) as answer:
            data: bytes = answer.read(limit + 1)
    except (URLError, HTTPException, OSError, ValueError) as error:
        raise ApiError("Failed to download multimodal content.") from error
    return data


def _from_upload(url: str, call: Call) -> bytes:
    if not call.resolves_uploads:
        raise ApiError("Failed to download multimodal content.")
    stored = call.vendor.files.get(url)
    if stored is None:
        raise ApiError("Failed to download multimodal content.")
    return stored.data
