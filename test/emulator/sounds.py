"""Real codecs for the tests of the ear."""

import io

import av
import lameenc
import numpy as np

from emulator.ear import decode_audio
from emulator.voice import resample


def through_mp3(pcm: bytes, *, rate_hz: int = 24000, kbps: int = 64) -> tuple[bytes, int]:
    encoder = lameenc.Encoder()
    encoder.set_bit_rate(kbps)
    encoder.set_in_sample_rate(rate_hz)
    encoder.set_channels(1)
    encoder.set_quality(7)
    return decode_audio(bytes(encoder.encode(pcm)) + bytes(encoder.flush()))


def through_opus(pcm: bytes, *, rate_hz: int = 24000, bit_rate: int = 24000) -> tuple[bytes, int]:
    file = io.BytesIO()
    with av.open(file, "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=rate_hz, layout="mono", options={"application": "voip"})
        stream.bit_rate = bit_rate
        frame = av.AudioFrame.from_ndarray(np.frombuffer(pcm, "<i2").reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = rate_hz
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return decode_audio(file.getvalue())


def through_rate(pcm: bytes, *, rate_hz: int) -> tuple[bytes, int]:
    return resample(pcm, from_hz=24000, to_hz=rate_hz), rate_hz


def louder(pcm: bytes, factor: float) -> bytes:
    return np.clip(np.frombuffer(pcm, "<i2") * factor, -32768, 32767).astype("<i2").tobytes()


def silence(duration_ms: int, *, rate_hz: int = 24000) -> bytes:
    return bytes(rate_hz * duration_ms // 1000 * 2)


def noise(duration_ms: int, *, rms: float = 3000, rate_hz: int = 24000) -> bytes:
    return np.random.default_rng(7).normal(0, rms, rate_hz * duration_ms // 1000).astype("<i2").tobytes()


def in_container(pcm: bytes, *, rate_hz: int, container: str, codec: str, layout: str = "mono") -> bytes:
    """The sound in a file of any kind that libav writes; with a stereo layout the PCM is interleaved."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as out:
        stream = out.add_stream(codec, rate=rate_hz, layout=layout, bit_rate=12200 if codec == "amr_nb" else 96000)
        frame = av.AudioFrame.from_ndarray(np.frombuffer(pcm, "<i2").reshape(1, -1), format="s16", layout=layout)
        frame.sample_rate = rate_hz
        resampler = av.AudioResampler(format=stream.format, layout=layout, rate=rate_hz, frame_size=stream.frame_size)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
    return file.getvalue()


def stereo(left: bytes, right: bytes) -> bytes:
    """Two sounds side by side, the shorter one filled up with silence."""
    size = max(len(left), len(right))
    channels = [np.frombuffer(channel.ljust(size, b"\0"), "<i2") for channel in (left, right)]
    return np.stack(channels, axis=1).tobytes()
