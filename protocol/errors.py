"""Every error that a caller may see, one tree.

    GatewayError                 status  type                    code                  retryable
    ├── BadInput                 400     invalid_request_error   invalid_value         no   the sender can fix it
    │   ├── PacketError          400     ”                       invalid_packet        no   one packet is wrong
    │   └── TooLarge             413     ”                       too_large             no   a cap was passed; says which
    ├── NotFound                 404     ”                       not_found             no
    ├── Unauthorized             401     ”                       invalid_api_key       no   says where to put a key
    ├── Forbidden                403     permission_error        permission_denied     no   a rule of this server's
    ├── TooManyRequests          429     requests                rate_limit_exceeded   yes  a limit of this server's
    ├── TooManySessions          503     server_error            too_many_sessions     yes  no place for a connection
    ├── TurnStuck                500     server_error            internal_error        no   (services/turns.py)
    ├── UpstreamError            502     server_error            upstream_error        no   a vendor's; see below
    │   ├── UpstreamRefused      400     invalid_request_error   invalid_parameter     no   the request is wrong
    │   ├── UpstreamUnauthorized 401     ”                       invalid_api_key       no
    │   ├── UpstreamForbidden    403     permission_error        permission_denied     no   permission, retired model
    │   ├── UpstreamNotFound     404     invalid_request_error   model_not_found       no
    │   ├── UpstreamBusy         429     requests                rate_limit_exceeded   yes  throttled
    │   ├── UpstreamQuota        429     insufficient_quota      insufficient_quota    no   the account has run dry
    │   ├── UpstreamTimeout      504     server_error            request_timeout       yes  a deadline passed
    │   └── UpstreamBroken       502     ”                       upstream_error        yes  cut off, senseless, 5xx
    │       ├── UpstreamUnavailable 503  ”                       upstream_unavailable  yes  it says so itself
    │       └── UpstreamUnreachable 502  ”                       upstream_unreachable  yes  no connection at all
    └── StorageError             503     server_error            storage_unavailable   yes  bucket or database away
        ├── StorageMisconfigured 503     ”                       ”                     no   wrong credentials, bucket
        └── StorageRefused       503     ”                       storage_refused       no   this thing is never taken

Types and codes are OpenAI's where it has one (OpenAI API reference, error object). Rendered once for HTTP
(`routes/errors.py`, OpenAI's shape) and once for WebSockets (the `error` event).
Devices are told in Chinese, as their contract has it, HTTP callers in English: an error that both can meet says both.
`Cancelled` is no error of anybody: it unwinds a turn that was stopped on purpose and is never shown.
"""


class GatewayError(Exception):
    """An error with words for its reader. Invariant: neither text ever contains a key or a base64 body.

    `is_spent`: a vendor had taken the work, or may have: asking again would cost once more.
    """

    status = 500
    type = "server_error"
    code = "internal_error"
    retryable = False
    is_spent = False

    def __init__(
        self, message: str, *, code: str | None = None, param: str | None = None, english: str | None = None
    ) -> None:
        super().__init__(message)
        self.message, self.english = message, english or message
        self.code = code or type(self).code
        self.param = param


class BadInput(GatewayError):
    status, type, code = 400, "invalid_request_error", "invalid_value"


class PacketError(BadInput):
    code = "invalid_packet"


class TooLarge(BadInput):
    status, code = 413, "too_large"


class NotFound(GatewayError):
    status, type, code = 404, "invalid_request_error", "not_found"


class Unauthorized(GatewayError):
    status, type, code = 401, "invalid_request_error", "invalid_api_key"


class Forbidden(GatewayError):
    status, type, code = 403, "permission_error", "permission_denied"


class TooManyRequests(GatewayError):
    """`retry_after_s` is when to try again."""

    status, type, code, retryable = 429, "requests", "rate_limit_exceeded", True

    def __init__(self, message: str, *, retry_after_s: int, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.retry_after_s = retry_after_s


class TooManySessions(GatewayError):
    status, code, retryable = 503, "too_many_sessions", True


class UpstreamError(GatewayError):
    """A vendor's failure under our name. `vendor_code` and `request_id` are the vendor's own, for its support desk."""

    status, code = 502, "upstream_error"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        english: str | None = None,
        vendor_code: str = "",
        request_id: str = "",
    ) -> None:
        super().__init__(message, code=code, param=param, english=english)
        self.vendor_code = vendor_code
        self.request_id = request_id


class UpstreamRefused(UpstreamError):
    status, type, code = 400, "invalid_request_error", "invalid_parameter"


class UpstreamUnauthorized(UpstreamError):
    status, type, code = 401, "invalid_request_error", "invalid_api_key"


class UpstreamForbidden(UpstreamError):
    status, type, code = 403, "permission_error", "permission_denied"


class UpstreamNotFound(UpstreamError):
    status, type, code = 404, "invalid_request_error", "model_not_found"


class UpstreamBusy(UpstreamError):
    status, type, code, retryable = 429, "requests", "rate_limit_exceeded", True


class UpstreamQuota(UpstreamError):
    status, type, code = 429, "insufficient_quota", "insufficient_quota"


class UpstreamTimeout(UpstreamError):
    status, code, retryable = 504, "request_timeout", True


class UpstreamBroken(UpstreamError):
    retryable = True


class UpstreamUnavailable(UpstreamBroken):
    status, code = 503, "upstream_unavailable"


class UpstreamUnreachable(UpstreamBroken):
    code = "upstream_unreachable"


class StorageError(GatewayError):
    status, code, retryable = 503, "storage_unavailable", True


class StorageMisconfigured(StorageError):
    """Bucket or database answers but does not let us in: it will not until the operator changes something."""

    retryable = False


class StorageRefused(StorageError):
    """Bucket or database will never take this one thing (its name, its size, its content); others it will."""

    code, retryable = "storage_refused", False


class Cancelled(Exception):
    """The turn was stopped on purpose (barge-in, cancel, disconnect, shutdown)."""
