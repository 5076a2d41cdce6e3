"""Pictures by models that draw: at once over the messages' door, or as tasks.

How it works.  `protocol/dashscope/image_models.py` says which door a model is asked at. From the moment that the vendor
has taken the work, a failure is marked as spent, because an SDK that tries again by itself would pay again.

Source: DashScope API reference, Qwen image generation and editing, Wan text-to-image V2.
"""

import msgspec

from protocol.dashscope.image_models import image_model
from protocol.dashscope.images import PATHS, DrawingBody, drawing_body, drawings_of, read_drawing_body
from protocol.drawings import Drawings, DrawingWish
from protocol.errors import UpstreamBroken, UpstreamError, UpstreamTimeout
from protocol.keys import ApiKey
from providers.dashscope.paid_work import is_readable, lend, perhaps_spent, spent
from providers.dashscope.tasks import ASYNC, Tasks
from providers.dashscope.temporary_upload import RESOLVE
from providers.dashscope.transport import Transport, authorization, read_whole
from services.ports import Cancel, Picture

_MOST_BYTES = 67_108_864
"""Of a drawing: 2048 x 2048 pixels of noise are 13 MB as png."""


class Painter:
    """One model that draws. Threads: any. `limit_s` is the patience with one task."""

    def __init__(self, transport: Transport, *, base_url: str, model: str, limit_s: float) -> None:
        self._transport, self._base_url, self.model = transport, base_url, model
        self._door = image_model(model).door
        self._tasks = Tasks(transport, base_url=base_url, limit_s=limit_s)

    def lend(self, picture: Picture, *, key: ApiKey, cancel: Cancel) -> str:
        """Return an address at which the vendor can read a picture. Raises: UpstreamError, Cancelled."""
        return lend(self._transport, picture, model=self.model, base_url=self._base_url, key=key, cancel=cancel)

    def draw(self, wish: DrawingWish, *, key: ApiKey, cancel: Cancel) -> Drawings:
        """Return what was drawn, some of it perhaps missing. Raises: UpstreamError, Cancelled."""
        answer = self._ask(wish, key, cancel)
        if answer.code:  # a refusal that came with HTTP 200
            return drawings_of(answer)
        with spent():
            if answer.task_id:
                answer = self._tasks.wait(answer.task_id, read_drawing_body, key=key, cancel=cancel)
            return drawings_of(answer)

    def _ask(self, wish: DrawingWish, key: ApiKey, cancel: Cancel) -> DrawingBody:
        url = f"{self._base_url}/{PATHS[self._door]}"
        headers = {"Authorization": authorization(key), "Content-Type": "application/json"}
        if self._door != "messages":
            headers |= ASYNC
        if any(address.startswith("oss://") for address in wish.pictures):
            headers |= RESOLVE
        body = msgspec.json.encode(drawing_body(wish, model=self.model, door=self._door))
        call = self._transport.call("POST", url, headers=headers, body=body, cancel=cancel, is_repeatable=False)
        with perhaps_spent(), call as response:
            return read_drawing_body(read_whole(response, cancel))

    def fetch(self, url: str, *, cancel: Cancel) -> bytes:
        """Return a drawing. Raises: UpstreamError, Cancelled."""
        with spent():
            if not is_readable(url, base_url=self._base_url):
                raise _unreadable("it is not at a public address")
            try:
                return self._download(url, cancel)
            except (UpstreamBroken, UpstreamTimeout):
                return self._download(url, cancel)
            except UpstreamError as error:  # its status is the store's, and tells nothing of the request
                raise _unreadable(error.vendor_code or "the vendor refuses it") from error

    def _download(self, url: str, cancel: Cancel) -> bytes:
        with self._transport.call("GET", url, headers={}, cancel=cancel) as response:
            if not response.headers.get("content-type", "").startswith("image/"):
                raise _unreadable("it is not a picture")
            data = bytearray()
            while piece := response.read1(65_536):
                data += piece
                if len(data) > _MOST_BYTES:
                    raise _unreadable(f"it is larger than {_MOST_BYTES} bytes")
        cancel.raise_if_cancelled()  # an answer that was shut may look like one that ended
        return bytes(data)


def _unreadable(why: str) -> UpstreamBroken:
    return UpstreamBroken(
        f"图片已生成，但无法下载：{why}。",
        english=f"The picture was drawn, but cannot be read: {why}. Ask for response_format url.",
        code="upstream_malformed",
    )
