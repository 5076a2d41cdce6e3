"""Speech over HTTP, one call for each segment: the voice that takes over when the realtime one fails."""

from collections.abc import Iterator

from protocol.dashscope import read_speech
from protocol.errors import UpstreamBroken
from protocol.keys import ApiKey
from providers.dashscope.transport import Transport
from services.ports import Cancel, Segments, Sound

_MAX_CHARS = 600
"""Source: DashScope HTTP reference §5.1."""


class HttpSynthesiser:
    """`qwen3-tts-flash` and its kin, streamed. The sound is always 24 000 Hz. Source: DashScope HTTP reference §5.1."""

    rate_hz = 24_000

    def __init__(self, transport: Transport, *, base_url: str, model: str) -> None:
        self._transport, self.model = transport, model
        self._url = f"{base_url}/services/aigc/multimodal-generation/generation"

    def open(self, *, voice: str, key: ApiKey, cancel: Cancel) -> "HttpSpeech":
        return HttpSpeech(self, voice=voice, key=key, cancel=cancel)

    def pcm(self, text: str, *, voice: str, key: ApiKey, cancel: Cancel) -> Iterator[bytes]:
        """Yield the sound of one text of at most 600 characters. Raises: UpstreamError, Cancelled."""
        body = {"model": self.model, "input": {"text": text, "voice": voice, "language_type": "Auto"}}
        is_whole = False
        events = self._transport.events(self._url, body, key=key, cancel=cancel, headers={"X-DashScope-SSE": "enable"})
        for data in events:
            output = read_speech(data)
            is_whole = is_whole or output.finish_reason == "stop"
            if output.audio.data:
                yield output.audio.data
        if not is_whole:
            raise UpstreamBroken(
                "语音合成在中途断开了。", english="The synthesis broke off. Try again.", code="upstream_cut"
            )


class HttpSpeech:
    """One answer, segment by segment. Threads: one owner, plus cancel."""

    def __init__(self, synthesiser: HttpSynthesiser, *, voice: str, key: ApiKey, cancel: Cancel) -> None:
        self._synthesiser, self._voice, self._key, self._cancel = synthesiser, voice, key, cancel

    def sounds(self, segments: Segments) -> Iterator[Sound]:
        for spoken, segment in enumerate(segments):
            for begin in range(0, len(segment), _MAX_CHARS):
                text = segment[begin : begin + _MAX_CHARS]
                for pcm in self._synthesiser.pcm(text, voice=self._voice, key=self._key, cancel=self._cancel):
                    yield Sound(pcm=pcm, spoken=spoken)
            yield Sound(pcm=b"", spoken=spoken + 1)
            self._cancel.raise_if_cancelled()

    def close(self) -> None:
        """Each call has closed its own connection."""
