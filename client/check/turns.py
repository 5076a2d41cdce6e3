"""Turns as devices hold them, over WebSockets: something said, and a picture asked about, both answered in sound."""

import base64
import dataclasses
import time
from typing import Any, Final

import msgspec

from client import poll
from client.check.chat import red_square
from client.check.site import Answer, Failed
from client.check.sound import tone
from client.check.visit import Surface, Visit
from client.device import Device, DeviceError
from client.line import Line, LineError
from client.turn import parse

_AUDIO: Final = "/v1/chat/audio"
_PICTURES: Final = "/v1/chat/vlm"
_TURN_S, _CONNECT_S = 120.0, 10.0
_QUESTION: Final = "Which colour is this?"


def spoken_turn(visit: Visit) -> str:
    """Hold a turn as a device does: the recording up, the words and the sound of the answer down."""
    probe = _probe(visit, _AUDIO)
    try:
        with Device(f"{visit.site.websocket_root}{_AUDIO}", key=visit.site.key) as device:
            result = device.turn(visit.recording or tone(), timeout_s=_TURN_S)
    except DeviceError as error:
        raise Failed(str(error)) from error
    if not result.is_ok and (visit.recording or not result.completed):  # a tone alone need not be understood
        raise Failed(result.failure)
    _note(visit, probe, first_ms=result.first_audio_ms or 0.0, total_ms=result.end_ms or 0.0)
    return f"{visit.expect_saying(result.transcript)}, answered with {result.sound_ms / 1000:.1f} s of sound"


def picture_turn(visit: Visit) -> str:
    """Show a picture, ask about it in writing, and be answered in words and sound."""
    probe = _probe(visit, _PICTURES)
    try:
        talker = _PictureTurn(f"{visit.site.websocket_root}{_PICTURES}", key=visit.site.key)
        poll.drive([talker], until=lambda: talker.is_over, timeout_s=_TURN_S)
    except LineError as error:
        raise Failed(str(error)) from error
    talker.line.close()
    if talker.failure or not (talker.text and talker.sound_bytes):
        raise Failed(talker.failure or f"{len(talker.text)} characters and {talker.sound_bytes} bytes of sound")
    _note(visit, probe, first_ms=talker.first_sound_ms, total_ms=talker.end_ms)
    return f"“{talker.text}”, {talker.sound_bytes:,} bytes of sound"


class _PictureTurn:
    """One connection that asks one question about one picture. Invariant: once `is_over`, nothing changes."""

    next_at_s = float("inf")

    def __init__(self, url: str, *, key: str) -> None:
        self.line = Line(url, key=key, bytes_per_s=0, connect_timeout_s=_CONNECT_S, now_s=time.monotonic())
        self.text, self.sound_bytes, self.failure = "", 0, ""
        self.first_sound_ms = self.end_ms = 0.0
        self.is_over = False
        self._asked_s = 0.0

    def step(self, now_s: float) -> None:
        """Read what came, and answer the greeting with picture and question."""
        self.line.flush()
        for message in self.line.receive(now_s):
            name, body = parse(message) if isinstance(message, str) else ("", {})
            self._hear(name, body, ms=(now_s - self._asked_s) * 1000)

    def _hear(self, name: str, body: Any, *, ms: float) -> None:
        if name == "connected":
            self._ask()
        elif name == "vlm_chat_chunk":
            self.text = body["full_response"]
        elif name == "audio_stream":
            self.first_sound_ms = self.first_sound_ms or ms
            self.sound_bytes += len(base64.b64decode(body.get("data") or ""))
        elif name in ("vlm_complete", "error"):
            self.failure, self.end_ms, self.is_over = body["message"] if name == "error" else "", ms, True

    def _ask(self) -> None:
        self._asked_s = time.monotonic()
        data = base64.b64encode(red_square()).decode()
        picture = {"seq": 1, "total": 1, "type": "image", "data": data}
        for message in (picture, {"type": "text", "text": _QUESTION}, {"type": "end"}):
            self.line.send(msgspec.json.encode(message).decode())


def _probe(visit: Visit, path: str) -> Answer:
    """Ask for the address without a WebSocket.  Raises: Failed when there is no such address."""
    probe = visit.site.get(path)
    return probe.expect(101) if probe.status == 404 else probe


def _note(visit: Visit, probe: Answer, *, first_ms: float, total_ms: float) -> None:
    visit.site.last = dataclasses.replace(probe, first_ms=first_ms, total_ms=total_ms)


SURFACES = (
    Surface(name="spoken turn", look=spoken_turn, is_optional=True),
    Surface(name="picture turn", look=picture_turn, is_optional=True),
)
