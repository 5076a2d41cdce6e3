"""What goes wrong at the vendor, in whatever shape it says so, and what that means to us.

Source: DashScope HTTP reference §2.7 (four wire forms), §6 (codes).
"""

from typing import Any

import msgspec

from protocol.errors import UpstreamBroken, UpstreamBusy, UpstreamError, UpstreamForbidden, UpstreamRefused


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """An error as the vendor words it, in any of its shapes."""

    status: int
    code: str
    message: str
    request_id: str = ""


class _ErrorBody(msgspec.Struct, frozen=True):
    error: Any = None
    code: Any = None
    message: Any = None
    request_id: Any = None
    id: Any = None


def read_failure(*, status: int, body: bytes) -> Failure:
    """Return what an error answer says.

    Four shapes are in use: `{"error":{…}}`, the same with `error` a JSON string, the same behind `data: ` (a streamed
    request that failed), and the native `{"code","message","request_id"}`; proxies add HTML pages of their own.
    """
    try:
        answer = msgspec.json.decode(body.strip().removeprefix(b"data:").strip(), type=_ErrorBody)
        inner = answer.error
        if isinstance(inner, str):
            inner = msgspec.json.decode(inner)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Failure(status=status, code="", message=body[:200].decode("utf-8", "replace"))
    if not isinstance(inner, dict):
        inner = {"code": answer.code, "message": answer.message}
    request_id = answer.request_id or str(answer.id or "").removeprefix("chatcmpl-")
    code = str(inner.get("code") or inner.get("type") or "")
    return Failure(status=status, code=code, message=str(inner.get("message") or ""), request_id=str(request_id))


_FORBIDDEN_CODES = (
    "invalidapikey", "invalid_api_key", "accessdenied", "access_denied", "arrearage", "allocationquota.freetieronly",
    "not authorized", "workspace.", "endpoint.", "model.accessdenied",
)  # fmt: skip
_BUSY_CODES = (
    "throttling", "limit_", "insufficient_quota", "modelservingerror", "too many requests", "to many requests",
)  # fmt: skip
_BROKEN_CODES = (
    "internalerror", "internal_error", "systemerror", "modelservicefailed", "modelunavailable", "requesttimeout",
    "responsetimeout", "serviceunavailable",
)  # fmt: skip


def renamed(failure: Failure) -> UpstreamError:
    """Return the vendor's failure as an error of ours. The code decides before the HTTP status does.

    One service was measured to answer throttling with a plain 400, and an error inside a stream has no status at all,
    so the status alone would mislead.
    """
    kind = _kind(failure.status, f"{failure.code} {failure.message}".strip().lower())
    said = failure.message or failure.code or f"HTTP {failure.status}"
    return kind(f"模型服务返回错误：{said}", vendor_code=failure.code, request_id=failure.request_id)


def _kind(status: int, words: str) -> type[UpstreamError]:
    if status in (401, 403) or words.startswith(_FORBIDDEN_CODES):
        return UpstreamForbidden
    if status == 429 or any(code in words for code in _BUSY_CODES):
        return UpstreamBusy
    if words.startswith(_BROKEN_CODES) and "invalidparameter" not in words:
        return UpstreamBroken
    return UpstreamRefused if 400 <= status < 500 else UpstreamBroken
