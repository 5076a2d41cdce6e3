"""The device's side of one turn, without sockets or clock.

How it works.  A `Turn` is asked what to send (`due`), told what came (`hear`), and says when it wants to be asked again
(`next_at_s`); whoever drives it owns the connection. So one thread holds hundreds of turns, and a test needs no socket.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from client.agenda import CANCEL, Agenda
from client.hearing import Codec, Hearing, Sound
from client.result import Arrival, Body, TurnResult
from client.upload import PERFECT, Link, Message, Upload

_UPLOAD_ERRORS: Final = {
    "invalid_json",
    "invalid_message",
    "invalid_packet",
    "no_audio",
    "too_large",
    "too_many_sessions",
    "unsupported_image",
}
"""Codes after which no turn starts, so that waiting for its end would be in vain."""


def _ignore(arrival: Arrival) -> None:
    """Watch nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a device holds its turns.

    `cancel_after_ms` counts from the last packet (None: the answer is heard to its end). A server that says nothing for
    `silence_s` is given up. `on_event` is called with every event, by the thread that drives the device.
    """

    link: Link = PERFECT
    buffer_s: float = 2.0
    cancel_after_ms: float | None = None
    silence_s: float = 60.0
    keeps_sound: bool = True
    keeps_events: bool = True
    on_event: Callable[[Arrival], None] = _ignore


PLAIN: Final = Options()
LOAD: Final = Options(keeps_sound=False, keeps_events=False)
"""For many devices at once: sound is counted, hashed and played, but not kept."""


class Turn:
    """One utterance and its answer. Invariant: once `is_over`, nothing is due and the result stands."""

    def __init__(self, upload: Upload, options: Options, *, at_s: float, codec: Codec, seed: int = 0) -> None:
        self._upload = upload
        self._options = options
        self._agenda = Agenda(upload, options.link, at_s=at_s, seed=seed)
        sound = Sound(codec, buffer_s=options.buffer_s, keeps=options.keeps_sound)
        self._hearing = Hearing(sound, has_pictures=upload.is_question)
        self._events: list[Arrival] = []
        self._began_at_s = self._last_packet_at_s = self._news_at_s = at_s
        self._resent = 0
        self._cancels = options.cancel_after_ms is not None
        self._failure = ""
        self.is_over = False

    # --- what to send

    @property
    def next_at_s(self) -> float:
        """When `due` must be asked again at the latest."""
        silent_at_s = self._news_at_s + self._options.silence_s
        due_at_s = self._agenda.next_at_s
        return silent_at_s if due_at_s is None else min(due_at_s, silent_at_s)

    def due(self, now_s: float) -> list[Message]:
        """Take the messages whose time has come; gives up a server that has been silent for too long."""
        messages = [] if self.is_over else self._agenda.due(now_s)
        if messages:
            self._sent(messages, now_s)
        elif now_s >= self._news_at_s + self._options.silence_s:
            self.fail(f"The server said nothing for {self._options.silence_s:g} s.")
        return messages

    def _sent(self, messages: list[Message], now_s: float) -> None:
        self._news_at_s = now_s
        if messages[0] == CANCEL:
            self.is_over = bool(self._failure)  # a half-sent recording is dropped without an answer
            return
        self._last_packet_at_s = now_s
        if self._cancels and self._agenda.next_at_s is None:
            self._cancels = False
            self._agenda.cancel(now_s + (self._options.cancel_after_ms or 0) / 1000)

    def cancel(self, now_s: float) -> None:
        """Press stop: what has not been sent stays unsent."""
        was_uploading = self._agenda.next_at_s is not None and not self._hearing.has_begun
        self._agenda.cancel(now_s)
        if was_uploading:
            self._failure = "Cancelled before the whole recording was sent."

    # --- what came

    @property
    def sound_bytes(self) -> int:
        return self._hearing.sound.size_bytes

    def hear(self, name: str, body: Body, *, size: int, now_s: float) -> None:
        """Take one event."""
        self._keep(self._hearing.hear(name, body, size=size, now_s=now_s))
        if name == "error":
            self._on_error(now_s)
        elif self._hearing.end is not None:
            self.fail(self._failure or _judge(self._hearing))

    def hear_sound(self, data: bytes, *, now_s: float) -> None:
        """Take sound that came as a binary frame."""
        self._keep(self._hearing.hear_sound(data, size=len(data), now_s=now_s))

    def _keep(self, arrival: Arrival) -> None:
        self._news_at_s = arrival.at_s
        if self._options.keeps_events:
            self._events.append(arrival)
        self._options.on_event(arrival)

    def _on_error(self, now_s: float) -> None:
        error = self._hearing.errors[-1]
        if error.code == "missing_packets":
            packets = self._upload.named(error.type, error.image, error.missing)
            self._agenda.repeat(packets, now_s)
            self._resent += len(packets)
        elif error.code in _UPLOAD_ERRORS and not self._hearing.has_begun:
            self.fail(f"The server refused the upload: {error.message}")

    def fail(self, sentence: str) -> None:
        """End the turn here (an empty sentence: nothing is wrong); harmless when it is over."""
        if not self.is_over:
            self._failure, self.is_over = sentence, True

    def result(self) -> TurnResult:
        """Return what is known by now; the whole turn once it `is_over`."""
        heard, sound = self._hearing, self._hearing.sound
        return TurnResult(
            transcript=heard.transcript,
            answer=heard.answer,
            sound=bytes(sound.kept),
            sound_bytes=sound.size_bytes,
            sound_sha256=sound.sha256,
            sound_ms=1000 * sound.duration_s,
            stray_bytes=sound.stray_bytes,
            first_text_ms=self._ms(heard.first_text_at_s),
            first_audio_ms=self._ms(heard.first_audio_at_s),
            end_ms=self._ms(heard.end_at_s),
            upload_ms=1000 * (self._last_packet_at_s - self._began_at_s),
            playback=sound.player.playback(),
            packets=len(self._upload.packets),
            resent=self._resent,
            acked=len(heard.acked),
            completed=heard.end is not None,
            interrupted=heard.interrupted,
            stages=heard.stages,
            errors=tuple(heard.errors),
            violations=tuple(heard.violations),
            events=tuple(self._events),
            failure=self._failure,
        )

    def _ms(self, at_s: float | None) -> float | None:
        return None if at_s is None else 1000 * (at_s - self._last_packet_at_s)


def _judge(heard: Hearing) -> str:
    """Return what was wrong with a turn that ended in order, or an empty text."""
    if heard.violations:
        return f"The server broke the protocol: {heard.violations[0]}."
    if heard.errors and heard.errors[-1].code != "missing_packets":
        return f"The server reported an error: {heard.errors[-1].message}"
    if heard.interrupted:
        return ""
    if not heard.was_understood:
        return "The server heard no words in the recording."
    return "" if heard.was_spoken else "The answer came as text only: speech synthesis failed."


def parse(text: str) -> tuple[str, dict[str, Any]]:
    """Return (name, fields) of one event.  Raises: ValueError when it is no object with one key."""
    message = msgspec.json.decode(text)
    if not isinstance(message, dict) or len(message) != 1:
        raise ValueError(f"not an event: {text[:80]}")
    name, body = next(iter(message.items()))
    return name, body
