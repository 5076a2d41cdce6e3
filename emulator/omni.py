"""The sound of an omni model's answer: bare PCM in the audio object of the deltas.

Source: DashScope HTTP reference §2.6: s16le mono 24 kHz without a header, whatever format was asked for.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Final

from emulator.calls import Call
from emulator.chat_request import ChatRequest

_RATE_HZ: Final = 24000
_KEPT_S: Final = 86400


class SpokenAnswer:
    """The voice speaking one text.  `duration_ms` is how much of it was sent."""

    def __init__(self, text: str, chat: ChatRequest, call: Call) -> None:
        self.duration_ms = 0
        self._text, self._call = text, call
        self._voice_name = (chat.options.get("audio") or {}).get("voice")

    def deltas(self) -> Iterator[dict[str, Any]]:
        """Yield the deltas with sound, each at its time."""
        latency = self._call.scenario.latency
        utterance = self._call.vendor.voice.begin(_RATE_HZ)
        utterance.add(self._text)
        utterance.finish()
        due_s = time.monotonic() + latency.tts_first_audio_ms / 1000
        while utterance.pending_ms > 0:
            self._call.pause_until(due_s)
            data, taken_ms = utterance.take_base64(max(20, latency.tts_delta_ms))
            self.duration_ms += taken_ms
            yield {"audio": self._audio(data)}
            due_s += taken_ms / 1000 / latency.tts_speed if latency.tts_speed > 0 else 0
        self._call.note("spoken", text=self._text, audio_ms=self.duration_ms, voice=self._voice_name)

    def _audio(self, data: str) -> dict[str, Any]:
        audio_id = f"audio_{self._call.request_id}"
        return {"data": data, "expires_at": int(time.time()) + _KEPT_S, "id": audio_id}
