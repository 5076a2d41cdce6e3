"""Realtime recognition: one session of `qwen3-asr-flash-realtime`, with voice activity detection or by commit.

One thread owns the session: it reads client events, cuts the sound into segments, and sends each result when it is
due (the scripted recognition time passes without blocking the reading).
"""

from __future__ import annotations

import base64
import binascii
import time
from collections import deque
from typing import Any, Final

from emulator.asr import guess_language
from emulator.calls import Call, ClientGone
from emulator.vad import VoiceActivity
from emulator.wire import FaultStruck, Wire, new_id

_PREVIEW_EVERY_MS: Final = 400
_RATES_HZ: Final = {8000, 16000}
_TOO_SMALL: Final = "Error committing input audio buffer: buffer too small, or have no audio."
_STARTED: Final = "Session update error: session already started or finished or failed."
_RESULT: Final = "conversation.item.input_audio_transcription"


class _Segment:
    """One utterance in the making: its sound, the scripted transcript if any, and what was previewed."""

    def __init__(self, scripted: str | None) -> None:
        self.item_id = new_id("item")
        self.pcm = bytearray()
        self.scripted = scripted
        self.preview = ""
        self.preview_at_ms: float = _PREVIEW_EVERY_MS


class RecognitionSession:
    """One ASR connection.  Invariant: results leave in the order of their segments."""

    def __init__(self, model: str, wire: Wire, call: Call) -> None:
        self._wire, self._call = wire, call
        self._session: dict[str, Any] = {
            "id": new_id("sess"),
            "object": "realtime.session",
            "model": model,
            "modalities": ["text"],
            "input_audio_format": "pcm16",
            "sample_rate": 16000,
            "input_audio_transcription": None,
            "turn_detection": {"type": "server_vad", "threshold": 0.5, "silence_duration_ms": 800},
        }
        self._segment: _Segment | None = None
        self._activity = self._new_activity()
        self._due: deque[tuple[float, str, dict[str, Any]]] = deque()
        self._previous_item_id = ""
        self._is_started = self._is_finishing = False

    def run(self) -> None:
        """Hold the session until the client leaves or stays silent too long.  Raises: ClientGone."""
        self._wire.send("session.created", session=self._session)
        while True:
            wait_s = self._due[0][0] - time.monotonic() if self._due else 1.0
            event = self._wire.receive(timeout_s=wait_s)
            if event is not None:
                self._take(event)
            self._send_due()
            if time.monotonic() - self._wire.last_heard_s > self._call.scenario.asr.idle_s:
                raise ClientGone("idle for too long")

    # -- what the client says -----------------------------------------------------------------------------------

    def _take(self, event: dict[str, Any]) -> None:
        handlers = {
            "session.update": self._on_update,
            "input_audio_buffer.append": self._on_append,
            "input_audio_buffer.commit": self._on_commit,
            "input_audio_buffer.clear": self._on_clear,
            "response.create": lambda _event: None,  # the vendor's Java sample sends it; the service says nothing
            "session.finish": self._on_finish,
        }
        kind = event.get("type")
        self._call.note("event", type=kind, size=len(event.get("audio") or ""))
        handler = handlers.get(str(kind))
        if handler is None:
            self._fail("invalid_value", f"Invalid event type: {kind!r}.")
        else:
            handler(event)

    def _on_update(self, event: dict[str, Any]) -> None:
        wanted = event.get("session")
        if not isinstance(wanted, dict):
            self._fail("invalid_value", "Field required: session")
        elif self._is_started:
            self._fail("invalid_value", _STARTED)
        elif wanted.get("sample_rate", 16000) not in _RATES_HZ | {None}:
            self._fail("invalid_value", "Invalid sample_rate.", param="session.sample_rate")
        elif wanted.get("input_audio_format", "pcm") not in {"pcm", "pcm16", None}:
            self._fail("invalid_value", "Invalid input_audio_format.", param="session.input_audio_format")
        else:
            self._update(wanted)

    def _update(self, wanted: dict[str, Any]) -> None:
        self._session |= {name: value for name, value in wanted.items() if value is not None}
        if "turn_detection" in wanted:
            detection = wanted["turn_detection"]
            defaults = {"create_response": True, "interrupt_response": True}
            self._session["turn_detection"] = detection and defaults | detection
        self._activity = self._new_activity()
        self._wire.send("session.updated", session=self._session)

    def _on_append(self, event: dict[str, Any]) -> None:
        try:
            pcm = base64.b64decode(event.get("audio") or "", validate=True)
        except (binascii.Error, TypeError, ValueError):
            self._fail("invalid_value", "Invalid audio: not base64.", param="audio")
            return
        self._is_started = True
        if not self._has_vad:
            self._open_segment().pcm.extend(pcm)
            return
        for change, sound in self._activity.frames(pcm):
            self._on_frame(change, sound)

    def _on_frame(self, change: str, sound: bytes) -> None:
        if not self._call.scenario.asr.vad:
            self._open_segment().pcm.extend(sound)
            return
        if change == "started":
            item_id = self._open_segment().item_id
            self._wire.send("input_audio_buffer.speech_started", audio_start_ms=self._activity.time_ms, item_id=item_id)
        if self._segment is not None:
            self._segment.pcm.extend(sound)
            self._preview()
        if change == "stopped":
            self._stop_speech()

    def _on_commit(self, _event: dict[str, Any]) -> None:
        if self._has_vad:
            self._fail("InternalError", "Internal service error: null")
        elif self._segment is None or not self._segment.pcm:
            self._fail("invalid_value", _TOO_SMALL)
        else:
            self._close_segment()

    def _on_clear(self, _event: dict[str, Any]) -> None:
        self._segment = None
        self._wire.send("input_audio_buffer.cleared")

    def _on_finish(self, _event: dict[str, Any]) -> None:
        if self._segment is not None and self._segment.pcm:
            if self._has_vad and self._call.scenario.asr.vad:
                self._stop_speech()
            else:
                self._close_segment()
        if not self._is_finishing:
            self._is_finishing = True
            self._due.append((time.monotonic(), "session.finished", {}))

    # -- what the session says ----------------------------------------------------------------------------------

    @property
    def _has_vad(self) -> bool:
        return self._session["turn_detection"] is not None

    def _new_activity(self) -> VoiceActivity:
        detection = self._session["turn_detection"] or {}
        silence_ms = int(detection.get("silence_duration_ms") or 800)
        return VoiceActivity(rate_hz=self._session["sample_rate"], silence_ms=silence_ms)

    def _open_segment(self) -> _Segment:
        if self._segment is None:
            self._segment = _Segment(self._call.script.next_transcript())
        return self._segment

    def _stop_speech(self) -> None:
        self._activity.close()
        item_id = self._open_segment().item_id
        self._wire.send("input_audio_buffer.speech_stopped", audio_end_ms=self._activity.time_ms, item_id=item_id)
        self._close_segment()

    def _close_segment(self) -> None:
        """Commit the open segment and let its transcript be due after the scripted time."""
        segment = self._open_segment()
        self._segment = None
        link = {"previous_item_id": self._previous_item_id, "item_id": segment.item_id}
        self._wire.send("input_audio_buffer.committed", **link)
        self._wire.send("conversation.item.created", previous_item_id=self._previous_item_id, item=_item(segment))
        self._previous_item_id = segment.item_id
        text = self._heard_in(segment)
        self._call.note("heard", text=text, size_bytes=len(segment.pcm))
        if not self._has_vad:
            self._send_result(f"{_RESULT}.text", self._about(segment, text) | {"text": "", "stash": text})
        due_s = time.monotonic() + self._call.scenario.latency.asr_ms / 1000
        result = self._about(segment, text) | {"transcript": text}
        self._due.append((max(due_s, self._due[-1][0] if self._due else 0), f"{_RESULT}.completed", result))

    def _preview(self) -> None:
        """Send what is heard so far; the intervals grow with the segment, so long ones stay cheap."""
        segment = self._open_segment()
        length_ms = len(segment.pcm) * 500 / self._session["sample_rate"]
        if length_ms < segment.preview_at_ms:
            return
        segment.preview_at_ms = length_ms + max(_PREVIEW_EVERY_MS, length_ms / 4)
        text = self._heard_in(segment).rstrip("\ufffd")
        known, segment.preview = segment.preview, text
        confirmed = known if text.startswith(known) else ""
        event = self._about(segment, text) | {"text": confirmed, "stash": text[len(confirmed) :]}
        self._send_result(f"{_RESULT}.text", event)

    def _heard_in(self, segment: _Segment) -> str:
        if segment.scripted is not None:
            return segment.scripted
        return self._call.vendor.ear.hear(bytes(segment.pcm), rate_hz=self._session["sample_rate"])

    def _about(self, segment: _Segment, text: str) -> dict[str, Any]:
        language = (self._session["input_audio_transcription"] or {}).get("language") or guess_language(text)
        return {"item_id": segment.item_id, "content_index": 0, "language": language, "emotion": "neutral"}

    def _send_due(self) -> None:
        while self._due and self._due[0][0] <= time.monotonic():
            _, kind, fields = self._due.popleft()
            if kind == "session.finished":
                self._wire.send(kind)
            else:
                self._send_result(kind, fields)

    def _send_result(self, kind: str, fields: dict[str, Any]) -> None:
        try:
            self._wire.send_counted(kind, **fields)
        except FaultStruck:
            self._segment = None

    def _fail(self, code: str, message: str, *, param: str = "") -> None:
        self._wire.send_error(code, message, type="invalid_request_error", param=param)


def _item(segment: _Segment) -> dict[str, Any]:
    return {
        "id": segment.item_id,
        "object": "realtime.item",
        "type": "message",
        "status": "completed",
        "role": "user",
        "content": [{"type": "input_audio", "transcript": None}],
    }
