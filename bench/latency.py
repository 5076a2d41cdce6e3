"""G4, G5, G6: how soon the first sound comes, and whether it ever runs dry."""

from bench.results import Row
from bench.rig import rig, spoken_wav
from client import fleet

_ASR_MS, _TOKEN_MS, _VOICE_MS = 200.0, 300.0, 400.0
_SCRIPTED_MS = _ASR_MS + _TOKEN_MS + _VOICE_MS
"""What the upstream itself takes, one after the other; everything above it is ours."""
_ANSWER = "好的，我来回答。" + "今天的天气很好，适合出门走一走，看看山和水。" * 6
_TALKERS = 60


def measure() -> list[Row]:
    with rig(MAX_WS_SESSIONS="200") as running:
        latency = {
            "asr_ms": _ASR_MS, "chat_first_token_ms": _TOKEN_MS, "tts_first_audio_ms": _VOICE_MS, "tts_speed": 5.0,
        }  # fmt: skip
        running.script(replies=[_ANSWER], latency=latency)
        question = spoken_wav("今天的天气怎么样")
        fleet.run(1, running.audio_url, data=question, repeat=2)  # warm
        one = fleet.run(1, running.audio_url, data=question, repeat=20)
        many = fleet.run(_TALKERS, running.audio_url, data=question)
    assert one.is_ok and many.is_ok, (one.failures, many.failures)
    return [
        _added("G4", "one talker", one.first_audio, p50_ms=25, p95_ms=60),
        _added("G5", f"{_TALKERS} talkers started together", many.first_audio, p50_ms=100, p95_ms=250),
        Row(
            goal="G6",
            what=f"playback gaps, 2 s buffer, {_TALKERS} talkers, {many.sound_s / _TALKERS:.0f} s each",
            figure=f"{many.gaps} ({many.gap_ms:.0f} ms)",
            target="0",
            met=many.gaps == 0,
        ),
    ]


def _added(goal: str, who: str, first: fleet.Spread, *, p50_ms: float, p95_ms: float) -> Row:
    p50, p95 = first.p50 - _SCRIPTED_MS, first.p95 - _SCRIPTED_MS
    return Row(
        goal=goal,
        what=f"added time to first audio over upstream, {who}, p50 / p95",
        figure=f"{p50:.0f} / {p95:.0f} ms",
        target=f"<= {p50_ms:.0f} / {p95_ms:.0f} ms",
        met=p50 <= p50_ms and p95 <= p95_ms,
    )
