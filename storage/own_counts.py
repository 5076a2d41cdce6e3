"""Requests and streams of callers, counted in this process."""

import math
import threading
import time
from collections import Counter

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import RateLimiter, SlidingWindowCounterRateLimiter

from services.limit_ports import Full, LimitRules, Standing

_MINUTE_S = 60


class OwnCounts:
    """Implements `services.limit_ports.Counts`. Threads: any."""

    def __init__(self, rules: LimitRules) -> None:
        self._rules = rules
        self._rate = Rate(rules, SlidingWindowCounterRateLimiter(MemoryStorage()))
        self._lock = threading.Lock()
        self._places: Counter[str] = Counter()
        self._tickets: set[str] = set()

    def hit(self, identity: str) -> Standing:
        return self._rate.hit(identity)

    def enter(self, identity: str, ticket: str) -> Full | None:
        rules = self._rules
        with self._lock:
            if rules.streams_per_caller and self._places[identity] >= rules.streams_per_caller:
                return "caller"
            if rules.streams and len(self._tickets) >= rules.streams:
                return "all"
            self._places[identity] += 1
            self._tickets.add(ticket)
        return None

    def leave(self, identity: str, ticket: str) -> None:
        with self._lock:
            if ticket in self._tickets:
                self._tickets.discard(ticket)
                self._places[identity] -= 1
                if not self._places[identity]:
                    del self._places[identity]


class Rate:
    """Requests in a minute, counted by a sliding window, so that no minute's turn lets twice as many through."""

    def __init__(self, rules: LimitRules, limiter: RateLimiter) -> None:
        self._limiter, self._item = limiter, RateLimitItemPerMinute(max(1, rules.requests_per_minute))

    def hit(self, identity: str) -> Standing:
        is_allowed = self._limiter.hit(self._item, identity)
        stats = self._limiter.get_window_stats(self._item, identity)
        wait_s = math.ceil(stats.reset_time - time.time())
        return Standing(
            limit=self._item.amount,
            remaining=max(0, stats.remaining),
            retry_after_s=min(max(1, wait_s), _MINUTE_S),
            is_allowed=is_allowed,
        )
