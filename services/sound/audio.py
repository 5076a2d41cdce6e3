"""Sound in and out of containers: any upload to 16 kHz PCM, PCM to one continuous stream of the device's codec.

Shape: PCM is s16le mono.  Units: rates in Hz, lengths in bytes or ms.  Threads: each object has one owner.
"""

import io
import itertools
from collections.abc import Iterable, Iterator
from typing import Protocol

import av
import lameenc
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from protocol.errors import BadInput, TooLarge
from protocol.media import UNKNOWN, WAV, WAV_HEAD_BYTES, Container, Mp3Frames, plain_wav

PCM_RATE_HZ = 16_000
"""Rate of all sound that is recognised."""

_READ_BYTES = 16_384
_PROBE = {"probesize": "4096", "analyzeduration": "0"}
"""Believe the header: with FFmpeg's defaults a recording that is still arriving would be looked at for seconds
first."""


class Readable(Protocol):
    """A file that can only be read forwards; `read` may block until bytes come and returns b"" at the end."""

    def read(self, size: int = -1, /) -> bytes: ...


def decode(source: Readable, container: Container, *, limit_s: float) -> Iterator[bytes]:
    """Yield the sound of a file as s16le mono 16 000 Hz. Raises: BadInput (no audio), TooLarge (over `limit_s`).

    Only the demuxer that the bytes announced may open the file, so a playlist never names another file to us.
    """
    if container is UNKNOWN:
        raise BadInput(
            "录音不是可识别的音频。", english="The file is no audio that can be read.", code="unsupported_audio"
        )
    left = int(limit_s * PCM_RATE_HZ) * 2
    try:
        with av.open(source, "r", format=container.demuxer, options=_PROBE) as media:
            for pcm in resample(media.decode(audio=0), rate_hz=PCM_RATE_HZ):
                left -= len(pcm)
                if left < 0:
                    raise _too_long(limit_s)
                yield pcm
    except (av.FFmpegError, IndexError) as error:
        raise _undecodable(container) from error


def decode_live(source: Readable, container: Container, *, limit_s: float) -> Iterator[bytes]:
    """Yield the sound of a file that is still arriving, as `decode` does, but a plain WAV's from its first bytes on.

    FFmpeg's own reader of WAV waits for 64 KB (two seconds of sound) to see whether they are something else.
    """
    head = bytearray()
    while container is WAV and len(head) < WAV_HEAD_BYTES and (piece := source.read(WAV_HEAD_BYTES)):
        head += piece
        if plain := plain_wav(head):
            rest = Prefixed(bytes(head[plain.offset :]), source)
            yield from decode_pcm(rest, rate_hz=plain.rate_hz, limit_s=limit_s)
            return
    yield from decode(Prefixed(bytes(head), source), container, limit_s=limit_s)


