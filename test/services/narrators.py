"""A voice that does what the test says: a scripted stand-in for a provider."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from protocol.errors import GatewayError
from services.flow import CancelToken
from services.ports import PLAIN, Manner, Segments, Sound, Usage

Step = bytes | GatewayError | Callable[[], object]
"""What a call does next: sound, a failure, or anything else (waiting, noting)."""


@dataclass
class ScriptedNarrator:
    """Speaks each text as the test scripted it; without a script as its own UTF-8, two bytes a character at least."""

    script: dict[str, list[list[Step]]] = field(default_factory=dict)
    most_chars: int | None = 600
    obeys: frozenset[str] = frozenset()
    rates: tuple[float, float] = (1.0, 1.0)
    model: str = "qwen3-tts-flash"
    rate_hz: int = 24_000
    asked: list[str] = field(default_factory=list)
    manners: list[Manner] = field(default_factory=list)
    voices: list[str] = field(default_factory=list)
    threads: set[str] = field(default_factory=set)

    def open(self, *, voice: str, key: object, cancel: CancelToken, manner: Manner = PLAIN) -> "ScriptedSpeech":
        self.voices.append(voice)
        self.manners.append(manner)
        return ScriptedSpeech(self, cancel)


class ScriptedSpeech:
    def __init__(self, narrator: ScriptedNarrator, cancel: CancelToken) -> None:
        self._narrator, self._cancel = narrator, cancel

    def sounds(self, segments: Segments) -> Iterator[Sound]:
        self._narrator.threads.add(threading.current_thread().name)
        for spoken, text in enumerate(segments):
            self._narrator.asked.append(text)
            for step in self._steps(text):
                self._cancel.raise_if_cancelled()
                if isinstance(step, GatewayError):
                    raise step
                if callable(step):
                    step()
                else:
                    yield Sound(pcm=step, spoken=spoken, request_id=f"id of {text[:8]}")
            yield Sound(pcm=b"", spoken=spoken + 1, usage=Usage(prompt_tokens=len(text)))

    def _steps(self, text: str) -> list[Step]:
        calls = self._narrator.script.get(text)
        return calls.pop(0) if calls else [said(text)]

    def close(self) -> None:
        pass


def said(text: str) -> bytes:
    """Return what an unscripted call "sounds" like: 100 ms for each of its characters, all samples the character."""
    return b"".join((ord(char) % 30_000).to_bytes(2, "little") * 2400 for char in text)


def told(pcm: bytes) -> list[int]:
    """Return what `said` said, character by character."""
    return [int.from_bytes(pcm[begin : begin + 2], "little") for begin in range(0, len(pcm), 4800)]
