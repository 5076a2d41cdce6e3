"""Recordings cut for recognisers that hear five minutes at once.

How it works.  The sound is decoded as it is read, and whenever more of it waits than one call takes, it is cut at a
pause of the last minute. So memory holds one piece, however long the recording. A file that is short enough, and of a
kind that every recogniser reads, goes as it is: nothing of it is lost to another codec.

Shape: PCM is s16le mono 16 000 Hz.
"""

from collections.abc import Iterator

from protocol.media import MP3, WAV, WAV_HEAD_BYTES, PlainWav, plain_wav, wav_header
from services.flow import CancelToken
from services.ports import Recording, SoundFile
from services.sound.audio import PCM_RATE_HZ, Mp3Encoder
from services.sound.sound_files import AS_THEY_ARE, BYTES_PER_S, Length, pcm_of

PIECE_S = 280
"""The vendor hears 300 s at most. Source: DashScope HTTP reference §4.1."""
_PIECE_BYTES = 7_000_000
"""A larger file would pass the vendor's 10 MB when it is written in base64."""
_PIECE_KBPS = 64
_SEARCH_S = 60
"""How far back from the longest piece a pause is looked for."""


def pieces_of(
    sound: SoundFile,
    *,
    silence_ms: int,
    length: Length,
    cancel: CancelToken,
    as_they_are: tuple[str, ...] = AS_THEY_ARE,
) -> Iterator[Recording]:
    """Yield the recording in pieces that one call can hear, cut at pauses.

    One that is short enough stays whole, and as it is when its container is one of `as_they_are`.
    """
    if _is_short(sound, length):
        yield _whole(sound)
        return
    waiting, count = bytearray(), 0
    for pcm in pcm_of(sound, length=length, cancel=cancel):
        waiting += pcm
        while len(waiting) > PIECE_S * BYTES_PER_S:
            end = _pause_at(waiting, silence_ms)
            yield _compact(bytes(waiting[:end]))
            del waiting[:end]
            count += 1
    is_small = not count and sound.size_bytes <= _PIECE_BYTES
    if is_small and sound.container.name in as_they_are and not length.has_pictures:
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
    length.size_bytes = int(seconds * BYTES_PER_S)
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

    first, last = (PIECE_S - _SEARCH_S) * BYTES_PER_S, (PIECE_S - 1) * BYTES_PER_S  # what is left lasts a second
    frame = PCM_RATE_HZ * _FRAME_MS // 1000
    samples = np.frombuffer(bytes(pcm[first:last]), "<i2").astype(np.float64)
    power = np.square(samples).reshape(-1, frame).mean(axis=1)
    width = min(max(1, silence_ms // _FRAME_MS), len(power))
    loudness = np.convolve(power, np.ones(width), "valid")
    begin = int(loudness.argmin())
    quietest = begin + int(power[begin : begin + width].argmin())
    return first + (quietest * frame + frame // 2) * 2
