"""Videos as tasks: submitted once, looked at when somebody asks, read from where the vendor puts them.

How it works.  Nothing waits here: a video takes minutes, and its client asks again.  A submission is never repeated,
and from the moment that it may have been taken, its failure is marked as spent: each video is paid for.

Source: DashScope HTTP reference §3.2 (upload), §12.1 (tasks), §12.4 (video synthesis).
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from urllib.parse import quote

import msgspec
import urllib3

from protocol.dashscope.videos import body_of, path_of, plan, read_news, read_taken, wants_upload
from protocol.errors import UpstreamBroken, UpstreamRefused
from protocol.keys import ApiKey
from protocol.videos import VideoNews, VideoOrder, VideoPlan
from providers.dashscope.paid_work import is_readable, lend, perhaps_spent
from providers.dashscope.tasks import ASYNC
from providers.dashscope.temporary_upload import RESOLVE
from providers.dashscope.transport import Transport, authorization, read_whole
from services.ports import Cancel, Picture
from services.video_ports import Taken, VideoFile

_log = logging.getLogger(__name__)
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
        return lend(
            self._transport,
            picture,
            model=model,
            base_url=self._base_url,
            key=key,
            cancel=cancel,
            may_be_inline=not wants_upload(model),
        )

    def submit(
        self, order: VideoOrder, plan: VideoPlan, pictures: Sequence[str], *, key: ApiKey, cancel: Cancel
    ) -> Taken:
        """Return the task. Raises: UpstreamError (spent when it may have been taken), Cancelled."""
        body = msgspec.json.encode(body_of(order, plan, pictures))
        url = f"{self._base_url}/{path_of(plan.model)}"
        headers = {"Content-Type": "application/json", **_keyed(key), **ASYNC, **RESOLVE}
        call = self._transport.call("POST", url, headers=headers, body=body, cancel=cancel, is_repeatable=False)
        with perhaps_spent(), call as response:
            task_id, request_id = read_taken(read_whole(response, cancel))
        return Taken(task_id=task_id, request_id=request_id)

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
        with ExitStack() as stack:
            try:
                response = stack.enter_context(self._read(url, part, cancel))
            except UpstreamRefused:
                if not part:
                    raise
                response = stack.enter_context(self._read(url, "", cancel))  # there is no such part: give the whole
            told = {name: response.headers[name] for name in _TOLD if name in response.headers}
            yield VideoFile(status=response.status, headers=told, pieces=_pieces(response, cancel))

    def _read(self, url: str, part: str, cancel: Cancel) -> AbstractContextManager[urllib3.BaseHTTPResponse]:
        return self._transport.call("GET", url, headers={"Range": part} if part else {}, cancel=cancel)

    def _task(self, task_id: str) -> str:
        return f"{self._base_url}/tasks/{quote(task_id, safe='')}"

    def _check(self, url: str) -> None:
        if not is_readable(url, base_url=self._base_url):
            raise UpstreamBroken(
                "视频已生成，但无法下载。", english="The video was made, but its address is not a public one."
            )


def _pieces(response: urllib3.BaseHTTPResponse, cancel: Cancel) -> Iterator[bytes]:
    while piece := response.read1(_PIECE_BYTES):
        yield piece
    cancel.raise_if_cancelled()  # an answer that was shut may look like one that ended


def _keyed(key: ApiKey) -> dict[str, str]:
    return {"Authorization": authorization(key)}
