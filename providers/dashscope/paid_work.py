"""What pictures and videos have in common at the vendor: what they begin from, where they are read, who pays.

Source: DashScope HTTP reference §3.2 (upload); DashScope API reference, Qwen image editing (data: URIs).
"""

import io
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from protocol.errors import UpstreamBroken, UpstreamError, UpstreamTimeout, UpstreamUnreachable
from protocol.keys import ApiKey
from protocol.links import is_public_link
from providers.dashscope.temporary_upload import Upload, upload
from providers.dashscope.transport import Transport
from services.ports import Cancel, Picture

_MOST_INLINE = 10_485_760
"""Characters of a data: URI that the vendor takes."""


def lend(
    transport: Transport,
    picture: Picture,
    *,
    model: str,
    base_url: str,
    key: ApiKey,
    cancel: Cancel,
    may_be_inline: bool = True,
) -> str:
    """Return an address at which the vendor can read a picture: itself, or where it was uploaded.

    Raises: UpstreamError, Cancelled.
    """
    inline = f"data:{picture.content_type};base64,{b64encode(picture.data).decode()}"
    if may_be_inline and len(inline) <= _MOST_INLINE:
        return inline
    sent = Upload(
        file=io.BytesIO(picture.data),
        size_bytes=len(picture.data),
        name=f"picture.{picture.content_type.rpartition('/')[2]}",
        content_type=picture.content_type,
    )
    return upload(transport, sent, model=model, base_url=base_url, key=key, cancel=cancel)


def is_readable(url: str, *, base_url: str) -> bool:
    """Whether a result may be read there: in the world or at the vendor's own host, whatever an answer says."""
    is_own = urlsplit(url).netloc == urlsplit(base_url).netloc
    return url.startswith("http") and (is_own or is_public_link(url))


@contextmanager
def spent() -> Iterator[None]:
    """Mark failures as those of work that the vendor has taken."""
    try:
        yield
    except UpstreamError as error:
        error.is_spent = True
        raise


@contextmanager
def perhaps_spent() -> Iterator[None]:
    """Mark failures after which nobody knows whether the vendor has taken the work: it fell silent."""
    try:
        yield
    except UpstreamError as error:
        has_broken = isinstance(error, UpstreamBroken | UpstreamTimeout) and not isinstance(error, UpstreamUnreachable)
        error.is_spent = has_broken and not error.vendor_code
        raise