def decode_pcm(source: Readable, *, rate_hz: int, limit_s: float) -> Iterator[bytes]:
    """Yield bare s16le mono sound at `PCM_RATE_HZ`. Raises: BadInput for an impossible rate, TooLarge."""
    if not 1000 <= rate_hz <= 384_000:
        raise BadInput(
            f"不支持 {rate_hz} Hz 的采样率。",
            english=f"A sample rate of {rate_hz} Hz is not possible.",
            code="unsupported_audio",
        )
    resampler, left, odd = PcmResampler(from_hz=rate_hz, to_hz=PCM_RATE_HZ), int(limit_s * rate_hz) * 2, b""
    while piece := source.read(_READ_BYTES):
        left -= len(piece)
        if left < 0:
            raise _too_long(limit_s)
        pcm = odd + piece
        odd = pcm[len(pcm) // 2 * 2 :]
        yield resampler.feed(pcm[: len(pcm) - len(odd)])
    yield resampler.finish()


class Prefixed:
    """A file with something before it."""

    def __init__(self, prefix: bytes, rest: Readable) -> None:
        self._prefix, self._rest = prefix, rest

    def read(self, size: int = -1, /) -> bytes:
        if not self._prefix:
            return self._rest.read(size)
        piece = self._prefix[:size] if size >= 0 else self._prefix
        self._prefix = self._prefix[len(piece) :]
        return piece


def decode_whole(data: bytes, container: Container, *, limit_s: float, ffmpeg_path: str = "") -> Iterator[bytes]:
    """Yield the sound of a whole file; with `ffmpeg_path`, a file that the built-in decoder refuses gets a second try.

    Raises: BadInput, TooLarge.
    """
    pieces = decode(io.BytesIO(data), container, limit_s=limit_s)
    try:
        first = next(pieces, b"")
    except TooLarge:
        raise
    except BadInput:
        if not ffmpeg_path:
            raise
        pieces, first = iter(()), _decode_by_ffmpeg(data, container, limit_s=limit_s, ffmpeg_path=ffmpeg_path)
    yield first
    yield from pieces


def _decode_by_ffmpeg(data: bytes, container: Container, *, limit_s: float, ffmpeg_path: str) -> bytes:
    from pydub import AudioSegment
    from pydub.exceptions import CouldntDecodeError

    AudioSegment.converter = ffmpeg_path  # the library knows one program per process; it is the same for everyone
    try:
        sound = AudioSegment.from_file(io.BytesIO(data), format=container.demuxer, duration=limit_s + 1)
    except (CouldntDecodeError, OSError, IndexError, KeyError) as error:
        raise _undecodable(container) from error
    if len(sound) > limit_s * 1000:
        raise _too_long(limit_s)
    return bytes(sound.set_frame_rate(PCM_RATE_HZ).set_channels(1).set_sample_width(2).raw_data)


def duration_s(data: bytes, container: Container, *, limit_s: float, ffmpeg_path: str = "") -> float:
    """Return the seconds of sound in a file, of a plain WAV by its header alone. Raises: BadInput, TooLarge."""
    if container is WAV and (plain := plain_wav(data[:WAV_HEAD_BYTES])):
        seconds = (len(data) - plain.offset) / 2 / plain.rate_hz
        if seconds > limit_s:
            raise _too_long(limit_s)
        return seconds
    pieces = decode_whole(data, container, limit_s=limit_s, ffmpeg_path=ffmpeg_path)
    return sum(map(len, pieces)) / 2 / PCM_RATE_HZ


def _too_long(limit_s: float) -> TooLarge:
    return TooLarge(
        f"录音超过 {limit_s:g} 秒的上限。请缩短录音。",
        english=f"The recording is longer than {limit_s:g} seconds. Send a shorter one.",
        param="data",
    )


def _undecodable(container: Container) -> BadInput:
    return BadInput(
        f"无法解码这段 {container.name} 音频：文件不完整或已损坏。",
        english=f"The {container.name} audio cannot be decoded: the file is incomplete or damaged.",
        code="unsupported_audio",
    )


def resample(frames: Iterable[AudioFrame], *, rate_hz: int) -> Iterator[bytes]:
    """Yield any decoded frames as s16le mono PCM at `rate_hz`."""
    resampler = AudioResampler(format="s16", layout="mono", rate=rate_hz)
    for frame in itertools.chain(frames, (None,)):  # None flushes the resampler
        for piece in resampler.resample(frame):
            yield bytes(piece.planes[0])[: piece.samples * 2]


class PcmResampler:
    """Change the rate of a PCM stream. Invariant: nothing is lost between `feed` and `finish`."""

    def __init__(self, *, from_hz: int, to_hz: int) -> None:
        self._from_hz = from_hz
        self._resampler = AudioResampler(format="s16", layout="mono", rate=to_hz) if from_hz != to_hz else None

    def feed(self, pcm: bytes) -> bytes:
        if self._resampler is None or not pcm:
            return pcm
        frame = AudioFrame(format="s16", layout="mono", samples=len(pcm) // 2)
        frame.sample_rate = self._from_hz
        frame.planes[0].update(pcm)
        return self._run(frame)

    def finish(self) -> bytes:
        return b"" if self._resampler is None else self._run(None)

    def _run(self, frame: AudioFrame | None) -> bytes:
        assert self._resampler is not None
        return b"".join(bytes(out.planes[0])[: out.samples * 2] for out in self._resampler.resample(frame))


class Encoder(Protocol):
    """PCM in, the device's codec out. One encoder per answer: a second one would insert its own silence."""

    def feed(self, pcm: bytes) -> bytes: ...

    def finish(self) -> bytes: ...


class Mp3Encoder:
    """One continuous MP3 stream whose pieces are whole frames.

    LAME at quality 7: 0.13 CPU-s per minute of sound, the first frame after 40 ms of it, +48 ms of silence once.
    """

    def __init__(self, *, rate_hz: int, kbps: int) -> None:
        self._lame = lameenc.Encoder()
        self._lame.silence()
        self._lame.set_channels(1)
        self._lame.set_in_sample_rate(rate_hz)
        self._lame.set_bit_rate(kbps)
        self._lame.set_quality(7)
        self._frames = Mp3Frames()
        self._is_fresh = True

    def feed(self, pcm: bytes) -> bytes:
        if not pcm:
            return b""
        self._is_fresh = False
        return self._frames.feed(self._lame.encode(pcm))

    def finish(self) -> bytes:
        if self._is_fresh:  # LAME refuses to flush what it never began
            return b""
        return self._frames.feed(self._lame.flush()) + self._frames.finish()


class PcmEncoder:
    """Plain s16le mono sound at the device's rate."""

    def __init__(self, *, from_hz: int, to_hz: int) -> None:
        self._resampler = PcmResampler(from_hz=from_hz, to_hz=to_hz)

    def feed(self, pcm: bytes) -> bytes:
        return self._resampler.feed(pcm)

    def finish(self) -> bytes:
        return self._resampler.finish()
