"""G4, G5, G6: how soon the first sound comes, and whether it ever runs dry.

The limit beside G5 is the same three calls to the same upstream by the bare providers, as many at once in one process,
without devices, packets, storage or encoder: what no server built on these clients can go below.
"""

import threading
import time
from collections.abc import Iterator

from bench.results import Row
from bench.rig import KEY, Rig, rig, spoken_wav
from client import fleet
from protocol.keys import ApiKey
from protocol.media import WAV
from providers.dashscope.asr_flash import FlashRecogniser
from providers.dashscope.chat import CompatibleChat
from providers.dashscope.transport import Transport
from providers.dashscope.tts_realtime import RealtimeSynthesiser
from services.flow import CancelToken
from services.ports import Message, Recording

_ASR_MS, _TOKEN_MS, _VOICE_MS = 200.0, 300.0, 400.0
_SCRIPTED_MS = _ASR_MS + _TOKEN_MS + _VOICE_MS
"""What the upstream itself takes, one after the other; everything above it is ours."""
_QUESTION, _FIRST = "今天的天气怎么样", "好的，我来回答。"
_ANSWER = _FIRST + "今天的天气很好，适合出门走一走，看看山和水。" * 6
_TALKERS = 60


def measure() -> list[Row]:
    with rig(MAX_WS_SESSIONS="200") as running:
        _script(running, _FIRST)
        question = spoken_wav(_QUESTION)
        fleet.run(1, running.audio_url, data=question, repeat=2)  # warm
        one = fleet.run(1, running.audio_url, data=question, repeat=20)
        _script(running, _ANSWER)
        many = fleet.run(_TALKERS, running.audio_url, data=question)
        limit = _bare(running, question)
    assert one.is_ok and many.is_ok, (one.failures, many.failures)
    ratio = (many.first_audio.p50 - _SCRIPTED_MS) / (limit.p50 - _SCRIPTED_MS)
    return [
        _added("G4", "one talker", one.first_audio, p50_ms=25, p95_ms=60),
        _added("G5", f"{_TALKERS} talkers started together", many.first_audio, p50_ms=100, p95_ms=250),
        Row(
            goal="G5",
            what=f"the same by the bare upstream clients, {_TALKERS} at once: p50 / p95; ours over it, p50",
            figure=f"{limit.p50 - _SCRIPTED_MS:.0f} / {limit.p95 - _SCRIPTED_MS:.0f} ms; {ratio:.1f}x",
            target="(the limit)",
            met=True,
        ),
        Row(
            goal="G6",
            what=f"playback gaps, 2 s buffer, {_TALKERS} talkers, {many.sound_s / _TALKERS:.0f} s each",
            figure=f"{many.gaps} ({many.gap_ms:.0f} ms)",
            target="0",
            met=many.gaps == 0,
        ),
    ]


def _script(running: Rig, answer: str) -> None:
    latency = {"asr_ms": _ASR_MS, "chat_first_token_ms": _TOKEN_MS, "tts_first_audio_ms": _VOICE_MS, "tts_speed": 5.0}
    running.script(replies=[answer], transcripts=[_QUESTION], latency=latency)


def _added(goal: str, who: str, first: fleet.Spread, *, p50_ms: float, p95_ms: float) -> Row:
    p50, p95 = first.p50 - _SCRIPTED_MS, first.p95 - _SCRIPTED_MS
    return Row(
        goal=goal,
        what=f"added time to first audio over upstream, {who}, p50 / p95",
        figure=f"{p50:.0f} / {p95:.0f} ms",
        target=f"<= {p50_ms:.0f} / {p95_ms:.0f} ms",
        met=p50 <= p50_ms and p95 <= p95_ms,
    )


class _Bare:
    """The three calls of a turn and nothing else."""

    def __init__(self, running: Rig, question: bytes) -> None:
        native = f"{running.emulator_url}/api/v1"
        realtime = f"ws{running.emulator_url[4:]}/api-ws/v1/realtime?model=qwen3-tts-flash-realtime"
        transport = Transport(connect_s=5, idle_s=30, pool_size=_TALKERS)
        self._asr = FlashRecogniser(transport, base_url=native, model="qwen3-asr-flash")
        url = f"{running.emulator_url}/compatible-mode/v1/chat/completions"
        self._chat = CompatibleChat(transport, url=url, model="qwen-plus")
        self._voice = RealtimeSynthesiser(url=realtime, model="", rate_hz=24_000, connect_s=5, idle_s=30)
        self._recording = Recording(data=question, container=WAV, url="")
        self.first_ms: list[float] = []

    def turn(self, go: threading.Event) -> None:
        key, cancel = ApiKey(KEY), CancelToken()
        go.wait()
        began_s = time.monotonic()
        text = self._asr.transcribe(self._recording, key=key, cancel=cancel).text
        speech = self._voice.open(voice="Cherry", key=key, cancel=cancel)
        next(iter(self._chat.stream([Message(role="user", content=text)], key=key, cancel=cancel)))
        next(speech.sounds(_Said()))
        self.first_ms.append((time.monotonic() - began_s) * 1000)
        cancel.cancel()


class _Said:
    """One segment to say."""

    is_stopped = False

    def __iter__(self) -> Iterator[str]:
        yield _FIRST

    def stop(self) -> None:
        self.is_stopped = True


def _bare(running: Rig, question: bytes) -> fleet.Spread:
    _script(running, _FIRST)
    bare, go = _Bare(running, question), threading.Event()
    talkers = [threading.Thread(target=bare.turn, args=(go,)) for _ in range(_TALKERS)]
    for talker in talkers:
        talker.start()
    go.set()
    for talker in talkers:
        talker.join()
    assert len(bare.first_ms) == _TALKERS
    return fleet.spread(bare.first_ms)
