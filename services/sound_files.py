"""Recordings as files: what they are, how long they last, and what of them the vendor gets.

How it works.  A file is read once from its beginning, decoded as it is read. That pass tells its true length; on the
way it is cut into pieces for recognisers that hear five minutes, or made into one compact file where the vendor would
not read it as it is. A file stays where the server put it, on disk from some size on; memory holds one piece.

Shape: PCM is s16le mono 16 000 Hz.
"""

import io
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any, BinaryIO, cast

import av

from protocol.errors import BadInput, TooLarge
from protocol.media import (
    FILE_SNIFF_BYTES,
    FLAC,
    MP3,
    UNKNOWN,
    WAV,
    WAV_HEAD_BYTES,
    PlainWav,
    plain_wav,
    sniff_file,
    wav_header,
)
from services.audio import PCM_RATE_HZ, Mp3Encoder, decode_pcm, resample
from services.flow import CancelToken
from services.ports import Recording, SoundFile

PIECE_S = 280
"""The vendor hears 300 s at most. Source: DashScope HTTP reference §4.1."""
_PIECE_BYTES = 7_000_000
"""A larger file would pass the vendor's 10 MB when it is written in base64."""
_MOST_S = 43_200
"""Twelve hours: the longest recording that the vendor takes. Source: DashScope HTTP reference §4.3."""
_LOWEST_HZ, _HIGHEST_HZ = 1000, 384_000
"""A damaged header may claim 3 Hz: a short file would become hours of sound."""
_SEARCH_S = 60
"""How far back from the longest piece a pause is looked for."""
_PIECE_KBPS = 64
_MEMORY_BYTES = 1_048_576
_BYTES_PER_S = PCM_RATE_HZ * 2
_TAKEN_AS_THEY_ARE = ("wav", "mp3", "aac", "amr", "aiff", "flac", "ogg", "webm", "wma")
"""What every recogniser reads. Source: DashScope HTTP reference §4.1; a video is not sent for the sake of its sound."""


