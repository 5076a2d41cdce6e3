"""What a recording is, told by its bytes, and where the frames of an MP3 stream end.

A name or a MIME type is never trusted: devices send wrong ones, and a playlist that calls itself audio could name a
file of the server.  Source of the signatures: the containers' own specifications; of the MP3 header: ISO/IEC 13818-3.
"""

from dataclasses import dataclass

from protocol.errors import BadInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A kind of audio file. `demuxer` is FFmpeg's name for the only reader that may open it."""

    name: str
    demuxer: str
    content_type: str


WAV = Container(name="wav", demuxer="wav", content_type="audio/wav")
MP3 = Container(name="mp3", demuxer="mp3", content_type="audio/mpeg")
MP4 = Container(name="m4a", demuxer="mov", content_type="audio/mp4")
OGG = Container(name="ogg", demuxer="ogg", content_type="audio/ogg")
WEBM = Container(name="webm", demuxer="matroska", content_type="audio/webm")
FLAC = Container(name="flac", demuxer="flac", content_type="audio/flac")
AMR = Container(name="amr", demuxer="amr", content_type="audio/amr")
AAC = Container(name="aac", demuxer="aac", content_type="audio/aac")
MKV = Container(name="mkv", demuxer="matroska", content_type="video/x-matroska")
AIFF = Container(name="aiff", demuxer="aiff", content_type="audio/aiff")
ASF = Container(name="wma", demuxer="asf", content_type="audio/x-ms-wma")
FLV = Container(name="flv", demuxer="flv", content_type="video/x-flv")
AVI = Container(name="avi", demuxer="avi", content_type="video/x-msvideo")
CAF = Container(name="caf", demuxer="caf", content_type="audio/x-caf")
MPEG = Container(name="mpeg", demuxer="mpeg", content_type="video/mpeg")
MPEG_TS = Container(name="ts", demuxer="mpegts", content_type="video/mp2t")
UNKNOWN = Container(name="bin", demuxer="", content_type="application/octet-stream")
"""What no reader may open."""

SNIFF_BYTES = 16
"""How many bytes of the beginning `sniff` needs."""

_PREFIXES = ((b"OggS", OGG), (b"\x1a\x45\xdf\xa3", WEBM), (b"fLaC", FLAC), (b"#!AMR", AMR), (b"ID3", MP3))


def sniff(data: bytes | bytearray) -> Container:
    """Return the container that these bytes begin. Raises: BadInput for everything else."""
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return WAV
    if data[4:8] == b"ftyp":
        return MP4
    for prefix, container in _PREFIXES:
        if data[: len(prefix)] == prefix:
            return container
    if len(data) > 1 and data[0] == 0xFF and data[1] & 0xE0 == 0xE0:
        return AAC if data[1] & 0xF6 == 0xF0 else MP3
    raise BadInput(
        "无法识别的音频格式。支持 wav、mp3、m4a、aac、ogg/opus、webm、flac、amr；裸 PCM 请先用 start 声明 input。",
        english="The audio format cannot be recognised. Send wav, mp3, m4a, aac, ogg/opus, webm, flac or amr.",
        code="unsupported_audio",
        param="data",
    )


_FILE_PREFIXES = (
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", ASF),
    (b"FLV\x01", FLV),
    (b"caff", CAF),
    (b"\x00\x00\x01\xba", MPEG),
)
_TS_PACKET_BYTES = 188
FILE_SNIFF_BYTES = 512
"""How many bytes of the beginning `sniff_file` needs."""


def sniff_file(head: bytes) -> Container:
    """Return the container of a whole file, video included: more kinds than devices send. Raises: BadInput."""
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return AIFF
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return AVI
    if head[:1] == b"G" and head[_TS_PACKET_BYTES : _TS_PACKET_BYTES + 1] == b"G":
        return MPEG_TS
    for prefix, container in _FILE_PREFIXES:
        if head.startswith(prefix):
            return container
    container = sniff(head)
    return MKV if container is WEBM and b"matroska" in head else container


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainWav:
    """A WAV file that is nothing but s16le mono sound from `offset` on."""

    rate_hz: int
    offset: int


WAV_HEAD_BYTES = 4096
"""Where a plain WAV's sound has begun at the latest: more than any recorder puts before it."""


def plain_wav(head: bytes | bytearray) -> PlainWav | None:
    """Return where the sound of a plain WAV begins; None for other kinds, and while `head` does not tell yet."""
    at, rate_hz = 12, 0
    while at + 8 <= len(head):
        kind, size = bytes(head[at : at + 4]), int.from_bytes(head[at + 4 : at + 8], "little")
        if kind == b"fmt " and at + 24 <= len(head):
            rate_hz = _plain_rate_hz(head[at + 8 : at + 24])
        if kind == b"data":
            return PlainWav(rate_hz=rate_hz, offset=at + 8) if rate_hz else None
        at += 8 + size + size % 2
    return None


def _plain_rate_hz(form: bytes | bytearray) -> int:
    """Return the rate that a `fmt ` chunk tells, 0 when the sound is not s16le mono."""
    tag, channels, bits = (int.from_bytes(form[at : at + 2], "little") for at in (0, 2, 14))
    return int.from_bytes(form[4:8], "little") if (tag, channels, bits) == (1, 1, 16) else 0


def wav_header(*, pcm_bytes: int, rate_hz: int) -> bytes:
    """Return the 44-byte header of a WAV file that holds s16le mono sound."""

    def number(value: int, size: int = 4) -> bytes:
        return value.to_bytes(size, "little")

    form = (
        number(16) + number(1, 2) + number(1, 2) + number(rate_hz) + number(rate_hz * 2) + number(2, 2) + number(16, 2)
    )
    return b"RIFF" + number(36 + pcm_bytes) + b"WAVEfmt " + form + b"data" + number(pcm_bytes)


_KBPS_MPEG1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0)
_KBPS_MPEG2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0)
_RATES_HZ = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}


def mp3_frame_bytes(header: bytes | bytearray | memoryview) -> int:
    """Return the length of the Layer III frame that these four bytes begin, 0 when they begin none."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return 0
    version, rate_index = header[1] >> 3 & 3, header[2] >> 2 & 3
    kbps = (_KBPS_MPEG1 if version == 3 else _KBPS_MPEG2)[header[2] >> 4]
    if version == 1 or rate_index == 3 or not kbps:
        return 0
    samples_per_bit = 144 if version == 3 else 72
    return samples_per_bit * kbps * 1000 // _RATES_HZ[version][rate_index] + (header[2] >> 1 & 1)


class Mp3Frames:
    """Cut an encoder's output at frame boundaries, so that a lost message costs whole frames and nothing else."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes | bytearray) -> bytes:
        """Return the whole frames that are complete now."""
        self._rest += data
        end = 0
        while (size := mp3_frame_bytes(self._rest[end : end + 4])) and end + size <= len(self._rest):
            end += size
        whole = bytes(self._rest[:end])
        del self._rest[:end]
        return whole

    def finish(self) -> bytes:
        """Return what is left: nothing, after an encoder that was flushed."""
        rest, self._rest = bytes(self._rest), bytearray()
        return rest
