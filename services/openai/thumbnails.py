"""The first picture of a video, for lists and previews."""

import io
import tempfile
from collections.abc import Iterable

import av
from av.error import FFmpegError

from protocol.errors import UpstreamBroken

_MOST_BYTES = 536_870_912
_MOST_SIDE = 640
_QUALITY = 80


def thumbnail(pieces: Iterable[bytes]) -> bytes:
    """Return the first picture of an mp4 as webp, its longer side at most 640 pixels.

    The index of an mp4 may stand at its end, so all of it is read, into a file. Raises: UpstreamBroken.
    """
    with tempfile.TemporaryFile() as file:
        size_bytes = 0
        for piece in pieces:
            size_bytes += file.write(piece)
            if size_bytes > _MOST_BYTES:
                raise _unreadable()
        file.seek(0)
        try:
            with av.open(file, "r", format="mp4") as container:
                image = next(container.decode(video=0)).to_image()  # type: ignore[no-untyped-call]
        except (FFmpegError, OSError, StopIteration, IndexError, ValueError) as error:
            raise _unreadable() from error
    image.thumbnail((_MOST_SIDE, _MOST_SIDE))
    out = io.BytesIO()
    image.save(out, "WEBP", quality=_QUALITY)
    return out.getvalue()


def _unreadable() -> UpstreamBroken:
    return UpstreamBroken(
        "视频无法读取。", english="The video that was made cannot be read.", code="upstream_malformed"
    )
