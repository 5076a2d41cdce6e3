"""G1, G2, G3: half an hour of sound to a slow reader: complete, gapless, and what it costs."""

import time

import lameenc
import numpy as np

from bench.results import Row
from bench.rig import Rig, rig, spoken_wav
from client.device import Device
from client.turn import Options
from client.upload import Link
from emulator import ear, voice
from protocol.segments import Segmenter
from protocol.speech_text import SpeechText

_RATE_HZ = 24_000
_DIGITS = str.maketrans("0123456789", "零一二三四五六七八九")
STORY = "".join(f"第{number:04d}句话说完了。".translate(_DIGITS) for number in range(900))
"""At the emulator's 180 ms for a Han character: more than half an hour of sound."""


def measure() -> list[Row]:
    """Tell the story once, at 5 times real time, to a reader not much faster than that."""
    with rig() as running:
        before_s = running.cpu_s()
        mp3 = _told(running, speed=5.0, read_bytes_per_s=60_000)
        cpu_s = running.cpu_s() - before_s
    spoken = _spoken_pcm()
    return [_completeness(mp3, spoken), *_continuity(mp3, spoken), _cost(cpu_s, spoken)]


def _told(running: Rig, *, speed: float, read_bytes_per_s: int) -> bytes:
    running.script(replies=[STORY], latency={"tts_speed": speed})
    options = Options(link=Link(read_bytes_per_s=read_bytes_per_s), keeps_events=False)
    with Device(running.audio_url, options=options, start={"full_response": False}) as device:
        result = device.turn(spoken_wav("讲一个很长的故事"))
    assert result.completed, result.failure
    return result.sound


def _spoken_pcm() -> bytes:
    """Return the sound that the voice was asked for: every segment, each with the voice's own closing silence."""
    text, segmenter = SpeechText(), Segmenter()
    segments = segmenter.feed(text.feed(STORY)) + segmenter.feed(text.finish()) + segmenter.finish()
    return b"".join(voice.speak(segment, rate_hz=_RATE_HZ) for segment in segments)


def _completeness(mp3: bytes, spoken: bytes) -> Row:
    pcm, rate_hz = ear.decode_audio(mp3)
    heard = ear.hear(pcm, rate_hz=rate_hz)
    wrong = sum(a != b for a, b in zip(heard, STORY, strict=False)) + abs(len(heard) - len(STORY))
    return Row(
        goal="G1",
        what=f"characters lost, repeated or moved in {_minutes(spoken):.0f} min (5x upstream, slow reader)",
        figure=f"{wrong} of {len(STORY)}",
        target="0",
        met=wrong == 0,
    )


def _continuity(mp3: bytes, spoken: bytes) -> list[Row]:
    pcm, rate_hz = ear.decode_audio(mp3)
    excess_ms = (len(pcm) / 2 / rate_hz - len(spoken) / 2 / _RATE_HZ) * 1000
    inserted_ms = _longest_silence_ms(pcm, rate_hz) - _longest_silence_ms(spoken, _RATE_HZ)
    return [
        Row(
            goal="G2",
            what="delivered MP3 longer than its PCM",
            figure=f"{excess_ms:.0f} ms",
            target="<= 60 ms",
            met=abs(excess_ms) <= 60,
        ),
        Row(
            goal="G2",
            what="longest silence inside, over the voice's own",
            figure=f"{inserted_ms:.1f} ms",
            target="<= 5 ms",
            met=inserted_ms <= 5,
        ),
    ]


def _cost(cpu_s: float, spoken: bytes) -> Row:
    bare_s = _bare_encoder_s(spoken)
    per_minute_ms = 1000 / _minutes(spoken)
    return Row(
        goal="G3",
        what="server CPU per audio minute, whole turn, over the bare encoder's",
        figure=f"{cpu_s / bare_s:.2f}x ({cpu_s * per_minute_ms:.0f} / {bare_s * per_minute_ms:.0f} ms)",
        target="<= 3.0x",
        met=cpu_s / bare_s <= 3.0,
    )


def _bare_encoder_s(pcm: bytes) -> float:
    """Return the CPU seconds of the same encoder, fed the same sound in one go."""
    lame = lameenc.Encoder()
    lame.silence()
    lame.set_channels(1)
    lame.set_in_sample_rate(_RATE_HZ)
    lame.set_bit_rate(64)
    lame.set_quality(7)
    began_s = time.process_time()
    lame.encode(pcm)
    lame.flush()
    return time.process_time() - began_s


def _longest_silence_ms(pcm: bytes, rate_hz: int) -> float:
    """Return the longest run below -46 dB of full scale, the first and last 100 ms excepted."""
    samples = np.abs(np.frombuffer(pcm, dtype="<i2").astype(np.int32))[rate_hz // 10 : -rate_hz // 10]
    loud = np.flatnonzero(samples > 160)
    return float(np.diff(loud).max() - 1) / rate_hz * 1000 if loud.size > 1 else 0.0


def _minutes(pcm: bytes) -> float:
    return len(pcm) / 2 / _RATE_HZ / 60
