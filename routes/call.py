"""One HTTP request on its way through the server: its id, who asks, its stop signal, its clock."""

import secrets
import time

from flask import g

from services.access import Caller
from services.flow import CancelToken


class Call:
    """What belongs to one request. Threads: the request's own; `cancel` may be cancelled from any.

    A route reads `caller` and gives `cancel` to everything that waits; it is cancelled when the client leaves.
    """

    def __init__(self, *, caller: Caller) -> None:
        self.request_id = f"req_{secrets.token_hex(16)}"
        self.caller = caller
        self.cancel = CancelToken()
        self.vendor_request_id = ""
        self._began_s = time.monotonic()

    @property
    def overhead_ms(self) -> float:
        """Return the time that this server has added so far: all but the waiting for the vendor."""
        return max(0.0, time.monotonic() - self._began_s - self.cancel.waited_s) * 1000


def current() -> Call:
    """Return the call that this thread serves."""
    call: Call = g.call
    return call
