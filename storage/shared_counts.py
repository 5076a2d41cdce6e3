"""Requests and streams of callers, counted in Redis, so that all workers and machines of a server count together.

How it works.  Requests are a sliding window of the `limits` package. Streams are two sorted sets, of all callers and of
one: a member is a stream, its score the moment at which its lease ends. A thread renews the leases of this process, so
the places of a process that died are free again after `_LEASE_S`.

Limits protect the server and must not be what stops it: whoever waits for Redis waits `_WAIT_S` at most, a failure is
told once and then Redis is left alone for `_REST_S`, and meanwhile every process counts for itself.

Threads: any; `_renew_all` runs in a daemon thread that starts with the first stream.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from limits.storage import storage_from_string
from limits.strategies import SlidingWindowCounterRateLimiter
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from services.limit_ports import Full, LimitRules, Standing
from storage.own_counts import OwnCounts, Rate

_log = logging.getLogger(__name__)

_WAIT_S = 0.025
"""For a connection, and again for an answer."""
_REST_S = 5.0
_LEASE_S, _RENEW_S = 60, 20
_ALL = "voice:streams"

_ENTER = """
local now = redis.call('TIME')[1]
for i = 1, 2 do redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', now) end
if tonumber(ARGV[3]) > 0 and redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[3]) then return 'caller' end
if tonumber(ARGV[4]) > 0 and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[4]) then return 'all' end
for i = 1, 2 do
    redis.call('ZADD', KEYS[i], now + ARGV[2], ARGV[1])
    redis.call('EXPIRE', KEYS[i], ARGV[2] * 2)
end
return ''
"""
"""KEYS: the streams of all, of one caller. ARGV: ticket, seconds of the lease, the most of one caller, of all."""

_RENEW = """
local now = redis.call('TIME')[1]
for i = 1, 2 do
    redis.call('ZADD', KEYS[i], 'XX', now + ARGV[2], ARGV[1])
    redis.call('EXPIRE', KEYS[i], ARGV[2] * 2)
end
"""

_T = TypeVar("_T")


class SharedCounts:
    """Implements `services.limit_ports.Counts`. Invariant: no call raises, none waits longer than twice `_WAIT_S`."""

    def __init__(self, rules: LimitRules, *, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._rules, self._own, self._clock = rules, OwnCounts(rules), clock
        patience = {"socket_timeout": _WAIT_S, "socket_connect_timeout": _WAIT_S, "retry": Retry(NoBackoff(), 0)}
        self._redis: Redis = Redis.from_url(url, decode_responses=True, **patience)
        storage = storage_from_string(url, **patience)  # type: ignore[arg-type]
        self._rate = Rate(rules, SlidingWindowCounterRateLimiter(storage))
        self._enter, self._renew = self._redis.register_script(_ENTER), self._redis.register_script(_RENEW)
        self._lock = threading.Lock()
        self._held: dict[str, str] = {}
        self._renewer: threading.Thread | None = None
        self._rests_until_s = 0.0

    def hit(self, identity: str) -> Standing:
        return self._ask(lambda: self._rate.hit(identity), lambda: self._own.hit(identity))

    def enter(self, identity: str, ticket: str) -> Full | None:
        return self._ask(lambda: self._enter_shared(identity, ticket), lambda: self._own.enter(identity, ticket))

    def leave(self, identity: str, ticket: str) -> None:
        self._own.leave(identity, ticket)
        with self._lock:
            is_shared = self._held.pop(ticket, None) is not None
        if is_shared:
            self._ask(lambda: self._leave_shared(identity, ticket), lambda: None)

    def _enter_shared(self, identity: str, ticket: str) -> Full | None:
        rules = self._rules
        limits: list[str | int] = [ticket, _LEASE_S, rules.streams_per_caller, rules.streams]
        full: Full | None = self._enter(keys=_keys(identity), args=limits) or None
        if full is None:
            self._hold(identity, ticket)
        return full

    def _leave_shared(self, identity: str, ticket: str) -> None:
        with self._redis.pipeline(transaction=False) as pipeline:
            for name in _keys(identity):
                pipeline.zrem(name, ticket)
            pipeline.execute()

    def _hold(self, identity: str, ticket: str) -> None:
        with self._lock:
            self._held[ticket] = identity
            if self._renewer is None:
                self._renewer = threading.Thread(target=self._renew_for_ever, name="stream-leases", daemon=True)
                self._renewer.start()

    def _renew_for_ever(self) -> None:
        pause = threading.Event()
        while not pause.wait(_RENEW_S):
            self.renew_all()

    def renew_all(self) -> None:
        """Renew the leases of all streams of this process."""
        with self._lock:
            held = list(self._held.items())
        for ticket, identity in held:
            with contextlib.suppress(RedisError):  # the next round comes before the lease ends
                self._renew(keys=_keys(identity), args=[ticket, _LEASE_S])

    def _ask(self, shared: Callable[[], _T], own: Callable[[], _T]) -> _T:
        """Return what Redis says, or this process when Redis is away."""
        if self._clock() < self._rests_until_s:
            return own()
        try:
            return shared()
        except (RedisError, OSError) as error:
            self._rests_until_s = self._clock() + _REST_S
            _log.warning("Redis is away, every process counts for itself: %s", type(error).__name__)
            return own()


def _keys(identity: str) -> list[str]:
    return [_ALL, f"{_ALL}:{identity}"]
