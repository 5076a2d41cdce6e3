"""Videos as tasks: submitted once, looked at when somebody asks, read from where the vendor puts them.

How it works.  Nothing waits here: a video takes minutes, and its client asks again.  A submission is never repeated,
and from the moment that it may have been taken, its failure is marked as spent: each video is paid for.

Source: DashScope HTTP reference §3.2 (upload), §12.1 (tasks), §12.4 (video synthesis).
"""

import io
import logging
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import quote, urlsplit

import msgspec
import urllib3

from protocol.dashscope.videos import body_of, path_of, plan, read_news, read_task_id, wants_upload
from protocol.errors import UpstreamBroken, UpstreamError, UpstreamRefused, UpstreamTimeout, UpstreamUnreachable
from protocol.keys import ApiKey
from protocol.links import is_public_link
from protocol.videos import VideoNews, VideoOrder, VideoPlan
from providers.dashscope.tasks import ASYNC
from providers.dashscope.temporary_upload import RESOLVE, Upload, upload
from providers.dashscope.transport import Transport, authorization, read_whole
from services.ports import Cancel, Picture
from services.video_ports import VideoFile

_log = logging.getLogger(__name__)
_MOST_INLINE = 10_485_760
"""Characters of a data: URI that the vendor takes."""
_TOLD = ("content-length", "content-range", "accept-ranges", "etag", "last-modified")
_PIECE_BYTES = 65_536


class TaskVideos:
    """Implements `VideoMaker`. Threads: any."""

    def __init__(self, transport: Transport, *, base_url: str) -> None:
        self._transport, self._base_url = transport, base_url

    def plan(self, order: VideoOrder) -> VideoPlan:
        """Return what will be made of an order. Raises: BadInput."""
        return plan(order)

    def lend(self, picture: Picture, *, model: str, key: ApiKey, cancel: Cancel) -> str:
        """Return an address at which the vendor can read a picture. Raises: UpstreamError, Cancelled."""
        inline = f"data:{picture.content_type};base64,{b64encode(picture.data).decode()}"
        if len(inline) <= _MOST_INLINE and not wants_upload(model):
            return inline
        sent = Upload(
            file=io.BytesIO(picture.data),
            size_bytes=len(picture.data),
            name=f"picture.{picture.content_type.rpartition('/')[2]}",
            content_type=picture.content_type,
        )
        return upload(self._transport, sent, model=model, base_url=self._base_url, key=key, cancel=cancel)

    def submit(
        self, order: VideoOrder, plan: VideoPlan, pictures: Sequence[str], *, key: ApiKey, cancel: Cancel
    ) -> str:
        """Return the name of the task. Raises: UpstreamError (spent when it may have been taken), Cancelled."""
        body = msgspec.json.encode(body_of(order, plan, pictures))
        url = f"{self._base_url}/{path_of(plan.model)}"
        headers = {"Content-Type": "application/json", **_keyed(key), **ASYNC, **RESOLVE}
        call = self._transport.call("POST", url, headers=headers, body=body, cancel=cancel, is_repeatable=False)
        with _spent(), call as response:
            return read_task_id(read_whole(response, cancel))

    def look(self, task_id: str, *, key: ApiKey, cancel: Cancel) -> VideoNews:
        """Return how a task stands. Raises: UpstreamError, Cancelled."""
        with self._transport.call("GET", self._task(task_id), headers=_keyed(key), cancel=cancel) as response:
            return read_news(read_whole(response, cancel))

    def stop(self, task_id: str, *, key: ApiKey, cancel: Cancel) -> None:
        """Give up a task that has not begun; the vendor refuses for any other. Raises: UpstreamError, Cancelled."""
        url = f"{self._task(task_id)}/cancel"
        try:
            with self._transport.call("POST", url, headers=_keyed(key), body=b"", cancel=cancel) as response:
                read_whole(response, cancel)
        except UpstreamRefused as error:
            _log.info("a video could not be stopped: %s", error.vendor_code)

    @contextmanager
    def open(self, url: str, *, part: str, cancel: Cancel) -> Iterator[VideoFile]:
        """Give a video from where it lies. Raises: UpstreamError, Cancelled."""
        self._check(url)
        headers = {"Range": part} if part else {}
        with self._transport.call("GET", url, headers=headers, cancel=cancel) as response:
            told = {name: response.headers[name] for name in _TOLD if name in response.headers}
            yield VideoFile(status=response.status, headers=told, pieces=_pieces(response, cancel))

    def _task(self, task_id: str) -> str:
        return f"{self._base_url}/tasks/{quote(task_id, safe='')}"

    def _check(self, url: str) -> None:
        """Refuse to read from anywhere but the world, and the vendor's own host: an answer is not to be believed."""
        is_own = urlsplit(url).netloc == urlsplit(self._base_url).netloc
        if not (is_own or (url.startswith("http") and is_public_link(url))):
            raise UpstreamBroken(
                "视频已生成，但无法下载。", english="The video was made, but its address is not a public one."
            )


def _pieces(response: urllib3.BaseHTTPResponse, cancel: Cancel) -> Iterator[bytes]:
    while piece := response.read1(_PIECE_BYTES):
        yield piece
    cancel.raise_if_cancelled()  # an answer that was shut may look like one that ended


def _keyed(key: ApiKey) -> dict[str, str]:
    return {"Authorization": authorization(key)}


@contextmanager
def _spent() -> Iterator[None]:
    """Mark a failure after which nobody knows whether the vendor has taken the work."""
    try:
        yield
    except UpstreamError as error:
        has_broken = isinstance(error, UpstreamBroken | UpstreamTimeout) and not isinstance(error, UpstreamUnreachable)
        error.is_spent = has_broken and not error.vendor_code
        raise
