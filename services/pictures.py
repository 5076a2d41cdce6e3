"""Pictures made fit for the model: upright, of a kind that it takes, no larger than it can use.

A picture that is fit already stays as it is, byte for byte.  Units: pixels, bytes.
Source of the limits: DashScope HTTP reference §2.1 (both sides over 10 px, ratio up to 200:1, 10 MB as base64).
"""

import io
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError
from pillow_heif import register_heif_opener

from protocol.errors import BadInput, TooLarge
from protocol.pictures import JPEG, PNG, WEBP, PictureKind, sniff_picture
from services.ports import Picture

register_heif_opener()
Image.MAX_IMAGE_PIXELS = None  # its own guard only warns below twice its limit; `_check_size` comes before decoding

_FIT_KINDS = (JPEG, PNG, WEBP)
_MOST_BYTES = 7_000_000
"""Before base64, which makes a third more of it."""
_LEAST_SIDE, _MOST_RATIO = 11, 200
_QUALITY = 90
_ORIENTATION = 0x0112


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureRules:
    """`max_side` is what a longer side is reduced to; a picture of more than `max_pixels` is refused undecoded.

    A file of more than `most_bytes` is written anew.
    """

    max_side: int
    max_pixels: int
    most_bytes: int = _MOST_BYTES


def prepare(data: bytes, *, rules: PictureRules) -> Picture:
    """Return the picture as the model gets it. Raises: BadInput (no picture, broken, too small), TooLarge."""
    kind = sniff_picture(data)
    try:
        with Image.open(io.BytesIO(data), formats=[kind.decoder]) as image:
            _check_size(image, rules)
            if _is_fit(image, kind, data, rules):
                image.load()  # a file that breaks off must be told here, not by the vendor
                return Picture(data=data, content_type=kind.content_type, width=image.width, height=image.height)
            return _converted(image, rules)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError) as error:
        raise BadInput(
            f"无法解码这张 {kind.name} 图片：文件不完整或已损坏。",
            english=f"The {kind.name} picture cannot be decoded: the file is incomplete or damaged.",
            code="unsupported_image",
            param="data",
        ) from error


def _check_size(image: Image.Image, rules: PictureRules) -> None:
    width, height = image.size
    if width * height > rules.max_pixels:
        raise TooLarge(
            f"图片 {width}×{height} 超过 {rules.max_pixels} 像素的上限。请缩小后重发。",
            english=f"The picture of {width}x{height} has more than {rules.max_pixels} pixels. Send a smaller one.",
            param="data",
        )
    if min(width, height) < _LEAST_SIDE or max(width, height) > _MOST_RATIO * min(width, height):
        raise BadInput(
            f"图片 {width}×{height} 太小或太窄：每边至少 {_LEAST_SIDE} 像素，长宽比不超过 {_MOST_RATIO}:1。",
            english=f"The picture of {width}x{height} is too small or too narrow: "
            f"at least {_LEAST_SIDE} pixels a side, at most {_MOST_RATIO}:1.",
            code="unsupported_image",
            param="data",
        )


def _is_fit(image: Image.Image, kind: PictureKind, data: bytes, rules: PictureRules) -> bool:
    is_upright = image.getexif().get(_ORIENTATION, 1) == 1
    is_still = getattr(image, "n_frames", 1) == 1
    is_small = max(image.size) <= rules.max_side and len(data) <= rules.most_bytes
    return kind in _FIT_KINDS and is_upright and is_still and is_small


def _converted(image: Image.Image, rules: PictureRules) -> Picture:
    """Return the first frame, upright and reduced, as JPEG on white."""
    image.draft("RGB", (rules.max_side, rules.max_side))  # a large JPEG is decoded at a fraction of its size
    upright = ImageOps.exif_transpose(image)
    upright.thumbnail((rules.max_side, rules.max_side))
    flat = _on_white(upright)
    out = io.BytesIO()
    flat.save(out, "JPEG", quality=_QUALITY)
    return Picture(data=out.getvalue(), content_type=JPEG.content_type, width=flat.width, height=flat.height)


def _on_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    clear = image.convert("RGBA")
    white = Image.new("RGBA", clear.size, "white")
    return Image.alpha_composite(white, clear).convert("RGB")
