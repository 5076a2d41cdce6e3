"""Pictures as files, in the format that was asked for."""

import io
from dataclasses import dataclass
from typing import Literal

from PIL import Image, UnidentifiedImageError

from protocol.drawings import Size
from protocol.errors import BadInput, UpstreamBroken
from protocol.pictures import sniff_picture

Form = Literal["png", "jpeg", "webp"]
_QUALITY = 90
"""Where nobody chose one."""
_MOST_PIXELS = 100_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureFile:
    data: bytes
    size: Size


def encoded(data: bytes, *, form: Form, quality: int | None) -> PictureFile:
    """Return a drawing as `form`; one that has it stays as it is, byte for byte. `quality` is 0 to 100.

    Raises: UpstreamBroken for bytes that are no picture.
    """
    try:
        kind = sniff_picture(data)
        with Image.open(io.BytesIO(data), formats=[kind.decoder]) as image:
            size = Size(width=image.width, height=image.height)
            if size.pixels > _MOST_PIXELS:
                raise ValueError("too many pixels")
            is_as_wished = kind.decoder.lower() == form and (form == "png" or quality is None)
            return PictureFile(data=data if is_as_wished else _saved(image, form, quality), size=size)
    except (BadInput, UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError) as error:
        broken = UpstreamBroken(
            "图片已生成，但无法解码。",
            english="The picture was drawn, but its file is damaged. Ask for response_format url.",
            code="upstream_malformed",
        )
        broken.is_spent = True
        raise broken from error


def _saved(image: Image.Image, form: Form, quality: int | None) -> bytes:
    out = io.BytesIO()
    plain = image.convert("RGB") if form == "jpeg" else image
    options = {} if form == "png" else {"quality": _QUALITY if quality is None else quality}
    plain.save(out, form.upper(), **options)
    return out.getvalue()
