"""Recordings as files: their length, their pieces, and the files that the vendor gets."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator import ear
from protocol.errors import BadInput, Cancelled, GatewayError, TooLarge
from protocol.media import FLAC, MP3, UNKNOWN, WAV, wav_header
from services import sound_files
from services.flow import CancelToken
from services.ports import Recording
from services.sound_files import PIECE_S, Length, open_sound, pieces_of, readable_file
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

    end = sound_files._pause_at(pcm, 1000)

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


def test_a_recording_of_hours_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound_files, "_MOST_S", 3)

    with pytest.raises(TooLarge):
        pieces(in_container(silence(5000), format="flac", codec="flac"))


def test_decoding_stops_when_the_client_leaves() -> None:
    cancel = CancelToken()
    cancel.cancel()
    sound = open_sound(io.BytesIO(in_container(silence(5000), format="flac", codec="flac")))

    with pytest.raises(Cancelled):
        list(pieces_of(sound, silence_ms=200, length=Length(), cancel=cancel))


@pytest.mark.parametrize("rate_hz", [3, 1_308_670_848])
def test_a_rate_that_no_sound_has_is_refused(rate_hz: int) -> None:
    lying = bytearray(in_container(silence(2000), format="wav", codec="pcm_f32le"))
    lying[24:28] = rate_hz.to_bytes(4, "little")

    with pytest.raises(BadInput):
        pieces(bytes(lying))


def test_a_damaged_part_does_not_cost_the_rest() -> None:
    pcm = silence(300) + sentences_with_pauses([WORDS] * 4, pause_ms=500)
    damaged = bytearray(in_container(pcm, format="mp3", codec="libmp3lame"))
    middle = len(damaged) // 2
    damaged[middle : middle + 400] = bytes(400)

    _, length = pieces(bytes(damaged))

    assert len(pcm) / 32_000 - 1 < length.seconds <= len(pcm) / 32_000 + 0.1


# --- files


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


# --- whatever comes

KINDS = """wav pcm_s16le 16000, mp3 libmp3lame 44100, ipod aac 44100, ogg libopus 48000, webm libopus 48000,
flac flac 16000, amr amr_nb 8000, aiff pcm_s16be 16000, asf wmav2 44100, flv libmp3lame 44100, mpeg mp2 44100,
caf pcm_s16be 16000"""
FILES = [
    in_container(silence(300), format=format, codec=codec, rate_hz=int(rate_hz))
    for format, codec, rate_hz in map(str.split, KINDS.split(","))
]


@given(
    st.sampled_from(FILES), st.lists(st.tuples(st.integers(0, 700), st.integers(0, 255)), max_size=8), st.integers(0)
)
def test_no_damage_is_ever_more_than_refused(file: bytes, changes: list[tuple[int, int]], cut: int) -> None:
    damaged = bytearray(file)
    for at, value in changes:
        damaged[at % len(damaged)] = value
    data = bytes(damaged[: 1 + cut % len(damaged)] if cut else damaged)

    for use in (pieces, readable):
        try:
            outcome = use(data)
        except GatewayError as error:
            outcome = (error.status, error.param)

        assert outcome[0] != 500


def test_bare_sound_has_no_container() -> None:
    assert open_sound(io.BytesIO(b"RIFF"), pcm_rate_hz=8000).container is UNKNOWN
