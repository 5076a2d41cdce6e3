import io
import math
import struct
import subprocess
from pathlib import Path

import pytest

from protocol import media
from protocol.errors import BadInput, TooLarge
from services.sound.audio import (
    PCM_RATE_HZ,
    Mp3Encoder,
    PcmEncoder,
    PcmResampler,
    decode,
    decode_live,
    decode_whole,
    duration_s,
)
from test.support.device import heard_in, spoken_wav

TEXT = "今天天气怎么样？ok"


def converted(tmp_path: Path, name: str, *options: str) -> bytes:
    """Return the spoken text in another container, made by ffmpeg."""
    source, target = tmp_path / "in.wav", tmp_path / name
    source.write_bytes(spoken_wav(TEXT))
    subprocess.run(["ffmpeg", "-loglevel", "error", "-y", "-i", source, *options, target], check=True, timeout=60)
    return target.read_bytes()


def decoded(data: bytes, *, limit_s: float = 60) -> bytes:
    return b"".join(decode(io.BytesIO(data), media.sniff(data), limit_s=limit_s))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.wav", ()),
        ("b.wav", ("-ar", "44100", "-ac", "2", "-c:a", "pcm_s24le")),
        ("c.mp3", ("-b:a", "64k")),
        ("d.m4a", ("-c:a", "aac", "-b:a", "96k")),
        ("e.aac", ("-c:a", "aac", "-b:a", "96k")),
        ("f.ogg", ("-c:a", "libopus", "-b:a", "32k")),
        ("g.ogg", ("-c:a", "libvorbis")),
        ("h.webm", ("-c:a", "libopus", "-b:a", "32k")),
        ("i.flac", ()),
    ],
)
def test_every_container_is_heard_to_the_character(tmp_path: Path, name: str, options: tuple[str, ...]) -> None:
    pcm = decoded(converted(tmp_path, name, *options))

    assert heard_in(media.wav_header(pcm_bytes=len(pcm), rate_hz=PCM_RATE_HZ) + pcm) == TEXT


def test_a_playlist_that_calls_itself_audio_is_never_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.wav"
    secret.write_bytes(spoken_wav("秘密"))
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile://{secret}\n#EXT-X-ENDLIST\n".encode()

    for container in (media.WAV, media.MP3, media.MP4, media.OGG, media.WEBM, media.FLAC, media.AMR, media.AAC):
        try:
            pcm = b"".join(decode(io.BytesIO(playlist), container, limit_s=60))
        except BadInput:
            pcm = b""

        assert len(pcm) < 3200


@pytest.mark.parametrize("data", [b"RIFF\x24\x00\x00\x00WAVE", b"OggS" + bytes(100), b"fLaC" + bytes(500)])
def test_broken_files_are_bad_input(data: bytes) -> None:
    with pytest.raises(BadInput):
        decoded(data)


def test_a_recording_over_the_limit_is_refused() -> None:
    with pytest.raises(TooLarge):
        decoded(spoken_wav(TEXT), limit_s=0.5)


def tone(seconds: float, rate_hz: int) -> bytes:
    samples = (int(8000 * math.sin(n * 440 * 2 * math.pi / rate_hz)) for n in range(int(seconds * rate_hz)))
    return b"".join(struct.pack("<h", sample) for sample in samples)


@pytest.mark.parametrize("push_bytes", [960, 4802, 48_000])
def test_the_mp3_is_the_same_however_the_sound_is_pushed(push_bytes: int) -> None:
    pcm = tone(2, 24_000)
    whole, pieces = Mp3Encoder(rate_hz=24_000, kbps=64), Mp3Encoder(rate_hz=24_000, kbps=64)

    expected = whole.feed(pcm) + whole.finish()
    pushed = [pieces.feed(pcm[begin : begin + push_bytes]) for begin in range(0, len(pcm), push_bytes)]

    assert b"".join(pushed) + pieces.finish() == expected


