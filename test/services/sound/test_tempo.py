import pytest

from services.sound.tempo import Tempo
from test.services.tones import loudest_hz, tone

RATE_HZ = 24_000


def stretched(pcm: bytes, *, speed: float, push_bytes: int = 9600) -> bytes:
    tempo = Tempo(rate_hz=RATE_HZ, speed=speed)
    pieces = [tempo.feed(pcm[begin : begin + push_bytes]) for begin in range(0, len(pcm), push_bytes)]
    return b"".join(pieces) + tempo.finish()


@pytest.mark.parametrize("speed", [0.25, 0.3, 0.5, 0.9, 1.5, 2, 3, 4])
def test_sound_lasts_as_its_speed_says_and_keeps_its_pitch(speed: float) -> None:
    pcm = tone(4, RATE_HZ)

    out = stretched(pcm, speed=speed)

    assert abs(len(out) * speed / len(pcm) - 1) < 0.01
    assert abs(loudest_hz(out, RATE_HZ) - 440) < 2


def test_plain_speed_touches_nothing() -> None:
    pcm = tone(1, RATE_HZ)

    assert stretched(pcm, speed=1) == pcm


@pytest.mark.parametrize("push_bytes", [2, 482, 48_000])
def test_the_sound_is_the_same_however_it_is_pushed(push_bytes: int) -> None:
    pcm = tone(0.5, RATE_HZ)

    assert stretched(pcm, speed=1.5, push_bytes=push_bytes) == stretched(pcm, speed=1.5)


@pytest.mark.parametrize("speed", [0.25, 1, 4])
def test_no_sound_stays_no_sound(speed: float) -> None:
    assert stretched(b"", speed=speed) == b""