def open_sound(file: BinaryIO, *, pcm_rate_hz: int = 0) -> SoundFile:
    """Return a file as what its bytes say that it is; `pcm_rate_hz`: it is bare s16le mono. Raises: BadInput."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    if not size:
        raise BadInput("The file is empty.", param="file")
    if pcm_rate_hz:
        return SoundFile(file=file, size_bytes=size, container=UNKNOWN, pcm_rate_hz=pcm_rate_hz)
    try:
        container = sniff_file(file.read(FILE_SNIFF_BYTES))
    except BadInput as error:
        raise BadInput(
            "The file's format cannot be recognised. Send flac, mp3, mp4, mpeg, mpga, m4a, ogg, wav, webm, aac, amr, "
            "3gp, aiff or wma; for bare PCM say format=pcm.",
            code="unsupported_format",
            param="file",
        ) from error
    return SoundFile(file=file, size_bytes=size, container=container)


# --- decoding


@dataclass(slots=True, kw_only=True)
class Length:
    """How much sound has been decoded so far: its whole length, once the pass is over."""

    size_bytes: int = 0
    has_pictures: bool = False

    @property
    def seconds(self) -> float:
        return self.size_bytes / _BYTES_PER_S


def pcm_of(sound: SoundFile, *, length: Length, cancel: CancelToken) -> Iterator[bytes]:
    """Yield the sound of a file; a damaged part is left out, as players do. Raises: BadInput, TooLarge, Cancelled."""
    sound.file.seek(0)
    for pcm in _decoded(sound, length):
        cancel.raise_if_cancelled()
        length.size_bytes += len(pcm)
        if length.seconds > _MOST_S:
            raise TooLarge(f"The recording is longer than {_MOST_S // 3600} hours.", param="file")
        if pcm:
            yield pcm
    if not length.size_bytes:
        raise _unreadable(sound)


def _decoded(sound: SoundFile, length: Length) -> Iterator[bytes]:
    if sound.pcm_rate_hz:
        yield from decode_pcm(sound.file, rate_hz=sound.pcm_rate_hz, limit_s=_MOST_S + 1)
        return
    try:
        with av.open(_Unclosed(sound.file), "r", format=sound.container.demuxer) as media:
            length.has_pictures = bool(media.streams.video)
            yield from resample(_frames(media), rate_hz=PCM_RATE_HZ)
    except (av.FFmpegError, IndexError, ValueError) as error:
        raise _unreadable(sound) from error


class _Unclosed:
    """A file that the decoder may read, but not close: it is read again. Only reading and seeking are offered."""

    def __init__(self, file: BinaryIO) -> None:
        self.read, self.seek, self.tell = file.read, file.seek, file.tell


def _stream(media: Any) -> Any:
    """Return the first sound of a file. Raises: IndexError, ValueError when there is none that can be decoded."""
    stream = media.streams.audio[0]
    if stream.codec_context is None or not _LOWEST_HZ <= stream.rate <= _HIGHEST_HZ:
        raise ValueError("no decoder, or a rate that no sound has")
    return stream


def _frames(media: Any) -> Iterator[Any]:
    for packet in media.demux(_stream(media)):
        try:
            yield from packet.decode()
        except av.InvalidDataError:
            continue


def _unreadable(sound: SoundFile) -> BadInput:
    return BadInput(
        f"The {sound.container.name} file has no sound that can be decoded: it is incomplete, damaged or has none.",
        code="unsupported_format",
        param="file",
    )


# --- for a recogniser that hears five minutes


def pieces_of(sound: SoundFile, *, silence_ms: int, length: Length, cancel: CancelToken) -> Iterator[Recording]:
    """Yield the recording in pieces that one call can hear, cut at pauses; one that is short enough as it is."""
    if _is_short(sound, length):
        yield _whole(sound)
        return
    waiting, count = bytearray(), 0
    for pcm in pcm_of(sound, length=length, cancel=cancel):
        waiting += pcm
        while len(waiting) > PIECE_S * _BYTES_PER_S:
            end = _pause_at(waiting, silence_ms)
            yield _compact(bytes(waiting[:end]))
            del waiting[:end]
            count += 1
    is_small = not count and sound.size_bytes <= _PIECE_BYTES
    if is_small and sound.container.name in _TAKEN_AS_THEY_ARE and not length.has_pictures:
        yield _whole(sound)
    elif waiting:
        yield _compact(bytes(waiting))


def _is_short(sound: SoundFile, length: Length) -> bool:
    """Whether one call can hear it, as its size alone tells of bare sound; then its length is known, too."""
    plain = _plain(sound)
    if not plain or sound.size_bytes > _PIECE_BYTES:
        return False
    seconds = (sound.size_bytes - plain.offset) / 2 / plain.rate_hz
    if not 0 < seconds <= PIECE_S:
        return False
    length.size_bytes = int(seconds * _BYTES_PER_S)
    return True


def _plain(sound: SoundFile) -> PlainWav | None:
    if sound.pcm_rate_hz:
        return PlainWav(rate_hz=sound.pcm_rate_hz, offset=0)
    sound.file.seek(0)
    return plain_wav(sound.file.read(WAV_HEAD_BYTES)) if sound.container is WAV else None


def _whole(sound: SoundFile) -> Recording:
    sound.file.seek(0)
    data = sound.file.read()
    if rate_hz := sound.pcm_rate_hz:
        return Recording(data=wav_header(pcm_bytes=len(data), rate_hz=rate_hz) + data, container=WAV, url="")
    return Recording(data=data, container=sound.container, url="")


def _compact(pcm: bytes) -> Recording:
    encoder = Mp3Encoder(rate_hz=PCM_RATE_HZ, kbps=_PIECE_KBPS)
    return Recording(data=encoder.feed(pcm) + encoder.finish(), container=MP3, url="")


_FRAME_MS = 20


def _pause_at(pcm: bytearray, silence_ms: int) -> int:
    """Return where to cut: at the quietest moment of the quietest stretch of `silence_ms` in the last minute."""
    import numpy as np  # only recordings that are cut pay for it

    first, last = (PIECE_S - _SEARCH_S) * _BYTES_PER_S, (PIECE_S - 1) * _BYTES_PER_S  # what is left lasts a second
    frame = PCM_RATE_HZ * _FRAME_MS // 1000
    samples = np.frombuffer(bytes(pcm[first:last]), "<i2").astype(np.float64)
    power = np.square(samples).reshape(-1, frame).mean(axis=1)
    width = min(max(1, silence_ms // _FRAME_MS), len(power))
    loudness = np.convolve(power, np.ones(width), "valid")
    begin = int(loudness.argmin())
    quietest = begin + int(power[begin : begin + width].argmin())
    return first + (quietest * frame + frame // 2) * 2


# --- for a recogniser that reads files


@contextmanager
def readable_file(sound: SoundFile, *, length: Length, cancel: CancelToken, before: bytes = b"") -> Iterator[SoundFile]:
    """Give the recording as a file that the vendor reads with all its voices, and learn its length.

    `before` is PCM to be heard before it, which is not counted.  A recording with several channels is mixed: the
    vendor would hear the first one only.
    """
    pieces = pcm_of(sound, length=length, cancel=cancel)
    if not before and sound.container.name in _TAKEN_AS_THEY_ARE and _is_plain(sound):
        for _ in pieces:
            pass
        yield sound
        return
    with tempfile.SpooledTemporaryFile(max_size=_MEMORY_BYTES) as spooled:
        file = cast(BinaryIO, spooled)
        _write_flac(file, chain([before] if before else [], pieces))
        yield SoundFile(file=file, size_bytes=file.seek(0, io.SEEK_END), container=FLAC)


def _is_plain(sound: SoundFile) -> bool:
    """Whether there is one channel of sound and no picture."""
    sound.file.seek(0)
    try:
        with av.open(_Unclosed(sound.file), "r", format=sound.container.demuxer) as media:
            return bool(_stream(media).channels == 1 and not media.streams.video)
    except (av.FFmpegError, IndexError, ValueError) as error:
        raise _unreadable(sound) from error


def _write_flac(file: BinaryIO, pieces: Iterable[bytes]) -> None:
    """Write sound as FLAC: half the size, and unlike a lossy file it moves no word in time."""
    with av.open(file, "w", format="flac") as media:
        stream = media.add_stream("flac", rate=PCM_RATE_HZ, layout="mono")
        for pcm in pieces:
            media.mux(stream.encode(_frame(pcm)))
        media.mux(stream.encode(None))


def _frame(pcm: bytes) -> av.AudioFrame:
    frame = av.AudioFrame(format="s16", layout="mono", samples=len(pcm) // 2)
    frame.sample_rate = PCM_RATE_HZ
    frame.planes[0].update(pcm)
    return frame
