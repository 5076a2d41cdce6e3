"""Sound files of any usual kind, decoded in memory by libav."""

from __future__ import annotations

import io
from typing import Final

import av
import numpy as np

_CONTAINERS: Final = "wav,mp3,mov,ogg,matroska,webm,flac,aac,amr,asf,aiff,flv,avi,mpeg"


def decode_audio(data: bytes) -> tuple[bytes, int]:
    """Return (PCM s16le mono, its rate) of a sound file in any usual container.  Raises: ValueError."""
    pcm, rate_hz, _ = _decode(data, layout="mono")
    return pcm, rate_hz


def decode_channels(data: bytes) -> tuple[list[bytes], int]:
    """Return the PCM (s16le) of each channel of a sound file, and the rate of all.  Raises: ValueError."""
    pcm, rate_hz, count = _decode(data, layout=None)
    samples = np.frombuffer(pcm, "<i2").reshape(-1, count)
    return [samples[:, n].tobytes() for n in range(count)], rate_hz


def _decode(data: bytes, *, layout: str | None) -> tuple[bytes, int, int]:
    """Return interleaved PCM, its rate and its channels; without a layout they stay as they are in the file."""
    try:
        with av.open(io.BytesIO(data), mode="r", options={"format_whitelist": _CONTAINERS}) as container:
            stream = container.streams.audio[0]
            resampler = av.AudioResampler(format="s16", layout=layout or stream.layout, rate=stream.rate)
            parts = [out.to_ndarray().tobytes() for f in container.decode(audio=0) for out in resampler.resample(f)]
            parts += [out.to_ndarray().tobytes() for out in resampler.resample(None)]
            return b"".join(parts), stream.rate, 1 if layout else stream.layout.nb_channels
    except (av.error.FFmpegError, IndexError, ValueError) as error:
        raise ValueError(f"not a sound file that can be decoded: {error}") from error
