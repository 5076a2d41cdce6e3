"""One realtime WebSocket connection to the vendor.

Source: DashScope realtime reference §1 (handshake), §2 (errors, close codes).
"""

import contextlib
from collections.abc import Iterator

import msgspec
import websocket

from protocol.dashscope import RealtimeEvent, close_failure, read_event, read_failure, realtime_failure, renamed
from protocol.errors import Cancelled, UpstreamBroken, UpstreamError, UpstreamTimeout
from protocol.keys import ApiKey
from providers.dashscope.transport import SOCKET_OPTIONS, shut
from services.ports import Cancel


class RealtimeSocket:
    """Events to and from the vendor. Threads: one sends, one receives; cancel may come from any."""

    def __init__(self, url: str, *, key: ApiKey, cancel: Cancel, connect_s: float, idle_s: float) -> None:
        """Connect. Raises: UpstreamError, Cancelled."""
        self._cancel = cancel
        cancel.raise_if_cancelled()
        with self._renaming():
            self._ws = websocket.create_connection(
                url,
                timeout=connect_s,
                header=[f"Authorization: Bearer {key.reveal()}"],
                sockopt=SOCKET_OPTIONS,
                suppress_origin=True,
                skip_utf8_validation=True,  # pure Python would cost 5 times the rest; the JSON decoder validates
                enable_multithread=True,
            )
        self._ws.settimeout(idle_s)
        self._forget = cancel.on_cancel(lambda: shut(self._ws.sock))

    def send(self, event: dict[str, object]) -> None:
        with self._renaming():
            self._ws.send(msgspec.json.encode(event).decode())

    def receive(self) -> RealtimeEvent:
        """Return the next event. Raises: UpstreamError for `error` events, a closed connection, too long a silence."""
        with self._renaming():
            opcode, data = self._ws.recv_data()
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            self._cancel.raise_if_cancelled()
            raise close_failure(*_close_frame(data))
        event = read_event(data)
        if event.type == "error" and event.error is not None:
            raise realtime_failure(event.error)
        return event

    def wait_for(self, *types: str) -> RealtimeEvent:
        """Return the next event of one of these types, passing over all others."""
        while True:
            event = self.receive()
            if event.type in types:
                return event

    def close(self) -> None:
        """Say goodbye without waiting for the answer; harmless when repeated."""
        self._forget()
        with contextlib.suppress(OSError, websocket.WebSocketException):
            self._ws.send_close()
        self._ws.shutdown()

    @contextlib.contextmanager
    def _renaming(self) -> Iterator[None]:
        """The one border where the WebSocket library's errors get our names."""
        try:
            yield
        except websocket.WebSocketTimeoutException as error:
            raise UpstreamTimeout("语音服务没有及时回复，请稍后重试。") from error
        except websocket.WebSocketBadStatusException as error:
            raise _refused(error) from error
        except (websocket.WebSocketException, OSError, ValueError) as error:
            if self._cancel.is_cancelled:
                raise Cancelled from error
            raise UpstreamBroken("与语音服务的连接中断，请稍后重试。") from error


def _refused(error: websocket.WebSocketBadStatusException) -> UpstreamError:
    return renamed(read_failure(status=error.status_code, body=error.resp_body or b""))


def _close_frame(data: bytes) -> tuple[int, str]:
    return (int.from_bytes(data[:2]), data[2:].decode("utf-8", "replace")) if len(data) >= 2 else (1005, "")
