"""Pictures for tests, made on the spot."""

import base64
import io

import pillow_heif
from PIL import Image

from test.support.device import Message

pillow_heif.register_heif_opener()


def photo(kind: str = "JPEG", *, size: tuple[int, int] = (320, 240), orientation: int = 1, mode: str = "RGB") -> bytes:
    """Return a picture whose left half is red and whose right half is blue, as the camera saw it."""
    image = Image.new(mode, size, "blue")
    image.paste(Image.new(mode, (size[0] // 2, size[1]), "red"), (0, 0))
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(out, kind, **({"exif": exif} if orientation != 1 else {}))
    return out.getvalue()


def picture_packets(data: bytes, *, size: int = 4096, image: int | None = None) -> list[Message]:
    """Cut a picture into packets of the picture socket."""
    parts = [data[begin : begin + size] for begin in range(0, len(data), size)]
    number = {} if image is None else {"image": image}
    return [
        {"seq": seq, "total": len(parts), "type": "image", **number, "data": base64.b64encode(part).decode()}
        for seq, part in enumerate(parts, 1)
    ]
