"""A plain realtime client for the tests: sends events, collects what comes, waits with a deadline."""

import base64
import json
import time
from typing import Any, Self

import websocket

from emulator import Emulator
from emulator.ear import hear

DEADLINE_S = 10.0


class RealtimeClient:
    def __init__(self, emulator: Emulator, key: str, model: str) -> None:
        url = f"{emulator.websocket_url}/realtime?model={model}"
        self._socket = websocket.create_connection(url, header=[f"Authorization: Bearer {key}"], timeout=DEADLINE_S)
        self.events: list[dict[str, Any]] = []

    def send(self, kind: str, **fields: Any) -> None:
        self.send_object({"type": kind, **fields})

    def send_object(self, event: object) -> None:
        self._socket.send(json.dumps(event))

    def update(self, **session: Any) -> dict[str, Any]:
        self.send("session.update", session=session)
        return self.wait("session.updated")["session"]

    def append_text(self, text: str) -> None:
        self.send("input_text_buffer.append", text=text)

    def append_audio(self, pcm: bytes) -> None:
        for start in range(0, len(pcm), 3200):
            audio = base64.b64encode(pcm[start : start + 3200]).decode()
            self.send("input_audio_buffer.append", audio=audio)

    def next(self, *, timeout_s: float = DEADLINE_S) -> dict[str, Any]:
        self._socket.settimeout(timeout_s)
        event = json.loads(self._socket.recv())
        self.events.append(event)
        return event

    def wait(self, kind: str) -> dict[str, Any]:
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            event = self.next()
            if event["type"] == kind:
                return event
        raise TimeoutError(kind)

    def is_quiet(self, *, for_s: float = 0.3) -> bool:
        """Tell whether nothing comes for a while."""
        try:
            self.next(timeout_s=for_s)
        except websocket.WebSocketTimeoutException:
            return True
        return False

    def read_to_end(self) -> tuple[int, str]:
        """Read until the server closes; return its close code and reason (0 when the line was just cut)."""
        self._socket.settimeout(DEADLINE_S)
        while True:
            try:
                opcode, data = self._socket.recv_data(control_frame=True)
            except (websocket.WebSocketConnectionClosedException, ConnectionError):
                return 0, ""
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                return (int.from_bytes(data[:2], "big"), data[2:].decode()) if data else (1005, "")
            self.events.append(json.loads(data))

    def raw(self) -> str:
        return self._socket.recv()

    def close(self) -> None:
        self._socket.close()
        self._socket.shutdown()  # after a close by the server the library leaves its socket open

    @property
    def kinds(self) -> list[str]:
        return [event["type"] for event in self.events]

    @property
    def pcm(self) -> bytes:
        deltas = [event["delta"] for event in self.events if event["type"] == "response.audio.delta"]
        return b"".join(base64.b64decode(delta) for delta in deltas)

    def heard(self, *, rate_hz: int = 24000) -> str:
        return hear(self.pcm, rate_hz=rate_hz)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
