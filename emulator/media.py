"""Where sounds and pictures of a request come from: data URIs, http, and the temporary upload."""

from __future__ import annotations

import base64
import binascii
import urllib.request
from typing import Final
from urllib.error import URLError

from emulator.errors import ApiError

_FETCH_TIMEOUT_S: Final = 30
_LARGEST_FETCH: Final = 300_000_000
_LARGEST_DATA_URI: Final = 10_485_760


def fetch(url: str) -> bytes:
    """Return the bytes behind a data URI or an http(s) URL.  Raises: ApiError with the service's message."""
    if url.startswith("data:"):
        return _from_data_uri(url)
    if url.startswith(("http://", "https://")):
        return _download(url)
    raise ApiError("The provided URL does not appear to be valid. Ensure it is correctly formatted.")


def _from_data_uri(url: str) -> bytes:
    head, comma, body = url.partition(",")
    if not comma or not head.endswith(";base64"):
        raise ApiError("The provided URL does not appear to be valid. Ensure it is correctly formatted.")
    if len(body) > _LARGEST_DATA_URI:
        raise ApiError(f"Exceeded limit on max bytes per data-uri item : {_LARGEST_DATA_URI}")
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error as error:
        raise ApiError("The provided URL does not appear to be valid. Ensure it is correctly formatted.") from error


def _download(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=_FETCH_TIMEOUT_S) as answer:
            data: bytes = answer.read(_LARGEST_FETCH + 1)
    except (URLError, OSError, ValueError) as error:
        raise ApiError("Failed to download multimodal content.", code="InvalidParameter.DataInspection") from error
    if len(data) > _LARGEST_FETCH:
        raise ApiError("Multimodal file size is too large")
    return data
