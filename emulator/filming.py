"""The emulator's camera: real mp4 files in a colour that follows from what was asked for, which stands in the file."""

from __future__ import annotations

import hashlib
import io
from functools import lru_cache
from typing import Any, Final

import av
import msgspec
import numpy as np

_RATE_HZ: Final = 2
"""Pictures a second: enough for a true length, few enough to be made in a moment."""


def film(width: int, height: int, seconds: int, story: dict[str, Any]) -> bytes:
    """Return an mp4 (H.264) of that size and length; the same story is the same film."""
    return _film(width, height, seconds, msgspec.json.encode(story, order="deterministic").decode())


def story_in(video: bytes) -> dict[str, Any]:
    """Return the story of a film.  Raises: ValueError when it tells none."""
    with av.open(io.BytesIO(video), "r", format="mp4") as container:
        return msgspec.json.decode(container.metadata.get("comment", ""), type=dict[str, Any])


@lru_cache(maxsize=32)
def _film(width: int, height: int, seconds: int, story: str) -> bytes:
    colour = np.frombuffer(hashlib.sha256(story.encode()).digest()[:3], np.uint8)
    picture = np.broadcast_to(colour, (height, width, 3))
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        container.metadata["comment"] = story
        stream = container.add_stream("libx264", rate=_RATE_HZ, options={"preset": "ultrafast", "crf": "35"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for _ in range(seconds * _RATE_HZ):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")))
        container.mux(stream.encode())
    return out.getvalue()
