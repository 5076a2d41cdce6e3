"""What a picture is, told by its bytes: a name or a MIME type is never trusted.

Source of the signatures: the formats' own specifications (ISO/IEC 23008-12 for HEIF's brands).
"""

from dataclasses import dataclass

from protocol.errors import BadInput


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureKind:
    """A kind of picture file. `decoder` is Pillow's name for the only reader that may open it."""

    name: str
    decoder: str
    content_type: str


JPEG = PictureKind(name="jpg", decoder="JPEG", content_type="image/jpeg")
PNG = PictureKind(name="png", decoder="PNG", content_type="image/png")
WEBP = PictureKind(name="webp", decoder="WEBP", content_type="image/webp")
GIF = PictureKind(name="gif", decoder="GIF", content_type="image/gif")
BMP = PictureKind(name="bmp", decoder="BMP", content_type="image/bmp")
HEIC = PictureKind(name="heic", decoder="HEIF", content_type="image/heic")

SNIFF_BYTES = 12
_PREFIXES = ((b"\xff\xd8\xff", JPEG), (b"\x89PNG\r\n\x1a\n", PNG), (b"GIF8", GIF), (b"BM", BMP))
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"heim", b"heis")


def sniff_picture(data: bytes | bytearray) -> PictureKind:
    """Return the kind of picture that these bytes begin. Raises: BadInput for everything else."""
    for prefix, kind in _PREFIXES:
        if data[: len(prefix)] == prefix:
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return WEBP
    if data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS:
        return HEIC
    raise BadInput(
        "无法识别的图片格式。支持 jpeg、png、webp、gif、bmp、heic。",
        english="The picture's format cannot be recognised. Send jpeg, png, webp, gif, bmp or heic.",
        code="unsupported_image",
        param="data",
    )
