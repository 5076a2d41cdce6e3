"""What goes wrong at the vendor, in whatever shape it says so, and what that means to us.

Source: DashScope HTTP reference §2.7 (four wire forms), §6 (codes).
"""

import re
from dataclasses import dataclass
from typing import Any

import msgspec

from protocol.errors import (
    UpstreamBroken,
    UpstreamBusy,
    UpstreamError,
    UpstreamForbidden,
    UpstreamNotFound,
    UpstreamQuota,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnauthorized,
    UpstreamUnavailable,
)


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


def malformed(message: str) -> UpstreamBroken:
    """Return the error for bytes that make no sense."""
    english = "The answer of the model service cannot be read. Try again."
    return UpstreamBroken(message, english=english, code="upstream_malformed")


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What the vendor's words mean: they begin with one of `codes` (code, then message, in small letters)."""

    codes: tuple[str, ...]
    kind: type[UpstreamError]
    our_code: str | None = None


_MEANINGS = (
    _Meaning(("invalidapikey", "invalid_api_key", "not authorized", "invalid access token"), UpstreamUnauthorized),
    _Meaning(
        ("arrearage", "allocationquota.freetieronly", "throttling.allocationquota", "insufficient_quota",
         "commoditynotpurchased", "prepaidbilloverdue", "postpaidbilloverdue"),
        UpstreamQuota,
    ),
    _Meaning(
        ("accessdenied", "access_denied", "model.accessdenied", "app.accessdenied", "workspace.", "endpoint."),
        UpstreamForbidden,
    ),
    _Meaning(("throttling", "limit_", "modelservingerror", "too many requests", "to many requests"), UpstreamBusy),
    _Meaning(
        ("model.notexist", "modelnotfound", "model_not_found", "model_not_supported", "workspacenotfound", "notfound",
         "invalidparameter model not exist"),
        UpstreamNotFound,
    ),
    _Meaning(("datainspectionfailed", "data_inspection_failed"), UpstreamRefused, "content_policy_violation"),
    _Meaning(("unsupportedoperation",), UpstreamRefused, "unsupported_operation"),
    _Meaning(
        ("invalidparameter range of input length", "invalid_parameter_error range of input length"),
        UpstreamRefused,
        "context_length_exceeded",
    ),
    _Meaning(("internalerror.timeout", "requesttimeout", "responsetimeout", "gatewaytimeout"), UpstreamTimeout),
    _Meaning(("modelunavailable", "serviceunavailable", "service_unavailable"), UpstreamUnavailable),
    _Meaning(("internalerror.algo.invalidparameter",), UpstreamRefused),
    _Meaning(("invalidparameter", "invalid_parameter", "badrequest", "invalid_request"), UpstreamRefused),
    _Meaning(("internalerror", "internal_error", "systemerror", "modelservicefailed"), UpstreamBroken),
)  # fmt: skip
"""The first row that fits decides. Source: DashScope HTTP reference §6."""

_BY_STATUS: dict[int, type[UpstreamError]] = {
    401: UpstreamUnauthorized,
    403: UpstreamForbidden,
    404: UpstreamNotFound,
    429: UpstreamBusy,
    503: UpstreamUnavailable,
    504: UpstreamTimeout,
}
_NAMED = re.compile(r"Range of (\w+) should|(Temperature) should|Field required: (?:\w+\.)*(\w+)|^(tool_choice) ")
"""How the vendor names the parameter at fault."""


def renamed(failure: Failure) -> UpstreamError:
    """Return the vendor's failure as an error of ours. The code decides before the HTTP status does.

    One service was measured to answer throttling with a plain 400, and an error inside a stream has no status at all,
    so the status alone would mislead.
    """
    said = failure.message or failure.code or f"HTTP {failure.status}"
    kind, code = _meaning(failure)
    return kind(
        f"模型服务返回错误：{said}",
        english=f"The model service answered: {said}",
        code=code,
        param=_param(failure.message),
        vendor_code=failure.code,
        request_id=failure.request_id,
    )


def _meaning(failure: Failure) -> tuple[type[UpstreamError], str | None]:
    words = _PREFIX.sub("", f"{failure.code} {failure.message}".strip().lower())
    for meaning in _MEANINGS:
        if words.startswith(meaning.codes):
            return meaning.kind, meaning.our_code
    if any(sign in words for sign in ("too many requests", "to many requests", "throttled")):
        return UpstreamBusy, None
    if kind := _BY_STATUS.get(failure.status):
        return kind, None
    return (UpstreamRefused if 400 <= failure.status < 500 else UpstreamBroken), None


_PREFIX = re.compile(r"^(?:internalerror\.algo )?<\d+> (?=internalerror)")
"""Some answers wrap their code once more."""


def _param(message: str) -> str | None:
    if not (found := _NAMED.search(message)):
        return None
    return next(name for name in found.groups() if name).lower()
