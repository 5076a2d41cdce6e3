"""HTTP to the vendor: pooled, with deadlines, stoppable at every moment.

How it works.  urllib3 keeps the connections. A call waits in three places: while it is sent, for the first byte of the
answer and for its next piece. A cancelled turn must leave each at once, so the connection can be shut from another
thread: shutting the socket wakes the reader (closing it would not: measured 7.6 s). A connection that rested too long
is not used again, and a call whose fresh-looking connection turns out to be dead is sent once more on a new one.

Source: DashScope HTTP reference §1 (headers), §2.7 (error shapes).
"""

import contextlib
import functools
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any

import msgspec
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import LocationValueError
from urllib3.util import parse_url

from protocol.dashscope import read_failure, renamed
from protocol.errors import Cancelled, Unauthorized, UpstreamBroken, UpstreamTimeout, UpstreamUnreachable
from protocol.keys import ApiKey
from protocol.sse import SseDecoder
from services.ports import Cancel

_MAX_REST_S = 30.0
"""A pooled connection that rested longer may have died silently behind a NAT; a new one costs a few ms."""
_MAX_ERROR_BYTES = 65_536
_ONE_SEND_BYTES = 65_536
"""Up to here, a request's head and body leave in one write: two are two packets, and wake the peer twice."""

_MOST_HOSTS = 32
_NO_RETRIES = urllib3.Retry(False, redirect=False)

SOCKET_OPTIONS = [
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),  # Nagle with delayed ACK costs 44 ms an exchange
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 10_000),  # a peer that acknowledges nothing for 10 s is dead
]

_current: ContextVar[Cancel | None] = ContextVar("call being waited for", default=None)


def authorization(key: ApiKey) -> str:
    """Return the header's value. Raises: Unauthorized for a key that no header can carry.

    The libraries would refuse such a key too, but quoting it, or let its line break start a header of its own.
    """
    secret = key.reveal()
    if not (secret.isascii() and secret.isprintable()) or " " in secret:
        raise Unauthorized("API 密钥含有空格、换行或非 ASCII 字符，请检查配置。")
    return f"Bearer {secret}"


def shut(sock: socket.socket | None) -> None:
    """Wake every thread that reads or writes this socket, by the base class's method: TLS sockets would lose state."""
    with contextlib.suppress(OSError):
        if sock is not None:
            socket.socket.shutdown(sock, socket.SHUT_RDWR)


class _Stoppable:
    """A connection whose waiting ends when the call is cancelled, and that is not reused when old."""

    rested_since = 0.0
    sock: socket.socket | None
    _unsent: bytes | None = None

    def request(self, *args: Any, **options: Any) -> None:
        """Connect if need be and send: a peer that reads nothing, or a TLS handshake that stalls, is left as well."""
        with self._stopping():
            self._unsent = b""
            try:
                super().request(*args, **options)  # type: ignore[misc]
                self._flush()
            finally:
                self._unsent = None

    def send(self, data: Any) -> None:
        """Send, or keep a small piece of a request until the rest of it is there."""
        if self._unsent is not None and isinstance(data, bytes):
            self._unsent += data
            if len(self._unsent) <= _ONE_SEND_BYTES:
                return
            data, self._unsent = self._unsent, b""
        else:
            self._flush()
        super().send(data)  # type: ignore[misc]

    def _flush(self) -> None:
        if self._unsent:
            unsent, self._unsent = self._unsent, b""
            super().send(unsent)  # type: ignore[misc]

    def getresponse(self) -> Any:
        began_s = time.monotonic()
        try:
            with self._stopping():
                return super().getresponse()  # type: ignore[misc]
        finally:
            self.rested_since = time.monotonic()
            if cancel := _current.get():
                cancel.note_waiting(self.rested_since - began_s)

    @contextlib.contextmanager
    def _stopping(self) -> Iterator[None]:
        cancel = _current.get()
        forget = cancel.on_cancel(lambda: shut(self.sock)) if cancel else lambda: None
        try:
            yield
        finally:
            forget()

    @property
    def is_connected(self) -> bool:
        is_fresh = time.monotonic() - self.rested_since < _MAX_REST_S
        return is_fresh and bool(super().is_connected)  # type: ignore[misc]


