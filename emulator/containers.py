"""Sound files of any usual kind, decoded in memory by libav."""

from __future__ import annotations

import io
from typing import Final

import av

_CONTAINERS: Final = "wav,mp3,mov,ogg,matroska,webm,flac,aac,amr,asf,aiff,flv,avi,mpeg"


def decode_audio(data: bytes) -> tuple[bytes, int]:
    """Return (PCM s16le mono, its rate) of a sound file in any usual container.  Raises: ValueError."""
    try:
        with av.open(io.BytesIO(data), mode="r", options={"format_whitelist": _CONTAINERS}) as container:
            rate_hz = container.streams.audio[0].rate
            resampler = av.AudioResampler(format="s16", layout="mono", rate=rate_hz)
            parts = [out.to_ndarray().tobytes() for f in container.decode(audio=0) for out in resampler.resample(f)]
            parts += [out.to_ndarray().tobytes() for out in resampler.resample(None)]
    except (av.error.FFmpegError, IndexError, ValueError) as error:
        raise ValueError(f"not a sound file that can be decoded: {error}") from error
    return b"".join(parts), rate_hz
