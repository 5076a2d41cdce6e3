"""Long recordings cut at pauses, short ones as they are."""

import io

import pytest

from emulator import ear
from protocol.media import MP3, WAV, wav_header
from services.flow import CancelToken
from services.ports import Recording
from services.sound import pieces as module
from services.sound.pieces import PIECE_S, pieces_of
from services.sound.sound_files import Length, open_sound
from test.support.device import spoken_wav
from test.support.recordings import in_container, sentences_with_pauses, silence, wav

WORDS = "今天天气怎么样？"


def pieces(data: bytes, *, pcm_rate_hz: int = 0, silence_ms: int = 200) -> tuple[list[Recording], Length]:
    length = Length()
    sound = open_sound(io.BytesIO(data), pcm_rate_hz=pcm_rate_hz)
    return list(pieces_of(sound, silence_ms=silence_ms, length=length, cancel=CancelToken())), length


def heard(recording: Recording) -> str:
    pcm, rate_hz = ear.decode_audio(recording.data)
    return ear.hear(pcm, rate_hz=rate_hz)


def test_a_short_file_goes_as_it_is() -> None:
    data = spoken_wav(WORDS)

    (piece,), length = pieces(data)

    assert (piece.data, piece.container) == (data, WAV)
    assert length.seconds == pytest.approx((len(data) - 44) / 32_000)


def test_bare_sound_goes_as_a_wav_file() -> None:
    pcm = spoken_wav(WORDS, rate_hz=8000)[44:]

    (piece,), length = pieces(pcm, pcm_rate_hz=8000)

    assert piece.data == wav_header(pcm_bytes=len(pcm), rate_hz=8000) + pcm
    assert length.seconds == pytest.approx(len(pcm) / 16_000, abs=0.001)


def test_a_kind_that_not_every_model_reads_goes_as_mp3() -> None:
    (piece,), _ = pieces(in_container(spoken_wav(WORDS)[44:] + silence(200), format="ipod", codec="aac"))

    assert (piece.container, heard(piece)) == (MP3, WORDS)


def test_the_length_is_that_of_the_sound_not_of_the_headers_claim() -> None:
    lying = bytearray(spoken_wav(WORDS) + b"")
    lying[40:44] = (10_000_000).to_bytes(4, "little")

    _, length = pieces(bytes(lying))

    assert length.seconds == pytest.approx((len(lying) - 44) / 32_000)


def test_a_long_recording_is_cut_where_nobody_speaks() -> None:
    said = [f"第{n}句话，说给长录音听。" for n in range(170)]

    cut, length = pieces(wav(sentences_with_pauses(said, pause_ms=300)))

    assert len(cut) == 2
    assert all(piece.container is MP3 and len(piece.data) < 7_000_000 for piece in cut)
    assert "".join(map(heard, cut)) == "".join(said)
    assert length.seconds > PIECE_S


def test_a_pause_of_the_wished_length_is_preferred() -> None:
    short, long = silence(300), silence(1500)
    talk = sentences_with_pauses(["啊" * 30], pause_ms=0)
    begin = talk * (-(-225 * 32_000 // len(talk)))
    pcm = bytearray(begin + long + talk * 2 + short + talk * 20)

    end = module._pause_at(pcm, 1000)

    closing = 60 * 32  # the silence with which each talk ends
    assert len(begin) - closing <= end <= len(begin) + len(long)


def test_no_piece_is_too_short_to_be_heard() -> None:
    cut, _ = pieces(in_container(silence((PIECE_S * 1000) + 100), format="flac", codec="flac"))

    lengths = [len(ear.decode_audio(piece.data)[0]) / 32_000 for piece in cut]
    assert len(cut) == 2
    assert min(lengths) >= 1


def test_a_recording_without_a_pause_is_cut_all_the_same() -> None:
    cut, _ = pieces(wav(sentences_with_pauses(["啊" * 6000], pause_ms=0)))

    assert len(cut) == -(-6000 * 0.18 // PIECE_S) or len(cut) > 3
