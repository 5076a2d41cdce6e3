"""Recordings as files: what they are, how long they last, and that no damage is ever more than refused."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import BadInput, Cancelled, GatewayError, TooLarge
from protocol.media import UNKNOWN
from services.flow import CancelToken
from services.sound import sound_files
from services.sound.pieces import pieces_of
from services.sound.readable_files import readable_file
from services.sound.sound_files import Length, open_sound, pcm_of
from test.support.recordings import in_container, sentences_with_pauses, silence

WORDS = "今天天气怎么样？"


def decoded(data: bytes) -> Length:
    length = Length()
    for _ in pcm_of(open_sound(io.BytesIO(data)), length=length, cancel=CancelToken()):
        pass
    return length


def test_a_recording_of_hours_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound_files, "_MOST_S", 3)

    with pytest.raises(TooLarge):
        decoded(in_container(silence(5000), format="flac", codec="flac"))


def test_decoding_stops_when_the_client_leaves() -> None:
    cancel = CancelToken()
    cancel.cancel()
    sound = open_sound(io.BytesIO(in_container(silence(5000), format="flac", codec="flac")))

    with pytest.raises(Cancelled):
        list(pcm_of(sound, length=Length(), cancel=cancel))


@pytest.mark.parametrize("rate_hz", [3, 1_308_670_848])
def test_a_rate_that_no_sound_has_is_refused(rate_hz: int) -> None:
    lying = bytearray(in_container(silence(2000), format="wav", codec="pcm_f32le"))
    lying[24:28] = rate_hz.to_bytes(4, "little")

    with pytest.raises(BadInput):
        decoded(bytes(lying))


def test_a_damaged_part_does_not_cost_the_rest() -> None:
    pcm = silence(300) + sentences_with_pauses([WORDS] * 4, pause_ms=500)
    damaged = bytearray(in_container(pcm, format="mp3", codec="libmp3lame"))
    middle = len(damaged) // 2
    damaged[middle : middle + 400] = bytes(400)

    length = decoded(bytes(damaged))

    assert len(pcm) / 32_000 - 1 < length.seconds <= len(pcm) / 32_000 + 0.1


# --- whatever comes

KINDS = """wav pcm_s16le 16000, mp3 libmp3lame 44100, ipod aac 44100, ogg libopus 48000, webm libopus 48000,
flac flac 16000, amr amr_nb 8000, aiff pcm_s16be 16000, asf wmav2 44100, flv libmp3lame 44100, mpeg mp2 44100,
caf pcm_s16be 16000"""
FILES = [
    in_container(silence(300), format=format, codec=codec, rate_hz=int(rate_hz))
    for format, codec, rate_hz in map(str.split, KINDS.split(","))
]


def in_pieces(data: bytes) -> float:
    length, sound = Length(), open_sound(io.BytesIO(data))
    list(pieces_of(sound, silence_ms=200, length=length, cancel=CancelToken()))
    return length.seconds


def as_a_file(data: bytes) -> float:
    length, sound = Length(), open_sound(io.BytesIO(data))
    with readable_file(sound, length=length, cancel=CancelToken()):
        return length.seconds


@given(
    st.sampled_from(FILES), st.lists(st.tuples(st.integers(0, 700), st.integers(0, 255)), max_size=8), st.integers(0)
)
def test_no_damage_is_ever_more_than_refused(file: bytes, changes: list[tuple[int, int]], cut: int) -> None:
    damaged = bytearray(file)
    for at, value in changes:
        damaged[at % len(damaged)] = value
    data = bytes(damaged[: 1 + cut % len(damaged)] if cut else damaged)

    for use in (in_pieces, as_a_file):
        try:
            use(data)
            outcome = (200, "file")
        except GatewayError as error:
            outcome = (error.status, error.param)

        assert outcome in [(200, "file"), (400, "file")]


def test_bare_sound_has_no_container() -> None:
    assert open_sound(io.BytesIO(b"RIFF"), pcm_rate_hz=8000).container is UNKNOWN
