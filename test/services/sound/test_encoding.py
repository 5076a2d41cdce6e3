"""Every format, decoded again: what was fed comes out whole, at its rate, its beginning early."""

import io
import wave

import av
import pytest

from emulator.ear import decode_audio
from emulator.voice import speak
from protocol.errors import BadInput
from protocol.openai.speech import Format
from services.sound.encoding import check_rate, open_encoder
from test.services.tones import loudest_hz, tone
from test.support.device import heard_in

RATE_HZ = 24_000
TEXT = "今天天气怎么样？ok"
CONTAINED: tuple[Format, ...] = ("mp3", "opus", "aac", "flac", "wav")
LONGEST_DELAY_S = {"mp3": 0.08, "opus": 0.02, "aac": 0.13, "flac": 0, "wav": 0}
"""What codecs put before the sound and after it."""


def encoded(pcm: bytes, form: Format, *, push_bytes: int = 4800, to_hz: int | None = None) -> list[bytes]:
    encoder = open_encoder(form, from_hz=RATE_HZ, to_hz=to_hz)
    pieces = [encoder.feed(pcm[begin : begin + push_bytes]) for begin in range(0, len(pcm), push_bytes)]
    return [*pieces, encoder.finish()]


@pytest.mark.parametrize("form", CONTAINED)
def test_every_format_is_heard_to_the_character(form: Format) -> None:
    sound = b"".join(encoded(speak(TEXT, rate_hz=RATE_HZ), form))

    assert heard_in(sound) == TEXT


@pytest.mark.parametrize("form", CONTAINED)
def test_every_format_keeps_the_length_of_the_sound(form: Format) -> None:
    pcm, rate_hz = decode_audio(b"".join(encoded(tone(3.21, RATE_HZ), form)))

    assert 3.209 <= len(pcm) / 2 / rate_hz <= 3.211 + LONGEST_DELAY_S[form]


@pytest.mark.parametrize(("form", "container"), [("mp3", "mp3"), ("opus", "ogg"), ("aac", "aac"), ("flac", "flac")])
def test_every_format_is_what_it_says(form: Format, container: str) -> None:
    with av.open(io.BytesIO(b"".join(encoded(tone(1, RATE_HZ), form)))) as media:
        codec = media.streams.audio[0].codec_context.name

        assert (media.format.name, codec.removesuffix("float")) == (container, form)


@pytest.mark.parametrize("form", [*CONTAINED, "pcm"])
def test_the_first_bytes_come_after_an_eighth_of_a_second_of_sound_at_most(form: Format) -> None:
    pieces = encoded(tone(1, RATE_HZ), form, push_bytes=960)

    assert any(pieces[:6])


@pytest.mark.parametrize("form", [*CONTAINED, "pcm"])
@pytest.mark.parametrize("to_hz", [8000, 16_000, 22_050, 44_100, 48_000])
def test_a_wished_sample_rate_is_honoured(form: Format, to_hz: int) -> None:
    if form == "opus":
        to_hz = 48_000

    data = b"".join(encoded(tone(1, RATE_HZ), form, to_hz=to_hz))

    pcm, rate_hz = (data, to_hz) if form == "pcm" else decode_audio(data)
    assert rate_hz == to_hz
    assert abs(loudest_hz(pcm, rate_hz) - 440) < 2
    assert abs(len(pcm) / 2 / rate_hz - 1) < 0.2


def test_opus_has_one_rate_and_the_others_have_all() -> None:
    with pytest.raises(BadInput) as refusal:
        check_rate("opus", 24_000)

    assert refusal.value.param == "sample_rate"
    assert check_rate("opus", 48_000) is check_rate("opus", None) is check_rate("mp3", 24_000) is None


@pytest.mark.parametrize("form", [*CONTAINED, "pcm"])
def test_the_bytes_are_the_same_however_the_sound_is_pushed(form: Format) -> None:
    pcm = tone(1, RATE_HZ)
    if form == "opus":  # its stream has a number of its own
        sounds = {decode_audio(b"".join(encoded(pcm, form, push_bytes=size)))[0] for size in (482, 48_000)}
    else:
        sounds = {b"".join(encoded(pcm, form, push_bytes=size)) for size in (482, 48_000)}

    assert len(sounds) == 1


def test_a_streamed_wav_has_no_length_and_is_read_to_its_end() -> None:
    pcm = tone(1, RATE_HZ)

    data = b"".join(encoded(pcm, "wav"))

    assert data[4:8] == data[40:44] == b"\xff\xff\xff\xff"
    assert decode_audio(data) == (pcm, RATE_HZ)


def test_a_wav_of_known_length_says_it() -> None:
    pcm = bytes(1000)
    encoder = open_encoder("wav", from_hz=RATE_HZ, pcm_bytes=len(pcm))

    with wave.open(io.BytesIO(encoder.feed(pcm) + encoder.finish())) as sound:
        assert (sound.getnframes(), sound.getframerate(), sound.getnchannels()) == (500, RATE_HZ, 1)


@pytest.mark.parametrize("form", [*CONTAINED, "pcm"])
def test_an_encoder_that_was_fed_nothing_ends_in_peace(form: Format) -> None:
    sound = b"".join(encoded(b"", form))

    assert len(sound) < 16_384
