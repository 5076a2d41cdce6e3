"""Every error that a caller may see, one tree.

    GatewayError                 status  type                    retryable
    ├── BadInput                 400     invalid_request_error   no     the sender can fix it
    │   ├── PacketError          400     ”                       no     one packet is wrong; the connection lives
    │   └── TooLarge             413     ”                       no     a cap was passed; says which one
    ├── NotFound                 404     ”                       no
    ├── Unauthorized             401     authentication_error    no
    ├── TooManySessions          503     overloaded_error        yes    the admission limit of WebSocket connections
    ├── TurnStuck                500     server_error            no     (services/turns.py) a stopped turn did not end
    ├── UpstreamError            502     upstream_error          by code  a vendor's; keeps its code and request id
    │   ├── UpstreamRefused      400     ”                       no     the vendor says that the request is wrong
    │   ├── UpstreamForbidden    403     ”                       no     key, permission, billing, retired model
    │   ├── UpstreamBusy         429     rate_limit_error        yes    throttled
    │   ├── UpstreamTimeout      504     ”                       yes    a deadline of ours passed
    │   └── UpstreamBroken       502     ”                       yes    connection lost, bytes that make no sense, 5xx
    └── StorageError             503     storage_error           yes    bucket or database away

Rendered once for HTTP (`routes/errors.py`, OpenAI's shape) and once for WebSockets (the `error` event).
`Cancelled` is no error of anybody: it unwinds a turn that was stopped on purpose and is never shown.
"""


class GatewayError(Exception):
    """An error with words for its reader. Invariant: the message never contains a key or a base64 body."""

    status = 500
    type = "server_error"
    code = "internal_error"
    retryable = False

    def __init__(self, message: str, *, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
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
    status, type, code = 401, "authentication_error", "invalid_api_key"


class TooManySessions(GatewayError):
    status, type, code, retryable = 503, "overloaded_error", "too_many_sessions", True


class UpstreamError(GatewayError):
    """A vendor's failure under our name. `vendor_code` and `request_id` are the vendor's own, for its support desk."""

    status, type, code = 502, "upstream_error", "upstream_error"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        vendor_code: str = "",
        request_id: str = "",
    ) -> None:
        super().__init__(message, code=code, param=param)
        self.vendor_code = vendor_code
        self.request_id = request_id


class UpstreamRefused(UpstreamError):
    status, code = 400, "upstream_refused"


class UpstreamForbidden(UpstreamError):
    status, code = 403, "upstream_forbidden"


class UpstreamBusy(UpstreamError):
    status, type, code, retryable = 429, "rate_limit_error", "upstream_busy", True


class UpstreamTimeout(UpstreamError):
    status, code, retryable = 504, "upstream_timeout", True


class UpstreamBroken(UpstreamError):
    status, code, retryable = 502, "upstream_broken", True


class StorageError(GatewayError):
    status, type, code, retryable = 503, "storage_error", "storage_unavailable", True


class Cancelled(Exception):
    """The turn was stopped on purpose (barge-in, cancel, disconnect, shutdown)."""
