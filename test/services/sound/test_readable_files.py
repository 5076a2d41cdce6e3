"""The files that recognisers get: as they are, or mixed and without pictures."""

import io

import pytest

from emulator import ear
from protocol.media import FLAC, WAV
from services.flow import CancelToken
from services.sound.readable_files import readable_file
from services.sound.sound_files import Length, open_sound
from test.support.device import spoken_wav
from test.support.recordings import in_container

WORDS = "今天天气怎么样？"


def readable(data: bytes, *, before: bytes = b"", pcm_rate_hz: int = 0) -> tuple[object, bytes, float]:
    """Return the container, the content and the length of what the vendor gets."""
    length, sound = Length(), open_sound(io.BytesIO(data), pcm_rate_hz=pcm_rate_hz)
    with readable_file(sound, length=length, cancel=CancelToken(), before=before) as file:
        file.file.seek(0)
        content = file.file.read()
        assert len(content) == file.size_bytes
        return file.container, content, length.seconds


def test_a_readable_file_goes_as_it_is() -> None:
    data = spoken_wav(WORDS)

    assert readable(data)[:2] == (WAV, data)


@pytest.mark.parametrize(
    ("data", "rate_hz"),
    [
        (in_container(spoken_wav(WORDS)[44:], format="wav", codec="pcm_s16le", layout="stereo"), 0),
        (in_container(spoken_wav(WORDS)[44:], format="mp4", codec="aac", with_pictures=True), 0),
        (spoken_wav(WORDS)[44:], 16_000),
    ],
)
def test_stereo_films_and_bare_sound_go_as_flac(data: bytes, rate_hz: int) -> None:
    container, content, seconds = readable(data, pcm_rate_hz=rate_hz)

    pcm, hz = ear.decode_audio(content)
    assert (container, ear.hear(pcm, rate_hz=hz)) == (FLAC, WORDS)
    assert seconds == pytest.approx(len(pcm) / 2 / hz, abs=0.01)


def test_what_is_put_before_a_recording_is_not_counted() -> None:
    before = spoken_wav("你好。")[44:]

    _, content, seconds = readable(spoken_wav(WORDS), before=before)

    pcm, hz = ear.decode_audio(content)
    assert ear.hear(pcm, rate_hz=hz) == "你好。" + WORDS
    assert seconds == pytest.approx((len(spoken_wav(WORDS)) - 44) / 32_000)
