"""Speech over HTTP, one call for each segment: reads texts aloud, and takes over when the realtime voice fails."""

import re
from collections.abc import Iterator
from typing import Protocol

from protocol.dashscope import SpeechEvent, read_speech
from protocol.errors import UpstreamBroken, UpstreamRefused
from protocol.keys import ApiKey
from providers.dashscope.transport import Transport
from services.ports import PLAIN, Cancel, Manner, Segments, Sound, Usage

SSE = {"X-DashScope-SSE": "enable"}


class HttpSynthesiser:
    """`qwen3-tts-flash` and its kin, streamed. The sound is always 24 000 Hz. Source: DashScope HTTP reference §5.1."""

    rate_hz = 24_000
    rates = (1.0, 1.0)

    def __init__(self, transport: Transport, *, base_url: str, model: str) -> None:
        self._transport, self.model = transport, model
        self._url = f"{base_url}/services/aigc/multimodal-generation/generation"

    @property
    def most_chars(self) -> int:
        """The old models count tokens, 512 of them: about as many Chinese characters, fewer of other kinds."""
        return 300 if self.model.startswith("qwen-tts") else 600

    @property
    def obeys(self) -> frozenset[str]:
        return frozenset({"language", "instructions"} if is_instructed(self.model) else {"language"})

    def open(self, *, voice: str, key: ApiKey, cancel: Cancel, manner: Manner = PLAIN) -> "HttpSpeech":
        return HttpSpeech(self, voice=voice, key=key, cancel=cancel, manner=manner)

    def events(
        self, text: str, *, voice: str, key: ApiKey, cancel: Cancel, manner: Manner = PLAIN
    ) -> Iterator[SpeechEvent]:
        """Yield the events of one text of at most 600 characters. Raises: UpstreamError, Cancelled."""
        said = {"text": text, "voice": voice, "language_type": manner.language or "Auto"}
        if manner.instructions:
            said["instructions"] = manner.instructions
        body = {"model": self.model, "input": said}
        return speech_events(self._transport.events(self._url, body, key=key, cancel=cancel, headers=SSE))


def speech_events(events: Iterator[bytes]) -> Iterator[SpeechEvent]:
    """Yield what a streamed synthesis says. Raises: UpstreamError; UpstreamBroken when it ends before its end."""
    is_whole = False
    try:
        for data in events:
            event = read_speech(data)
            is_whole = is_whole or event.is_last
            yield event
    except UpstreamRefused as error:
        error.param = error.param or _param_of(error)
        raise
    if not is_whole:
        raise UpstreamBroken(
            "语音合成在中途断开了。", english="The synthesis broke off. Try again.", code="upstream_cut"
        )


_PARAMS = {"instruction": "instructions", "language_type": "language_type", "voice": "voice"}
"""Words of the vendor's refusals -> our names of what is at fault."""


def _param_of(error: UpstreamRefused) -> str | None:
    said = error.message.lower()
    return next((param for word, param in _PARAMS.items() if word in said), None)


def is_instructed(model: str) -> bool:
    """Whether a model of Qwen-TTS can be told in words how to speak."""
    return re.search(r"-tts-instruct-|-tts-vd-", model) is not None


class Model(Protocol):
    """A model that speaks one text a call."""

    @property
    def most_chars(self) -> int: ...

    def events(self, text: str, *, voice: str, key: ApiKey, cancel: Cancel, manner: Manner) -> Iterator[SpeechEvent]:
        """Yield the events of one text of at most `most_chars`."""


class HttpSpeech:
    """One answer, segment by segment. Threads: one owner, plus cancel."""

    def __init__(self, synthesiser: Model, *, voice: str, key: ApiKey, cancel: Cancel, manner: Manner = PLAIN) -> None:
        self._synthesiser, self._voice, self._key, self._cancel = synthesiser, voice, key, cancel
        self._manner = manner

    def sounds(self, segments: Segments) -> Iterator[Sound]:
        for spoken, segment in enumerate(segments):
            for begin in range(0, len(segment), self._synthesiser.most_chars):
                yield from self._spoken(segment[begin : begin + self._synthesiser.most_chars], spoken)
            yield Sound(pcm=b"", spoken=spoken + 1)
            self._cancel.raise_if_cancelled()

    def _spoken(self, text: str, spoken: int) -> Iterator[Sound]:
        event = None
        for event in self._synthesiser.events(
            text, voice=self._voice, key=self._key, cancel=self._cancel, manner=self._manner
        ):
            if event.pcm:
                yield Sound(pcm=event.pcm, spoken=spoken, request_id=event.request_id)
        if event:
            yield Sound(pcm=b"", spoken=spoken, usage=usage_of(event))

    def close(self) -> None:
        """Each call has closed its own connection."""


def usage_of(event: SpeechEvent) -> Usage:
    """Return what a call cost: tokens where the model counts them, else the characters that it bills."""
    count = event.usage
    spent, made = count.input_tokens or count.characters or 0, count.output_tokens or 0
    return Usage(prompt_tokens=spent, completion_tokens=made, total_tokens=spent + made)
