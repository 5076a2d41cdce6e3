"""One HTTP request on its way through the server: its id, who asks, its stop signal, its clock."""

import secrets
import time
from contextlib import ExitStack

from flask import g

from protocol.errors import GatewayError, UpstreamError
from protocol.keys import ApiKey
from services.admission.access import Caller
from services.flow import CancelToken
from services.limit_ports import Standing

_NOBODY = Caller(key=ApiKey(""), identity="")


class Call:
    """What belongs to one request. Threads: the request's own; `cancel` may be cancelled from any.

    A route reads `caller` and gives `cancel` to everything that waits; it is cancelled when the client leaves.
    `is_whole`: all of the answer has been given to the server's socket. What must be done then goes into `ending`.
    A stream that fails after its first byte tells `fail`, for the log and the numbers.
    """

    def __init__(self, *, caller: Caller = _NOBODY) -> None:
        self.request_id = f"req_{secrets.token_hex(16)}"
        self.caller = caller
        self.cancel = CancelToken()
        self.ending = ExitStack()
        self.is_whole = False
        self.size_bytes: int | None = None
        self.route = ""
        self.upstream_error = ""
        self.standing: Standing | None = None
        self.vendor_request_id = self.error_code = ""
        self.status = self.bytes_out = 0
        self.first_byte_ms = 0.0
        self._began_s = time.monotonic()

    @property
    def total_ms(self) -> float:
        """Return the time since the request came in."""
        return (time.monotonic() - self._began_s) * 1000

    @property
    def upstream_ms(self) -> float:
        """Return how long the vendor has been waited for."""
        return self.cancel.waited_s * 1000

    @property
    def overhead_ms(self) -> float:
        """Return the time that this server has added so far: all but the waiting for the vendor."""
        return max(0.0, self.total_ms - self.upstream_ms)

    def fail(self, error: GatewayError) -> None:
        """Note what went wrong, for the log and the numbers."""
        self.error_code = error.code
        if isinstance(error, UpstreamError):
            self.upstream_error = error.code

    def note_sent(self, size_bytes: int) -> None:
        """Note that a piece of the answer goes out."""
        self.first_byte_ms = self.first_byte_ms or self.total_ms
        self.bytes_out += size_bytes

    def note_end(self) -> None:
        """Note that nothing more comes: all of it has gone out, or the stream was stopped because the client left.

        A client that knows the size may leave before its server has noticed the end; that is no early leaving.
        """
        self.is_whole = self.size_bytes is not None or not self.cancel.is_cancelled


def current() -> Call:
    """Return the call that this thread serves."""
    call: Call = g.call
    return call
