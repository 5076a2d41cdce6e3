import io
import itertools
import wave

import lameenc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import media
from protocol.errors import BadInput


@pytest.mark.parametrize(
    ("beginning", "container"),
    [
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", media.WAV),
        (b"ID3\x04\x00\x00\x00\x00\x00\x00", media.MP3),
        (b"\xff\xf3\x84\xc4\x00\x00", media.MP3),
        (b"\xff\xfb\x90\x64\x00\x00", media.MP3),
        (b"\x00\x00\x00\x20ftypM4A \x00", media.MP4),
        (b"\x00\x00\x00\x14ftyp3gp4\x00", media.MP4),
        (b"OggS\x00\x02\x00\x00", media.OGG),
        (b"\x1a\x45\xdf\xa3\x9fB\x86", media.WEBM),
        (b"fLaC\x00\x00\x00\x22", media.FLAC),
        (b"#!AMR\n\x3c", media.AMR),
        (b"#!AMR-WB\n", media.AMR),
        (b"\xff\xf1\x50\x80\x00\x00", media.AAC),
    ],
)
def test_a_container_is_told_by_its_bytes(beginning: bytes, container: media.Container) -> None:
    assert media.sniff(beginning) is container


@pytest.mark.parametrize(
    "beginning",
    [b"", b"\xff", b"#EXTM3U\n#EXT-X-VERSION:3\n", b"<html>", b"ffconcat version 1.0", b"\x00" * 16, b"RIFF1234AVI "],
)
def test_everything_else_is_refused_playlists_above_all(beginning: bytes) -> None:
    with pytest.raises(BadInput) as caught:
        media.sniff(beginning)

    assert caught.value.code == "unsupported_audio"


@pytest.mark.parametrize(
    ("beginning", "container"),
    [
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", media.WAV),
        (b"RIFF\x24\x00\x00\x00AVI LIST", media.AVI),
        (b"FORM\x00\x00\x00\x10AIFFCOMM", media.AIFF),
        (b"FORM\x00\x00\x00\x10AIFCFVER", media.AIFF),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9", media.ASF),
        (b"FLV\x01\x05", media.FLV),
        (b"caff\x00\x01", media.CAF),
        (b"\x00\x00\x01\xba\x44", media.MPEG),
        (b"G" + bytes(187) + b"G" + bytes(20), media.MPEG_TS),
        (b"\x1a\x45\xdf\xa3\x9fB\x82\x84webm", media.WEBM),
        (b"\x1a\x45\xdf\xa3\x9fB\x82\x88matroska", media.MKV),
        (b"\xff\xfd\x90\x64\x00\x00", media.MP3),
    ],
)
def test_a_file_may_be_of_more_kinds(beginning: bytes, container: media.Container) -> None:
    assert media.sniff_file(beginning) is container


@pytest.mark.parametrize("beginning", [b"", b"G", b"G" * 100, b"#EXTM3U\n", b"FORM1234ILBM", b"RIFF1234WEBP"])
def test_no_file_is_opened_that_is_none_of_them(beginning: bytes) -> None:
    with pytest.raises(BadInput):
        media.sniff_file(beginning)


def test_a_wav_header_is_what_the_standard_library_reads() -> None:
    pcm = bytes(3200)

    with wave.open(io.BytesIO(media.wav_header(pcm_bytes=len(pcm), rate_hz=16_000) + pcm)) as wav:
        read = (wav.getframerate(), wav.getnchannels(), wav.getsampwidth(), wav.getnframes())

    assert read == (16_000, 1, 2, 1600)


def encoded(rate_hz: int, kbps: int) -> bytes:
    lame = lameenc.Encoder()
    lame.silence()
    lame.set_channels(1)
    lame.set_in_sample_rate(rate_hz)
    lame.set_bit_rate(kbps)
    return bytes(lame.encode(bytes(range(256)) * (rate_hz // 128)) + lame.flush())


STREAM = encoded(24_000, 64)


@given(cuts=st.lists(st.integers(0, len(STREAM)), max_size=20))
def test_frames_are_whole_however_the_stream_is_cut(cuts: list[int]) -> None:
    bounds, frames, out = sorted({0, len(STREAM), *cuts}), media.Mp3Frames(), []

    for begin, end in itertools.pairwise(bounds):
        out.append(frames.feed(STREAM[begin:end]))
    rest = frames.finish()

    assert b"".join(out) + rest == STREAM and rest == b""
    assert all(media.mp3_frame_bytes(piece[:4]) for piece in out if piece)


@pytest.mark.parametrize(("rate_hz", "kbps"), [(8000, 32), (16_000, 48), (24_000, 64), (48_000, 96)])
def test_the_frame_length_fits_every_rate_that_can_be_asked_for(rate_hz: int, kbps: int) -> None:
    frames = media.Mp3Frames()
    stream = encoded(rate_hz, kbps)

    assert frames.feed(stream) == stream


@pytest.mark.parametrize("header", [b"", b"\xff\xf3", b"RIFF", b"\xff\xff\xff\xff", b"\xff\xeb\x84\xc4"])
def test_what_begins_no_frame_has_no_length(header: bytes) -> None:
    assert media.mp3_frame_bytes(header) == 0


def chunk(kind: bytes, body: bytes) -> bytes:
    return kind + len(body).to_bytes(4, "little") + body + b"\0" * (len(body) % 2)


def form(*, tag: int = 1, channels: int = 1, rate_hz: int = 16_000, bits: int = 16) -> bytes:
    numbers = ((tag, 2), (channels, 2), (rate_hz, 4), (rate_hz * 2, 4), (2, 2), (bits, 2))
    return chunk(b"fmt ", b"".join(number.to_bytes(size, "little") for number, size in numbers))


def test_a_plain_wav_tells_where_its_sound_begins_even_behind_other_chunks() -> None:
    head = b"RIFF\0\0\0\0WAVE" + chunk(b"LIST", b"odd") + form(rate_hz=8000)

    plain = media.plain_wav(head + b"data\xff\xff\xff\x7f")

    assert plain == media.PlainWav(rate_hz=8000, offset=len(head) + 8)


@pytest.mark.parametrize("other", [{"channels": 2}, {"bits": 24}, {"tag": 7}])
def test_other_wavs_are_not_plain(other: dict[str, int]) -> None:
    assert media.plain_wav(b"RIFF\0\0\0\0WAVE" + form(**other) + chunk(b"data", b"")) is None


@given(cut=st.integers(0, 51))
def test_a_head_that_does_not_tell_yet_is_not_plain_yet(cut: int) -> None:
    whole = b"RIFF\0\0\0\0WAVE" + form() + chunk(b"data", bytes(8))

    assert (media.plain_wav(whole[:cut]) is None) == (cut < 44)
