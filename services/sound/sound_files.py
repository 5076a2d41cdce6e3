"""Recordings as files: what they are, how they are decoded, how long they last.

A file stays where the server put it, on disk from some size on, and is decoded as it is read. The pass over it tells
its true length.

Shape: PCM is s16le mono 16 000 Hz.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

import av

from protocol.errors import BadInput, TooLarge
from protocol.media import FILE_SNIFF_BYTES, UNKNOWN, sniff_file
from services.flow import CancelToken
from services.ports import SoundFile
from services.sound.audio import PCM_RATE_HZ, decode_pcm, resample

BYTES_PER_S = PCM_RATE_HZ * 2
AS_THEY_ARE = ("wav", "mp3", "aac", "amr", "aiff", "flac", "ogg", "webm", "wma")
"""What every recogniser reads. Source: DashScope HTTP reference §4.1; a film is not sent for the sake of its sound."""
_MOST_S = 43_200
"""Twelve hours: the longest recording that the vendor takes. Source: DashScope HTTP reference §4.3."""
_LOWEST_HZ, _HIGHEST_HZ = 1000, 384_000
"""A damaged header may claim 3 Hz: a short file would become hours of sound."""


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
        return self.size_bytes / BYTES_PER_S


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
    with _opened(sound) as media:
        length.has_pictures = bool(media.streams.video)
        yield from resample(_frames(media), rate_hz=PCM_RATE_HZ)


def is_plain(sound: SoundFile) -> bool:
    """Whether there is one channel of sound and no picture. Raises: BadInput."""
    with _opened(sound) as media:
        return bool(_stream(media).channels == 1 and not media.streams.video)


@contextmanager
def _opened(sound: SoundFile) -> Iterator[Any]:
    sound.file.seek(0)
    try:
        with av.open(_Unclosed(sound.file), "r", format=sound.container.demuxer) as media:
            yield media
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
