"""PCM to the formats of an answer over HTTP, each one continuous stream whose first bytes leave early.

Shape: PCM is s16le mono at the voice's rate.  Threads: an encoder has one owner.
Source of the figures: measured with FFmpeg 8.1 libraries, pushes of 40 ms.
"""

from collections.abc import Mapping
from fractions import Fraction

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream

from protocol.errors import BadInput
from protocol.media import wav_header
from protocol.openai.speech import Format
from services.sound.audio import Encoder, Mp3Encoder, PcmEncoder, PcmResampler

_OPUS_HZ = 48_000
_ENDLESS = b"\xff\xff\xff\xff"
"""The lengths in the header of a WAV file whose end is not known yet, as players of streams expect them."""


def check_rate(form: Format, rate_hz: int | None) -> None:
    """Raise BadInput (`sample_rate`) when a format cannot have this rate: Opus plays at one alone."""
    if form == "opus" and rate_hz not in (None, _OPUS_HZ):
        message = f"Invalid 'sample_rate': opus has {_OPUS_HZ} Hz and no other."
        raise BadInput(message, code="unsupported_value", param="sample_rate")


def open_encoder(
    form: Format, *, from_hz: int, to_hz: int | None = None, mp3_kbps: int = 64, pcm_bytes: int | None = None
) -> Encoder:
    """Return the encoder of one answer; without `to_hz` the sound keeps its rate.

    `pcm_bytes`: how much will come out of a WAV, when that is known.
    """
    rate_hz = to_hz or from_hz
    match form:
        case "mp3":
            return Resampled(Mp3Encoder(rate_hz=rate_hz, kbps=mp3_kbps), from_hz=from_hz, to_hz=rate_hz)
        case "wav":
            return Resampled(WavEncoder(rate_hz=rate_hz, pcm_bytes=pcm_bytes), from_hz=from_hz, to_hz=rate_hz)
        case "pcm":
            return PcmEncoder(from_hz=from_hz, to_hz=rate_hz)
        case "aac":
            return ContainerEncoder("adts", "aac", from_hz=from_hz, to_hz=rate_hz, bit_rate=64_000)
        case "flac":
            return ContainerEncoder("flac", "flac", from_hz=from_hz, to_hz=rate_hz, codec={"frame_size": "960"})
        case "opus":
            return _opus(from_hz)


def _opus(from_hz: int) -> Encoder:
    return ContainerEncoder(
        "ogg",
        "libopus",
        from_hz=from_hz,
        to_hz=_OPUS_HZ,
        bit_rate=48_000,
        codec={"application": "voip"},
        container={"page_duration": "60000"},  # microseconds; the default of a second would hold the first words
    )


class Resampled:
    """An encoder behind a change of rate."""

    def __init__(self, encoder: Encoder, *, from_hz: int, to_hz: int) -> None:
        self._encoder, self._resampler = encoder, PcmResampler(from_hz=from_hz, to_hz=to_hz)

    def feed(self, pcm: bytes) -> bytes:
        return self._encoder.feed(self._resampler.feed(pcm))

    def finish(self) -> bytes:
        return self._encoder.feed(self._resampler.finish()) + self._encoder.finish()


class WavEncoder:
    """A WAV file. Its header is the first thing out, and cannot tell the length of what is still being spoken."""

    def __init__(self, *, rate_hz: int, pcm_bytes: int | None = None) -> None:
        header = wav_header(pcm_bytes=pcm_bytes or 0, rate_hz=rate_hz)
        if pcm_bytes is None:
            header = header[:4] + _ENDLESS + header[8:40] + _ENDLESS
        self._header = header

    def feed(self, pcm: bytes) -> bytes:
        header, self._header = self._header, b""
        return header + pcm

    def finish(self) -> bytes:
        return self.feed(b"")


class ContainerEncoder:
    """A codec of FFmpeg in a container that can be written forwards only."""

    def __init__(
        self,
        container_name: str,
        codec_name: str,
        *,
        from_hz: int,
        to_hz: int,
        bit_rate: int | None = None,
        codec: Mapping[str, str] | None = None,
        container: Mapping[str, str] | None = None,
    ) -> None:
        self._from_hz, self._sink, self._samples = from_hz, _Sink(), 0
        options = {"flush_packets": "1", **(container or {})}
        self._container = av.open(self._sink, "w", format=container_name, options=options)
        stream = self._container.add_stream(codec_name, rate=to_hz, layout="mono", options=dict(codec or {}))
        assert isinstance(stream, AudioStream)
        if bit_rate:
            stream.bit_rate = bit_rate
        self._stream = stream

    def feed(self, pcm: bytes) -> bytes:
        if pcm:
            self._encode(self._frame(pcm))
        return self._sink.taken()

    def finish(self) -> bytes:
        self._encode(None)
        self._container.close()
        return self._sink.taken()

    def _frame(self, pcm: bytes) -> AudioFrame:
        frame = AudioFrame(format="s16", layout="mono", samples=len(pcm) // 2)
        frame.sample_rate, frame.time_base, frame.pts = self._from_hz, Fraction(1, self._from_hz), self._samples
        frame.planes[0].update(pcm)
        self._samples += frame.samples
        return frame

    def _encode(self, frame: AudioFrame | None) -> None:
        for packet in self._stream.encode(frame):
            self._container.mux(packet)


class _Sink:
    """Where a container writes. It has no `seek`, so nothing that is out is ever mended."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        """Return what has been written since the last time."""
        data, self._pieces = b"".join(self._pieces), []
        return data
