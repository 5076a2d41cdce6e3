"""One realtime WebSocket connection to the vendor.

Source: DashScope realtime reference §1 (handshake), §2 (errors, close codes).
"""

import contextlib
import select
import ssl
import time
from collections.abc import Iterator

import msgspec
import websocket

from protocol.dashscope import RealtimeEvent, close_failure, read_event, read_failure, realtime_failure, renamed
from protocol.errors import Cancelled, UpstreamBroken, UpstreamError, UpstreamTimeout
from protocol.keys import ApiKey
from providers.dashscope.transport import SOCKET_OPTIONS, authorization, shut
from services.ports import Cancel

_GOODBYE_S = 1.0
"""A peer that takes nothing more is left without a goodbye."""
_CONTROL = (websocket.ABNF.OPCODE_PING, websocket.ABNF.OPCODE_PONG)


class _Line(websocket.WebSocket):
    """Answers a farewell only if anybody still listens; else its code, which says why it ended, would be lost."""

    def send_close(self, status: int = websocket.STATUS_NORMAL, reason: str | bytes = b"") -> None:
        with contextlib.suppress(OSError, websocket.WebSocketException):
            super().send_close(status, reason)


class RealtimeSocket:
    """Events to and from the vendor. Threads: one sends, one receives; cancel may come from any."""

    def __init__(self, url: str, *, key: ApiKey, cancel: Cancel, connect_s: float, idle_s: float) -> None:
        """Connect. Raises: UpstreamError, Cancelled."""
        self._cancel, self._idle_s = cancel, idle_s
        self._ws = _Line(
            sockopt=SOCKET_OPTIONS,
            skip_utf8_validation=True,  # pure Python would cost 5 times the rest; the JSON decoder validates
            enable_multithread=True,
        )
        cancel.raise_if_cancelled()
        self._forget = cancel.on_cancel(lambda: shut(self._ws.sock))
        try:
            self._connect(url, key, connect_s)
        except BaseException:
            self.close()
            raise

    def _connect(self, url: str, key: ApiKey, connect_s: float) -> None:
        header = [f"Authorization: {authorization(key)}"]
        with self._renaming():
            self._ws.connect(  # type: ignore[no-untyped-call]
                url, timeout=connect_s, header=header, suppress_origin=True
            )
        self._cancel.raise_if_cancelled()  # it may have come before there was a socket to shut
        self._ws.settimeout(self._idle_s)

    def send(self, event: dict[str, object]) -> None:
        """Send one event; bytes in it become base64 text."""
        with self._renaming():
            self._ws.send(msgspec.json.encode(event), websocket.ABNF.OPCODE_TEXT)

    def receive(self) -> RealtimeEvent:
        """Return the next event. Raises: UpstreamError for `error` events, a closed connection, too long a silence."""
        end = time.monotonic() + self._idle_s
        while time.monotonic() < end:  # pings are no words: a peer that only pings is silent
            if (event := self._read()) is not None:
                return event
        raise _silent()

    def receive_arrived(self) -> RealtimeEvent | None:
        """Return the next event if it has begun to arrive, None when nothing has; raises as `receive` does."""
        return self._read() if self._has_bytes() else None

    def wait_for(self, *types: str) -> RealtimeEvent:
        """Return the next event of one of these types, passing over all others."""
        while True:
            event = self.receive()
            if event.type in types:
                return event

    def close(self) -> None:
        """Say goodbye without waiting for the answer; harmless when repeated."""
        self._forget()
        with contextlib.suppress(OSError):
            self._ws.settimeout(_GOODBYE_S)
        self._ws.send_close()
        self._ws.shutdown()  # type: ignore[no-untyped-call]

    def _read(self) -> RealtimeEvent | None:
        """Return the next message as an event, None for a ping. What a timeout cut is kept and goes on later."""
        with self._renaming():
            opcode, data = self._ws.recv_data(control_frame=True)
        if opcode in _CONTROL:
            return None
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            self._cancel.raise_if_cancelled()
            raise close_failure(*_close_frame(data))
        event = read_event(data)
        if event.type == "error":
            raise realtime_failure(event.error)
        return event

    def _has_bytes(self) -> bool:
        """Whether a byte can be read now. The library reads no further than its frame; TLS may hold decrypted bytes."""
        poller = select.poll()  # select() cannot watch the descriptors above 1023
        with self._renaming():
            if isinstance(self._ws.sock, ssl.SSLSocket) and self._ws.sock.pending():
                return True
            poller.register(self._ws.sock or -1, select.POLLIN)
            return bool(poller.poll(0))

    @contextlib.contextmanager
    def _renaming(self) -> Iterator[None]:
        """The one border where the WebSocket library's errors get our names."""
        try:
            yield
        except websocket.WebSocketTimeoutException as error:
            self._cancel.raise_if_cancelled()
            raise _silent() from error
        except websocket.WebSocketBadStatusException as error:
            raise _refused(error) from error
        except (websocket.WebSocketException, OSError, ValueError) as error:
            if self._cancel.is_cancelled:
                raise Cancelled from error
            raise UpstreamBroken(
                "与语音服务的连接中断，请稍后重试。", english="The connection to the speech service broke. Try again."
            ) from error


def _silent() -> UpstreamTimeout:
    return UpstreamTimeout(
        "语音服务没有及时回复，请稍后重试。", english="The speech service did not answer in time. Try again later."
    )


def _refused(error: websocket.WebSocketBadStatusException) -> UpstreamError:
    return renamed(read_failure(status=error.status_code, body=error.resp_body or b""))


def _close_frame(data: bytes) -> tuple[int, str]:
    return (int.from_bytes(data[:2]), data[2:].decode("utf-8", "replace")) if len(data) >= 2 else (1005, "")