@pytest.mark.parametrize("seconds", [1, 3.333, 5])
def test_the_mp3_is_longer_than_its_sound_by_lames_delay_and_less_than_a_frame(seconds: float) -> None:
    pcm = tone(seconds, 24_000)
    encoder = Mp3Encoder(rate_hz=24_000, kbps=64)

    heard = decoded(encoder.feed(pcm) + encoder.finish())

    excess_ms = len(heard) / 2 / PCM_RATE_HZ * 1000 - len(pcm) / 2 / 24_000 * 1000
    assert 46 <= excess_ms <= 46.1 + 24


def test_an_encoder_that_was_fed_nothing_gives_nothing() -> None:
    encoder = Mp3Encoder(rate_hz=24_000, kbps=64)

    assert encoder.feed(b"") == encoder.finish() == b""


@pytest.mark.parametrize("to_hz", [8000, 16_000, 48_000])
def test_resampling_loses_no_sound(to_hz: int) -> None:
    resampler, pcm = PcmResampler(from_hz=24_000, to_hz=to_hz), tone(1, 24_000)

    out = b"".join(resampler.feed(pcm[begin : begin + 1000]) for begin in range(0, len(pcm), 1000))
    out += resampler.finish()

    assert abs(len(out) / 2 - to_hz) <= to_hz / 100


def test_pcm_at_the_voices_own_rate_is_passed_on_untouched() -> None:
    encoder = PcmEncoder(from_hz=24_000, to_hz=24_000)

    assert encoder.feed(b"\x01\x02") + encoder.finish() == b"\x01\x02"


REFUSED = media.Container(name="wav", demuxer="w64", content_type="audio/wav")
"""A reader that a WAV file does not fit."""


def test_what_the_decoder_refuses_is_given_to_the_ffmpeg_that_was_named(tmp_path: Path) -> None:
    (tmp_path / "known.wav").write_bytes(spoken_wav(TEXT))
    program = tmp_path / "ffmpeg"
    program.write_text(f"#!/bin/sh\ncat > /dev/null\ncat {tmp_path}/known.wav\n")
    program.chmod(0o755)

    pcm = b"".join(decode_whole(b"RIFF?", REFUSED, limit_s=60, ffmpeg_path=str(program)))

    assert heard_in(media.wav_header(pcm_bytes=len(pcm), rate_hz=PCM_RATE_HZ) + pcm) == TEXT


@pytest.mark.parametrize("ffmpeg_path", ["", "/nonexistent/ffmpeg", "ffmpeg"])
def test_what_nobody_can_decode_is_bad_input(ffmpeg_path: str) -> None:
    with pytest.raises(BadInput):
        b"".join(decode_whole(spoken_wav(TEXT), REFUSED, limit_s=60, ffmpeg_path=ffmpeg_path))


def test_a_whole_recording_over_the_limit_is_refused_by_its_header_alone() -> None:
    with pytest.raises(TooLarge):
        duration_s(spoken_wav(TEXT), media.WAV, limit_s=0.5)


class Arriving:
    """A file of which only the beginning has come; reading further fails the test."""

    def __init__(self, data: bytes, *, piece: int) -> None:
        self._file, self._piece = io.BytesIO(data), piece

    def read(self, size: int = -1, /) -> bytes:
        return self._file.read(self._piece if size < 0 else min(size, self._piece)) or pytest.fail("read too far")


@pytest.mark.parametrize("piece", [1, 7, 3000])
def test_a_wav_is_heard_from_its_first_bytes_on(piece: int) -> None:
    beginning = spoken_wav(TEXT)[:3044]

    first = next(pcm for pcm in decode_live(Arriving(beginning, piece=piece), media.WAV, limit_s=60) if pcm)

    assert beginning[44:].startswith(first)


@pytest.mark.parametrize("name", ["a.wav", "c.mp3", "h.webm", "i.flac"])
def test_a_file_that_arrived_live_is_heard_to_the_character(tmp_path: Path, name: str) -> None:
    data = converted(tmp_path, name)

    live = b"".join(decode_live(io.BytesIO(data), media.sniff(data), limit_s=60))

    assert heard_in(media.wav_header(pcm_bytes=len(live), rate_hz=PCM_RATE_HZ) + live) == TEXT


def test_live_sound_over_the_limit_is_refused() -> None:
    with pytest.raises(TooLarge):
        list(decode_live(io.BytesIO(spoken_wav(TEXT)), media.WAV, limit_s=0.5))
