"""The vendor's refusals, and the wire forms in which the real service sends them.

Source: docs of the service's error codes; the same error has a native form, a compatible (OpenAI-style) form, and
in both a server-sent-events form.
"""

from __future__ import annotations

from typing import Any, Final

_HELP: Final = " For details, see: https://help.aliyun.com/zh/model-studio/error-code#"


class ApiError(Exception):
    """A request refused by the service: HTTP status, native code, message and their compatible twins."""

    def __init__(self, message: str, *, status: int = 400, code: str = "InvalidParameter", **compat: Any) -> None:
        super().__init__(message)
        self.message, self.status, self.code = message, status, code
        self.compat_code: str | None = compat.get("compat_code", _COMPAT_CODES.get(code, code))
        self.type: str = compat.get("type", _COMPAT_TYPES.get(code, "invalid_request_error"))
        self.is_gateway: bool = compat.get("is_gateway", status in {401, 403, 404, 429})

    def native_body(self, request_id: str) -> dict[str, Any]:
        """Return the body of the native surface."""
        return {"code": self.code, "message": self.message, "request_id": request_id}

    def compat_body(self, request_id: str) -> dict[str, Any]:
        """Return the body of the compatible surface; errors of the model service carry the completion's id."""
        error = {"message": self.message, "type": self.type, "param": None, "code": self.compat_code}
        if self.is_gateway:
            return {"error": error, "request_id": request_id}
        return {"error": error, "id": f"chatcmpl-{request_id}", "request_id": request_id}


_COMPAT_CODES: Final = {
    "InvalidParameter": "invalid_parameter_error",
    "InvalidApiKey": "invalid_api_key",
    "AccessDenied": "access_denied",
    "ModelNotFound": "model_not_found",
    "DataInspectionFailed": "data_inspection_failed",
    "Throttling.RateQuota": "limit_requests",
    "Throttling.BurstRate": "limit_burst_rate",
    "Throttling.AllocationQuota": "insufficient_quota",
    "InternalError": "internal_error",
}
_COMPAT_TYPES: Final = {
    "AccessDenied": "access_denied",
    "DataInspectionFailed": "data_inspection_failed",
    "Throttling.RateQuota": "limit_requests",
    "Throttling.AllocationQuota": "insufficient_quota",
    "Arrearage": "Arrearage",
}
_USUAL: Final = {
    400: ("InvalidParameter", "Required body invalid, please check the request body format."),
    401: ("InvalidApiKey", "Invalid API-key provided."),
    403: ("AccessDenied", "Access denied."),
    404: ("ModelNotFound", "Model can not be found."),
    429: ("Throttling.RateQuota", "Requests rate limit exceeded, please try again later."),
    500: ("InternalError", "An internal error has occured, please try again later."),
    503: ("ModelServingError", "Too many requests. Your requests are being throttled due to system capacity limits."),
}


def usual_error(status: int, code: str = "", message: str = "") -> ApiError:
    """Return the error that the service usually sends with a status, with a code or message of one's own."""
    usual_code, usual_message = _USUAL.get(status, ("InternalError", "An internal error has occured."))
    return ApiError(message or usual_message, status=status, code=code or usual_code)


def no_key() -> ApiError:
    """Return the error for a request without a key."""
    return ApiError("No API-key provided.", status=401, code="InvalidApiKey")


def invalid_key() -> ApiError:
    """Return the error for a key that the service does not know."""
    return ApiError(f"Incorrect API key provided.{_HELP}apikey-error", status=401, code="InvalidApiKey")


def model_not_found(model: str) -> ApiError:
    """Return the error for a model that never was."""
    message = f"The model `{model}` does not exist or you do not have access to it."
    return ApiError(message, status=404, code="ModelNotFound")


def model_retired() -> ApiError:
    """Return the error for a model that is no longer served."""
    message = f"Workspace endpoint access denied.{_HELP}access-denied"
    return ApiError(
        message, status=403, code="Endpoint.AccessDenied", compat_code="access_denied", type="access_denied"
    )


def wrong_endpoint() -> ApiError:
    """Return the error for a model asked at the path of another family (the exclamation mark is full width)."""
    return ApiError(f"url error, please check url\uff01{_HELP}error-url")
