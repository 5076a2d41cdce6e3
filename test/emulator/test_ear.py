"""The ear hears exactly what the voice said, through real codecs, and notices every damage."""

import random

import pytest

from emulator.ear import decode_audio, hear, hear_detailed, spread
from emulator.voice import pcm_to_wav, speak
from test.emulator.sounds import louder, noise, silence, through_mp3, through_opus, through_rate

TEXT = "你好，世界！Hello, world: aaaa~~~ 12:30\t℃ 𠮷👨‍👩‍👧 — fin.\n"
SYMBOL = 24000 * 60 // 1000 * 2


@pytest.mark.parametrize("rate_hz", [8000, 16000, 22050, 24000, 44100, 48000])
def test_every_rate_is_heard(rate_hz: int) -> None:
    assert hear(speak(TEXT, rate_hz=rate_hz), rate_hz=rate_hz) == TEXT


@pytest.mark.parametrize(
    "codec",
    [
        through_mp3,
        lambda pcm: through_mp3(pcm, kbps=32),
        through_opus,
        lambda pcm: through_opus(pcm, bit_rate=16000),
        lambda pcm: through_rate(pcm, rate_hz=16000),
        lambda pcm: through_rate(pcm, rate_hz=8000),
        lambda pcm: (louder(pcm, 0.03), 24000),
        lambda pcm: (louder(pcm, 3.0), 24000),
    ],
    ids=["mp3 64k", "mp3 32k", "opus 24k", "opus 16k", "to 16 kHz", "to 8 kHz", "quiet", "clipped"],
)
def test_every_character_survives_a_codec_without_damage(codec) -> None:
    pcm, rate_hz = codec(speak(TEXT))

    heard = hear_detailed(pcm, rate_hz=rate_hz)

    assert heard.text == TEXT and heard.damage == ()


def test_any_byte_after_any_byte_survives_mp3() -> None:
    text = "".join(random.Random(1).choices([chr(n) for n in range(128)] + list("天气怎么样éü"), k=600))

    pcm, rate_hz = through_mp3(speak(text))

    assert hear(pcm, rate_hz=rate_hz) == text


def test_segments_with_pauses_of_any_length_between_are_one_text() -> None:
    pcm = silence(333) + b"".join(speak(part) + silence(77 * n) for n, part in enumerate(["今天", "天气", "不错", "!"]))

    assert hear(pcm, rate_hz=24000) == "今天天气不错!"


def test_segments_of_different_loudness_are_all_heard() -> None:
    pcm = speak("loud") + silence(1000) + louder(speak("faint"), 0.02) + silence(1000) + speak("loud again")

    assert hear(pcm, rate_hz=24000) == "loudfaintloud again"


@pytest.mark.parametrize(
    "sound", [b"", silence(2000), noise(2000), b"\x00"], ids=["nothing", "silence", "noise", "odd"]
)
def test_what_is_not_the_alphabet_is_an_empty_text(sound: bytes) -> None:
    assert hear(sound, rate_hz=24000) == ""


def test_each_character_has_the_time_of_its_sound() -> None:
    heard = hear_detailed(silence(600) + speak("你a"), rate_hz=24000)

    assert [(c.char, c.start_ms, c.end_ms) for c in heard.characters] == [("你", 600, 780), ("a", 780, 840)]


def cut(pcm: bytes, start: int, end: int) -> bytes:
    return pcm[: start * 2] + pcm[end * 2 :]


@pytest.mark.parametrize("lost_ms", [20, 24, 30, 60, 180, 306])
@pytest.mark.parametrize("at_ms", [600, 610, 645])
def test_lost_sound_is_noticed(lost_ms: int, at_ms: int) -> None:
    pcm = cut(speak("The quick brown fox jumps."), at_ms * 24, (at_ms + lost_ms) * 24)

    heard = hear_detailed(pcm, rate_hz=24000)

    assert heard.damage or heard.text != "The quick brown fox jumps."


@pytest.mark.parametrize("repeated_ms", [20, 30, 60, 306])
def test_repeated_sound_is_noticed(repeated_ms: int) -> None:
    pcm = speak("aaaaaaaaaaaaaaaaaaaa")
    at = 600 * 24 * 2
    again = pcm[:at] + pcm[at - repeated_ms * 24 * 2 :]

    heard = hear_detailed(again, rate_hz=24000)

    assert heard.damage


def test_swapped_pieces_are_noticed() -> None:
    pcm = speak("abcdefghijklmnopqrstuvwxyz")
    swapped = pcm[: 5 * SYMBOL] + pcm[9 * SYMBOL : 14 * SYMBOL] + pcm[5 * SYMBOL : 9 * SYMBOL] + pcm[14 * SYMBOL :]

    heard = hear_detailed(swapped, rate_hz=24000)

    assert heard.text != "abcdefghijklmnopqrstuvwxyz"


def test_a_long_answer_is_heard_whole() -> None:
    text = "今天天气不错，我们去公园吧。" * 100

    assert hear(speak(text, rate_hz=16000), rate_hz=16000) == text


def test_a_playlist_that_names_a_local_file_is_not_a_sound() -> None:
    playlist = b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"

    with pytest.raises(ValueError, match="not a sound file"):
        decode_audio(playlist)


@pytest.mark.parametrize("data", [b"", b"no sound", bytes(1000)])
def test_what_is_not_a_sound_file_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a sound file"):
        decode_audio(data)


def test_a_wav_file_is_decoded_at_its_own_rate() -> None:
    pcm = speak("wav", rate_hz=16000)

    assert decode_audio(pcm_to_wav(pcm, rate_hz=16000)) == (pcm, 16000)


def test_a_text_is_spread_over_its_duration() -> None:
    assert [(c.char, c.start_ms, c.end_ms) for c in spread("ab", 1000)] == [("a", 0, 500), ("b", 500, 1000)]
