"""The numbers of this server, as Prometheus reads them.

Every label has few values: routes as patterns, our own error codes, never a caller or a model.

With several workers each writes its values into files of one folder, and whoever is asked reads them all. The library
decides that once, when it is first imported, so it is imported here, after the process has been told (`config.py`).
Source: prometheus_client's documentation, multiprocess mode.
"""

import functools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from protocol.errors import UpstreamError
from services.meter import StageName, TurnOutcome

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Counter, Histogram

_METHODS = frozenset("GET POST DELETE PUT PATCH HEAD OPTIONS".split())
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)


class Metrics:
    """Implements `services.meter.Meter`, too. One for each application; threads: any.

    `folder`: where the workers of this server write their values; None for a single worker.
    """

    def __init__(self, *, folder: Path | None = None) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        self._folder = folder
        self._known_requests: dict[tuple[str, str, int], tuple[Counter, Histogram, Histogram]] = {}
        own = self._registry = CollectorRegistry()
        times = functools.partial(Histogram, registry=own, buckets=_SECONDS)
        now = functools.partial(Gauge, registry=own, multiprocess_mode="livesum")
        self._requests = Counter(
            "http_requests", "Requests that have ended", ["route", "method", "status"], registry=own
        )
        self._request_s = times("http_request_seconds", "From its beginning to its last byte", ["route"])
        self._first_byte_s = times("http_first_byte_seconds", "To its first byte", ["route"])
        self._http = now("http_in_flight", "Calls that are being answered")
        self._sockets = now("websocket_sessions", "Open WebSockets")
        self._turns = Counter("turns", "Turns that have ended", ["outcome"], registry=own)
        self._stage_s = times("turn_stage_seconds", "From the last packet to a stage", ["stage"])
        self._queued = now("outbox_queued", "Messages that wait for their devices")
        self._stages = now("stage_in_flight", "Turns that are in a stage", ["stage"])
        self._upstream = Counter("upstream_errors", "Failures of the vendor", ["where", "code"], registry=own)

    # --- what HTTP tells

    @contextmanager
    def in_flight(self, *, is_socket: bool) -> Iterator[None]:
        gauge = self._sockets if is_socket else self._http
        with gauge.track_inprogress():
            yield

    def note_request(self, *, route: str, method: str, status: int, total_s: float, first_byte_s: float) -> None:
        known = self._known_requests
        name = (route, method if method in _METHODS else "other", status)
        counter, request_s, byte_s = known.get(name) or known.setdefault(name, self._children(*name))
        counter.inc()
        if status == 101:  # how long a device stays connected says nothing about the server
            return
        request_s.observe(total_s)
        if first_byte_s:
            byte_s.observe(first_byte_s)

    def _children(self, route: str, method: str, status: int) -> "tuple[Counter, Histogram, Histogram]":
        """Return the numbers of one kind of request; the library would look them up under a lock, each time."""
        counter = self._requests.labels(route, method, status)
        return counter, self._request_s.labels(route), self._first_byte_s.labels(route)

    def note_upstream_error(self, where: str, code: str) -> None:
        self._upstream.labels(where, code).inc()

    # --- what turns tell

    @contextmanager
    def stage(self, name: StageName) -> Iterator[None]:
        with self._stages.labels(name).track_inprogress():
            try:
                yield
            except UpstreamError as error:
                self.note_upstream_error(name, error.code)
                raise

    def note_turn(self, outcome: TurnOutcome, stages_ms: Mapping[str, float]) -> None:
        self._turns.labels(outcome).inc()
        for stage, reached_ms in stages_ms.items():
            self._stage_s.labels(stage).observe(reached_ms / 1000)

    def note_queued(self, change: int) -> None:
        self._queued.inc(change)

    # --- what Prometheus reads

    def text(self) -> tuple[bytes, str]:
        """Return all numbers and their content type."""
        from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

        return generate_latest(self._all()), CONTENT_TYPE_LATEST

    def _all(self) -> "CollectorRegistry":
        if self._folder is None:
            return self._registry
        from prometheus_client import CollectorRegistry
        from prometheus_client.multiprocess import MultiProcessCollector

        together = CollectorRegistry()
        MultiProcessCollector(together, path=str(self._folder))  # type: ignore[no-untyped-call]
        return together
