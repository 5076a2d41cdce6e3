"""One line of the log for each request, written when its answer has ended: never a key, a word or a query."""

import logging
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from routes.call import Call

_log = logging.getLogger(__name__)

_LONGEST_PATH = 200
_CLIENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_LIKE_A_KEY = re.compile(r"(sk|vb|ek)-|bearer", re.IGNORECASE)


def write(call: Call, environ: Mapping[str, Any]) -> None:
    """Write the line of one request."""
    if not _log.isEnabledFor(logging.INFO):
        return
    caller = call.caller
    _log.info(
        "request id=%s method=%s path=%s status=%d caller=%s name=%s from=%s ms=%.1f first_byte_ms=%.1f "
        "overhead_ms=%.2f bytes=%d vendor=%s code=%s client_id=%s",
        call.request_id,
        environ["REQUEST_METHOD"],
        quote(environ.get("PATH_INFO", "").encode("latin-1", "replace")[:_LONGEST_PATH]),
        call.status,
        caller.identity or "-",
        caller.name or "-",
        _address_of(environ),
        call.total_ms,
        call.first_byte_ms,
        call.overhead_ms,
        call.bytes_out,
        call.vendor_request_id or "-",
        _code_of(call),
        _client_id_of(environ),
    )


def _code_of(call: Call) -> str:
    return call.error_code or ("-" if call.is_whole else "client_gone")


def _address_of(environ: Mapping[str, Any]) -> str:
    """Return the caller's address; behind a proxy on this machine, the one that the proxy saw."""
    address = str(environ.get("REMOTE_ADDR", "-"))
    if address not in ("127.0.0.1", "::1") or "HTTP_X_FORWARDED_FOR" not in environ:
        return address
    seen = environ["HTTP_X_FORWARDED_FOR"].rpartition(",")[2].strip()
    return seen if re.fullmatch(r"[0-9A-Fa-f.:]{2,45}", seen) else address


def _client_id_of(environ: Mapping[str, Any]) -> str:
    """Return what the client calls its request, if that is a plain name and looks like no key."""
    named = environ.get("HTTP_X_CLIENT_REQUEST_ID") or environ.get("HTTP_X_REQUEST_ID") or ""
    return named if _CLIENT_ID.fullmatch(named) and not _LIKE_A_KEY.search(named) else "-"
