"""One realtime WebSocket: JSON in, JSON out, ids in the service's fashion, and faults among what goes out."""

from __future__ import annotations

import secrets
import string
import threading
import time
from collections import deque
from contextlib import suppress
from functools import partial
from typing import Any, Final

import msgspec
from simple_websocket import ConnectionClosed, Server

from emulator.calls import LONGEST_WAIT_S, Call, ClientGone
from emulator.scenario import Fault

_ALPHABET: Final = string.digits + string.ascii_letters
_LARGEST_MESSAGE: Final = 24 * 1024 * 1024
_LONGEST_NAP_S: Final = 1.0


def new_id(prefix: str) -> str:
    """Return an id like the service's: a prefix and 21 letters or digits."""
    return f"{prefix}_" + "".join(secrets.choice(_ALPHABET) for _ in range(21))


class Wire:
    """The socket of one session.  Threads: one owner sends and receives; the library's reader fills its inbox.

    `counted` frames (audio deltas, transcripts) are what a fault's `after` counts.
    """

    def __init__(self, environ: dict[str, Any], call: Call, fault: Fault | None) -> None:
        environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)  # base64 audio does not deflate: never negotiate it
        self._socket = Server(
            environ,
            receive_bytes=65536,
            max_message_size=_LARGEST_MESSAGE,
            thread_class=partial(threading.Thread, daemon=True),
        )
        self._backlog: deque[dict[str, Any]] = deque()
        self._call = call
        self._fault = fault
        self._counted = 0
        self._id_base = new_id("event")[:-8]
        self._id_count = 0
        self.last_heard_s = time.monotonic()

    def receive(self, *, timeout_s: float) -> dict[str, Any] | None:
        """Return the client's next event, or None when the time is over.  Raises: ClientGone."""
        if self._backlog:
            return self._backlog.popleft()
        return self._read(min(max(timeout_s, 0.0), _LONGEST_NAP_S))

    def _read(self, timeout_s: float) -> dict[str, Any] | None:
        try:
            text = self._socket.receive(timeout=timeout_s)
        except ConnectionClosed as closed:
            raise ClientGone(f"closed by the client: {closed.reason} {closed.message or ''}") from closed
        if text is None:
            self._check_line()
            return None
        self.last_heard_s = time.monotonic()
        try:
            return msgspec.json.decode(text, type=dict[str, Any])
        except msgspec.DecodeError as error:
            return {"type": "", "unreadable": str(error)}

    def _check_line(self) -> None:
        if self._call.vendor.stopping.is_set() or not self._socket.connected:
            raise ClientGone("the line is closed")

    def send(self, kind: str, **fields: Any) -> None:
        """Send one event.  Raises: ClientGone."""
        self._write(self._event(kind, fields))

    def send_counted(self, kind: str, **fields: Any) -> None:
        """Send one event of the kind that faults count.  Raises: ClientGone, FaultStruck."""
        text = self._event(kind, fields)
        if self._fault is None or self._counted != self._fault.after:
            self._counted += 1
            self._write(text)
            return
        self._counted += 1
        self._strike(text, self._fault)

    def _event(self, kind: str, fields: dict[str, Any]) -> str:
        self._id_count += 1
        event_id = f"{self._id_base}{self._id_count:08d}"
        return msgspec.json.encode({"event_id": event_id, "type": kind, **fields}).decode()

    def _write(self, text: str) -> None:
        try:
            self._socket.send(text)
        except (ConnectionClosed, OSError) as error:
            raise ClientGone("the line is closed") from error

    def _strike(self, text: str, fault: Fault) -> None:
        if fault.kind in {"cut", "reset"}:
            raise self._call.hang_up(rudely=fault.kind == "reset")
        if fault.kind in {"close", "silent_close"}:
            self.close(fault.close_code if fault.kind == "close" else 1000, fault.reason)
            raise ClientGone("closed by a fault")
        if fault.kind == "delay":
            self._nap(fault.delay_ms / 1000)
        if fault.kind == "stall":
            self._nap(LONGEST_WAIT_S)
        if fault.kind == "error_event":
            self.send_error(fault.code or "InternalError", fault.message or "Internal service error: null")
            raise FaultStruck
        self._write(text[:-9] if fault.kind == "malformed" else text)
        if fault.kind == "duplicate":
            self._write(text)

    def _nap(self, duration_s: float) -> None:
        """Stay silent; what the client sends meanwhile is kept for later, its leaving is noticed."""
        until_s = time.monotonic() + duration_s
        while (left_s := until_s - time.monotonic()) > 0:
            event = self._read(min(left_s, 0.2))
            if event is not None:
                self._backlog.append(event)

    def send_error(self, code: str, message: str, **more: Any) -> None:
        """Send an error event."""
        self._call.note("error_sent", code=code, message=message)
        self.send("error", error={"code": code, "message": message, **more})

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the socket with a code; a line that is closed already stays so."""
        with suppress(ConnectionClosed, OSError):  # the client was faster
            self._socket.close(code, reason or None)

    def join(self) -> None:
        """End the library's reader thread."""
        self._call.hang_up()
        self._socket.thread.join(5.0)


class FaultStruck(Exception):
    """The response was ended by a scripted error event; the session goes on."""
