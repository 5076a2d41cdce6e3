"""Recordings as files that recognisers read with all their voices.

Shape: PCM is s16le mono 16 000 Hz.
"""

import io
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import BinaryIO, cast

import av

from protocol.media import FLAC
from services.flow import CancelToken
from services.ports import SoundFile
from services.sound.audio import PCM_RATE_HZ
from services.sound.sound_files import AS_THEY_ARE, Length, is_plain, pcm_of

_MEMORY_BYTES = 1_048_576
"""A larger file is written to disk."""


@contextmanager
def readable_file(sound: SoundFile, *, length: Length, cancel: CancelToken, before: bytes = b"") -> Iterator[SoundFile]:
    """Give the recording as a file that the vendor reads with all its voices, and learn its length.

    `before` is PCM to be heard before it, which is not counted.  A recording with several channels is mixed: the
    vendor would hear the first one only.
    """
    pieces = pcm_of(sound, length=length, cancel=cancel)
    if not before and sound.container.name in AS_THEY_ARE and is_plain(sound):
        for _ in pieces:
            pass
        yield sound
        return
    with tempfile.SpooledTemporaryFile(max_size=_MEMORY_BYTES) as spooled:
        file = cast(BinaryIO, spooled)
        _write_flac(file, chain([before] if before else [], pieces))
        yield SoundFile(file=file, size_bytes=file.seek(0, io.SEEK_END), container=FLAC)


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
