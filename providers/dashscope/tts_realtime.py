"""Speech over one realtime connection per answer.

How it works.  The service runs in `server_commit` mode, where it would hold back the last seconds of what it was given
until it is told to go on (measured: 0.6 s of 2.8 s, then nothing for 15 s). So every segment is appended *and*
committed: each is spoken to its end even when the next one is slow to come, and nothing waits for a pause. One thread
sends segments as they become known, a few ahead of what is spoken; the caller's thread reads sound.

Which segments are spoken is told by `usage.characters` of each finished response, which counts exactly the text it
covers (2 for a Han character, 1 for any other), however the service groups what it was given.

Source: DashScope realtime reference §3.
"""

import contextlib
import threading
import time
from bisect import bisect_right
from collections.abc import Iterator
from typing import Any

from protocol.dashscope import RealtimeEvent, RealtimeResponse, billed_characters
from protocol.errors import Cancelled, UpstreamBroken, UpstreamError, UpstreamTimeout
from protocol.keys import ApiKey
from providers.dashscope.socket import RealtimeSocket
from providers.dashscope.tts_http import is_instructed
from services.ports import PLAIN, Cancel, Manner, Segments, Sound, Usage


class RealtimeSynthesiser:
    """The realtime voice. `url` ends in `?model=…`."""

    most_chars = None
    rates = (0.5, 2.0)

    def __init__(self, *, url: str, model: str, rate_hz: int, connect_s: float, idle_s: float) -> None:
        self._url, self.model, self.rate_hz = url, model, rate_hz
        self._connect_s, self._idle_s = connect_s, idle_s

    @property
    def obeys(self) -> frozenset[str]:
        known = frozenset({"language", "pitch", "volume"})
        return known | {"instructions"} if is_instructed(self.model) else known

    def open(self, *, voice: str, key: ApiKey, cancel: Cancel, manner: Manner = PLAIN) -> "RealtimeSpeech":
        """Connect and agree on voice, format and manner. Raises: UpstreamError, Cancelled."""
        socket = RealtimeSocket(self._url, key=key, cancel=cancel, connect_s=self._connect_s, idle_s=self._idle_s)
        try:
            self._agree(socket, voice, manner)
        except BaseException:
            socket.close()
            raise
        return RealtimeSpeech(socket, idle_s=self._idle_s)

    def _agree(self, socket: RealtimeSocket, voice: str, manner: Manner) -> None:
        socket.wait_for("session.created")
        session = {
            "voice": voice,
            "mode": "server_commit",
            "response_format": "pcm",
            "sample_rate": self.rate_hz,
            **_choices(manner),
        }
        socket.send({"type": "session.update", "session": session})
        agreed = socket.wait_for("session.updated").session
        if agreed and agreed.sample_rate not in (None, self.rate_hz):
            raise UpstreamBroken(
                f"语音服务改用了 {agreed.sample_rate} Hz，与要求的 {self.rate_hz} Hz 不符。",
                english=f"The model service chose {agreed.sample_rate} Hz instead of {self.rate_hz} Hz.",
            )


def _choices(manner: Manner) -> dict[str, Any]:
    """Return what the caller chose, in the session's words; what they left open is left to the model."""
    choices = {
        "language_type": manner.language or None,
        "speech_rate": manner.rate if manner.rate != 1 else None,
        "pitch_rate": manner.pitch,
        "volume": manner.volume,
        "instructions": manner.instructions or None,
    }
    return {name: value for name, value in choices.items() if value is not None}


class RealtimeSpeech:
    """One answer on its connection. Threads: `sounds` starts the sender and joins it; each field has one writer."""

    def __init__(self, socket: RealtimeSocket, *, idle_s: float) -> None:
        self._socket, self._idle_s = socket, idle_s
        self._ends: list[int] = []
        """Characters up to the end of each segment said: written by the sender."""
        self._last_said = 0.0
        self._is_all_said = False
        self._billed = self._done = 0
        self._progress = threading.Condition()

    def sounds(self, segments: Segments) -> Iterator[Sound]:
        """Speak every segment in order. Raises: UpstreamError when the voice fails, Cancelled."""
        name = threading.current_thread().name
        sender = threading.Thread(target=self._send, args=(segments,), name=f"{name}-text", daemon=True)
        sender.start()
        try:
            yield from self._receive()
        finally:
            segments.stop()
            self._wake_sender()
            self.close()
            sender.join()

    def close(self) -> None:
        self._socket.close()

    def _send(self, segments: Segments) -> None:
        """The sender's thread. Its failures are the connection's, which the receiver meets as well and reports."""
        with contextlib.suppress(UpstreamError, Cancelled):
            for segment in segments:
                self._wait_for_turn(segments)
                self._say(segment)
            if not segments.is_stopped:
                self._last_said, self._is_all_said = time.monotonic(), True
                self._socket.send({"type": "session.finish"})

    def _wait_for_turn(self, segments: Segments) -> None:
        """Wait until the service has little left to say; not for ever, should it count otherwise than we do."""
        with self._progress:
            self._progress.wait_for(lambda: segments.is_stopped or self._ahead() < _AHEAD, timeout=_AHEAD_S)

    def _ahead(self) -> int:
        return len(self._ends) - max(self._spoken(), self._done)

    def _wake_sender(self) -> None:
        with self._progress:
            self._progress.notify_all()

    def _say(self, segment: str) -> None:
        self._ends.append((self._ends[-1] if self._ends else 0) + billed_characters(segment))
        self._last_said = time.monotonic()
        self._socket.send({"type": "input_text_buffer.append", "text": segment})
        self._socket.send({"type": "input_text_buffer.commit"})

    def _receive(self) -> Iterator[Sound]:
        while (event := self._next()).type != "session.finished":
            if event.type == "response.audio.delta":
                yield Sound(pcm=event.delta, spoken=self._spoken())
            elif event.type == "response.done" and event.response:
                self._check(event.response)
                self._wake_sender()
                yield Sound(pcm=b"", spoken=self._spoken())
        usage = Usage(prompt_tokens=self._billed, total_tokens=self._billed) if self._billed else None
        yield Sound(pcm=b"", spoken=len(self._ends), usage=usage)

    def _next(self) -> RealtimeEvent:
        """Return the next event. The service may rest for as long as it owes nothing: the model is thinking."""
        while True:
            try:
                return self._socket.receive()
            except UpstreamTimeout:
                is_owing = self._is_all_said or self._spoken() < len(self._ends)
                if is_owing and time.monotonic() - self._last_said >= self._idle_s:
                    raise

    def _check(self, response: RealtimeResponse) -> None:
        if response.status in ("failed", "incomplete"):
            raise UpstreamBroken(
                "语音合成中途失败。", english="The synthesis failed in mid-answer. Try again.", code="tts_failed"
            )
        self._done += 1
        if response.usage and response.usage.characters is not None:
            self._billed += response.usage.characters
        else:  # the older models count tokens: one response for each segment committed
            done = bisect_right(self._ends, self._billed)
            self._billed = self._ends[min(done, len(self._ends) - 1)] if self._ends else 0

    def _spoken(self) -> int:
        return bisect_right(self._ends, self._billed + _UNCOUNTED)


_AHEAD, _AHEAD_S = 4, 10.0
"""Segments that the service is given before it has spoken the earlier ones. A long answer given at once would be
paid for even when the person interrupts, and a service that closes after a minute without a word from us would close
in the middle of it."""
_UNCOUNTED = 1
"""A character of difference is no unspoken segment: the service may trim a space that we sent."""
