"""One complete call to each provider, so that every fault can be shown to all of them."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from emulator import Emulator, voice
from protocol.errors import Cancelled, GatewayError
from protocol.keys import ApiKey
from protocol.media import WAV
from providers.dashscope.asr_file import FileRecogniser
from providers.dashscope.asr_flash import FlashRecogniser
from providers.dashscope.asr_realtime import RealtimeRecogniser
from providers.dashscope.chat import CompatibleChat
from providers.dashscope.transport import Transport
from providers.dashscope.tts_http import HttpSynthesiser
from providers.dashscope.tts_realtime import RealtimeSynthesiser
from services.flow import CancelToken
from services.ports import Message, Recording, Sound, Transcript
from test.support.device import spoken_wav

WORDS = "今天天气怎么样？"
PATIENT_S, HASTY_S = 30.0, 0.3


def recording(text: str = WORDS, *, url: str = "http://127.0.0.1:1/never") -> Recording:
    return Recording(data=spoken_wav(text), container=WAV, url=url)


class Feed:
    """Segments that the test gives out when it likes; `stop` is what a turn's end does."""

    def __init__(self, *segments: str, is_whole: bool = True) -> None:
        self._changed = threading.Condition()
        self._segments, self._is_over, self.is_stopped = list(segments), is_whole, False

    def add(self, segment: str) -> None:
        with self._changed:
            self._segments.append(segment)
            self._changed.notify_all()

    def finish(self) -> None:
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    def stop(self) -> None:
        self.is_stopped = True
        self.finish()

    def __iter__(self) -> "Feed":
        return self

    def __next__(self) -> str:
        with self._changed:
            assert self._changed.wait_for(lambda: self._segments or self._is_over, timeout=20)
            if not self._segments or self.is_stopped:
                raise StopIteration
            return self._segments.pop(0)


@dataclass(frozen=True)
class Vendor:
    """Where the providers of one test call, and for how long they wait for a word."""

    emulator: Emulator
    transport: Transport
    idle_s: float = PATIENT_S

    def chat(self, *, model: str = "qwen-plus") -> CompatibleChat:
        return CompatibleChat(self.transport, url=f"{self.emulator.compatible_url}/chat/completions", model=model)

    def flash(self) -> FlashRecogniser:
        return FlashRecogniser(self.transport, base_url=self.emulator.native_url, model="qwen3-asr-flash")

    def file(self, *, model: str = "paraformer-v2", has_public_urls: bool = False) -> FileRecogniser:
        base_url = self.emulator.native_url
        return FileRecogniser(self.transport, base_url=base_url, model=model, has_public_urls=has_public_urls)

    def realtime(self) -> RealtimeRecogniser:
        return RealtimeRecogniser(
            websocket_url=self.emulator.websocket_url,
            model="qwen3-asr-flash-realtime",
            connect_s=PATIENT_S,
            idle_s=self.idle_s,
        )

    def http_voice(self) -> HttpSynthesiser:
        return HttpSynthesiser(self.transport, base_url=self.emulator.native_url, model="qwen3-tts-flash")

    def realtime_voice(self, *, model: str = "qwen3-tts-flash-realtime") -> RealtimeSynthesiser:
        return RealtimeSynthesiser(
            url=f"{self.emulator.websocket_url}/realtime?model={model}",
            model=model,
            rate_hz=24_000,
            connect_s=PATIENT_S,
            idle_s=self.idle_s,
        )


# --- whole calls: what each returns tells whether it was complete


def hold_chat(vendor: Vendor, key: ApiKey, cancel: CancelToken) -> str:
    question = [Message(role="user", content=WORDS)]
    return "".join(delta.text for delta in vendor.chat().stream(question, key=key, cancel=cancel))


def hear_flash(vendor: Vendor, key: ApiKey, cancel: CancelToken) -> str:
    return vendor.flash().transcribe(recording(), key=key, cancel=cancel).text


def hear_file(vendor: Vendor, key: ApiKey, cancel: CancelToken) -> str:
    return vendor.file().transcribe(recording(), key=key, cancel=cancel).text


def hear_live(vendor: Vendor, key: ApiKey, cancel: CancelToken) -> str:
    return listen(vendor.realtime(), voice.speak(WORDS, rate_hz=16_000), key=key, cancel=cancel).text


def speak_http(vendor: Vendor, key: ApiKey, cancel: CancelToken) -> str:
    speech = vendor.http_voice().open(voice="Cherry", key=key, cancel=cancel)
    return heard_in(list(speech.sounds(Feed(WORDS))))


def speak_realtime(vendor: Vendor, key: ApiKey, cancel: CancelToken) -> str:
    speech = vendor.realtime_voice().open(voice="Cherry", key=key, cancel=cancel)
    return heard_in(list(speech.sounds(Feed(WORDS))))


Call = Callable[[Vendor, ApiKey, CancelToken], str]
HTTP_CALLS: dict[str, Call] = {"chat": hold_chat, "asr": hear_flash, "asr_task": hear_file, "tts_http": speak_http}
REALTIME_CALLS: dict[str, Call] = {"asr_realtime": hear_live, "tts": speak_realtime}
CALLS = HTTP_CALLS | REALTIME_CALLS
"""By the name that the emulator's scenario gives the stage."""


def listen(
    recogniser: RealtimeRecogniser,
    pcm: bytes,
    *,
    key: ApiKey,
    cancel: CancelToken,
    is_paced: bool = True,
    size: int = 3200,
) -> Transcript:
    """Send sound in pieces and return what was heard."""
    live = recogniser.open(is_paced=is_paced, key=key, cancel=cancel)
    try:
        for begin in range(0, len(pcm), size):
            live.append(pcm[begin : begin + size])
        return live.finish()
    finally:
        live.close()


def heard_in(sounds: list[Sound]) -> str:
    from emulator import ear

    return ear.hear(b"".join(sound.pcm for sound in sounds), rate_hz=24_000)


class Background:
    """A call in its own thread; what it returned or raised waits in `outcome`."""

    def __init__(self, call: Callable[[], object]) -> None:
        self.outcome: object = None
        self._thread = threading.Thread(target=self._run, args=(call,), name="background call", daemon=True)
        self._thread.start()

    def _run(self, call: Callable[[], object]) -> None:
        try:
            self.outcome = call()
        except (GatewayError, Cancelled) as error:
            self.outcome = error

    def wait(self) -> object:
        """Return the outcome. Raises: AssertionError when the call does not end."""
        self._thread.join(10)
        assert not self._thread.is_alive(), "the call is still running"
        return self.outcome