class _Http(_Stoppable, HTTPConnection):
    pass


class _Https(_Stoppable, HTTPSConnection):
    pass


class _HttpPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Https


class Transport:
    """Calls to the vendor. Threads: any; one pool per process."""

    def __init__(self, *, connect_s: float, idle_s: float, pool_size: int) -> None:
        self._timeout = urllib3.Timeout(connect=connect_s, read=idle_s)
        self._pools = urllib3.PoolManager(
            num_pools=_MOST_HOSTS, maxsize=pool_size, block=False, retries=False, socket_options=SOCKET_OPTIONS
        )
        self._pools.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}
        self._pool_of: dict[tuple[str, str, int | None], urllib3.HTTPConnectionPool] = {}

    @contextlib.contextmanager
    def call(
        self,
        method: str,
        url: str,
        *,
        cancel: Cancel,
        headers: Mapping[str, str],
        body: bytes | Iterable[bytes] | None = None,
        is_repeatable: bool = True,
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        """Give the answer, its content not yet read. Raises: UpstreamError, Cancelled.

        Without `is_repeatable`, what may have reached the vendor is never sent again: it would be paid for twice.
        """
        with _renaming(cancel):
            sent = {"body": body, "headers": headers}
            response = self._send(method, url, cancel=cancel, is_repeatable=is_repeatable, **sent)
            forget = cancel.on_cancel(lambda: _shut_response(response))
            try:
                _refuse_errors(response)
                yield response
                response.drain_conn()  # read to its end, the connection can be used again
            finally:
                forget()
                response.release_conn() if response.closed else response.close()

    @contextlib.contextmanager
    def post(
        self, url: str, body: object, *, key: ApiKey, cancel: Cancel, headers: Mapping[str, str] | None = None
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        """Give the answer to a JSON body (bytes are sent as they are), its content not yet read.

        Raises: UpstreamError, Cancelled.
        """
        sent = {"Content-Type": "application/json", "Authorization": authorization(key), **(headers or {})}
        content = body if isinstance(body, bytes) else msgspec.json.encode(body)
        with self.call("POST", url, body=content, headers=sent, cancel=cancel) as response:
            yield response

    @contextlib.contextmanager
    def stream(
        self, url: str, body: object, *, key: ApiKey, cancel: Cancel, headers: Mapping[str, str] | None = None
    ) -> Iterator[tuple[str, Iterator[list[bytes]]]]:
        """Give the vendor's request id and the data of the answer's events, together what arrived together.

        Left before its end, the connection is closed.  Raises: UpstreamError, Cancelled.
        """
        with self.post(url, body, key=key, cancel=cancel, headers=headers) as response:
            yield request_id(response), _batches(response, cancel)

    def events(
        self, url: str, body: object, *, key: ApiKey, cancel: Cancel, headers: Mapping[str, str] | None = None
    ) -> Iterator[bytes]:
        """Yield the data of every server-sent event of the answer. Raises: UpstreamError, Cancelled."""
        with self.stream(url, body, key=key, cancel=cancel, headers=headers) as (_, batches):
            for batch in batches:
                yield from batch

    def _send(
        self, method: str, url: str, *, cancel: Cancel, is_repeatable: bool, **call: Any
    ) -> urllib3.BaseHTTPResponse:
        cancel.raise_if_cancelled()
        token = _current.set(cancel)
        try:
            if not is_repeatable:
                return self._request(method, url, **call)
            return self._once_more(lambda: self._request(method, url, **call), cancel)
        finally:
            _current.reset(token)

    def _once_more(self, send: Callable[[], urllib3.BaseHTTPResponse], cancel: Cancel) -> urllib3.BaseHTTPResponse:
        """Send again when the connection broke before a byte of the answer came: it had died while resting.

        What rested beside it may be as dead, but the pool (last in, first out) now has an empty place on top, so the
        second try gets a new connection.
        """
        try:
            return send()
        except urllib3.exceptions.ProtocolError:
            cancel.raise_if_cancelled()
            return send()

    def _request(self, method: str, url: str, **call: Any) -> urllib3.BaseHTTPResponse:
        scheme, host, port, target = _parsed(url)
        pool = self._pool_of.get((scheme, host, port))
        if pool is None or pool.pool is None:  # new, or closed by the manager, which keeps so many
            pool = self._pool_of[scheme, host, port] = self._pools.connection_from_host(host, port, scheme)
        options: dict[str, Any] = {"retries": _NO_RETRIES, "redirect": False, "assert_same_host": False, **call}
        return pool.urlopen(method, target, preload_content=False, timeout=self._timeout, **options)


@functools.lru_cache(maxsize=256)
def _parsed(url: str) -> tuple[str, str, int | None, str]:
    """Return scheme, host, port and what is asked for there. Raises: ValueError for what is no URL."""
    parsed = parse_url(url)
    if not parsed.host:
        raise LocationValueError("there is no host in the URL")
    return parsed.scheme or "http", parsed.host, parsed.port, parsed.request_uri


def request_id(response: urllib3.BaseHTTPResponse) -> str:
    """Return the vendor's name for a call, empty when it gives none. Source: DashScope HTTP reference §1.4."""
    return response.headers.get("x-request-id", "")


def read_whole(response: urllib3.BaseHTTPResponse, cancel: Cancel) -> bytes:
    """Return the content of a whole answer, the time it took noted as waiting. Raises: UpstreamError, Cancelled."""
    content = b"".join(_pieces(response, cancel))
    cancel.raise_if_cancelled()  # an answer that was shut may look like one that ended
    return content


def _batches(response: urllib3.BaseHTTPResponse, cancel: Cancel) -> Iterator[list[bytes]]:
    decoder = SseDecoder()
    for piece in _pieces(response, cancel):
        if batch := decoder.feed(piece):
            yield batch
    cancel.raise_if_cancelled()  # a stream that was shut may look like one that ended
    if rest := decoder.finish():
        yield rest


def _pieces(response: urllib3.BaseHTTPResponse, cancel: Cancel) -> Iterator[bytes]:
    """Yield the body as it arrives, never waiting to fill a buffer."""
    while True:
        began_s = time.monotonic()
        piece = response.read1(65_536)
        cancel.note_waiting(time.monotonic() - began_s)
        if not piece:
            return
        yield piece


def _shut_response(response: urllib3.BaseHTTPResponse) -> None:
    with contextlib.suppress(ValueError, OSError, AttributeError, RuntimeError):  # it ended by itself in this moment
        response.shutdown()


def _refuse_errors(response: urllib3.BaseHTTPResponse) -> None:
    if response.status >= 300:
        body = response.read(_MAX_ERROR_BYTES)
        raise renamed(read_failure(status=response.status, body=body))


@contextlib.contextmanager
def _renaming(cancel: Cancel) -> Iterator[None]:
    """The one border where the HTTP library's errors get our names."""
    try:
        yield
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        if cancel.is_cancelled:
            raise Cancelled from error
        if _is_late(error):
            raise UpstreamTimeout(
                "模型服务没有及时回复，请稍后重试。",
                english="The model service did not answer in time. Try again later.",
            ) from error
        if isinstance(error, urllib3.exceptions.NewConnectionError):
            raise UpstreamUnreachable(
                "无法连接模型服务，请稍后重试。", english="The model service cannot be reached. Try again later."
            ) from error
        raise UpstreamBroken(
            "与模型服务的连接中断，请稍后重试。", english="The connection to the model service broke. Try again."
        ) from error


def _is_late(error: Exception) -> bool:
    """Whether a deadline passed. The library counts a refused connection and an unknown host as timeouts, too."""
    return isinstance(error, urllib3.exceptions.TimeoutError) and not isinstance(
        error, urllib3.exceptions.NewConnectionError
    )
