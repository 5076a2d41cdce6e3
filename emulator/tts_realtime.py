"""Realtime speech synthesis: one session of `qwen3-tts-flash-realtime`.

How it works
------------
One thread owns the session.  It reads every client event that is waiting; only when there is none and the next
audio delta is due does it send one.  So appends, commits, finish and close are taken at any time, also while audio
streams, and pacing follows the clock: a late delta does not delay those after it.

Text goes from the buffer into responses.  In `commit` mode each commit makes one response.  In `server_commit` mode
finished sentences flow into one open response by themselves, but about two seconds of its tail are held back until
a commit or session.finish, exactly as the real service was recorded doing.
"""

from __future__ import annotations

import re
import time
from collections import deque
from typing import Any, Final

from emulator.calls import Call, ClientGone
from emulator.speech import Speech
from emulator.tts_frames import Frames
from emulator.voices import is_known_voice
from emulator.wire import FaultStruck, Wire, new_id

_SENTENCE_END: Final = re.compile(r"[。！？!?；;\n…]|[.](?=\s|$)")
_LONGEST_WAIT_FOR_END: Final = 60  # characters after which text is spoken without a sentence end
_HELD_BACK_MS: Final = 2000
_NEVER_HELD: Final = 2  # deltas
_FORMATS: Final = {"pcm", "wav", "mp3", "opus"}
_RATES_HZ: Final = {8000, 16000, 22050, 24000, 44100, 48000}
_FINISHED_GRACE_S: Final = 15.0


