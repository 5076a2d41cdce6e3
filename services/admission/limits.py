"""How much one caller, and all of them, may ask: requests in a minute, and streams at a time.

A stream is a call in flight or an open WebSocket. Where they are counted is a port (`services/limit_ports.py`).
"""

from collections.abc import Iterator
from contextlib import contextmanager

from protocol.errors import TooManyRequests
from services.limit_ports import Counts, Full, LimitRules, Standing

_PAUSE_S = 1
"""When a place may be free again: nobody knows, so soon."""


class Limits:
    """The limits of this server. Threads: any."""

    def __init__(self, rules: LimitRules, counts: Counts) -> None:
        self._rules, self._counts = rules, counts
        self._has_places = bool(rules.streams or rules.streams_per_caller)

    def count(self, identity: str) -> Standing | None:
        """Count a request and return where its caller stands; None when requests are not limited."""
        return self._counts.hit(identity) if self._rules.requests_per_minute else None

    def require(self, standing: Standing | None) -> None:
        """Raises: TooManyRequests, when there are no requests left."""
        if standing and not standing.is_allowed:
            raise TooManyRequests(
                f"Rate limit reached: {standing.limit} requests in a minute. Try again in {standing.retry_after_s} s.",
                retry_after_s=standing.retry_after_s,
            )

    @contextmanager
    def place(self, identity: str, ticket: str) -> Iterator[None]:
        """Hold a place for one stream. Raises: TooManyRequests."""
        if not self._has_places:
            yield
            return
        if full := self._counts.enter(identity, ticket):
            raise TooManyRequests(self._words(full), retry_after_s=_PAUSE_S)
        try:
            yield
        finally:
            self._counts.leave(identity, ticket)

    def _words(self, full: Full) -> str:
        if full == "caller":
            return f"You have {self._rules.streams_per_caller} calls running, which is the most. Wait for one to end."
        return "This server has no place for another call at the moment. Try again soon."
