"""One response being spoken: its text, its sound, its clock."""

from __future__ import annotations

import base64
import math
import re
import time
from typing import Any, Final

from emulator.encoding import StreamEncoder, make_encoder
from emulator.voice import Voice
from emulator.wire import new_id

_HAN: Final = re.compile(r"[\u2e80-\u2fdf\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_TOKENS_PER_SECOND: Final = 12.5


def billed_characters(text: str) -> int:
    """Return the characters the service bills: two for each Han character, one for any other."""
    return len(text) + len(_HAN.findall(text))


class Speech:
    """One response.  It is open while more text may come; its clock says when the next delta is due."""

    def __init__(self, *, voice: Voice, session: dict[str, Any], first_audio_ms: float, speed: float) -> None:
        self.response_id, self.item_id = new_id("resp"), new_id("item")
        self.voice_name: str = session["voice"]
        self.text = ""
        self.is_open, self.is_announced = True, False
        self.sent_ms = self.sent_count = 0
        self.due_s = time.monotonic() + first_audio_ms / 1000
        self._speed = speed
        self._sound = voice.begin(session["sample_rate"])
        self._encoder: StreamEncoder | None = make_encoder(session)

    def add(self, text: str) -> None:
        """Append text; if the sound had run dry the clock starts again now."""
        if not self.pending_ms:
            self.wait_for_turn()
        self.text += text
        self._sound.add(text)

    def finish(self) -> None:
        """Close the response: no more text comes."""
        self._sound.finish()
        self.is_open = False

    def wait_for_turn(self) -> None:
        """Let the next delta be due now, or later if it was due later."""
        self.due_s = max(self.due_s, time.monotonic())

    @property
    def pending_ms(self) -> int:
        """How much sound is ready and not yet sent."""
        return self._sound.pending_ms

    @property
    def is_over(self) -> bool:
        """Whether all sound is sent and no more text comes."""
        return not self.is_open and not self._sound.pending_ms

    def next_delta(self, duration_ms: int) -> str:
        """Take about `duration_ms` of sound as base64 text and move the clock on."""
        if self._encoder is None:
            delta, taken_ms = self._sound.take_base64(duration_ms)
        else:
            before_ms = self._sound.pending_ms
            pcm = self._sound.take(duration_ms)
            taken_ms = before_ms - self._sound.pending_ms
            delta = base64.b64encode(self._encoder.push(pcm, is_last=self.is_over)).decode()
        self.sent_ms += taken_ms
        self.sent_count += 1
        self.due_s += taken_ms / 1000 / self._speed if self._speed > 0 else 0
        return delta

    @property
    def usage(self) -> dict[str, Any]:
        """The usage block of the finished response."""
        audio_tokens = math.ceil(_TOKENS_PER_SECOND * self.sent_ms / 1000)
        text_tokens = max(1, math.ceil(len(self.text) * 0.6))
        return {
            "characters": billed_characters(self.text),
            "total_tokens": text_tokens + audio_tokens,
            "input_tokens": text_tokens,
            "output_tokens": audio_tokens,
            "input_tokens_details": {"text_tokens": text_tokens},
            "output_tokens_details": {"text_tokens": 0, "audio_tokens": audio_tokens},
        }