class SynthesisSession:
    """One TTS connection.  Invariant: `_queue[0]` is the response being spoken; only the last may still be open."""

    def __init__(self, model: str, wire: Wire, call: Call) -> None:
        self._wire, self._call = wire, call
        self._habits, self._latency = call.scenario.tts, call.scenario.latency
        self._session: dict[str, Any] = {
            "object": "realtime.session",
            "mode": "server_commit",
            "model": model,
            "voice": "Cherry",
            "response_format": "pcm",
            "sample_rate": 24000,
            "id": new_id("sess"),
        }
        self._frames = Frames(wire)
        self._buffer = ""
        self._queue: deque[Speech] = deque()
        self._is_started = self._is_finishing = self._is_finished = False

    def run(self) -> None:
        """Hold the session until the client leaves or stays silent too long.  Raises: ClientGone."""
        self._wire.send("session.created", session=self._session)
        while True:
            event = self._wire.receive(timeout_s=self._wait_s())
            if event is not None:
                self._take(event)
            else:
                self._advance()
                self._check_idle()

    def _wait_s(self) -> float:
        """Return how long to wait for the client before the next step of speaking is due."""
        if not self._queue:
            return 1.0
        speech = self._queue[0]
        if not speech.is_announced or speech.is_over:
            return 0.0
        return speech.due_s - time.monotonic() if self._can_send(speech) else 1.0

    def _can_send(self, speech: Speech) -> bool:
        if not speech.is_open or not self._habits.hold_back:
            return speech.pending_ms > 0
        return speech.pending_ms > 0 and (speech.sent_count < _NEVER_HELD or speech.pending_ms > _HELD_BACK_MS)

    # -- what the client says -----------------------------------------------------------------------------------

    def _take(self, event: dict[str, Any]) -> None:
        handlers = {
            "session.update": self._on_update,
            "input_text_buffer.append": self._on_append,
            "input_text_buffer.commit": self._on_commit,
            "input_text_buffer.clear": self._on_clear,
            "response.cancel": self._on_cancel,
            "session.finish": self._on_finish,
        }
        kind = event.get("type")
        handler = handlers.get(str(kind))
        self._call.note("event", type=kind, text=event.get("text"), **_asked_voice(event))
        if handler is None:
            self._wire.send_error("invalid_value", f"Invalid event type: {kind!r}.", type="invalid_request_error")
        else:
            handler(event)

    def _on_update(self, event: dict[str, Any]) -> None:
        if self._is_started or self._is_finishing:
            message = "Session update error: session already started or finished or failed."
            self._wire.send_error("invalid_value", message)
            return
        wanted = event.get("session")
        if problem := _problem_of(wanted, self._session["model"]):
            self._wire.send_error("invalid_value", problem)
            if problem.startswith("Voice"):
                raise ClientGone("the voice is not known")  # measured: this error, unlike others, ends the session
            return
        changes = {name: value for name, value in (wanted or {}).items() if value is not None}
        if "language_type" in changes:
            changes["language_type"] = str(changes["language_type"]).lower()
        self._session |= changes
        self._wire.send("session.updated", session=self._session)

    def _on_append(self, event: dict[str, Any]) -> None:
        text = event.get("text")
        if not isinstance(text, str):
            self._wire.send_error("invalid_value", "Field required: text")
            return
        if self._drops_input():
            return
        self._is_started = True
        self._buffer += text
        if self._is_server_commit:
            self._speak_sentences()

    def _on_commit(self, _event: dict[str, Any]) -> None:
        if self._drops_input():
            return
        if not self._buffer and not self._has_open_response:
            message = "Error committing input text buffer: buffer too small, or have no text."
            self._wire.send_error("invalid_value", message)
            return
        self._wire.send("input_text_buffer.committed", item_id="")
        self._flush()

    def _on_clear(self, _event: dict[str, Any]) -> None:
        self._buffer = ""
        self._wire.send("input_text_buffer.cleared")

    def _on_cancel(self, _event: dict[str, Any]) -> None:
        if not self._queue:
            message = "Conversation has none active response"
            self._wire.send_error("", message, type="invalid_request_error")
            return
        speech = self._queue[0]
        self._queue.clear()
        self._buffer = ""
        if speech.is_announced:
            self._frames.send_cancelled(speech)

    def _on_finish(self, _event: dict[str, Any]) -> None:
        self._is_finishing = True
        if self._buffer or self._has_open_response:
            self._flush()
        self._finish_when_said()

    def _drops_input(self) -> bool:
        """Tell whether an append or commit is ignored, as one project saw it during an active response."""
        return self._habits.strict_commit and not self._is_server_commit and bool(self._queue)

    # -- what the session says ----------------------------------------------------------------------------------

    @property
    def _is_server_commit(self) -> bool:
        return bool(self._session["mode"] == "server_commit")

    @property
    def _has_open_response(self) -> bool:
        return bool(self._queue) and self._queue[-1].is_open

    def _speak_sentences(self) -> None:
        """Move what is ready to be spoken from the buffer into the open response."""
        ends = [match.end() for match in _SENTENCE_END.finditer(self._buffer)]
        end = ends[-1] if ends else len(self._buffer) if len(self._buffer) >= _LONGEST_WAIT_FOR_END else 0
        if end:
            self._open_response().add(self._buffer[:end])
            self._buffer = self._buffer[end:]

    def _flush(self) -> None:
        speech = self._open_response()
        if self._buffer:
            speech.add(self._buffer)
        speech.finish()
        self._buffer = ""

    def _open_response(self) -> Speech:
        if not self._has_open_response:
            speech = Speech(
                voice=self._call.vendor.voice,
                session=self._session,
                first_audio_ms=self._latency.tts_first_audio_ms,
                speed=self._latency.tts_speed,
            )
            self._queue.append(speech)
        return self._queue[-1]

    def _advance(self) -> None:
        """Take one step of speaking: announce the response, send one delta, or end it."""
        if not self._queue:
            return
        speech = self._queue[0]
        try:
            if not speech.is_announced:
                self._frames.send_beginning(speech)
            elif speech.is_over:
                self._end(speech)
            elif self._can_send(speech) and speech.due_s <= time.monotonic():
                self._frames.send_delta(speech, self._latency.tts_delta_ms)
        except FaultStruck:
            self._queue.popleft()
            self._finish_when_said()

    def _end(self, speech: Speech) -> None:
        self._frames.send_end(speech)
        self._call.note("spoken", text=speech.text, audio_ms=speech.sent_ms)
        self._queue.popleft()
        if self._queue:
            self._queue[0].wait_for_turn()
        self._finish_when_said()

    def _finish_when_said(self) -> None:
        if self._is_finishing and not self._queue and not self._is_finished:
            self._is_finished = True
            self._wire.send("session.finished")
            if self._habits.finish_closes:
                raise ClientGone("finished")

    def _check_idle(self) -> None:
        limit_s = max(self._habits.idle_s, _FINISHED_GRACE_S if self._is_finished else 0)
        is_waiting = not self._queue or not self._can_send(self._queue[0])
        if is_waiting and time.monotonic() - self._wire.last_heard_s > limit_s:
            raise ClientGone("idle for too long")


def _problem_of(wanted: Any, model: str) -> str:
    """Return what is wrong with the fields of a session.update, or an empty text."""
    if not isinstance(wanted, dict):
        return "Field required: session"
    if wanted.get("mode", "commit") not in {"commit", "server_commit", None}:
        return f"Invalid mode: {wanted['mode']!r}. Supported values are: 'server_commit' and 'commit'."
    if wanted.get("response_format", "pcm") not in _FORMATS | {None}:
        return f"Invalid response_format: {wanted['response_format']!r}."
    if wanted.get("sample_rate", 24000) not in _RATES_HZ | {None}:
        return f"Invalid sample_rate: {wanted['sample_rate']!r}."
    if wanted.get("voice") is not None and not is_known_voice(wanted["voice"], model):
        return f"Voice '{wanted['voice']}' is not supported."
    return ""


def _asked_voice(event: dict[str, Any]) -> dict[str, str]:
    """Return what the journal keeps of a session.update: the voice."""
    session = event.get("session")
    return {"voice": str(session["voice"])} if isinstance(session, dict) and session.get("voice") else {}
